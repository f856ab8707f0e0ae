"""Signs of life: daemons, runs one by one, an evening's waves, the disk.

Belongs here: reading them into plain dataclasses. Does not belong here: what renews an asset
and what checks found (`run_records.py`, `check_records.py`), schedules and sensors
(`ticks.py`), judging, showing.
"""

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from fund_assets.calendar import CLOCK_SLACK, from_stamp, to_key
from fund_assets.nav.arrivals import Look, band_of
from fund_assets.observability.conditions import DAEMON_TWICE
from fund_assets.observability.dagster_tables import STATUSES, Ledger, Run
from fund_assets.settings import SHANGHAI, Settings
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import status as status_queries

SHOWN_RUNS = 10
#: Where the ids of daemons are kept, and how many.
DAEMONS_SEEN, IDS_KEPT = "fund_assets/daemons", 10
#: (id of a daemon's process, seconds since 1970) of the first sign of each turn, oldest first.
Turns = list[tuple[str, float]]


@dataclass(frozen=True)
class Heartbeat:
    """The last sign of one of Dagster's daemons; `age_s` by the machine's clock.

    A sign from the future is as far off as one from the past: whoever lives beats again by the
    present clock within half a minute.
    """

    daemon: str
    at: datetime
    age_s: float


@dataclass(frozen=True)
class RunSummary:
    """One run; `started` and `duration_s` are None before it started or ended."""

    run_id: str
    job: str
    status: str
    created: datetime
    started: datetime | None
    duration_s: float | None


@dataclass(frozen=True)
class EveningWave:
    """What was known of a date after one published wave.

    Attributes:
        published: listed funds whose NAV of the date had been seen by then.
        share: of the funds that are due, a fraction.
        usual, lowest: the band of earlier evenings at that time, fractions; None: not known.
    """

    at: datetime
    published: int
    share: float
    usual: float | None = None
    lowest: float | None = None


def heartbeats(ledger: Ledger, machine_time: datetime) -> tuple[Heartbeat, ...]:
    """The daemons that ever ran on this instance, by name; empty where none did."""
    return tuple(
        Heartbeat(
            beat.daemon,
            datetime.fromtimestamp(beat.at_s, SHANGHAI),
            round(age_s(beat.at_s, machine_time), 1),
        )
        for beat in ledger.beats()
    )


def age_s(timestamp: float, machine_time: datetime) -> float:
    """How long ago a moment was; one in the future, but for a little slack, is as far off."""
    age = machine_time.timestamp() - timestamp
    return abs(age) if -age > CLOCK_SLACK.total_seconds() else max(age, 0.0)


def daemon_turns(ledger: Ledger) -> Turns:
    """Whose signs of life followed each other: what looks of the past saw, and this one.

    Daemons write their signs over each other's: a look sees one of them.
    """
    turns = [
        (str(own), float(at)) for own, at in json.loads(ledger.cursor(DAEMONS_SEEN) or "[]")
    ]
    newest = max(ledger.beats(), key=lambda beat: beat.at_s, default=None)
    if newest and newest.process_id and (not turns or turns[-1][0] != newest.process_id):
        turns.append((newest.process_id, newest.at_s))
    return turns[-IDS_KEPT:]


def rivals(turns: Turns, machine_time: datetime) -> datetime | None:
    """When two daemons were last seen to take turns; None: there is one.

    One that is started anew has another id once; where an id comes back, both are alive.
    """
    returns = [at for n, (own, at) in enumerate(turns) if own in {one for one, _ in turns[:n]}]
    if not returns or age_s(returns[-1], machine_time) > DAEMON_TWICE.lasts_s:
        return None
    return datetime.fromtimestamp(returns[-1], SHANGHAI)


def newest_runs(runs: Iterable[Run]) -> tuple[RunSummary, ...]:
    """The first runs of a list that has the newest first."""
    found = []
    for run in list(runs)[:SHOWN_RUNS]:
        started = datetime.fromtimestamp(run.started_s, SHANGHAI) if run.started_s else None
        found.append(
            RunSummary(
                run_id=run.run_id,
                job="(assets)" if run.job_name.startswith("__") else run.job_name,
                status=run.status.lower(),
                created=run.created,
                started=started,
                duration_s=run.ended_s - run.started_s
                if run.ended_s and run.started_s
                else None,
            )
        )
    return tuple(found)


def runs_by_status(runs: Iterable[Run]) -> tuple[tuple[str, int], ...]:
    """Every status that Dagster knows, in lower case, and how many runs have it."""
    counted = Counter(run.status for run in runs)
    return tuple((status.lower(), counted[status]) for status in STATUSES)


def evening(
    warehouse: Warehouse, nav_date: date, due: int, looks: Sequence[Look] = ()
) -> tuple[EveningWave, ...]:
    """The published waves of a date, in their order.

    Args:
        looks: how all funds together arrived, of this date and those before.
        due: funds that are due, see `queries.coverage`.
    """
    seen = status_queries.seen_by(warehouse, to_key(nav_date))
    known = {look.looked_at: look for look in looks if look.nav_date == to_key(nav_date)}
    found = []
    for stamp in status_queries.published_waves(warehouse, to_key(nav_date)):
        published = sum(n for at, n in seen.items() if at <= stamp)
        share = min(published / due, 1.0) if due else 0.0
        look = known.get(stamp)
        band = band_of(looks, look) if look else None
        usual, lowest = (band.usual, band.lowest) if band else (None, None)
        found.append(EveningWave(from_stamp(stamp), published, share, usual, lowest))
    return tuple(found)


def free_bytes(warehouse: Warehouse, settings: Settings) -> int:
    """Room on the disk of FUND_STATE or of the warehouse, whichever has less.

    The disk of a database on another machine is known there alone.
    """
    state = settings.state_dir
    here = shutil.disk_usage(next(p for p in (state, *state.parents) if p.exists())).free
    there = warehouse.backend.free_bytes()
    return here if there is None else min(here, there)
