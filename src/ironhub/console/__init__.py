"""The admin API, and health and metrics: everything that is there for a person, over HTTP."""
