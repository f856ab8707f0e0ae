"""Which revision the tables of a database have.

Does not belong here: making them of this release's (`migrations/`).

Every command asks for it first, and those that only read ask for nothing else of this kind: the
SQL of the tables, a tenth of their time, is not loaded for it.
"""

import sqlalchemy as sa

#: Tables as they were before they had migrations.
BASELINE = "0001"


def revision(connection: sa.Connection) -> str | None:
    """The revision of the tables; None while there are none, or not yet all of them."""
    tables = set(sa.inspect(connection).get_table_names())
    if "alembic_version" in tables:
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        if found is not None:
            return str(found)
    if "warehouse_meta" not in tables:
        return None
    found = connection.execute(
        sa.text("SELECT value FROM warehouse_meta WHERE property = 'schema_version'")
    ).scalar()
    # Version 2 is what the tables were when migrations began.
    return {None: None, "2": BASELINE}.get(found, f"version {found}")
