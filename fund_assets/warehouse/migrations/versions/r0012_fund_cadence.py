"""How often each fund publishes; until the next metrics run fills it, all funds are daily."""

from fund_assets.warehouse.migrations.rebuild import create_missing

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """One table more."""
    create_missing()
