"""Telemetry in; commands and direct methods out; the sessions they travel on."""
