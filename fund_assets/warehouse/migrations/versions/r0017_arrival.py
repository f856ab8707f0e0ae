"""How the NAVs of an evening arrive; a band is known after some evenings."""

from fund_assets.warehouse.migrations.rebuild import create_missing

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """One table more."""
    create_missing()
