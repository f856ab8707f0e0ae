"""How far each fund's history is: history_progress instead of fund_info.history_on.

Of older rows it is known that the fund was asked for on a day, and whether NAVs are stored.
"""

import sqlalchemy as sa
from alembic import op

from fund_assets.warehouse.migrations.rebuild import add_rows, create_missing, rebuild

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """A table more, filled from the column that goes."""
    create_missing()
    columns = [column["name"] for column in sa.inspect(op.get_bind()).get_columns("fund_info")]
    if "history_on" in columns:
        add_rows(
            "history_progress",
            {
                "fund_code": "fund_code",
                "state": "CASE WHEN newest IS NULL THEN 'nothing' ELSE 'stored' END",
                "asked_at": "asked",
                "stored_at": "CASE WHEN newest IS NULL THEN NULL ELSE asked END",
                "last_nav_date": "newest",
                "answer": "''",
                "attempts": "CASE WHEN newest IS NULL THEN 1 ELSE 0 END",
                "last_error": "''",
            },
            "(SELECT i.fund_code, i.history_on * 1000000 AS asked,"
            " (SELECT MAX(v.nav_date) FROM validated_nav AS v"
            " WHERE v.fund_code = i.fund_code) AS newest"
            " FROM fund_info AS i WHERE i.history_on IS NOT NULL) AS asked_for",
        )
    rebuild("fund_info")
