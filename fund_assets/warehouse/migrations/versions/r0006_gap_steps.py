"""fund_metrics.gap_steps: steps over gaps, which are no day's returns.

Older rows had counted every step; the next run measures the newest date anew.
"""

from fund_assets.warehouse.migrations.rebuild import rebuild

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """One column more."""
    rebuild("fund_metrics")
