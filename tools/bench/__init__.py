"""`make bench`: this hub beside its peers in one run, on one machine, each server pinned to one core.

    python -m tools.bench [--quick] [--only NAME...] [--json FILE] [--peers all|none]

`docs/benchmarks.md` says what is measured and what was found.
"""
