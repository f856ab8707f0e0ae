"""fund_scores: parts for size, tenure and fee; the next scores fill them."""

from fund_assets.warehouse.migrations.rebuild import rebuild

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Three columns more."""
    rebuild("fund_scores")
