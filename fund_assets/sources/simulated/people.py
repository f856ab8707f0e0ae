"""Who manages the simulated portfolios, and what their answers say of today.

Belongs here: terms of managers, top holdings and estimated positions. Does not belong here:
NAVs (`quotes.py`), figures of quarters (`reports.py`), returns over a term (`source.py`). The
names are invented, and so are codes of stocks and bonds.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fund_assets.nav.reports import Statement
from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.market import Market
from fund_assets.sources.simulated.randomness import Stream, uniforms

#: There are so many managers; one in four terms has two of them.
PEOPLE, _TWO = 900, 0.25
#: A term has so many days at least, and up to so many more.
_SHORTEST, _LONGER = 250, 1400
#: Days that an answer has estimates of, and the kinds of funds that have them.
ESTIMATES = 20
_IN_STOCKS = {"equity": 0.90, "index": 0.94, "mixed": 0.70, "qdii": 0.85}
#: Kind → how many stocks and bonds its answers list.
_HOLDS = {
    "equity": (10, 0),
    "index": (10, 0),
    "mixed": (10, 1),
    "bond": (0, 5),
    "qdii": (10, 0),
}
_MARKETS = (1, 0, 116)
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏"
_GIVEN = "安宁远航思源嘉禾明德清和知行若水景行乐天云帆致远怀瑾守正"


@dataclass(frozen=True)
class Term:
    """A time in which the same people managed a portfolio.

    Attributes:
        since, until: first and last day; `until` is -1 while it runs.
        people: their numbers.
    """

    since: int
    until: int
    people: tuple[int, ...]


def name_of(person: int) -> str:
    """The name of a manager; each number has another one."""
    surname = _SURNAMES[person % len(_SURNAMES)]
    given = _GIVEN[person // len(_SURNAMES) % len(_GIVEN)]
    return f"{surname}{given}"


def id_of(person: int) -> str:
    """The source's number of a manager."""
    return str(30_000_000 + 37 * person)


def terms_of(market: Market, portfolio: int, today: int) -> list[Term]:
    """The terms of a portfolio up to a day, the newest first; none before its first NAV."""
    u = market.universe
    last = int(u.last_nav[portfolio])
    bounds = _bounds(market.seed, portfolio, int(u.inception[portfolio]))
    found = []
    for at, (since, people) in enumerate(bounds[:-1]):
        if since > min(today, last):
            break
        end = min(bounds[at + 1][0] - 1, last)
        found.append(Term(since, end if end < today else -1, people))
    return found[::-1]


@lru_cache(maxsize=4096)
def _bounds(seed: int, portfolio: int, inception: int) -> list[tuple[int, tuple[int, ...]]]:
    """The first day and the people of each term that a portfolio ever has."""
    at = np.arange(48)
    long = _SHORTEST + (_LONGER * uniforms(seed, Stream.PEOPLE, portfolio, 0, at)).astype(int)
    begins = inception + np.concatenate([[0], np.cumsum(long)[:-1]])
    # One person manages two terms that follow each other, alone or with another.
    first = (PEOPLE * uniforms(seed, Stream.PEOPLE, portfolio, 1, (at + 1) // 2)).astype(int)
    other = (PEOPLE * uniforms(seed, Stream.PEOPLE, portfolio, 2, at)).astype(int)
    two = (uniforms(seed, Stream.PEOPLE, portfolio, 3, at) < _TWO) & (other != first)
    return [
        (since, (one, more) if both else (one,))
        for since, one, more, both in zip(
            begins.tolist(), first.tolist(), other.tolist(), two.tolist(), strict=True
        )
    ]


def today_of(
    market: Market, funds: NDArray[np.int64], today: int, quarter: int | None
) -> list[list[Statement]]:
    """What the answers of some share classes say of a day, in the order of `funds`.

    Args:
        quarter: the day that the newest quarterly report is of; None without any.
    """
    u = market.universe
    sessions = np.flatnonzero(market.timeline.session[: max(today, 0)])[-ESTIMATES:]
    keys = market.timeline.keys
    days = keys[sessions].tolist()
    portfolios = u.portfolio[funds]
    moved = uniforms(market.seed, Stream.PEOPLE, portfolios[:, None], 4, sessions // 3)
    answers = []
    for row, portfolio in enumerate(portfolios.tolist()):
        kind = BREEDS[int(u.breed[portfolio])].kind
        begun, last = int(u.inception[portfolio]), int(u.last_nav[portfolio])
        said = [_managers(market, portfolio, today)]
        if (stocks := _IN_STOCKS.get(kind)) and days:
            position = np.round(stocks * (0.94 + 0.06 * moved[row]), 4).tolist()
            there = (begun <= sessions) & (sessions <= last)
            said.append(_positions([
                (day, value) for day, value, on in zip(days, position, there, strict=True) if on
            ]))  # fmt: skip
        if quarter is not None and begun <= quarter <= last and kind in _HOLDS:
            said.append(_holdings(market.seed, portfolio, kind, quarter, int(keys[quarter])))
        answers.append([one for one in said if one.periods])
    return answers


def _managers(market: Market, portfolio: int, today: int) -> Statement:
    newest = terms_of(market, portfolio, today)[:1]
    people = newest[0].people if newest and newest[0].until < 0 else ()
    quarter = today // 91
    figures = {}
    for person in people:
        began, size = uniforms(market.seed, Stream.PEOPLE, person, 5, np.array([0, quarter]))
        days = 1 + int(2000 * began) + max(today, 0) % 10_000
        assets = round(1 + 300 * float(size), 2) * 1e8
        figures[id_of(person)] = (name_of(person), days, float(round(assets)), 1 + person % 9)
    columns = ("name", "career_days", "managed_assets", "managed_funds")
    return Statement("fund_manager", columns, figures, since="")


def _positions(pairs: list[tuple[int, float]]) -> Statement:
    periods = {day: (value,) for day, value in pairs}
    since = pairs[0][0] if pairs else None
    return Statement("fund_position_estimate", ("position",), periods, since=since)


def _holdings(seed: int, portfolio: int, kind: str, quarter: int, key: int) -> Statement:
    found = {}
    for sort, count in zip(("stock", "bond"), _HOLDS[kind], strict=True):
        base = (
            90 * uniforms(seed, Stream.PEOPLE, portfolio, 6, quarter, np.arange(count))
        ).astype(int)
        for at, drawn in enumerate(base.tolist()):
            market = _MARKETS[drawn % (3 if kind == "qdii" else 2)] if sort == "stock" else 1
            number = 100 * at + drawn
            code = (
                f"{600_000 * (market == 1) + number:06d}"
                if sort == "stock"
                else f"118{number:03d}"
            )
            found[key, sort, at + 1] = (market, code[-5:] if market == 116 else code, None)
    columns = ("market", "security_code", "weight")
    return Statement("fund_top_holdings", columns, found, since=(key,))
