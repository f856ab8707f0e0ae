"""What a report of a week is made of: plain data, without a word or a picture.

Belongs here: the shapes that facts are handed over in, from who reads them
(`pipeline/weekly_report.py`, `observability/operations.py`) to who writes them out. Does not
belong here: reading facts, their words (`headlines.py`), the page (`page.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fund_assets.report.curve import Curve
from fund_assets.schemas.kinds import KINDS

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Mover:
    """A fund with a great return in the week; `path` is its index over three months."""

    code: str
    name: str
    value: float
    path: NDArray[np.float64]


@dataclass(frozen=True)
class KindWeek:
    """One kind of funds in the week.

    Attributes:
        funds: portfolios with a return in the week.
        marks: 5, 25, 50, 75 and 95 % quantiles of their returns, fractions.
        up: share of them with a return above 0.
        ytd: median return of the year so far; None without metrics.
        best, worst: the first with the best and the worst return.
    """

    kind: str
    funds: int
    marks: tuple[float, float, float, float, float]
    mean: float
    up: float
    ytd: float | None
    best: tuple[Mover, ...]
    worst: tuple[Mover, ...]

    @property
    def label(self) -> str:
        """The word that people read."""
        return KINDS[self.kind].label


@dataclass(frozen=True)
class Operations:
    """What Dagster's records say of the last seven days.

    Attributes:
        freshness: table, newest, due, ok.
        jobs: job, runs, succeeded, failed.
        checks: failing ones: asset, check, severity, words.
        checks_passed: how many passed.
    """

    freshness: tuple[Row, ...] = ()
    jobs: tuple[Row, ...] = ()
    checks: tuple[Row, ...] = ()
    checks_passed: int = 0


@dataclass(frozen=True)
class WeekFacts:
    """Everything the report of a week tells.

    Attributes:
        week: ISO week; monday, sunday: its days.
        made_at: when the report was made, by the settings' clock.
        calc_date: calculation date of its metrics and scores, yyyymmdd; None without any.
        newest: newest NAV date in it, yyyymmdd; None without any.
        kinds: kinds with returns in the week, in the order of KINDS.
        states: state of a fund → classes in it at the end of the week.
        changed: kind of change → classes with one in the week.
        curves: of the watch list; chosen: whether FUND_WATCH_LIST names them.
        absent: codes of the watch list that have no curve.
        purchases: changes of purchases, redemptions and limits in the week, those of the watch
            list first: at, fund_code, name, kind, words, watched; purchase_kinds: kind → how
            many of all.
        scores: peer group → its best funds by score, columns of fund_scores with name and
            previous_rank.
        stability: peer_group, funds, correlation against compared_with.
        corrections: the greatest of the week; corrected: legal level → how many.
        coverage: kind, published, due, share on `newest`.
        arrivals: after each wave of a date's own evening: nav_date, looked_at, published, due,
            share, usual and lowest (of earlier evenings; None where not known).
        rows_per_date: yyyymmdd → accepted NAVs.
        quarantine: rule, held (all that wait), fresh (held in the week).
        held_batches: batches that are stopped now: batch_id, kind, newest_date, held_because.
        agreement: verdict → returns of the source that have it, of the newest histories;
            differences: the greatest of them that are not explained.
        log: step of the weekly job → its figures.
        walk: screens over all quarters (`metrics.walk_forward.summed`).
        batches: the batches collected in the week; more_batches: how many more there were.
        provenance: (what, value) lines.
    """

    week: str
    monday: date
    sunday: date
    made_at: datetime
    source: str
    calc_date: int | None = None
    newest: int | None = None
    kinds: tuple[KindWeek, ...] = ()
    states: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    curves: tuple[Curve, ...] = ()
    chosen: bool = False
    absent: tuple[str, ...] = ()
    purchases: tuple[Row, ...] = ()
    purchase_kinds: Mapping[str, int] = field(default_factory=dict)
    scores: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    stability: tuple[Row, ...] = ()
    compared_with: int | None = None
    corrections: tuple[Row, ...] = ()
    corrected: Mapping[str, int] = field(default_factory=dict)
    coverage: tuple[Row, ...] = ()
    arrivals: tuple[Row, ...] = ()
    rows_per_date: Mapping[int, int] = field(default_factory=dict)
    quarantine: tuple[Row, ...] = ()
    held_batches: tuple[Row, ...] = ()
    agreement: Mapping[str, int] = field(default_factory=dict)
    differences: tuple[Row, ...] = ()
    log: Mapping[str, Row] = field(default_factory=dict)
    walk: tuple[Row, ...] = ()
    batches: tuple[Row, ...] = ()
    more_batches: int = 0
    provenance: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class WalkFacts:
    """What past screens did next.

    Attributes:
        rows: of `metrics.walk_forward.Outcome.as_row`.
        sums: of `metrics.walk_forward.summed`.
        tried: screens that were tried in all.
        least: with fewer quarters there is no verdict.
        missing: of each quarter end, what may be missing (`nav.universe.Coverage.as_row`).
    """

    rows: Sequence[Row]
    sums: Sequence[Row]
    tried: int
    least: int
    missing: Sequence[Row] = ()
