"""The examinations of `doctor`: what is there, whether it is well, and what to do.

Belongs here: looking. Does not belong here: printing (`doctor.py`).
"""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from importlib.metadata import version
from pathlib import Path

from fund_assets.calendar import TradingCalendar
from fund_assets.cli._context import present_status
from fund_assets.language import say
from fund_assets.observability import findings, vitals
from fund_assets.observability.conditions import (
    CALENDAR_HORIZON,
    DAEMON_DEAD,
    DISK_LOW,
    Condition,
    Level,
    Severity,
    calendar_ends,
)
from fund_assets.observability.dagster_tables import project_ledger
from fund_assets.observability.findings import VERDICTS
from fund_assets.settings import PREFIX, SHANGHAI, Settings, SettingsError, load_settings
from fund_assets.settings import SECRETS as SECRET_SETTINGS
from fund_assets.warehouse import Warehouse, WarehouseError, integrity
from fund_assets.warehouse.engine import bulk_reads
from fund_assets.warehouse.engine.errors import NoRightError
from fund_assets.warehouse.stores import calendar_overrides, date_counts

OK, WARNING, FAILURE = "ok", "warning", "failure"
SECRETS = ("URL", "TOKEN", "SECRET", "PASSWORD", "KEY")


@dataclass(frozen=True)
class Finding:
    """One line of the doctor: what was looked at, how it is, and what to do."""

    what: str
    state: str
    words: str
    todo: str = ""


def examine_settings() -> tuple[Settings | None, list[Finding]]:
    """The settings, or None when they are wrong; and a line for each variable that is set."""
    given = {**_from_file(Path(".env")), **os.environ}
    ours = {name: value for name, value in given.items() if name.startswith(PREFIX)}
    names = [f"{PREFIX}{field}".upper() for field in Settings.model_fields]
    found = []
    for name, value in sorted(ours.items()):
        if name in names:
            found.append(Finding(name, OK, _shown(name, value)))
        else:
            close = get_close_matches(name, names, n=1, cutoff=0.7)
            hint = f"did you mean {close[0]}? " if close else ""
            found.append(
                Finding(
                    name, WARNING, "is not a setting", f"{hint}.env.example lists all settings"
                )
            )
    try:
        settings = load_settings()
    except SettingsError as error:
        return None, [*found, Finding("settings", FAILURE, str(error))]
    if not ours:
        found.append(Finding("settings", OK, "all defaults", ""))
    return settings, found


def examine_source(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """Whether the market can be reached; the simulated one always can.

    When the look is to be `deep`, whether the JavaScript engine runs that akshare needs, too.
    """
    pings = []
    if settings.source == "simulated":
        yield Finding(
            "source",
            OK,
            f"simulated market of {settings.sim_funds:,} funds, no connection needed",
        )
    else:
        from fund_assets.sources.eastmoney.reachability import ping_host
        from fund_assets.transport.gateway import Gateway

        pings.append(ping_host(Gateway.from_settings(settings)))
    if deep:
        from fund_assets.sources.eastmoney.reachability import ping_engine

        pings.append(ping_engine())
    for what, well, words in pings:
        todo = (
            ""
            if well or "reinstall" in words
            else ("check whether a browser on this machine can open it")
        )
        yield Finding(what, OK if well else FAILURE, words, todo)


def examine_database(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """Whether the warehouse is there, ours, writable and complete, and has room.

    When the look is to be `deep`, whether its tables are as declared, the columnar reader gets
    there and the database finds damage, too: that reads everything.
    """
    try:
        warehouse = Warehouse(settings.warehouse)
        if not warehouse.exists():
            yield Finding(
                "warehouse",
                WARNING,
                f"{warehouse.place} does not exist yet",
                "run `fund-assets run`",
            )
            yield from _room_for(settings)
        else:
            warehouse.init(settings.source)
            yield Finding(
                "warehouse", OK, f"{warehouse.place}, of the {settings.source} market"
            )
            writing = _writing(warehouse)
            yield writing
            tables = _tables(warehouse)
            # Who only reads does not see how they are made.
            if deep and tables.state == writing.state == OK:
                tables = _declared(warehouse)
            yield tables
            sound = True
            if deep:
                bulk_reads.try_reading(warehouse.backend)
                yield Finding("bulk reads", OK, "the columnar reader can connect too")
                damage = _damage(warehouse)
                yield damage
                sound = damage.state == OK
            if sound:
                today = settings.now().date()
                yield _rows_lost(warehouse, 0 if deep else date_counts.counted_since(today))
    except WarehouseError as error:
        yield Finding("warehouse", FAILURE, str(error))
        return
    free = vitals.free_bytes(warehouse, settings)
    severity = DISK_LOW.limit.grade(free)
    enough = DISK_LOW.limit.of(Severity.WARNING)
    todo = "" if severity is None else f"free {enough / 1e9:g} GB of disk space"
    yield Finding("disk", _state(DISK_LOW, severity), f"{free / 1e9:,.1f} GB free", todo)


def _writing(warehouse: Warehouse) -> Finding:
    """Whether rows can be written."""
    try:
        integrity.try_writing(warehouse)
    except NoRightError:
        return Finding(
            "writing", WARNING, "this database user can only read",
            "enough for `fund-assets serve`; collecting needs the URL of fund_rw",
        )  # fmt: skip
    return Finding("writing", OK, "the warehouse is writable")


def _tables(warehouse: Warehouse) -> Finding:
    """Whether all tables and views exist, and no others of an interrupted migration."""
    return _of_tables(integrity.unfinished(warehouse), "all tables and views exist")


def _declared(warehouse: Warehouse) -> Finding:
    """Whether the tables are as declared."""
    well = "columns, constraints, indexes and views match the declarations"
    return _of_tables(integrity.unlike_declared(warehouse), well)


def _of_tables(wrong: str, well: str) -> Finding:
    return Finding(
        "tables",
        FAILURE if wrong else OK,
        wrong or well,
        "run `fund-assets migrate`: it creates what is missing" if wrong else "",
    )


def _damage(warehouse: Warehouse) -> Finding:
    """Whether the database finds damage: it reads everything."""
    damaged = integrity.damage(warehouse)
    return Finding(
        "integrity",
        FAILURE if damaged else OK,
        damaged or "the database reports no damage",
        "restore a backup, or move the file away and collect again" if damaged else "",
    )


def _rows_lost(warehouse: Warehouse, since: int) -> Finding:
    """Whether every date of the accepted history has the rows that it had.

    Args:
        since: yyyymmdd from which on dates are counted now.
    """
    lost = date_counts.losses(warehouse, since)
    if not lost:
        return Finding("history", OK, "no date has fewer accepted NAVs than before")
    first, more = lost[0], f"; {len(lost):,} dates in all" if len(lost) > 1 else ""
    return Finding(
        "history", FAILURE,
        f"{first.nav_date} had {first.rows_most:,} accepted NAVs and now has "
        f"{first.rows_found:,}{more}",
        f"run `{first.repair}`, then `fund-assets validate`; or restore a backup",
    )  # fmt: skip


def _room_for(settings: Settings) -> Iterator[Finding]:
    """Whether the state folder can be made where it is asked for."""
    folder = settings.state_dir
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK)):
        yield Finding(
            "state", FAILURE, f"{folder} cannot be created: {there} cannot contain a folder",
            "make it writable, or set FUND_STATE to another folder",
        )  # fmt: skip


def examine_calendar(settings: Settings) -> Iterator[Finding]:
    """How far the trading calendar is known."""
    try:
        warehouse = Warehouse(settings.warehouse)
        entered = calendar_overrides.overrides(warehouse) if warehouse.exists() else {}
    except WarehouseError:
        entered = {}  # that the warehouse cannot be read is a finding of its own
    calendar = TradingCalendar.build(entered)
    left = calendar.days_left(settings.now().date())
    words = f"known until {calendar.horizon}, {left} days; {len(entered)} days entered by hand"
    if settings.source == "simulated":
        yield Finding("calendar", OK, f"{words}; the simulated market invents what follows")
        return
    state = _state(CALENDAR_HORIZON, calendar_ends(left, invented=False))
    todo = "run `fund-assets calendar refresh`, or `fund-assets calendar import` the notices"
    yield Finding("calendar", state, words, "" if state == OK else todo)


def examine_dagster(settings: Settings) -> Iterator[Finding]:
    """Whether Dagster's records can be read, where they are, and whether its daemon runs."""
    release, folder = version("dagster"), settings.state_dir / "dagster"
    if not folder.is_dir():
        yield Finding(
            "Dagster",
            WARNING,
            f"{release}, no runs yet",
            "run `fund-assets run`",
        )
        return
    try:
        with project_ledger() as ledger:
            now = datetime.now(SHANGHAI)
            runs, beats = ledger.count_runs(), vitals.heartbeats(ledger, now)
            rivals = vitals.rivals(vitals.daemon_turns(ledger), now)
    except Exception as error:  # whatever its storage raises
        yield Finding("Dagster", FAILURE, str(error))
        return
    yield Finding("Dagster", OK, f"{release}, {runs:,} runs in {folder}")
    yield daemon_finding(min((beat.age_s for beat in beats), default=math.inf), rivals)


def examine_verdict(settings: Settings) -> Iterator[Finding]:
    """What dashboard, `/health` and the alert list say; nothing before the first run."""
    try:
        status = present_status()
    except Exception as error:  # whatever warehouse and run history raise
        yield Finding("verdict", WARNING, f"unknown: {error}", "fix the problems above")
        return
    if not status.exists:
        return
    found = (*status.problems, *status.notices)
    states = {findings.HEALTHY: OK, findings.DEGRADED: WARNING, findings.UNHEALTHY: FAILURE}
    yield Finding(
        "verdict", states[status.verdict],
        "\n".join((f"{status.verdict}: {say(VERDICTS[status.verdict])}", *found)),
        "docs/runbook.md explains what to do about each" if found else "",
    )  # fmt: skip


def _state(condition: Condition, severity: Severity | None) -> str:
    """How the verdict sees a condition."""
    if severity is None:
        return OK
    return FAILURE if condition.level(severity) is Level.HARM else WARNING


def daemon_finding(silent_s: float, rivals: datetime | None) -> Finding:
    """Whether there is a daemon, and one alone.

    Args:
        silent_s: since its last heartbeat; rivals: when two were last seen to take turns.
    """
    if rivals:
        return Finding(
            "daemon", FAILURE, "two daemons use these records in turn, last at "
                               f"{rivals:%m-%d %H:%M}",
            "stop one of them: schedules and retries run twice",
        )  # fmt: skip
    if DAEMON_DEAD.limit.grade(silent_s) is None:
        return Finding("daemon", OK, "running: schedules and sensors are active")
    return Finding(
        "daemon", OK, "not running: schedules and sensors wait until `make dev` starts it"
    )


def _from_file(path: Path) -> dict[str, str]:
    from dotenv import dotenv_values

    return {n: v for n, v in dotenv_values(path).items() if v} if path.is_file() else {}


def _shown(name: str, value: str) -> str:
    if name.removeprefix(PREFIX).lower() in SECRET_SETTINGS:
        return "set (hidden)"
    if "@" in value and any(word in name for word in SECRETS):
        return "set (hidden: it holds a password)"
    return value
