"""Alembic's entry: runs the scripts on the connection that `migrating.py` hands over."""

from alembic import context

from fund_assets.warehouse.ddl import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,
)
context.run_migrations()
