"""Which database a URL names.

Belongs here: choosing the engine. Does not belong here: what one of them needs (`sqlite.py`,
`mysql.py`), transactions (`transactions.py`).
"""

import sqlalchemy as sa

from fund_assets.warehouse.engine.backend import Backend
from fund_assets.warehouse.engine.errors import WarehouseError
from fund_assets.warehouse.engine.sqlite import SQLite

SERVERS = ("mysql", "mariadb")
EXAMPLES = (
    "sqlite:////absolute/path/warehouse.db, mysql://user:password@host:3306/fund_assets, "
    "or leave it empty"
)


def backend_for(url: str) -> Backend:
    """The database that a URL names.

    Raises:
        WarehouseError: the URL is unreadable or names an engine that is not supported.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError:
        raise WarehouseError(
            f"FUND_WAREHOUSE_URL is not a SQLAlchemy URL; examples: {EXAMPLES}"
        ) from None
    name = parsed.get_backend_name()
    if name not in ("sqlite", *SERVERS):
        raise WarehouseError(
            f"FUND_WAREHOUSE_URL={parsed.render_as_string()}: the fund tables are stored in "
            f"SQLite, MySQL or MariaDB: {EXAMPLES}"
        )
    if name in SERVERS:
        from fund_assets.warehouse.engine.mysql import (
            MySQL,  # its driver is for those who have one
        )

        return MySQL(parsed)
    return SQLite(parsed)
