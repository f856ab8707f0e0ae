"""Terms of managers, and when the page of each fund was seen."""

from fund_assets.warehouse.migrations.rebuild import create_missing

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Two tables more."""
    create_missing()
