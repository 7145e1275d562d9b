"""Settings become one wired hub; the command line drives it."""
