"""`ironhub apply`: what a hub shall hold, written in a file; the differences are shown, and made."""
