"""Status and fees of each fund with their history; the next wave fills it."""

from fund_assets.warehouse.migrations.rebuild import create_missing

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """One table more."""
    create_missing()
