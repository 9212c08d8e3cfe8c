"""Alembic's entry. It runs on the connection that `storage/migrations/run.py` opened, and on no other."""

from alembic import context

from storage.catalogue.tables import every

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=every.METADATA,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
