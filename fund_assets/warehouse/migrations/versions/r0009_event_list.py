"""Market lists of events that came short wait for a decision."""

from fund_assets.warehouse.migrations.rebuild import create_missing

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """One table more."""
    create_missing()
