"""MQTT over TLS or WebSocket: one conversation per connected device or module."""
