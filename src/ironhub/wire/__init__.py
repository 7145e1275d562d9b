"""Protocols as values: bytes in, events out. No IO, no clock, nothing of ours above it."""
