"""Many identities in one call, each with its own outcome."""
