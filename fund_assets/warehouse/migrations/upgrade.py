"""Making the tables, and bringing older ones up to date.

Belongs here: what `fund-assets init` and `fund-assets migrate` do to the tables. Does not
belong here: a change of a table (`versions/`), reading which revision they have
(`engine/revision.py`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from fund_assets.warehouse.engine.errors import WarehouseError
from fund_assets.warehouse.engine.revision import revision
from fund_assets.warehouse.engine.views import VIEWS
from fund_assets.warehouse.migrations import HEAD

SCRIPTS = Path(__file__).parent


def make_tables(connection: sa.Connection, source: str) -> None:
    """All tables of this release, for `source`; what is there already stays.

    The revision is written last: on MySQL, where each table is made for good at once, an
    interrupted beginning is gone on with.
    """
    if sa.inspect(connection).get_table_names():
        with _operations(connection):
            _complete(connection)
    else:
        from fund_assets.warehouse.engine.ddl import METADATA

        METADATA.create_all(connection)
        make_views(connection)
    connection.execute(
        sa.text(
            "INSERT INTO warehouse_meta (property, value) SELECT 'source', :source "
            "WHERE NOT EXISTS (SELECT 1 FROM warehouse_meta WHERE property = 'source')"
        ),
        {"source": source},
    )
    _stamp(connection, HEAD)


def make_views(connection: sa.Connection) -> None:
    """All views of this release, in place of older ones of their names."""
    for name, select in VIEWS.items():
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
            connection.exec_driver_sql(f"CREATE VIEW {name} AS {select}")
        else:
            connection.exec_driver_sql(f"CREATE OR REPLACE VIEW {name} AS {select}")


def upgrade(connection: sa.Connection) -> None:
    """Run the scripts that the tables lack; of those that have them all, renew what is gone.

    A server commits in between: what was ended at any statement is gone on with by the next
    call. The last revision is written when the tables have been seen to be as declared.

    Raises:
        WarehouseError: rows or tables are in the way; they are as they were.
    """
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from fund_assets.warehouse.migrations.leftovers import settle

    at = str(revision(connection))
    _stamp(connection, at)
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    scripts = list(ScriptDirectory.from_config(config).iterate_revisions(HEAD, at))
    with _operations(connection):
        if connection.dialect.name == "sqlite":  # which renames no table under a view
            for name in VIEWS:
                connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")
        settle(connection)
        for script in reversed(scripts):
            script.module.upgrade()
            if script.revision != HEAD:
                _stamp(connection, script.revision)
        _complete(connection)
    if at != HEAD:
        _stamp(connection, HEAD)


def _complete(connection: sa.Connection) -> None:
    """Make what is missing, and see that nothing is."""
    from fund_assets.warehouse.engine.ddl import METADATA
    from fund_assets.warehouse.migrations.leftovers import missing_views
    from fund_assets.warehouse.migrations.rebuild import renew, renew_comments
    from fund_assets.warehouse.migrations.shape import differences

    METADATA.create_all(connection)
    for found in differences(connection):
        renew(connection, found)
    make_views(connection)
    if left := [*map(str, differences(connection)), *missing_views(connection)]:
        raise WarehouseError(
            f"the tables do not match this release: {'; '.join(left)}. Nothing was removed "
            "and the revision is unchanged; fix what is listed (keep your own columns in "
            "your own tables), and run `fund-assets migrate` again"
        )
    if connection.dialect.name != "sqlite":  # which stores no comments
        for name in METADATA.tables:
            renew_comments(connection, name)


@contextmanager
def _operations(connection: sa.Connection) -> Iterator[None]:
    """While it lasts, Alembic's `op` works on this connection."""
    from alembic.operations import Operations
    from alembic.runtime.migration import MigrationContext

    with Operations.context(MigrationContext.configure(connection)):
        yield


def _stamp(connection: sa.Connection, to: str) -> None:
    """Write the revision. Once there was one, what a script wrote before goes with it."""
    if not sa.inspect(connection).has_table("alembic_version"):
        connection.exec_driver_sql(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    if connection.exec_driver_sql("SELECT COUNT(*) FROM alembic_version").scalar_one():
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :to"), {"to": to})
    else:
        connection.execute(
            sa.text("INSERT INTO alembic_version (version_num) VALUES (:to)"), {"to": to}
        )
