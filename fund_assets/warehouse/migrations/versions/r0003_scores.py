"""Weekly scores of funds, and the log of the weekly job."""

from fund_assets.warehouse.migrations.rebuild import create_missing

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Two tables more."""
    create_missing()
