"""fund_metrics: volatility and Sharpe ratio of weekly returns; the next run fills them."""

from fund_assets.warehouse.migrations.rebuild import rebuild

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    """Two columns more."""
    rebuild("fund_metrics")
