"""Where devices, twins, commands and policies are kept: in memory for tests and trials, in SQLite to last."""
