"""Estimated positions, top holdings and managers of funds; the next histories fill them."""

from fund_assets.warehouse.migrations.rebuild import create_missing

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Three tables more."""
    create_missing()
