"""Where the warehouse of a trial is: a file of SQLite, or a database on a server of ours.

Belongs here: beginning anew from the same state, and reading a state. Does not belong here:
what happens in between (`trials.py`).
"""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from fund_assets.schemas.tables import TABLES
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.diff_writes import checksum

#: One statement, hence one state: what a reader sees of every table, to the last NAV.
GLANCE = """
SELECT b.n, b.published, n.n, v.n, v.nav, v.idx, r.n, r.nav, q.n, q.decided, e.n, p.n, p.got
FROM (SELECT COUNT(*) AS n,
             SUM(CASE WHEN state = 'published' THEN 1 ELSE 0 END) AS published
      FROM collection_batch) AS b,
     (SELECT COUNT(*) AS n FROM fund_nav) AS n,
     (SELECT COUNT(*) AS n, SUM(ROUND(unit_nav * 10000)) AS nav,
             SUM(ROUND(total_return_index * 1000000)) AS idx FROM validated_nav) AS v,
     (SELECT COUNT(*) AS n, COALESCE(SUM(ROUND(unit_nav * 10000)), 0) AS nav
      FROM nav_revision) AS r,
     (SELECT COUNT(*) AS n, COALESCE(SUM(CASE WHEN state = 'held' THEN 0 ELSE 1 END), 0)
             AS decided FROM nav_quarantine) AS q,
     (SELECT COUNT(*) AS n FROM fund_events) AS e,
     (SELECT COUNT(*) AS n, SUM(rows_read) AS got FROM publish_log) AS p
"""
#: What `glance` tells.
Glance = tuple[int, ...]
DISK_BYTES = 700_000_000


def glance(warehouse: Warehouse) -> Glance:
    """What is in the tables, as whole numbers."""
    with warehouse.transaction() as connection:
        (row,) = connection.exec_driver_sql(GLANCE).fetchall()
    return tuple(int(value) for value in row)


def checksums(url: str) -> dict[str, str]:
    """A checksum of every table but `arrival`: it is counted after publishing, and again.

    Nor of the change feed: its marks are random.
    """
    warehouse = Warehouse(url)
    try:
        with warehouse.transaction() as connection:
            return {
                name: checksum(connection, table)
                for name, table in TABLES.items()
                if name not in ("arrival", "change_version", "row_change")
            }
    finally:
        warehouse.close()


def rows_of(url: str) -> dict[str, int]:
    """How many rows every table has."""
    warehouse = Warehouse(url)
    try:
        return {n: warehouse.count(f"SELECT COUNT(*) FROM {n}") for n in TABLES}
    finally:
        warehouse.close()


class SqlitePlace:
    """Files: each trial has a folder of its own, with a copy of the file it begins from.

    Args:
        disk: a small disk, for trials on a full or read-only one.
    """

    engine = "SQLite"
    server: Any = None

    def __init__(self, folder: Path, disk: Path | None) -> None:
        self.folder, self.disk = folder, disk
        self.first = folder / "first.db"
        self._trials = 0
        self._file: Path | None = None

    @property
    def first_url(self) -> str:
        """Of the warehouse that trials begin from."""
        return f"sqlite:///{self.first}"

    def begin(self, *, on_disk: bool = False) -> str:
        """A new warehouse like the first; returns its URL. The one before is removed."""
        if self._file is not None:
            shutil.rmtree(self._file.parent, ignore_errors=True)
        self._trials += 1
        folder = self.disk if on_disk and self.disk else self.folder
        self._file = folder / f"trial-{self._trials}" / "warehouse.db"
        self._file.parent.mkdir()
        shutil.copyfile(self.first, self._file)
        return f"sqlite:///{self._file}"

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """The small disk takes no writes."""
        _run("mount", "-o", "remount,ro", str(self.disk))
        try:
            yield
        finally:
            _run("mount", "-o", "remount,rw", str(self.disk))


class MariaPlace:
    """Databases on one server: `fund_first`, and `fund_trial`, which is filled from it each time.

    Args:
        disk: the small disk that the server's data is on, if it is on one.
    """

    engine = "MariaDB"

    def __init__(self, server: Any, disk: Path | None) -> None:
        self.server, self.disk = server, disk
        self._made = False

    @property
    def first_url(self) -> str:
        """Of the warehouse that trials begin from."""
        return f"{self.server.url}/fund_first"

    def begin(self, *, on_disk: bool = False) -> str:
        """The trial's warehouse, like the first again; returns its URL."""
        url = f"{self.server.url}/fund_trial"
        warehouse = Warehouse(url)
        if not self._made:
            warehouse.init("simulated")
            self._made = True
        with warehouse.transaction(writes=True) as connection:
            connection.exec_driver_sql("SET foreign_key_checks = 0, unique_checks = 0")
            for name in TABLES:
                # Anew on a disk that is to be filled: no room is left in the tables then.
                verb = "TRUNCATE" if on_disk else "DELETE FROM"
                connection.exec_driver_sql(f"{verb} fund_trial.{name}")
                connection.exec_driver_sql(
                    f"INSERT INTO fund_trial.{name} SELECT * FROM fund_first.{name}"
                )
            connection.exec_driver_sql("SET foreign_key_checks = 1, unique_checks = 1")
        warehouse.close()
        return url

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """The server runs as it must on a disk that takes no writes."""
        usual = self.server.options
        self.server.rest()
        self.server.options = (*usual, "--innodb-read-only")
        self.server.start()
        try:
            yield
        finally:
            self.server.kill()
            self.server.options = usual
            self.server.start()


@contextmanager
def small_disk(folder: Path) -> Iterator[Path | None]:
    """A disk in memory that a trial may fill; None where this user may not mount one."""
    disk = folder / "disk"
    disk.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk))
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    try:
        yield disk
    finally:
        _run("umount", "--lazy", str(disk))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


Place = SqlitePlace | MariaPlace
