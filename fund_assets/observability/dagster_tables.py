"""Dagster's own records, read from its tables: runs, events, heartbeats.

Belongs here: reading rows and the JSON in them into plain values. Does not belong here: what
they mean (`run_records.py`, `check_records.py`, `vitals.py`), schedules and their ticks
(`ticks.py`).

Loading Dagster takes longer than everything else that a look at the state does. Its tables and
the JSON in them change only with a migration, since it must read what older releases wrote; a
test compares with what Dagster itself reads. The tables are those of any of its storages.
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa

from fund_assets.instance.home import in_our_files
from fund_assets.settings import SHANGHAI, SettingsError, load_settings

if TYPE_CHECKING:
    import dagster as dg

Connecting = Callable[[], AbstractContextManager[sa.Connection]]

#: Every status of a run that Dagster knows, in its order; and those that are ends.
STATUSES = (
    "QUEUED", "NOT_STARTED", "MANAGED", "STARTING", "STARTED", "SUSPENDED", "SUCCESS",
    "FAILURE", "CANCELING", "CANCELED",
)  # fmt: skip
ENDS = ("SUCCESS", "FAILURE", "CANCELED")
MATERIALIZATION, PLANNED = "ASSET_MATERIALIZATION", "ASSET_MATERIALIZATION_PLANNED"
CHECK, STEP_FAILURE = "ASSET_CHECK_EVALUATION", "STEP_FAILURE"

_RUNS = sa.table(
    "runs", *map(sa.column, ("id", "run_id", "pipeline_name", "status", "run_body")),
    sa.column("create_timestamp", sa.DateTime), sa.column("update_timestamp", sa.DateTime),
    sa.column("start_time", sa.Float), sa.column("end_time", sa.Float),
)  # fmt: skip
_EVENTS = sa.table(
    "event_logs",
    *map(sa.column, ("id", "run_id", "event", "dagster_event_type", "asset_key")),
    sa.column("timestamp", sa.DateTime),
)
_KEYS = sa.table("asset_keys", sa.column("asset_key"), sa.column("wipe_timestamp", sa.DateTime))
_BEATS = sa.table("daemon_heartbeats", sa.column("body"))
_KEPT = sa.table("kvs", sa.column("key"), sa.column("value"))


@dataclass(frozen=True)
class Run:
    """A run.

    Attributes:
        status: one of STATUSES.
        selection: the assets it was to renew, when they were chosen one by one.
        started_s, ended_s: seconds since 1970; None before.
    """

    run_id: str
    job_name: str
    status: str
    tags: Mapping[str, str]
    selection: tuple[str, ...]
    created: datetime
    updated: datetime
    started_s: float | None
    ended_s: float | None

    @property
    def is_finished(self) -> bool:
        """Whether it is over."""
        return self.status in ENDS

    @property
    def is_success(self) -> bool:
        """Whether it is over and well."""
        return self.status == "SUCCESS"

    @property
    def is_failure(self) -> bool:
        """Whether it is over and failed."""
        return self.status == "FAILURE"


@dataclass(frozen=True)
class Event:
    """An event; `data` has what Dagster calls event_specific_data, by its stored names."""

    kind: str
    run_id: str
    step_key: str | None
    at_s: float
    data: Any


@dataclass(frozen=True)
class Beat:
    """The last sign of one of Dagster's daemons, seconds since 1970.

    Attributes:
        process_id: one of Dagster's own for the process that gave it.
    """

    daemon: str
    process_id: str | None
    at_s: float


class Ledger:
    """Dagster's records, open to be read.

    Args:
        runs, index: connections to the tables of runs, and of events of assets.
        of_run: those to all events of a run, by its id; None when nothing is kept of it.
    """

    def __init__(
        self, runs: Connecting, index: Connecting, of_run: Callable[[str], Connecting | None]
    ) -> None:
        self._runs, self._index, self._of_run = runs, index, of_run

    @classmethod
    def of(cls, instance: "dg.DagsterInstance") -> "Ledger":
        """The records of an open instance, in whatever storage it has."""
        events: Any = instance.event_log_storage
        runs: Any = instance.run_storage
        return cls(
            runs.connect,
            events.index_connection,
            lambda run_id: lambda: events.run_connection(run_id),
        )

    def runs_since(self, since: datetime, most: int | None = None) -> list[Run]:
        """The runs made since then, or the newest `most` of them; newest first."""
        wanted = (
            sa.select(_RUNS)
            .where(_RUNS.c.create_timestamp > _utc(since))
            .order_by(_RUNS.c.id.desc())
            .limit(most)
        )
        return [_run(row) for row in _rows(self._runs, wanted)]

    def count_runs(self) -> int:
        """How many runs are kept."""
        counted = _rows(self._runs, sa.select(sa.func.count()).select_from(_RUNS))
        return int(counted[0][0]) if counted else 0

    def run(self, run_id: str) -> Run | None:
        """A run by its id; None when it was deleted."""
        wanted = sa.select(_RUNS).where(_RUNS.c.run_id == run_id)
        return next((_run(row) for row in _rows(self._runs, wanted)), None)

    def beats(self) -> list[Beat]:
        """The daemons that ever ran, by name."""
        bodies = [row.body for row in _rows(self._runs, sa.select(_BEATS))]
        found = [json.loads(body, object_hook=_plain) for body in bodies]
        beats = [Beat(one.daemon_type, one.daemon_id, one.timestamp) for one in found]
        return sorted(beats, key=lambda beat: beat.daemon)

    def cursor(self, key: str) -> str | None:
        """What was kept under a name among the cursors of daemons."""
        wanted = sa.select(_KEPT.c.value).where(_KEPT.c.key == key)
        return next((str(row.value) for row in _rows(self._runs, wanted)), None)

    def materializations(
        self, asset: str, since: datetime | None = None, most: int | None = None
    ) -> list[Event]:
        """The renewals of an asset that were not wiped, newest first."""
        key = json.dumps(asset.split("/"))
        wiped = sa.select(_KEYS.c.wipe_timestamp).where(_KEYS.c.asset_key == key)
        wanted = (
            sa.select(_EVENTS)
            .where(_EVENTS.c.asset_key == key, _EVENTS.c.dagster_event_type == MATERIALIZATION)
            .order_by(_EVENTS.c.id.desc())
            .limit(most)
        )
        for row in _rows(self._index, wiped):
            if row.wipe_timestamp is not None:
                wanted = wanted.where(_EVENTS.c.timestamp > row.wipe_timestamp)
        if since is not None:
            wanted = wanted.where(_EVENTS.c.timestamp > _utc(since))
        return [_event(row) for row in _rows(self._index, wanted)]

    def events(self, run_id: str, kinds: Collection[str]) -> list[Event]:
        """What happened in a run, oldest first."""
        connecting = self._of_run(run_id)
        if connecting is None:
            return []
        wanted = (
            sa.select(_EVENTS)
            .where(_EVENTS.c.run_id == run_id, _EVENTS.c.dagster_event_type.in_(kinds))
            .order_by(_EVENTS.c.id)
        )
        return [_event(row) for row in _rows(connecting, wanted)]


@contextmanager
def project_ledger() -> Iterator[Ledger]:
    """The records of this project's instance; nothing is made where there are none.

    Raises:
        SettingsError: they cannot be read.
    """
    if not in_our_files():
        from fund_assets.instance.storage import project_instance

        with project_instance() as instance:
            yield Ledger.of(instance)
        return
    folder = load_settings().state_dir / "dagster" / "history"
    try:
        with ExitStack() as opened:
            connections: dict[str, sa.Connection] = {}

            def connecting(name: str) -> AbstractContextManager[sa.Connection]:
                if name not in connections:
                    connections[name] = opened.enter_context(_file(folder / f"{name}.db"))
                return nullcontext(connections[name])

            yield Ledger(
                lambda: connecting("runs"),
                lambda: connecting("runs/index"),
                lambda run_id: lambda: connecting(f"runs/{run_id}"),
            )
    except sa.exc.DBAPIError as error:
        raise SettingsError(
            f"the run history in {folder.parent} cannot be opened: {error.orig}: make the "
            "folder writable, or set FUND_STATE to another"
        ) from error


def value(entry: Any) -> Any:
    """What a metadata entry holds; a table is told as it is, with its `records`."""
    for name in ("value", "text", "path", "url", "md_str", "data"):
        if hasattr(entry, name):
            return getattr(entry, name)
    return entry


def names(keys: Iterable[Any]) -> tuple[str, ...]:
    """The keys of assets as people write them."""
    return tuple("/".join(key.path) for key in keys)


@contextmanager
def _file(path: Path) -> Iterator[sa.Connection]:
    """A connection that only reads; where there is no file, to nothing at all."""
    url = f"file:{quote(str(path))}?mode=ro&uri=true" if path.exists() else ":memory:"
    engine = sa.create_engine(f"sqlite:///{url}", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        yield connection


def _rows(connecting: Connecting, wanted: sa.Select[Any]) -> list[Any]:
    with connecting() as connection:
        if (
            connection.dialect.name == "sqlite"
            and not connection.exec_driver_sql("SELECT 1 FROM sqlite_master LIMIT 1").first()
        ):
            return []
        return list(connection.execute(wanted))


def _run(row: Any) -> Run:
    body = json.loads(row.run_body, object_hook=_plain)
    return Run(
        run_id=row.run_id,
        job_name=row.pipeline_name,
        status=row.status,
        tags=body.tags or {},
        selection=names(body.asset_selection or ()),
        created=row.create_timestamp.replace(tzinfo=UTC).astimezone(SHANGHAI),
        updated=row.update_timestamp.replace(tzinfo=UTC).astimezone(SHANGHAI),
        started_s=row.start_time,
        ended_s=row.end_time,
    )


def _event(row: Any) -> Event:
    entry = json.loads(row.event, object_hook=_plain)
    happened = entry.dagster_event
    return Event(
        kind=row.dagster_event_type,
        run_id=row.run_id,
        step_key=happened.step_key,
        at_s=entry.timestamp,
        data=happened.event_specific_data,
    )


def _plain(stored: dict[str, Any]) -> Any:
    """What Dagster's serializer wrote: records by their fields, names of choices, sets."""
    if "__class__" in stored:
        return SimpleNamespace(**{n: v for n, v in stored.items() if n != "__class__"})
    if "__enum__" in stored:
        return str(stored["__enum__"]).rpartition(".")[2]
    for mark in ("__set__", "__frozenset__"):
        if mark in stored:
            return stored[mark]
    return stored


def moment(timestamp: float) -> datetime:
    """Dagster's seconds since 1970 as a time in Asia/Shanghai."""
    return datetime.fromtimestamp(timestamp, SHANGHAI)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
