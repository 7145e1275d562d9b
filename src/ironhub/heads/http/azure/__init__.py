"""The vendor's REST APIs on the shared HTTPS port: one file for each group of calls."""
