"""What Alembic runs: the migrations, in one transaction, on the connection that storage.sqlite.schema hands in."""

from alembic import context

from ironhub.storage.sqlite.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
