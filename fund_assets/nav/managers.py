"""Terms of a fund's managers: how long they are, what a fund returned in one, which are owed.

Belongs here: pure functions of terms and of an index. Does not belong here: reading a page
(`sources/`), SQL (`warehouse/`), who manages a fund today (`nav/reports.py`).

A term is the time in which the same people managed a fund. Who stays when another comes or
leaves is in both terms.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from fund_assets.calendar import from_key, to_key
from fund_assets.nav.reports import Statement

#: Days between two terms that still follow each other: a weekend, a holiday.
FEW_DAYS = 7
#: A fund may begin to publish so many days after its first term begins.
LATE_DAYS = 31
TERM_COLUMNS = (
    "until",
    "managers",
    "manager_ids",
    "days",
    "published_return",
    "unbroken_since",
)
#: Between names, and between numbers, of one term.
BETWEEN = "、"


@dataclass(frozen=True)
class Term:
    """One row of a page of managers.

    Attributes:
        since, until: first and last day, yyyymmdd; `until` is None while it runs.
        managers: number → name, in the order of the page.
        days: how long it was when the page was made; None where the page does not say.
        published_return: the source's own return over it, a fraction; None without one.
    """

    since: int
    until: int | None
    managers: Mapping[str, str]
    days: int | None
    published_return: float | None


def unbroken_since(terms: Sequence[Term], term: Term) -> int:
    """Since when the manager of a term who has been there longest is there without a break."""
    earliest, there, before = term.since, set(term.managers), term.since
    for earlier in sorted(terms, key=lambda one: -one.since):
        if earlier.since >= term.since:
            continue
        follows = earlier.until is not None and _days(earlier.until, before) <= FEW_DAYS
        there &= set(earlier.managers)
        if not follows or not there:
            break
        earliest = before = earlier.since
    return earliest


def statement(terms: Sequence[Term]) -> Statement:
    """All terms of a page, as what it says of FUND_MANAGER_TERM."""
    rows = {
        term.since: (
            term.until,
            BETWEEN.join(term.managers.values()),
            BETWEEN.join(term.managers),
            term.days,
            term.published_return,
            unbroken_since(terms, term),
        )
        for term in terms
    }
    return Statement("fund_manager_term", TERM_COLUMNS, rows, since=0)


def overlaps(code: str, terms: Sequence[Term]) -> list[str]:
    """Terms that begin before the one before them has ended, in words."""
    ordered = sorted(terms, key=lambda term: term.since)
    return [
        f"{code}: the term from {later.since} begins before that from {earlier.since} has ended"
        for earlier, later in pairwise(ordered)
        if earlier.until is None or earlier.until >= later.since
    ]


def term_return(
    dates: Sequence[int], index: Sequence[float], since: int, until: int | None
) -> float | None:
    """The total return from the first NAV on or after a day to the last on or before another.

    Args:
        dates: ascending, yyyymmdd; index: the total-return index on them.
        until: None: up to the newest.

    Returns:
        None where the dates begin too late, or no NAV is in between.
    """
    first = bisect_left(dates, since)
    last = len(dates) - 1 if until is None else bisect_right(dates, until) - 1
    if first > last or _days(since, dates[first]) > LATE_DAYS:
        return None
    return index[last] / index[first] - 1


def years(since: int, until: int) -> float:
    """Years from a day to another, both yyyymmdd; whole ones end on the day they began on."""
    months = 12 * (until // 10_000 - since // 10_000) + until // 100 % 100 - since // 100 % 100
    return (months + (until % 100 - since % 100) / 31) / 12


def days_of(since: int, years_worked: int, rest: int) -> int:
    """Days of `1年又235天`: the years end on the day of the month on which they began."""
    begun = from_key(since)
    try:
        anniversary = begun.replace(year=begun.year + years_worked)
    except ValueError:  # 29 February
        anniversary = begun.replace(year=begun.year + years_worked, day=28)
    return (anniversary - begun).days + rest


def owed(
    now: Mapping[str, frozenset[str]],
    running: Mapping[str, frozenset[str]],
    seen_on: Mapping[str, int],
    before: date,
) -> list[str]:
    """Funds whose page of managers is owed: those never seen, then those seen longest ago.

    Args:
        now: fund → numbers of its managers, as its history answer has them.
        running: fund → the same of its running term.
        seen_on: fund → when its page was seen, yyyymmdd.
        before: a page that was seen since then is not owed.
    """
    oldest = to_key(before)
    due = [
        code
        for code, people in now.items()
        if code not in seen_on
        or (seen_on[code] < oldest and running.get(code, frozenset()) != people)
    ]
    return sorted(due, key=lambda code: (seen_on.get(code, 0), code))


def _days(first: int, last: int) -> int:
    return (from_key(last) - from_key(first)).days
