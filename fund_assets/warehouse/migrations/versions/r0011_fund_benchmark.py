"""What funds say they are measured against, and what was understood of it."""

from fund_assets.warehouse.migrations.rebuild import create_missing

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Two tables more."""
    create_missing()
