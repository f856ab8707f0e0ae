"""What the source states of funds, with our returns; the next histories fill them."""

from fund_assets.warehouse.migrations.rebuild import create_missing

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Two tables more."""
    create_missing()
