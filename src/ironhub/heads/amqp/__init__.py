"""AMQP 1.0: devices, back ends and readers of events."""
