"""When the NAVs of a date arrive, beside when those of earlier dates did.

Belongs here: the band of what is usual at a time of the evening, and what lies below it. Does
not belong here: counting (`warehouse/queries/coverage.py`), who is due (`cadence.py`).

A look is the count after one wave: of the funds of a group that are due of a date, how many had
published. Looks at several dates are compared when as many sessions had followed and it was the
same time of the day, on the same weekday while there are enough of them, else on all. The band
is of medians, so that bad evenings before move it little while there are more good ones.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from fund_assets.calendar import from_key, from_stamp
from fund_assets.nav.cadence import LATE_SESSIONS, LEARNED_SESSIONS
from fund_assets.schemas.fund_types import TYPES
from fund_assets.schemas.kinds import KINDS

#: The group of all funds.
ALL = "all"
#: Looks are kept of so many sessions, as many as a cadence needs.
KEPT_SESSIONS = LEARNED_SESSIONS + LATE_SESSIONS
#: Waves are compared when their times of the day differ by so many minutes at most.
SLACK_MINUTES = 30
#: So many evenings of the same weekday make a band, or so many of any.
SAME_WEEKDAY, ANY_WEEKDAY = 4, 5
#: Of fewer funds that are due nothing is said.
LEAST_DUE = 20
#: The band ends so many times the usual distance from the median below it, at least so much of
#: the funds and so many of them (a portfolio that halts has some classes), and so many
#: standard deviations of as many funds that come by chance: the classes of a portfolio come
#: together. Nobody comes with a greater chance than MOST_SURE.
WIDTH, LEAST_WIDTH, FEW_FUNDS, SIGMAS, MOST_SURE = 4.0, 0.08, 5, 4.0, 0.95
#: Dates so many sessions before the newest may still arrive. Kinds that take longer than that
#: have no evening.
LATEST = 3


class Look(NamedTuple):
    """How many funds of a group had published a date, after a wave.

    Attributes:
        nav_date: yyyymmdd; looked_at: yyyymmddhhmmss.
        ago: sessions from the date to the newest one that the wave showed.
        peers: a type of the source's list, a kind for funds of types that are not declared, or
            `all`.
        due: funds that were due by their own cadence, a fund of four in five days as 0.8.
    """

    nav_date: int
    looked_at: int
    ago: int
    peers: str
    published: int
    due: float

    @property
    def share(self) -> float:
        """Of the funds that were due, at most 1."""
        return min(self.published / self.due, 1.0) if self.due else 1.0


class Band(NamedTuple):
    """What is usual after a wave: median share, lowest usual share, of how many evenings."""

    usual: float
    lowest: float
    evenings: int


class Below(NamedTuple):
    """A look that lies below its band."""

    look: Look
    band: Band

    @property
    def words(self) -> str:
        """What is wrong."""
        look, band = self.look, self.band
        return (
            f"{look.peers} of {from_key(look.nav_date)}: {look.published:,} of {look.due:,.0f} "
            f"funds ({look.share:.1%}) by {from_stamp(look.looked_at):%m-%d %H:%M}; "
            f"usual {band.usual:.1%}, at least {band.lowest:.1%} on {band.evenings} evenings"
        )


def peers_of(kind: str, fund_type: str) -> str:
    """The group of a type."""
    return fund_type if fund_type in TYPES else kind


def is_waited_for(kind: str, sessions_ago: int) -> bool:
    """Whether funds of a kind may still publish a date in time."""
    lag = KINDS[kind].lag
    return lag <= LATEST and sessions_ago <= lag


def band_of(looks: Iterable[Look], look: Look) -> Band | None:
    """The band of a look, from those of its group at earlier dates.

    None: too few of them, or too few funds that are due.

    Args:
        looks: of the same group.
    """
    if look.due < LEAST_DUE:
        return None
    nearest: dict[int, tuple[int, float]] = {}
    for one in looks:
        if one.nav_date < look.nav_date and one.due >= LEAST_DUE and one.ago == look.ago:
            apart = _minutes_apart(one.looked_at, look.looked_at)
            if apart <= SLACK_MINUTES:
                found = (apart, one.share)
                nearest[one.nav_date] = min(nearest.get(one.nav_date, found), found)
    weekday = from_key(look.nav_date).weekday()
    shares = [share for _, share in nearest.values()]
    alike = [
        share for date, (_, share) in nearest.items() if from_key(date).weekday() == weekday
    ]
    if len(alike) >= SAME_WEEKDAY:
        shares = alike
    elif len(shares) < ANY_WEEKDAY:
        return None
    usual = float(np.median(shares))
    spread = float(np.median(np.abs(np.array(shares) - usual)))
    width = max(WIDTH * spread, LEAST_WIDTH, FEW_FUNDS / look.due)
    chance = min(usual, MOST_SURE)
    width += SIGMAS * math.sqrt(chance * (1 - chance) / look.due)
    return Band(usual, max(usual - width, 0.0), len(shares))


def below_band(looks: Sequence[Look]) -> tuple[int, list[Below]]:
    """How many groups of the newest wave have a band, and which of their dates lie below it."""
    if not looks:
        return 0, []
    newest = max(look.looked_at for look in looks)
    by_group = defaultdict(list)
    for look in looks:
        by_group[look.peers].append(look)
    judged, found = 0, []
    for look in looks:
        if look.looked_at != newest or look.peers == ALL:
            continue
        band = band_of(by_group[look.peers], look)
        if band is not None:
            judged += 1
            if look.share < band.lowest:
                found.append(Below(look, band))
    return judged, found


def _minutes_apart(stamp: int, other: int) -> int:
    """Between two times of the day, on whatever days."""
    first, second = (at // 10_000 % 100 * 60 + at // 100 % 100 for at in (stamp, other))
    apart = abs(first - second)
    return min(apart, 24 * 60 - apart)
