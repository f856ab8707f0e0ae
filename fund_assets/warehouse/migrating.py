"""Making the tables, knowing which revision they have, and bringing older ones up to date.

Belongs here: what `fund-assets init` and `fund-assets migrate` do to the tables. Does not
belong here: a change of a table (`migrations/versions/`).
"""

from pathlib import Path

import sqlalchemy as sa

from fund_assets.warehouse.ddl import METADATA
from fund_assets.warehouse.migrations import BASELINE, HEAD
from fund_assets.warehouse.views import VIEWS

SCRIPTS = Path(__file__).with_name("migrations")


def revision(connection: sa.Connection) -> str | None:
    """The revision of the tables; None while there are none, or not yet all of them."""
    tables = set(sa.inspect(connection).get_table_names())
    if "alembic_version" in tables:
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)
    if "warehouse_meta" not in tables:
        return None
    found = connection.execute(
        sa.text("SELECT value FROM warehouse_meta WHERE property = 'schema_version'")
    ).scalar()
    # Version 2 is what the tables were when migrations began.
    return {None: None, "2": BASELINE}.get(found, f"version {found}")


def make_tables(connection: sa.Connection, source: str) -> None:
    """All tables of this release, for `source`; what is there already stays.

    The revision is written last: on MySQL, where each table is made for good at once, an
    interrupted beginning is gone on with.
    """
    METADATA.create_all(connection)
    make_views(connection)
    connection.execute(
        sa.text(
            "INSERT INTO warehouse_meta (property, value) SELECT 'source', :source "
            "WHERE NOT EXISTS (SELECT 1 FROM warehouse_meta WHERE property = 'source')"
        ),
        {"source": source},
    )
    _alembic("stamp", connection)


def make_views(connection: sa.Connection) -> None:
    """All views of this release, in place of older ones of their names."""
    for name, select in VIEWS.items():
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {select}")


def upgrade(connection: sa.Connection) -> None:
    """Run the scripts that the tables lack."""
    if "alembic_version" not in sa.inspect(connection).get_table_names():
        _alembic("stamp", connection, BASELINE)
    # A table that is made anew cannot be renamed under a view of it.
    for name in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
    _alembic("upgrade", connection)
    make_views(connection)


def _alembic(command: str, connection: sa.Connection, to: str = HEAD) -> None:
    import alembic.command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    getattr(alembic.command, command)(config, to)
