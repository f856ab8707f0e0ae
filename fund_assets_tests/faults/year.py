"""A year of evenings under Dagster's daemon, with seeded faults and without.

    python -m fund_assets_tests.faults.year [--days 60]

Belongs here: the calendar of faults, the year's loop, and the comparison of its tables with
those of a year without faults. Does not belong here: single faults (`cells.py`).

Every day of 2025 has its tick at 23:00: 243 are sessions, the others weekends, holidays, and
weekends on which China works and the exchange is closed. Faults are drawn by a seed. Whoever
repairs them is the platform: nothing is run by hand but, at the end of both years, one
collection of every fund's whole history, after which all tables must be equal to the last bit.
"""

import argparse
import json
import logging
import os
import random
import shutil
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd

from fund_assets.calendar import TradingCalendar, iso_week, to_key, to_stamp
from fund_assets.definitions import build_defs
from fund_assets.nav.history import HistoryChoice
from fund_assets.observability.alerts.evaluation import evaluate
from fund_assets.observability.alerts.lifecycle import Event
from fund_assets.observability.conditions import Severity
from fund_assets.pipeline.benchmark_index import collect_indices
from fund_assets.pipeline.fund_events import refresh_events
from fund_assets.pipeline.fund_info import refresh
from fund_assets.pipeline.fund_nav import collect_wave
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.pipeline.validated_nav import explain_block, validate
from fund_assets.resources import Platform
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.tables import TABLES
from fund_assets.settings import SHANGHAI
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets.transport.errors import TransportError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import weekly_log
from fund_assets_tests import stores
from fund_assets_tests.faults.daemon import Daemon, moment
from fund_assets_tests.faults.invariants import violations
from fund_assets_tests.faults.play import SHM
from fund_assets_tests.mirror import Mirror

YEAR, SEED, FUNDS = 2025, 20250102, 40
SETTINGS = {
    "FUND_SOURCE": "simulated",
    "FUND_SIM_FUNDS": str(FUNDS),
    "FUND_SIM_YEARS": "1",  # all through 2025 histories then begin on 1 January 2024
    "FUND_SIM_SEED": "5",
    "FUND_RETRY_PAUSE_S": "0",
}
#: Fault → (how often, evenings in a row, alerts that must be told, alerts that may be: what the
#: daemon's next try repairs may be told of before it).
FAULTS: dict[str, tuple[int, int, set[str], set[str]]] = {
    "daemon down one evening": (6, 1, {"daemon_dead"}, set()),
    "daemon down three evenings": (3, 3, {"daemon_dead"}, set()),
    "half of the market": (6, 1, {"held_publish"}, set()),
    "half of the market at first": (4, 1, set(), {"held_publish"}),
    "yesterday's answer": (5, 1, {"freshness"}, set()),
    "source fails": (5, 1, {"run_failed"}, {"freshness"}),
    "source fails at first": (4, 1, set(), {"freshness"}),
    "corrections of a whole date": (4, 1, {"mass_revision"}, set()),
    "one impossible value": (6, 1, set(), set()),
}
#: Not before the market has a past of its own, and quiet evenings between two faults.
FIRST, APART = 5, 2
VALUES = ["nav_date", "fund_code", *OBSERVED_NAMES, "total_return_index", "return_status"]
ACTED = Severity.WARNING
A_DAY = timedelta(days=1)


@dataclass
class Account:
    """What a year came to.

    Attributes:
        injected: fault → how often.
        alarms: kind → how often told; false: told when nothing was wrong; missed: not told.
        open: alerts that still hold at the end.
    """

    sessions: int = 0
    closed_days: int = 0
    closed_weekdays: int = 0
    runs: int = 0
    failed_runs: int = 0
    injected: Counter = field(default_factory=Counter)
    alarms: Counter = field(default_factory=Counter)
    false: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)
    on_closed_days: list[str] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    laws: list[str] = field(default_factory=list)
    seconds: float = 0.0


def calendar_of_faults(sessions: list[date], seed: int) -> dict[date, str]:
    """Session → what goes wrong on it, by chance."""
    dice = random.Random(seed)
    drawn = [name for name, (often, *_) in FAULTS.items() for _ in range(often)]
    dice.shuffle(drawn)
    while drawn and FIRST + _evenings(drawn) > len(sessions):
        drawn.pop(_spare(drawn))  # a shorter year has fewer
    free = len(sessions) - FIRST - _evenings(drawn)
    quiet = sorted(dice.randrange(free + 1) for _ in drawn)
    faults, at = {}, FIRST
    for name, before in zip(drawn, quiet, strict=True):
        first = at + before
        for day in sessions[first : first + FAULTS[name][1]]:
            faults[day] = name
        at += FAULTS[name][1] + APART
    return faults


def _spare(drawn: list[str]) -> int:
    """The last that is drawn not for the first time; of single ones the last."""
    again = [at for at, name in enumerate(drawn) if name in drawn[:at]]
    return again[-1] if again else -1


def _at(day: date) -> datetime:
    """When the daemon looks that evening: the tick of 23:00 ran, all NAVs are due."""
    return datetime.combine(day, datetime.min.time(), SHANGHAI) + timedelta(
        hours=23, minutes=35
    )


def _evenings(faults: list[str]) -> int:
    """How many evenings they take, with the quiet ones after each."""
    return sum(FAULTS[name][1] + APART for name in faults)


class Year:
    """One installation through the days of a year.

    Args:
        days: how many days from 1 January on.
    """

    def __init__(self, folder: Path, days: int) -> None:
        self.folder, self.account = folder, Account()
        self.url = stores.url_for(folder)
        self.calendar = TradingCalendar.build()
        first = date(YEAR, 1, 1)
        self.days = [first + timedelta(days=n) for n in range(days)]
        self.sessions = [day for day in self.days if self.calendar.is_session(day)]
        self.faults = calendar_of_faults(self.sessions, SEED)
        self.mirror: Mirror | None = None
        self.trouble: set[str] = set()
        self.telling: set[str] = set()

    def live_quietly(self) -> None:
        """Every evening without a fault, by the steps alone, without Dagster."""
        with self._environment():
            for day in [date(YEAR - 1, 12, 31), *self.sessions]:
                platform = Platform(overrides={"clock": _at(day).isoformat()})
                warehouse, market = platform.warehouse, platform.source
                refresh(warehouse, market, to_key(day))
                refresh_events(warehouse, market, platform.now)
                collect_wave(warehouse, market, platform.now)
                collect_histories(warehouse, market, platform.now, HistoryChoice(limit=FUNDS))
                collect_indices(warehouse, market, day)
                outcomes = validate(warehouse, platform.calendar, platform.now())
                assert not explain_block(outcomes), explain_block(outcomes)
                warehouse.close()

    def live(self) -> Account:
        """Every day of it, and the account."""
        started = time.monotonic()
        with self._environment():
            from fund_assets_tests.faults import year_installed

            self.bent = year_installed.BENT
            self.daemon = Daemon(self.folder / "dagster", year_installed.__name__)
            self._round(datetime(YEAR - 1, 12, 31, 22, 59, tzinfo=SHANGHAI))
            self._round(_at(date(YEAR - 1, 12, 31)))
            for day in self.days:
                self._day(day)
                self._follow()
            last = _at(self.days[-1]) + timedelta(minutes=3)
            self._round(last)
            self._look(last)
            self.account.open = sorted(self.telling)
            self.daemon.close()
            with self.warehouse() as warehouse:
                self.account.laws = violations(warehouse)
                unlike = self.mirror.differing(warehouse) if self.mirror else ["no mirror"]
                self.account.laws += [f"{name} is not as in the mirror" for name in unlike]
        self.account.seconds = time.monotonic() - started
        return self.account

    def _follow(self) -> None:
        """A consumer of the change feed reads what the day changed."""
        with self.warehouse() as warehouse:
            if self.mirror:
                self.mirror.follow(warehouse)
            else:
                self.mirror = Mirror(warehouse)

    def settle(self) -> None:
        """Every fund's whole history once more, and the last date measured anew."""
        with self._environment():
            last = _at(self.days[-1]) + timedelta(minutes=20)
            platform = Platform(overrides={"clock": last.isoformat()})
            codes = platform.source.fund_list().frame["fund_code"].tolist()
            config = {"wave": True, "history_codes": codes}
            done = (
                build_defs(platform)
                .resolve_job_def("daily_pipeline")
                .execute_in_process(run_config={"ops": {"fund_nav": {"config": config}}})
            )
            assert done.success
            platform.warehouse.close()

    @contextmanager
    def warehouse(self) -> Iterator[Warehouse]:
        """Its tables, to be looked at."""
        opened = Warehouse(
            self.url or f"sqlite:///{self.folder / 'state/simulated/warehouse.db'}"
        )
        try:
            yield opened
        finally:
            opened.close()

    def table(self, name: str) -> pd.DataFrame:
        """All of a table, in the order of its key."""
        key = ", ".join(f'"{column}"' for column in TABLES[name].primary_key)
        with self.warehouse() as warehouse:
            return warehouse.frame(f"SELECT * FROM {name} ORDER BY {key}", TABLES[name])

    @contextmanager
    def _environment(self) -> Iterator[None]:
        ours = {k: v for k, v in os.environ.items() if not k.startswith("FUND_")}
        ours |= SETTINGS | {"FUND_STATE": str(self.folder / "state")}
        ours["FUND_WAREHOUSE_URL"] = self.url
        with mock.patch.dict(os.environ, ours, clear=True):
            yield

    def _day(self, day: date) -> None:
        """Its tick, with what goes wrong on it."""
        at = _at(day)
        account, open_day = self.account, self.calendar.is_session(day)
        account.sessions += open_day
        account.closed_days += not open_day
        account.closed_weekdays += not open_day and day.weekday() < 5
        if day.isoweekday() == 7:  # this year has no Sunday jobs; they have tests of their own
            with self.warehouse() as warehouse:
                weekly_log.note_step(warehouse, iso_week(day), "upkeep", to_stamp(at), {})
        fault = self.faults.get(day, "")
        if fault:
            account.injected[fault] += 1
        due, may = FAULTS[fault][2:] if fault else (set(), set())
        if fault.startswith("yesterday") and not self.calendar.is_session(day - A_DAY):
            # The tables were renewed on the closed day before: histories may come in time.
            due, may = set(), due | may
        if not open_day and self.trouble == {"down"}:
            return  # the daemon is still down
        if fault.startswith("daemon down"):
            self.trouble = {"down"}
            # The watcher outside Dagster is alive.
            told = self._look(at)
        else:
            was_down, self.trouble = self.trouble == {"down"}, set()
            self._bend(fault, day)
            self._round(at)
            # A failed run is tried again at the daemon's next look.
            if fault.endswith("at first"):
                self.bent.clear()
            told = self._look(at)
            if fault and not fault.startswith(("yesterday", "one")):
                for minute in (1, 2):
                    self._round(at + timedelta(minutes=minute))
                    told |= self._look(at + timedelta(minutes=minute))
            self.bent.clear()
            if was_down:
                told -= {"tick_missed"}
        wrong = told - due - may
        account.missed += [
            f"{day} {fault}: {kind}" for kind in due - told - self.standing(day, fault)
        ]
        account.false += [f"{day} {fault or 'no fault'}: {kind}" for kind in wrong]
        account.on_closed_days += [f"{day}: {kind}" for kind in told if not open_day]

    def standing(self, day: date, fault: str) -> set[str]:
        """What the first of several evenings of a fault told already."""
        before = self.calendar.before(day)
        return FAULTS[fault][2] if fault and self.faults.get(before) == fault else set()

    def _round(self, now: datetime) -> None:
        for run in self.daemon.round(now):
            self.account.runs += 1
            ended = self.daemon.instance.get_run_by_id(run.run_id)
            self.account.failed_runs += not ended.is_success

    def _look(self, now: datetime) -> set[str]:
        """Kinds told at a moment, of those that ask for action."""
        with moment(now):
            platform = Platform()
            outcome = evaluate(platform, self.daemon.instance, now)
            platform.warehouse.close()
        told = set()
        for telling in outcome.notifications:
            state = telling.state
            if telling.event is Event.OVER:
                self.telling.discard(state.fingerprint)
            elif state.severity >= ACTED:
                self.telling.add(state.fingerprint)
                if telling.event is Event.BEGAN:
                    told.add(state.kind)
                    self.account.alarms[state.kind] += 1
        return told

    def _bend(self, fault: str, day: date) -> None:
        before = self.calendar.before(day)
        today, yesterday = to_key(day), to_key(before)
        if fault.startswith("half"):
            self.bent["observations"] = lambda frame: frame.iloc[: len(frame) // 2]
        elif fault.startswith("yesterday"):
            old = SimulatedSource(FUNDS, 1.0, 5, self.calendar, lambda: _at(before)).wave()
            self.bent["wave"] = lambda wave: old
        elif fault.startswith("source fails"):

            def fails(wave: Any) -> Any:
                raise TransportError("open_funds: connection reset")

            self.bent["wave"] = fails
        elif fault.startswith("corrections"):

            def revised(frame: pd.DataFrame) -> pd.DataFrame:
                at = (frame["nav_date"] == yesterday) & (frame["unit_nav"] > 0.5)
                at &= at.cumsum() <= 8
                moved = (frame["unit_nav"] * 1.003).round(4)
                return frame.assign(unit_nav=moved.where(at, frame["unit_nav"]))

            self.bent["observations"] = revised
        elif fault.startswith("one impossible"):

            def spoilt(frame: pd.DataFrame) -> pd.DataFrame:
                at = (frame["nav_date"] == today) & frame["unit_nav"].notna()
                at &= at.cumsum() == 1
                return frame.assign(unit_nav=frame["unit_nav"].mask(at, -1.0))

            self.bent["observations"] = spoilt


@dataclass
class Comparison:
    """The tables of a year with faults beside those of one without.

    Attributes:
        rows: accepted rows compared, as the evenings left them.
        lost: keys that only the year without faults has; more: only the other.
        differ: common rows whose values differ by more than rounding.
        settled: table → rows, of tables equal to the last bit after both have settled.
        unequal: tables that are not.
        corrections: corrections in both ledgers; unseen: those whose wrong value was never
            accepted, because its evening was at fault.
    """

    sessions_missing: int = 0
    rows: int = 0
    lost: int = 0
    more: int = 0
    differ: int = 0
    settled: dict[str, int] = field(default_factory=dict)
    unequal: list[str] = field(default_factory=list)
    corrections: int = 0
    unseen: int = 0
    strange: list[str] = field(default_factory=list)


def compare(whole: Year, faulty: Year) -> Comparison:
    """As the evenings left the tables, and after both years have settled."""
    found = Comparison()
    keys = ["nav_date", "fund_code"]
    a, b = (year.table("validated_nav").set_index(keys) for year in (whole, faulty))
    both = a.index.intersection(b.index)
    found.rows, found.lost, found.more = len(both), len(a) - len(both), len(b) - len(both)
    sessions = {to_key(day) for day in whole.sessions}
    counts = b.groupby("nav_date").size()
    full = counts.max()
    found.sessions_missing = sum(counts.get(key, 0) < 0.5 * full for key in sessions)
    a, b = a.loc[both], b.loc[both]
    wrong = np.zeros(len(both), dtype=bool)
    for name in ("unit_nav", "acc_nav", "yield_per_10k", "yield_7d_pct"):
        wrong |= (a[name].fillna(-1) != b[name].fillna(-1)).to_numpy()
    wrong |= ((a["total_return_index"] / b["total_return_index"] - 1).abs() > 2e-4).to_numpy()
    found.differ = int(wrong.sum())
    _ledgers(whole, faulty, found)
    for year in (whole, faulty):
        year.settle()
    for name, columns in (
        ("validated_nav", VALUES),
        ("fund_events", ["fund_code", "ex_date", "kind", "value", "status"]),
        ("benchmark_index", ["index_code", "nav_date", "close"]),
        ("fund_metrics", TABLES["fund_metrics"].names),
        ("fund_peers", TABLES["fund_peers"].names),
    ):
        one, other = (_newest(year.table(name))[list(columns)] for year in (whole, faulty))
        if one.equals(other):
            found.settled[name] = len(one)
        else:
            found.unequal.append(f"{name}: {len(one)} rows and {len(other)}")
    return found


def _newest(rows: pd.DataFrame) -> pd.DataFrame:
    """Of metrics the last date; of everything else all."""
    if "calc_date" in rows:
        rows = rows[rows["calc_date"] == rows["calc_date"].max()]
    return rows.reset_index(drop=True)


def _ledgers(whole: Year, faulty: Year, found: Comparison) -> None:
    """Corrections are the same but for values that were never seen wrong."""
    keys = ["fund_code", "nav_date"]
    # When something was filled in depends on which waves came.
    kept = (year.table("nav_revision") for year in (whole, faulty))
    a, b = (rows[rows["kind"] != "filling"].set_index(keys) for rows in kept)
    found.corrections = len(a.index.intersection(b.index))
    at_fault = {to_key(day) for day in faulty.faults}
    unseen = a.index.difference(b.index)
    found.unseen = len(unseen)
    found.strange = [
        f"{code} {day} is no correction without faults"
        for code, day in b.index.difference(a.index)
    ]
    found.strange += [
        f"{code} {day} was seen, and its correction is lost"
        for code, day in unseen
        if day not in at_fault
    ]


def both_years(days: int) -> tuple[Account, Comparison]:
    """A year with faults and a quiet one, in a process each; compared."""
    folder = Path(mkdtemp(prefix="year-", dir=SHM if SHM.is_dir() else None))
    lives = []
    try:
        for name in ("faulty", "quiet"):
            command = [sys.executable, "-m", "fund_assets_tests.faults.year", "--live", name]
            command += ["--folder", str(folder / name), "--days", str(days)]
            lives.append(subprocess.Popen(command))
        ended = [live.wait() for live in lives]
        if any(ended):
            raise RuntimeError("a year did not come to its end: see above")
        told = json.loads((folder / "faulty" / "account.json").read_text())
        quiet, faulty = Year(folder / "quiet", days), Year(folder / "faulty", days)
        return Account(**told), compare(quiet, faulty)
    finally:
        for live in lives:
            live.kill()
        shutil.rmtree(folder, ignore_errors=True)


def report(account: Account, compared: Comparison) -> tuple[str, list[str]]:
    """The figures in words, and everything that is not as it must be."""
    settled = ", ".join(f"{name} {rows:,}" for name, rows in compared.settled.items())
    alarms = ", ".join(f"{kind} {n}" for kind, n in sorted(account.alarms.items()))
    faults = ", ".join(f"{name} {n}" for name, n in sorted(account.injected.items()))
    words = f"""\
sessions                   {account.sessions}
closed days                {account.closed_days}, {account.closed_weekdays} of them Monday to Friday
runs                       {account.runs}, {account.failed_runs} of them failed
evenings with a fault      {sum(account.injected.values())}: {faults}
alarms raised              {sum(account.alarms.values())}: {alarms}
false alarms               {len(account.false)}
faults not told            {len(account.missed)}
alarms on closed days      {len(account.on_closed_days)}
alarms open at the end     {len(account.open)}
sessions missing           {compared.sessions_missing}
accepted rows compared     {compared.rows:,}: {compared.lost} lost, {compared.differ} differ, {compared.more} more
corrections in the ledger  {compared.corrections}, {compared.unseen} never seen wrong
equal to the last bit      {settled}
took                       {account.seconds:.0f} s
"""
    wrong = [*account.false, *account.missed, *account.on_closed_days, *account.open]
    wrong += [*account.laws, *compared.unequal, *compared.strange]
    if compared.sessions_missing or compared.lost or compared.differ:
        wrong.append("the accepted history is not that of the quiet year")
    return words, wrong


def main() -> int:
    """Both years, or, in a child process, one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--live", choices=("quiet", "faulty"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    if asked.live:
        year = Year(asked.folder, asked.days)
        if asked.live == "quiet":
            year.live_quietly()
        else:
            account = year.live()
            (asked.folder / "account.json").write_text(json.dumps(vars(account)))
        return 0
    words, wrong = report(*both_years(asked.days))
    print(words, *wrong, sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
