"""Automatic configurations: desired properties for whichever twins meet a condition, now and later."""
