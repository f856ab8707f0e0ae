"""Size, holders and allocation of funds; the next histories fill them."""

from fund_assets.warehouse.migrations.rebuild import create_missing

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Three tables more."""
    create_missing()
