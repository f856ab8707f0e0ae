"""validated_nav.days_covered: how many calendar days a money-market income is for.

Not known of older rows: each fund's next history tells it.
"""

from fund_assets.warehouse.migrations.rebuild import rebuild

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """One column more."""
    rebuild("validated_nav")
