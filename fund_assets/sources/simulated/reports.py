"""What the answers of the simulated funds say beyond NAV.

Belongs here: figures of quarters and half years, as a history answer shows them. Does not
belong here: NAVs (`quotes.py`), of which net assets are made; managers and holdings
(`people.py`).
"""

import numpy as np
from numpy.typing import NDArray

from fund_assets.nav.reports import Reports, Statement
from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.market import Market
from fund_assets.sources.simulated.people import today_of
from fund_assets.sources.simulated.randomness import Stream, uniforms

#: A quarter's report is there so many days after its end, the holders of a half year later.
QUARTER_DAYS, HOLDERS_DAYS = 22, 90
#: An answer reaches back so many periods; net assets one more.
PERIODS = 4
#: Net assets and shares are published in units of 0.01 亿.
UNIT = 1e6
#: What a class in dollars counts in yuan.
DOLLAR = 7.0
#: Kind → stocks, bonds and cash of a typical fund.
_MADE_OF = {
    "equity": (0.90, 0.00, 0.09),
    "index": (0.93, 0.00, 0.06),
    "mixed": (0.70, 0.15, 0.13),
    "bond": (0.00, 1.12, 0.02),
    "money": (0.00, 0.55, 0.40),
    "qdii": (0.85, 0.00, 0.12),
}
_OTHERS = (0.30, 0.10, 0.20)


def reports_of(market: Market, funds: NDArray[np.int64], today: int) -> list[Reports]:
    """What the answers of some share classes say on a day, in the order of `funds`.

    Shares are whole units, so that they add up to the last digit; net assets are shares times
    the NAV of the quarter's last session.
    """
    if not len(funds):
        return []
    keys = market.timeline.keys[: max(today, 0)]
    ends = np.flatnonzero(np.isin(keys % 10_000, (331, 630, 930, 1231)))
    quarters = ends[ends <= today - QUARTER_DAYS][-PERIODS - 2 :]
    halves = ends[(ends <= today - HOLDERS_DAYS) & market.timeline.half_year_end[ends]]
    u = market.universe
    classes = np.flatnonzero(np.isin(u.portfolio, u.portfolio[funds]) & ~u.back_end)
    assets = _net_assets(market, classes, quarters)
    whole = np.zeros((len(u.breed), len(quarters)))
    np.add.at(whole, u.portfolio[classes], assets)
    parts = (
        _size(market, funds, quarters, assets[np.searchsorted(classes, funds)]),
        _turnover(market, funds, quarters[1:]),
        _holders(market, funds, halves[-PERIODS:]),
        _allocation(market, funds, quarters[2:], whole[u.portfolio[funds], 2:]),
    )
    newest = int(quarters[-1]) if len(quarters) > 2 else None
    others = today_of(market, funds, today, newest)
    return [
        Reports((*(one for one in of if one.periods), *more))
        for of, more in zip(zip(*parts, strict=True), others, strict=True)
    ]


def _statements(
    market: Market,
    funds: NDArray[np.int64],
    days: NDArray[np.int64],
    table: str,
    columns: dict[str, NDArray[np.float64]],
) -> list[Statement]:
    """One statement a fund, of the days on which it was alive; NaN is no figure."""
    u, names = market.universe, tuple(columns)
    p = u.portfolio[funds][:, None]
    alive = ((u.inception[p] <= days) & (days <= u.last_nav[p])).tolist()
    keys = market.timeline.keys[days].tolist()
    figures = np.stack(list(columns.values()), axis=2).astype(object)
    figures[figures != figures] = None
    rows = figures.tolist()
    return [
        Statement(
            table,
            names,
            {
                key: tuple(row)
                for key, row, there in zip(keys, of_fund, lives, strict=True)
                if there
            },
        )
        for of_fund, lives in zip(rows, alive, strict=True)
    ]


def _size(
    market: Market,
    funds: NDArray[np.int64],
    quarters: NDArray[np.int64],
    assets: NDArray[np.float64],
) -> list[Statement]:
    before, now = assets[:, :-1], assets[:, 1:]
    change = np.round(now / np.where(before > 0, before, np.nan) - 1, 4)
    columns = {"net_assets": now, "net_assets_change": change}
    return _statements(market, funds, quarters[1:], "fund_size", columns)


def _turnover(
    market: Market, funds: NDArray[np.int64], quarters: NDArray[np.int64]
) -> list[Statement]:
    shares = _shares(market, funds, quarters)
    held, total = shares[:, :-1], shares[:, 1:]
    share = 0.05 * uniforms(market.seed, Stream.REPORT, funds[:, None], 2, quarters[1:])
    redeemed = np.rint(held * share) + np.maximum(held - total, 0)
    columns = {
        "subscribed_shares": (total - held + redeemed) * UNIT,
        "redeemed_shares": redeemed * UNIT,
        "total_shares": total * UNIT,
    }
    return _statements(market, funds, quarters[1:], "fund_size", columns)


def _holders(
    market: Market, funds: NDArray[np.int64], halves: NDArray[np.int64]
) -> list[Statement]:
    level = uniforms(market.seed, Stream.REPORT, funds[:, None], 3)
    moved = uniforms(market.seed, Stream.REPORT, funds[:, None], 4, halves)
    institutions = np.round(level**3 * (0.9 + 0.1 * moved), 4)
    columns = {
        "institutions": institutions,
        "individuals": np.round(1 - institutions, 4),
        "insiders": np.round((1 - institutions) * moved / 1000, 6),
    }
    return _statements(market, funds, halves, "fund_holders", columns)


def _allocation(
    market: Market,
    funds: NDArray[np.int64],
    quarters: NDArray[np.int64],
    whole: NDArray[np.float64],
) -> list[Statement]:
    u = market.universe
    portfolio = u.portfolio[funds]
    typical = [_MADE_OF.get(BREEDS[at].kind, _OTHERS) for at in u.breed[portfolio].tolist()]
    moved = uniforms(market.seed, Stream.REPORT, portfolio[:, None], 5, quarters)
    parts = np.array(typical)[:, :, None] * (0.92 + 0.08 * moved[:, None, :])
    columns = {
        name: np.round(parts[:, at], 4) for at, name in enumerate(("stocks", "bonds", "cash"))
    }
    return _statements(
        market, funds, quarters, "fund_allocation", columns | {"net_assets": whole}
    )


def _shares(
    market: Market, funds: NDArray[np.int64], quarters: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Shares in units by fund and quarter end; 0 before a class has begun."""
    u, at = market.universe, funds[:, None]
    base = 10 ** (1.5 + 2.5 * uniforms(market.seed, Stream.REPORT, at, 0))
    swing = uniforms(market.seed, Stream.REPORT, at, 1, quarters) - 0.5
    begun = u.inception[u.portfolio[at]] <= quarters
    found: NDArray[np.float64] = np.where(begun, np.rint(base * (1 + 0.3 * swing)), 0.0)
    return found


def _net_assets(
    market: Market, classes: NDArray[np.int64], quarters: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Yuan by class and quarter end, as published."""
    at = classes[:, None]
    days = np.maximum(market.timeline.on_or_before[quarters], 0)
    unit = np.where(market.page[at] == "money", 1.0, market.quoter.at(at, days).unit)
    rate = np.where(market.universe.in_dollars[at], DOLLAR, 1.0)
    published: NDArray[np.float64] = (
        np.rint(_shares(market, classes, quarters) * unit * rate) * UNIT
    )
    return published
