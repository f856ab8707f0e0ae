"""The change feed; its first version says that every table is to be read."""

from fund_assets.warehouse.migrations.rebuild import create_missing, note_all

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    """Two tables more."""
    create_missing()
    note_all()
