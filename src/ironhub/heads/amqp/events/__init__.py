"""The Event Hubs-compatible endpoint: readers of the telemetry stream, and what they ask about it."""
