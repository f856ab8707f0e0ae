"""fund_metrics says what a fund was measured against, and why; closes of any index are kept.

Older rows were measured against the index of their kind: what is new is NULL in them.
"""

from fund_assets.warehouse.migrations.rebuild import rebuild

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Four columns more, and longer codes."""
    rebuild("fund_metrics")
    rebuild("benchmark_index")
