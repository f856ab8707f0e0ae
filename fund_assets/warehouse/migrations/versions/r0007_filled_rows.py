"""publish_log.rows_filled and nav_revision.kind: what is filled in or refined corrects nothing.

Older rows counted both as changed, and stay so.
"""

from fund_assets.warehouse.migrations.rebuild import rebuild

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """One column more in each."""
    rebuild("publish_log")
    rebuild("nav_revision")
