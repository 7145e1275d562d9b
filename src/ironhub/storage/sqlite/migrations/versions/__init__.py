"""One file per revision. A revision that was released never changes; the next one grows from it."""
