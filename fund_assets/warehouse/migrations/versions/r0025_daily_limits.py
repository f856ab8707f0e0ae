"""Limits and least amounts of purchases in fund_status; the next list fills them."""

from fund_assets.warehouse.migrations.rebuild import rebuild

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    """Four columns and an order more."""
    rebuild("fund_status")
