"""Whether the long form of these tests runs."""

import os
from typing import Final

FULL: Final = os.environ.get("IRONHUB_FULL") == "1"
"""The full run: 50 kills instead of 5, each of the first 40 syncs instead of some."""
