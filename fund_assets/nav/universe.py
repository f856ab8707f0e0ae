"""The market of a past date: which classes lived then, and how many of them may be missing.

Belongs here: what is concluded from NAV dates, states and lists. Does not belong here: reading
them (`warehouse/queries/universe.py`), fetching what is missing.

The source lists the funds of today. A class that ended before the first list of this platform
is known only by a list of a past date that a user gave. So of dates before the first list the
share that is missing is counted where a list of that time is stored, and estimated elsewhere:
from how many classes a year end, and which of those that lived then are younger than the last
list before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from math import exp, log

import numpy as np
from numpy.typing import NDArray

from fund_assets.calendar import from_key, keys_to_days

#: Share of classes that end in a year: of 11,015 classes on the list of 2020-10 (back-end codes
#: left out) the list of 2026-05 lacks 1,597. `real_data/test_universe.py` counts them.
ENDS_PER_YEAR = 0.028
#: From so many years between lists on, their own share is used.
MEASURED_YEARS = 1.0
#: A list with less of the stored classes of its date is a part of the market.
LEAST_OF_MARKET = 0.9
#: A list says who lived on dates so many days before and after it.
LIST_DAYS = 7
YEAR = 365.25


@dataclass(frozen=True)
class Evidence:
    """What is stored of the classes; arrays over classes, dates as days since 1970-01-01.

    Attributes:
        codes: six digits.
        first, last: first and last NAV date; `NEVER` and -`NEVER` without any.
        ended: whether it has ended, so that it did not live after its last NAV.
        whole: whether its whole history was answered, or it cannot have one.
        seen, left: first and last day on which a list had it.
        absent: whether it is in no list of the market and has no NAV stored.
        lists: day of a list of a past date → the codes on it.
        since: day of the first list of the market; None: there is none yet.
        newest: day of the newest one.
    """

    codes: NDArray[np.str_]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    ended: NDArray[np.bool_]
    whole: NDArray[np.bool_]
    seen: NDArray[np.int64]
    left: NDArray[np.int64]
    absent: NDArray[np.bool_]
    lists: Mapping[int, frozenset[str]]
    since: int | None
    newest: int | None

    def alive(self, day: int) -> NDArray[np.bool_]:
        """Which classes have NAVs and lived on a day."""
        return (self.first <= day) & (~self.ended | (self.last >= day))


NEVER = 1 << 30


@dataclass(frozen=True)
class Coverage:
    """How much of the market of a date is stored.

    Attributes:
        date: yyyymmdd.
        stored: classes that lived then and have their NAVs.
        absent: classes of lists of past dates without NAVs that lived then, or may have.
        not_fetched: classes whose whole history was not fetched yet: they may have lived then.
        estimated: classes that may have lived then and ended before any list that is stored.
        known: whether lists say who lived then; else `estimated` is an estimate.
    """

    date: int
    stored: int
    absent: int
    not_fetched: int
    estimated: float
    known: bool

    @property
    def missing(self) -> float:
        """How many classes may be missing."""
        return self.absent + self.not_fetched + self.estimated

    @property
    def share(self) -> float:
        """Share of the classes alive then that may be missing; 1 when nothing is stored."""
        total = self.stored + self.missing
        return self.missing / total if total else 1.0

    @property
    def words(self) -> str:
        """The same in one sentence; that none is missing is said only where that is known."""
        day, share = from_key(self.date), self.share
        if not self.known:
            return (
                f"{day}: about {share:.1%} of the classes alive then may be missing "
                "(estimated: no list of that time is stored), so results may look better "
                "than they were"
            )
        if self.missing:
            total = self.stored + self.missing
            return (
                f"{day}: {share:.1%} of the classes alive then may be missing "
                f"({self.missing:,.0f} of {total:,.0f} by the lists of that time)"
            )
        return f"{day}: all {self.stored:,} classes on the lists of that time are stored"

    def as_row(self) -> dict[str, object]:
        """Plain values."""
        return {
            **asdict(self),
            "estimated": round(self.estimated, 1),
            "share": round(self.share, 4),
        }


def coverage(evidence: Evidence, dates: Sequence[int]) -> list[Coverage]:
    """How much of the market of some dates (yyyymmdd) is stored."""
    lists = _whole_lists(evidence)
    rate = ends_per_year(lists)
    return [_coverage(evidence, lists, rate, date) for date in dates]


def ends_per_year(lists: Mapping[int, frozenset[str]]) -> float:
    """Share of classes that end in a year: by the lists themselves if they span enough time.

    Args:
        lists: day → codes of a list of the whole market.
    """
    days = sorted(lists)
    lost = exposed = 0.0
    for before, after in pairwise(days):
        size = len(lists[before])
        gone = len(lists[before] - lists[after])
        if gone < size:
            lost -= log(1 - gone / size) * size
            exposed += (after - before) / YEAR * size
    spanned = bool(days) and (days[-1] - days[0]) / YEAR >= MEASURED_YEARS
    return lost / exposed if spanned and exposed else ENDS_PER_YEAR


def _whole_lists(evidence: Evidence) -> dict[int, frozenset[str]]:
    """Day → codes of each list of the whole market: given ones, the first and the newest."""
    found: dict[int, frozenset[str]] = {}
    for day, codes in evidence.lists.items():
        living = evidence.codes[evidence.alive(day)].tolist()
        if len(codes.intersection(living)) >= LEAST_OF_MARKET * len(living):
            found[day] = codes
    for own in (evidence.since, evidence.newest):
        if own is not None:
            there = (evidence.seen <= own) & (evidence.left >= own)
            found[own] = found.get(own, frozenset()).union(evidence.codes[there].tolist())
    return found


def _coverage(
    evidence: Evidence, lists: Mapping[int, frozenset[str]], rate: float, date: int
) -> Coverage:
    day = int(keys_to_days(np.array([date]))[0])
    living = evidence.alive(day)
    stored = int(living.sum())
    days = np.array(sorted(lists), dtype=np.int64)
    # It lived until a list lacks it, and nobody knows since when.
    lacking = np.append(days, NEVER)[np.searchsorted(days, evidence.left, side="right")]
    absent = evidence.absent & (day < lacking)
    # Its stored NAVs begin when the platform first saw it: it may be older.
    unfetched = ~evidence.whole & ~evidence.absent & (evidence.first > day)
    estimated, known = 0.0, True
    after = min((d for d in lists if d >= day - LIST_DAYS), default=None)
    own = evidence.since is not None and day >= evidence.since
    near = after is not None and abs(after - day) <= LIST_DAYS
    if not own and not near:
        known = False
        before = max((d for d in lists if d < day), default=None)
        ended = 1 - exp(-rate * ((after if after is not None else day) - day) / YEAR)
        young = living if before is None else living & (evidence.first > before)
        estimated = int(young.sum()) * ended / (1 - ended) if ended < 1 else float(stored)
    return Coverage(
        date=date,
        stored=stored,
        absent=int(absent.sum()),
        not_fetched=int(unfetched.sum()),
        estimated=estimated,
        known=known and after is not None,
    )
