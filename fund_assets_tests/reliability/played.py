"""A year of the market through the platform's own steps, day by day, judged at every step.

Belongs here: what runs when (waves, sensors, the weekly job), the machine being off, alarms,
and the account of it all. Does not belong here: faults (`wrongs.py`), the comparison with the
truth (`judgement.py`).

The evening's and the morning's waves are the steps of their assets; what the gap and repair
sensors ask for is asked of the sensors themselves; every Sunday the whole weekly job runs under
Dagster. Alarms are those of `observability/alerts/`, from the warehouse and from what the steps told.
"""

import random
import re
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np

from fund_assets.automation.sensors import gap_sensor, repair_sensor
from fund_assets.calendar import TradingCalendar, to_key
from fund_assets.definitions import build_defs
from fund_assets.nav.history import HistoryChoice
from fund_assets.nav.rulebook import EVERY
from fund_assets.nav.rules import RULES
from fund_assets.observability.alerts.current import alerts
from fund_assets.observability.alerts.facts import DagsterFacts, Facts, StoredFacts
from fund_assets.observability.alerts.lifecycle import Event, State, advance
from fund_assets.observability.check_records import FailingCheck
from fund_assets.observability.conditions import Severity
from fund_assets.observability.run_records import FailedRun
from fund_assets.pipeline.benchmark_index import collect_indices
from fund_assets.pipeline.fund_events import refresh_events
from fund_assets.pipeline.fund_info import refresh
from fund_assets.pipeline.fund_nav import collect_wave
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.pipeline.validated_nav import explain_block, summed, validate
from fund_assets.resources import Platform
from fund_assets.settings import SHANGHAI
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.stores.publish import Outcome
from fund_assets_tests.reliability.faulty import Clock, FaultySource
from fund_assets_tests.reliability.judgement import Judge, Spell, first_cells
from fund_assets_tests.reliability.market_truth import Truth
from fund_assets_tests.reliability.wrongs import YEAR, Drawing, Wrong

MORNING, REPAIR, EVENING, NIGHT, WEEKLY = (7, 30), (10, 0), (19, 30), (23, 0), (2, 0)
#: At the end so many days are left to late publishers.
LATE_DAYS = 6
#: Days before the play that are judged too: corrections go back into them.
PAST_DAYS = 40
#: Every so many Sundays the whole weekly job runs, and whenever a batch is held.
WHOLE_WEEKS = 4
#: On the others its part up to the merge does, which is what faults can stop.
MERGING = [
    dg.AssetKey(name)
    for name in ("history_recheck", "fund_info", "history_refetch", "validated_nav")
]
#: After a fault its alarms may come for so many minutes.
GRACE = 3 * 1440
#: Dagster tells the log nothing of the weekly job.
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
ORIGIN_AT = datetime(2005, 1, 1, tzinfo=SHANGHAI)
#: What lifts the breach of a rule by itself, of the lists too.
LIFTS = {rule.id: rule.lifts for rule in EVERY}


@dataclass
class Blocked:
    """A batch that a rule stops: what was said of it, and when it was over."""

    batch_id: str
    at: int
    words: str
    has_way_out: bool


@dataclass
class Account:
    """What a play came to.

    Attributes:
        drawn: kind → how many faults; skipped: kind → how many had no room.
        weeks: Sundays on which the machine ran; whole_weeks: those with the whole weekly job,
            else with its part up to the merge; weeks_failed: why it failed.
        blocked: batches that a rule stopped; open: those that still stand at the end.
        alarms: kind → how often told; false: those without a cause.
        broken: steps that ended with an error.
        codes_chained: codes that were used again whose new fund stands on the old one's index.
    """

    seed: int
    sessions: int = 0
    closed_days: int = 0
    waves: int = 0
    histories: int = 0
    drawn: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    weeks: int = 0
    whole_weeks: int = 0
    weeks_failed: list[str] = field(default_factory=list)
    blocked: list[Blocked] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    alarms: Counter[str] = field(default_factory=Counter)
    false: list[str] = field(default_factory=list)
    alarms_open: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    spells: list[Spell] = field(default_factory=list)
    missing_incomes: list[tuple[str, int]] = field(default_factory=list)
    missing_navs: list[tuple[str, int]] = field(default_factory=list)
    index_errors: list[tuple[str, int, float, float]] = field(default_factory=list)
    codes_chained: list[str] = field(default_factory=list)
    old_rows_lost: list[str] = field(default_factory=list)
    rows: int = 0
    seconds: float = 0.0

    @property
    def too_long(self) -> list[Spell]:
        """Spells that break the promise, one for each fund and date."""
        return [spell for spell in first_cells(self.spells) if spell.too_long]

    @property
    def figures(self) -> dict[str, int]:
        """What must be 0."""
        return {
            "wrong values accepted too long": sum(not s.held for s in self.too_long),
            "right values held too long": sum(s.held for s in self.too_long),
            "blocked without a way out": sum(not b.has_way_out for b in self.blocked),
            "batches blocked at the end": len(self.open),
            "incomes missing": len(self.missing_incomes),
            "NAVs missing": len(self.missing_navs),
            "weekly jobs failed": len(self.weeks_failed),
            "false alarms": len(self.false),
            "alarms open at the end": len(self.alarms_open),
            "index steps wrong": len(self.index_errors),
            "new funds chained to old": len(self.codes_chained) + len(self.old_rows_lost),
            "steps broken": len(self.broken),
        }


class Play:
    """One warehouse through some sessions of a market with faults.

    Args:
        folder: of its own; url: of a warehouse that is not there yet.
        first: the first session; all of the play lies within one year.
        years: of history that funds have, to be such that all of the play has the same.
        wanted: the kinds of faults and their variants.
    """

    def __init__(
        self,
        folder: Path,
        url: str,
        *,
        seed: int,
        first: date,
        sessions: int,
        funds: int = 150,
        years: float = 1.0,
        wanted: Mapping[str, tuple[tuple, ...]] = YEAR,
    ) -> None:
        warnings.simplefilter("ignore")
        self.folder, self.url, self.seed = folder, url, seed
        self.calendar = TradingCalendar.build()
        days = [first]
        while len(days) < sessions:
            days.append(
                next(
                    d
                    for d in self.calendar.between(
                        days[-1] + timedelta(days=1), days[-1] + timedelta(days=20)
                    )
                )
            )
        self.days = days
        before = self.calendar.before(first)
        self.clock = Clock(_at(before, NIGHT))
        market = SimulatedSource(funds, years, seed, self.calendar, self.clock)
        last = _day(days[-1])
        self.truth = Truth(market, _day(first) - PAST_DAYS, last)
        drawing = Drawing(self.truth, np.array([_day(d) for d in days]), random.Random(seed))
        self.wrongs = drawing.draw(wanted)
        self.account = Account(seed, sessions=len(days), skipped=drawing.skipped)
        self.account.drawn = Counter(wrong.kind for wrong in self.wrongs)
        self.source = FaultySource(self.truth, self.wrongs, self.clock)
        self.judge = Judge(self.source, self.wrongs, begins=_day(first))
        self.warehouse = Warehouse(url)
        self.warehouse.init("simulated")
        self.instance = dg.DagsterInstance.ephemeral()
        self._cursors: dict[str, str | None] = {}
        self._states: dict[str, State] = {}
        self._failed: dict[str, FailedRun] = {}
        self._checks: dict[str, FailingCheck] = {}
        self._listed_on = 0

    def live(self, progress: Callable[[str], None] = lambda words: None) -> Account:
        """All of it, and the account."""
        started = time.monotonic()
        try:
            self._begin()
            for day in self._every_day():
                self._day(day)
                if day.day == 1:
                    progress(f"seed {self.seed}: {day}, {_short(self.account)}")
            self._finish()
        finally:
            self.warehouse.close()
        self.account.seconds = time.monotonic() - started
        return self.account

    def _every_day(self) -> Iterator[date]:
        day = self.days[0]
        while day <= self.days[-1]:
            yield day
            day += timedelta(days=1)

    def _begin(self) -> None:
        """The evening before: the list, a wave, and every fund's history."""
        now = self.clock()
        refresh(self.warehouse, self.source, to_key(now.date()))
        self._listed_on = to_key(now.date())
        refresh_events(self.warehouse, self.source, self.clock)
        collect_wave(self.warehouse, self.source, self.clock)
        collect_histories(self.warehouse, self.source, self.clock, HistoryChoice())
        collect_indices(self.warehouse, self.source, now.date())
        self._validated(validate(self.warehouse, self.calendar, now))
        self.judge.look(self.warehouse, self.clock.minute, whole=True)

    def _day(self, day: date) -> None:
        is_open = self.calendar.is_session(day)
        self.account.closed_days += not is_open
        if day.weekday() == 6:
            self._moment(day, WEEKLY, self._weekly)
        self._moment(day, MORNING, self._wave)
        self._moment(day, REPAIR, self._sensors)
        if is_open:
            self._moment(day, EVENING, self._wave)
            self._moment(day, NIGHT, self._wave)
            self._moment(day, (23, 40), self._gap)

    def _moment(self, day: date, at: tuple[int, int], step: Callable[[], bool]) -> None:
        """One step at its time; a step that breaks is told and stops nothing else."""
        self.clock.now = _at(day, at)
        minute = self.clock.minute
        if any(wrong.off and wrong.begins <= minute < wrong.ends for wrong in self.wrongs):
            return
        whole = False
        try:
            whole = step()
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            self.account.broken.append(
                f"{self.clock.now:%Y-%m-%d %H:%M} {step.__name__}: {type(error).__name__}: "
                f"{str(error)[:300]} ({Path(where.filename).name}:{where.lineno})"
            )
            self._fail(step.__name__, str(error))
        self.judge.look(self.warehouse, minute, whole=whole)
        self._alarm()

    def _wave(self) -> bool:
        now = self.clock()
        today = to_key(now.date())
        if today != self._listed_on:
            listed = refresh(self.warehouse, self.source, today)
            self._told("fund_info", listed.plan.verdicts if listed.plan else (), "WARN")
            refresh_events(self.warehouse, self.source, self.clock)
            self._listed_on = today
        collect_wave(self.warehouse, self.source, self.clock)
        self.account.waves += 1
        self._validated(validate(self.warehouse, self.calendar, now))
        return False

    def _sensors(self) -> bool:
        """What the gap and repair sensors ask for, as their runs would do it."""
        found = self._gap()
        request = self._asked_by(repair_sensor, "repair")
        if request is None:
            return found
        codes = request.run_config["ops"]["nav_history"]["config"]["codes"]

        def publish(fresh: Any = None) -> None:
            kinds = ("history",)
            done = validate(
                self.warehouse, self.calendar, self.clock(), kinds=kinds, fresh=fresh
            )
            self._validated(done, job="history_backfill")

        collect_histories(
            self.warehouse, self.source, self.clock, HistoryChoice(codes=tuple(codes)),
            landed=publish,
        )  # fmt: skip
        return True

    def _gap(self) -> bool:
        request = self._asked_by(gap_sensor, "gap")
        if request is None:
            return False
        config = request.run_config["ops"]["fund_nav"]["config"]
        collect_wave(self.warehouse, self.source, self.clock)
        collect_histories(
            self.warehouse, self.source, self.clock,
            HistoryChoice(limit=config["history_funds"], missing_on=config.get("missing_on")),
        )  # fmt: skip
        self._validated(validate(self.warehouse, self.calendar, self.clock()))
        return True

    def _asked_by(self, sensor: dg.SensorDefinition, name: str) -> dg.RunRequest | None:
        platform = self._platform()
        with dg.build_sensor_context(
            instance=self.instance,
            cursor=self._cursors.get(name),
            resources={"platform": platform},
        ) as context:
            told = sensor(context)
            self._cursors[name] = context.cursor
        if isinstance(told, dg.SensorResult):
            self._cursors[name] = told.cursor
            requests = told.run_requests or []
            return requests[0] if requests else None
        return None

    def _platform(self) -> Platform:
        """The platform of this moment, upon the same warehouse and source."""
        source = self.source

        class OfThePlay(Platform):
            @cached_property
            def source(self):
                return source

        return OfThePlay(overrides=self._settings())

    def _settings(self) -> dict[str, Any]:
        return {
            "source": "simulated",
            "state": str(self.folder),
            "warehouse_url": self.url,
            "clock": self.clock.now.replace(tzinfo=None).isoformat(),
            "history_funds_per_run": 300,
            "risk_free_rate": 0.015,
        }

    def _weekly(self) -> bool:
        """The weekly job under Dagster."""
        held = self.warehouse.count(
            "SELECT COUNT(*) FROM collection_batch WHERE state = 'held'"
        )
        self.account.weeks += 1
        whole = bool(held) or self.account.weeks % WHOLE_WEEKS == 0
        self.account.whole_weeks += whole
        done = (
            build_defs(self._platform())
            .resolve_job_def("weekly_full_calc")
            .execute_in_process(
                instance=self.instance,
                raise_on_error=False,
                run_config=QUIET,
                asset_selection=None if whole else MERGING,
            )
        )
        if not done.success:
            why = [
                f"{e.step_key}: {e.step_failure_data.error.message.strip()[:300]}"
                for e in done.all_events
                if e.event_type is dg.DagsterEventType.STEP_FAILURE
                and e.step_failure_data.error
            ]
            self.account.weeks_failed.append(f"{self.clock.now:%Y-%m-%d}: {'; '.join(why)}")
            self._fail("weekly_full_calc", "; ".join(why))
        else:
            self._failed.pop("weekly_full_calc", None)
        for batch in self.warehouse.rows(
            "SELECT batch_id, held_because FROM collection_batch WHERE state = 'held'"
        ):
            because = str(batch["held_because"])
            ways = all(LIFTS[rule] for rule in rules_in(because))
            self._block(str(batch["batch_id"]), because, ways)
        return True

    def _validated(self, outcomes: list[Outcome], job: str = "daily_validation") -> None:
        """What was told of batches; a run in which one is blocked fails."""
        words = explain_block(outcomes)
        for outcome in outcomes:
            if outcome.blocked_by:
                told = explain_block([outcome])
                self._block(outcome.batch_id, told, has_way_out(outcome.batch_id, told))
        observed = [o for o in outcomes if o.kind != "events"]
        if observed:
            verdicts = summed(v for o in observed for v in o.verdicts)
            self._told("validated_nav", verdicts, "ERROR")
        if words:
            self._fail(job, words, blocked=True)
        else:
            self._failed.pop(job, None)

    def _block(self, batch_id: str, words: str, has_way_out: bool) -> None:
        if all(known.batch_id != batch_id for known in self.account.blocked):
            self.account.blocked.append(
                Blocked(batch_id, self.clock.minute, words, has_way_out)
            )

    def _told(self, asset: str, verdicts: Any, blocking: str) -> None:
        now = self.clock()
        for verdict in verdicts:
            name = f"{asset}/{verdict.rule}"
            self._checks.pop(name, None)
            if verdict.passed:
                continue
            severity = blocking if verdict.severity == "block" else "WARN"
            self._checks[name] = FailingCheck(
                asset, verdict.rule, severity, now, "run", verdict.failed, verdict.looked_at,
                "; ".join(verdict.cases[:1]),
            )  # fmt: skip

    def _fail(self, job: str, words: str, *, blocked: bool = False) -> None:
        before = self._failed.get(job)
        row = before.in_a_row + 1 if before else 1
        self._failed[job] = FailedRun(job, "run", self.clock(), row, blocked, (), words[:200])

    def _alarm(self) -> None:
        """Look for what is wrong as the alert sensor does, and judge what is told."""
        now = self.clock()
        newest = status_queries.newest_dates(self.warehouse)
        newest["fund_metrics"] = newest["validated_nav"]  # measured on Sundays alone
        found = Facts(
            now=now,
            at=now,
            calendar=self.calendar,
            stored=StoredFacts(
                newest=newest,
                held=tuple(status_queries.held_batches(self.warehouse)),
                quarantined=status_queries.held_cases(self.warehouse),
            ),
            dagster=DagsterFacts(
                failed_runs=tuple(self._failed.values()),
                failing_checks=tuple(self._checks.values()),
                ticking=(), daemons=(), overdue=(), renewed={},
            ),
            trouble={},
            disk_free_bytes=10**12,
            quarantine_limit=self._limit,
        )  # fmt: skip
        states, told = advance(
            self._states, alerts(found), now,
            sessions=lambda first, last: len(self.calendar.between(first, last)),
        )  # fmt: skip
        self._states |= {state.fingerprint: state for state in states}
        for telling in told:
            state = telling.state
            if telling.event is Event.BEGAN and state.severity > Severity.NOTICE:
                self.account.alarms[state.kind] += 1
                if not self._has_cause(state.kind):
                    self.account.false.append(
                        f"{now:%Y-%m-%d %H:%M} {state.fingerprint}: {state.words[:300]}"
                    )

    @cached_property
    def _limit(self) -> int:
        return self._platform().settings.alert_quarantine_rows

    def _has_cause(self, kind: str) -> bool:
        minute = self.clock.minute
        return any(
            kind in wrong.may and wrong.begins <= minute <= wrong.ends + GRACE
            for wrong in self.wrongs
        )

    def _finish(self) -> None:
        account, judge = self.account, self.judge
        minute = self.clock.minute
        judge.look(self.warehouse, minute, whole=True)
        judge.finish(minute)
        account.spells = judge.spells
        account.histories = self.source.histories_asked
        missing = judge.missing(self.truth.last - LATE_DAYS)
        account.missing_incomes, account.missing_navs = missing["incomes"], missing["NAVs"]
        account.index_errors = judge.index_errors(self.warehouse)
        account.open = [
            f"{batch['batch_id']}: {batch['held_because']}"
            for batch in status_queries.held_batches(self.warehouse)
        ]
        account.alarms_open = [
            state.fingerprint
            for state in self._states.values()
            if state.firing and state.severity > Severity.NOTICE and state.told_at
        ]
        account.rows = status_queries.row_count(self.warehouse, "validated_nav")
        for reuse in self.truth.reuses:
            old = reuse.past.observations
            rows = self.warehouse.rows(
                "SELECT nav_date, unit_nav, total_return_index FROM validated_nav "
                "WHERE fund_code = :code ORDER BY nav_date",
                code=reuse.code,
            )
            before = [row for row in rows if row["nav_date"] <= old["nav_date"].max()]
            after = [row for row in rows if row["nav_date"] > old["nav_date"].max()]
            same = {row["nav_date"]: row["unit_nav"] for row in before}
            if same != dict(zip(old["nav_date"], old["unit_nav"], strict=True)):
                account.old_rows_lost.append(reuse.code)
            if after and after[0]["total_return_index"] != 1.0:
                account.codes_chained.append(
                    f"{reuse.code} {after[0]['nav_date']}: its index begins with "
                    f"{after[0]['total_return_index']:g}"
                )


def rules_in(words: str) -> set[str]:
    """The rules that are named in words."""
    return set(re.findall(r"\bR\d\d_\w+", words))


def has_way_out(batch_id: str, words: str) -> bool:
    """Whether what is said of a blocked batch tells what lifts it: each rule, and a person."""
    rules = rules_in(words)
    named = all(f"Cleared by {RULES[rule].lifts}" in words for rule in rules)
    return bool(rules) and named and f"quarantine accept {batch_id} --because" in words


def _day(day: date) -> int:
    return (day - ORIGIN_AT.date()).days


def _at(day: date, at: tuple[int, int]) -> datetime:
    return datetime(day.year, day.month, day.day, *at, tzinfo=SHANGHAI)


def _short(account: Account) -> str:
    return (
        f"{account.waves} waves, {len(account.blocked)} batches blocked, "
        f"{len(account.false)} false alarms, {len(account.broken)} steps broken"
    )


def told_at(minute: int) -> str:
    """A minute of the timeline in words."""
    return f"{ORIGIN_AT + timedelta(minutes=minute):%Y-%m-%d %H:%M}"


def cause(wrongs: list[Wrong], spell: Spell) -> str:
    """The fault that a spell belongs to, as far as can be told."""
    mine = [wrong for wrong in wrongs if spell.code in wrong.codes]
    near = [
        wrong for wrong in wrongs
        if not wrong.codes and wrong.begins <= spell.since <= wrong.ends + GRACE
    ]  # fmt: skip
    return "; ".join(wrong.words for wrong in (mine or near)[:2]) or "no fault"
