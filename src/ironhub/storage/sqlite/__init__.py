"""The stores in one SQLite file: one writer that commits in groups, readers beside it."""
