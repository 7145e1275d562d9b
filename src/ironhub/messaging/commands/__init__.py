"""Commands out: a durable queue per device, with settlement and feedback."""
