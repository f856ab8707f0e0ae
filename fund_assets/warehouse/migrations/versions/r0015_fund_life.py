"""The states and changes of each fund; the next metrics run fills fund_state."""

from fund_assets.warehouse.migrations.rebuild import create_missing

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Two tables more."""
    create_missing()
