"""nav_revision.kind knows fillings: what was empty is in the ledger until it was filled in.

Older rows that were filled in have no row of the ledger, and read as known from the beginning.
"""

from fund_assets.warehouse.migrations.rebuild import rebuild

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """One word more in a column."""
    rebuild("nav_revision")
