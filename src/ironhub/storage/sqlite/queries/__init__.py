"""Queries over the tables: conditions become SQL with bound values, rows become documents."""
