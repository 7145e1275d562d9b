"""Who is connected here, and what an MQTT session leaves behind for its next connection."""
