"""Certificates: our own authority, and the ones operators register for their devices."""
