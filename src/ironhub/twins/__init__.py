"""Desired and reported properties: versions, patches, limits."""
