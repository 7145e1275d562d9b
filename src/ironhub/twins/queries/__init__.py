"""Queries over devices, modules and what jobs did to them: one small language as values, and what it means."""
