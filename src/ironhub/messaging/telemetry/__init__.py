"""Telemetry in: from a device into the event log."""
