"""Import and export jobs: the whole registry from and to a blob."""
