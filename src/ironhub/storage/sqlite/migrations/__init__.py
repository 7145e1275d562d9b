"""How a database file came from each older schema to the present one; run by Alembic."""
