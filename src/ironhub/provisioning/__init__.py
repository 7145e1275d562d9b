"""Registering many identities at once: bulk calls, imports and exports."""
