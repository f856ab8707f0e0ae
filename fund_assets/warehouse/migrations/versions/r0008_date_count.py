"""How many accepted NAVs each date has, to see when some vanish."""

from fund_assets.warehouse.migrations.rebuild import add_rows, create_missing

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """One table more, with what is there now."""
    create_missing()
    add_rows(
        "date_count",
        {"nav_date": "nav_date", "rows_most": "n", "rows_found": "n"},
        "(SELECT nav_date, COUNT(*) AS n FROM validated_nav GROUP BY nav_date) AS counted",
    )
