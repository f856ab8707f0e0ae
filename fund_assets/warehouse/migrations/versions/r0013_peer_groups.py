"""fund_peers and fund_scores say in which group a fund was ranked: its type or its pool.

Older rows were ranked within the kind: their group is NULL, their definition as it was.
"""

from fund_assets.warehouse.migrations.rebuild import rebuild

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Two columns more, and one."""
    rebuild("fund_peers")
    rebuild("fund_scores")
