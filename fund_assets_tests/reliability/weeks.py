"""Weeks of the whole platform by a moved clock: what is told in each, and what must be.

    python -m fund_assets_tests.reliability.weeks [--only NAME ...]

Belongs here: the weeks, the walk through one, and its judgement. Does not belong here: the
daemon's loops at chosen moments (`faults/daemon.py`), single faults (`faults/`).

Every schedule and sensor of the project is evaluated by Dagster's own daemon code, runs are
executed, and messages arrive at an HTTP server. Alerts are looked for after each round, and
within runs: after each table, each failed step, at each run's beginning and end. Each week
begins with an installation, which must not alarm either. Nobody does anything by hand.
"""

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from unittest import mock

import dagster as dg

from fund_assets.calendar import TradingCalendar, from_key, iso_week, to_key
from fund_assets.observability.alerts.catalog import KINDS
from fund_assets.observability.alerts.evaluation import evaluate
from fund_assets.observability.alerts.lifecycle import Event, Notification
from fund_assets.observability.conditions import Severity
from fund_assets.resources import Platform
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.stores import weekly_log
from fund_assets_tests.faults.daemon import Daemon, Events, at, moment
from fund_assets_tests.faults.invariants import violations
from fund_assets_tests.faults.play import SHM
from fund_assets_tests.server.robots import RobotServer

SETTINGS = {
    "FUND_SOURCE": "simulated",
    "FUND_SIM_FUNDS": "24",
    "FUND_SIM_YEARS": "0.5",
    "FUND_SIM_SEED": "5",
    "FUND_RETRY_PAUSE_S": "0",
}
#: When the daemon is looked in on: all schedules, and the sensors in the hours between.
TICKS = (
    "07:30", "09:10", "18:30", "19:00", "19:30", "20:30", "21:30", "23:00", "23:35",
)  # fmt: skip
#: Of these on Saturdays and Sundays, when schedules have no other time and sensors no work.
WEEKENDS = ("07:30", "09:10", "21:30")
#: So too on Sundays, and in trouble and for so long after it.
SUNDAYS, TROUBLED, AFTER = ("02:00", "03:10"), ("00:40", "04:20", "12:00", "15:00"), 6
#: Rounds at a tick, so many seconds apart, while they lead to runs.
ROUNDS, APART = 6, timedelta(seconds=40)
MINUTE = timedelta(minutes=1)
#: Of the fullest date's NAVs the others have so many: some funds publish late, some on Fridays.
HARDLY_LATE = 0.7


@dataclass(frozen=True)
class Trouble:
    """What is wrong from one moment to another.

    Attributes:
        what: away, half (the market), dead (the daemon; the watcher lives), off (the machine)
            or channel (it takes no message).
    """

    what: str
    since: str
    until: str

    def holds(self, now: datetime) -> bool:
        """Whether it is wrong now."""
        return at(self.since) <= now < at(self.until)


@dataclass(frozen=True)
class Week:
    """A time, what goes wrong in it, and what must be told.

    Attributes:
        expected: kinds of the incidents that must be told; may: that may be.
        most: messages at most.
        installed: whether a first run by hand has filled the tables before it begins.
    """

    name: str
    first: str
    last: str
    troubles: tuple[Trouble, ...] = ()
    expected: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    most: int = 0
    installed: bool = True


WEEKS = (
    Week(
        "normal week from the first evening on", "2026-09-07T18:00", "2026-09-11T09:30",
        installed=False,
    ),
    Week("weekend", "2026-09-18T20:50", "2026-09-21T09:30"),
    Week("holiday", "2026-09-24T22:50", "2026-09-28T09:30"),
    Week(
        "daemon dead Friday to Sunday", "2026-09-18T12:00", "2026-09-21T09:30",
        (Trouble("dead", "2026-09-18T17:00", "2026-09-20T20:00"),),
        ("daemon_dead",), most=6,
    ),
    Week(
        "machine off five days", "2026-09-09T10:00", "2026-09-15T09:30",
        (Trouble("off", "2026-09-09T12:00", "2026-09-14T12:00"),),
        may=("freshness", "week_missing"), most=4,
    ),
    Week(
        "source away for a night", "2026-09-17T12:00", "2026-09-18T09:30",
        (Trouble("away", "2026-09-17T18:00", "2026-09-18T07:00"),),
        ("source_canary",), most=4,
    ),
    Week(
        "two held evenings", "2026-09-16T12:00", "2026-09-18T09:30",
        (
            Trouble("half", "2026-09-16T18:45", "2026-09-17T06:00"),
            Trouble("half", "2026-09-17T18:45", "2026-09-18T06:00"),
        ),
        ("held_publish",), ("check_failed",), most=6,
    ),
    Week(
        "channel away for a night", "2026-09-17T12:00", "2026-09-18T09:30",
        (
            Trouble("channel", "2026-09-17T18:00", "2026-09-18T07:10"),
            Trouble("away", "2026-09-17T18:00", "2026-09-18T07:00"),
        ),
        ("source_canary",), most=4,
    ),
    Week("year's end", "2025-12-31T12:00", "2026-01-05T09:30"),
)  # fmt: skip
#: Parts of weeks; the slow suite walks the first, of the night without a source.
EVENING = Week(
    "source away for an evening", "2026-09-17T12:00", "2026-09-17T22:00",
    (Trouble("away", "2026-09-17T18:00", "2026-09-17T21:00"),),
    ("source_canary",), most=2,
)  # fmt: skip
#: One evening of the two held ones, until the wave of 21:30 is whole.
HELD = Week(
    "a held evening", "2026-09-17T12:00", "2026-09-17T22:00",
    (Trouble("half", "2026-09-17T18:45", "2026-09-17T21:00"),),
    ("held_publish",), ("check_failed",), most=3,
)  # fmt: skip
PARTS = (EVENING, HELD)


@dataclass
class Account:
    """What became of a week.

    Attributes:
        messages: that arrived: when, and the title.
        told: what was told: when, event, fingerprint, severity.
        false: told when it was not so (notices are looked at by eye); missing: not told, or
            not brought by the end.
    """

    name: str
    messages: list[tuple[str, str]] = field(default_factory=list)
    told: list[tuple[str, str, str, int]] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    sessions: int = 0
    reports: int = 0
    runs: int = 0
    looks: int = 0
    seconds: float = 0.0


class Walk:
    """One installation through one week.

    Args:
        folder: of its own.
    """

    def __init__(self, week: Week, folder: Path) -> None:
        self.week, self.folder, self.account = week, folder, Account(week.name)
        self.calendar = TradingCalendar.build()

    def go(self) -> Account:
        """From the installation to the end."""
        begun = time.monotonic()
        with RobotServer("webhook") as server, self._environment(server.url):
            from fund_assets_tests.reliability import weeks_installed

            self.robot, self.trouble = server.robot, weeks_installed.TROUBLE
            self.daemon = Daemon(self.folder / "dagster", weeks_installed.__name__)
            if self.week.installed:
                self._first_run(weeks_installed.defs)
            Events.watching = self._look
            try:
                for tick in self._ticks():
                    self._tick(tick)
            finally:
                Events.watching = None
                self.daemon.close()
                self.trouble.clear()
        self._judge()
        self.account.seconds = time.monotonic() - begun
        return self.account

    def _first_run(self, defs: dg.Definitions) -> None:
        now = at(self.week.first)
        with moment(now):
            job = defs.resolve_job_def("daily_pipeline")
            assert job.execute_in_process(instance=self.daemon.instance).success
        self.daemon.round(now)

    def _ticks(self) -> Iterator[datetime]:
        day, last = at(self.week.first), at(self.week.last)
        while day.date() <= last.date():
            for clock in sorted((*TICKS, *SUNDAYS, *TROUBLED)):
                tick = at(f"{day:%Y-%m-%d}T{clock}")
                looked = clock in (TICKS if day.isoweekday() < 6 else WEEKENDS)
                looked |= clock in SUNDAYS and day.isoweekday() == 7
                if not looked and clock in TROUBLED:
                    looked = any(
                        at(t.since) <= tick < at(t.until) + timedelta(hours=AFTER)
                        for t in self.week.troubles
                    )
                if looked and at(self.week.first) <= tick <= last:
                    yield tick
            day += timedelta(days=1)

    def _tick(self, tick: datetime) -> None:
        """A round of the daemon, and further ones while something goes on."""
        wrong = {trouble.what for trouble in self.week.troubles if trouble.holds(tick)}
        self.robot.fault = 500 if "channel" in wrong else None
        self.trouble.clear()
        self.trouble |= wrong
        if "off" in wrong:
            return
        told = len(self.account.told)
        for n in range(ROUNDS):
            self.now = tick + APART / 2 + n * APART
            runs = [] if "dead" in wrong else self.daemon.round(self.now, together=True)
            self.account.runs += len(runs)
            self.now += APART / 4
            self._look()
            if not runs:
                break
        # What waits in the outbox, or for its time.
        for later in (6 * MINUTE, 24 * MINUTE) if len(self.account.told) > told else ():
            self.now = tick + later
            if "dead" not in wrong:
                self.account.runs += len(self.daemon.round(self.now, together=True))
            self._look()

    def _look(self) -> None:
        """The look of `alert_sensor`, or of the watcher."""
        arrived = len(self.robot.accepted)
        self.account.looks += 1
        with moment(self.now):
            platform = Platform()
            outcome = evaluate(platform, self.daemon.instance, self.now)
            if opened := vars(platform).get("warehouse"):
                opened.close()
        self._note(outcome.notifications)
        self.account.messages += [
            (f"{self.now:%m-%d %H:%M}", content["title"])
            for content in self.robot.accepted[arrived:]
        ]

    def _note(self, told: tuple[Notification, ...]) -> None:
        wrong = {trouble.what for trouble in self.week.troubles if trouble.holds(self.now)}
        for telling in told:
            state, when = telling.state, f"{self.now:%m-%d %H:%M}"
            self.account.told.append(
                (when, telling.event.value, state.fingerprint, int(state.severity))
            )
            if telling.event is Event.OVER and wrong & {"away", "half", "dead"}:
                self.account.false.append(f"{when} {state.fingerprint} over: it is not")
            known = (*self.week.expected, *self.week.may)
            alarm = telling.event is Event.BEGAN and state.severity > Severity.NOTICE
            if alarm and state.kind not in known:
                self.account.false.append(f"{when} {state.fingerprint}: {state.words}")

    def _judge(self) -> None:
        account, week = self.account, self.week
        began, over = (
            {what for _, event, what, _ in account.told if event == sort.value}
            for sort in (Event.BEGAN, Event.OVER)
        )
        kinds = {what.split(":")[0] for what in began}
        account.missing += [
            f"{kind} was not told" for kind in week.expected if kind not in kinds
        ]
        account.missing += [
            f"the end of {what} was not told"
            for _, event, what, severity in account.told
            if event == Event.BEGAN.value and severity > Severity.NOTICE
            and not KINDS[what.split(":")[0]].momentary and what not in over
        ]  # fmt: skip
        if len(account.messages) > week.most:
            account.false.append(f"{len(account.messages)} messages, at most {week.most}")
        heard = {one for content in self.robot.accepted for one in content["fingerprints"]}
        account.missing += [f"nobody heard of {what}" for what in sorted(began - heard)]
        with self._warehouse() as warehouse:
            self._complete(warehouse)
            account.missing += violations(warehouse)

    def _complete(self, warehouse: Warehouse) -> None:
        """All sessions, the metrics of the last, and every Sunday's report."""
        account, last = self.account, at(self.week.last)
        rows = status_queries.rows_per_date(warehouse, to_key(at(self.week.first).date()))
        due = self.calendar.due(last)
        sessions = self.calendar.between(at(self.week.first).date(), due)
        fullest = max(rows.values(), default=0)
        account.sessions = len(sessions)
        account.missing += [
            f"{day} has {rows.get(to_key(day), 0)} of {fullest} NAVs"
            for day in sessions
            if rows.get(to_key(day), 0) < HARDLY_LATE * fullest
        ]
        measured = status_queries.newest_dates(warehouse)["fund_metrics"]
        if not measured or from_key(measured) < due:
            account.missing.append(f"measured until {measured}, due {due}")
        if week := weekly_log.missing_week(warehouse, last - timedelta(hours=1)):
            account.missing.append(f"the Sunday of {week} was not made up")
        sundays = {
            iso_week(day.date())
            for day in self._ticks()
            if day.isoweekday() == 7 and day.date() > at(self.week.first).date()
        }
        reports = self.folder / "state" / "simulated" / "reports"
        written = {w for w in sundays if (reports / f"weekly-{w}.html").exists()}
        account.reports = len(written)
        account.missing += [f"no report of {w}" for w in sorted(sundays - written)]

    @contextmanager
    def _warehouse(self) -> Iterator[Warehouse]:
        opened = Warehouse(f"sqlite:///{self.folder / 'state/simulated/warehouse.db'}")
        try:
            yield opened
        finally:
            opened.close()

    @contextmanager
    def _environment(self, url: str) -> Iterator[None]:
        ours = {k: v for k, v in os.environ.items() if not k.startswith("FUND_")}
        ours |= SETTINGS | {
            "FUND_STATE": str(self.folder / "state"), "FUND_ALERT_WEBHOOK_URL": url,
        }  # fmt: skip
        with mock.patch.dict(os.environ, ours, clear=True):
            yield


def walk(week: Week) -> Account:
    """One week, in a folder that is deleted afterwards."""
    folder = Path(mkdtemp(prefix="week-", dir=SHM if SHM.is_dir() else None))
    try:
        return Walk(week, folder).go()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def report(account: Account, week: Week) -> str:
    """What was expected, sent and seen, in words."""
    lines = [
        f"{week.name}: {week.first} to {week.last}",
        f"  expected {', '.join(week.expected) or 'nothing'}"
        f"{' or ' + ', '.join(week.may) if week.may else ''}, at most {week.most} messages",
        f"  sent     {len(account.messages)} messages",
        *(f"           {when} {title}" for when, title in account.messages),
        f"  seen     {account.sessions} sessions, {account.reports} weekly reports, "
        f"{account.runs} runs, {account.looks} looks, {account.seconds:.0f} s",
        f"  false    {len(account.false)}",
        *(f"           {one}" for one in account.false),
        f"  missing  {len(account.missing)}",
        *(f"           {one}" for one in account.missing),
    ]
    return "\n".join(lines)


def main() -> int:
    """All weeks, one after the other, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    by_name = {week.name: week for week in (*WEEKS, *PARTS)}
    names = [week.name for week in WEEKS]
    parser.add_argument("--only", nargs="+", choices=by_name, default=names)
    parser.add_argument("--walk", choices=by_name, help=argparse.SUPPRESS)
    parser.add_argument("--told", action="store_true", help="every telling, too")
    asked = parser.parse_args()
    if asked.walk:
        logging.disable(logging.CRITICAL)
        warnings.simplefilter("ignore")
        print(json.dumps(asdict(walk(by_name[asked.walk]))))
        return 0
    wrong = 0
    for name in asked.only:
        command = [sys.executable, "-m", "fund_assets_tests.reliability.weeks", "--walk", name]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        account = Account(**json.loads(done.stdout.splitlines()[-1]))
        wrong += len(account.false) + len(account.missing)
        print(report(account, by_name[name]), flush=True)
        if asked.told:
            print(*(f"  told     {one}" for one in account.told), sep="\n", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
