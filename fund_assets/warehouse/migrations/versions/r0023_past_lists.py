"""Lists of past dates that a user gave, and the screens that were walked."""

from fund_assets.warehouse.migrations.rebuild import create_missing

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Two tables more."""
    create_missing()
