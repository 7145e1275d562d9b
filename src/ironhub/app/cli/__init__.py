"""The command line: a file per group of commands, and what they share. What runs is `program.main`."""

from ironhub.app.cli.program import main

__all__ = ["main"]
