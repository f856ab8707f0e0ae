"""The quarantine desk, legal levels of corrections, alerts, requests to the source.

nav_revision.legal_level of older rows follows from change_pct; decisions of before the desk
have nobody who made them.
"""

import sqlalchemy as sa
from alembic import op

from fund_assets.warehouse.migrations.rebuild import create_missing, rebuild

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Three tables anew, some more, and one property fewer."""
    create_missing()
    for table in ("collection_batch", "nav_revision", "nav_quarantine"):
        rebuild(table)
    op.execute(sa.text("DELETE FROM warehouse_meta WHERE property = 'schema_version'"))
