"""The durable event log of a single node: chunks in one SQLite file, group commit, readers that do not block it."""
