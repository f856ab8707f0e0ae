"""A market of as many share classes as wanted, whose histories cost next to nothing to make.

Belongs here: their bytes. Does not belong here: who asks for them, and how fast.
"""

from datetime import date

import numpy as np
import pandas as pd

from fund_assets.calendar import TradingCalendar, to_key
from fund_assets.nav.list_rules import described
from fund_assets.nav.reports import Reports, Statement
from fund_assets.nav.statements import SourceStatements
from fund_assets_tests.server import wire
from fund_assets_tests.server.content import Reply

LAST = date(2026, 9, 18)
#: Different histories; every fund has one of them. The code in them is put in place of this.
SORTS, CODE = 7, "@code@"
#: Of so many funds one is gone: the source has no page of it.
GONE_EVERY = 97


class ManyFunds:
    """Histories of funds 000001, 000002 and so on, each of so many dates up to LAST."""

    def __init__(self, funds: int, dates: int) -> None:
        self.codes = [f"{n:06d}" for n in range(1, funds + 1)]
        calendar = TradingCalendar.build()
        days = calendar.between(calendar.before(LAST, dates - 1), LAST)
        self.keys = [to_key(day) for day in days]
        self._bodies = [self._body(sort).split(CODE.encode()) for sort in range(SORTS)]

    def reply(self, endpoint: str, fund_code: str) -> Reply | None:
        """The history of a fund."""
        number = int(fund_code or 0)
        if endpoint != "history" or not 0 < number <= len(self.codes) or self.is_gone(number):
            return None
        return Reply(fund_code.encode().join(self._bodies[number % SORTS]))

    @staticmethod
    def is_gone(number: int) -> bool:
        """Whether the source has no page of the fund."""
        return number % GONE_EVERY == 0

    @property
    def listing(self) -> pd.DataFrame:
        """Rows of FUND_INFO."""
        frame = pd.DataFrame({"fund_code": self.codes})
        names = "基金" + frame["fund_code"]
        return described(
            frame.assign(name=names, fund_type="混合型-灵活", pinyin=""), to_key(LAST)
        )

    def _body(self, sort: int) -> bytes:
        """A walk with a dividend in it."""
        dice = np.random.default_rng(sort)
        steps = dice.normal(0.0003, 0.01, len(self.keys))
        steps[0] = 0.0
        ex, paid = len(self.keys) // 2, 0.05
        unit, acc = [], []
        nav, sum_paid = 1.0, 0.0
        for at, step in enumerate(steps):
            nav = round(nav * (1 + step) - (paid if at == ex else 0.0), 4)
            sum_paid += paid if at == ex else 0.0
            unit.append(nav)
            acc.append(round(nav + sum_paid, 4))
        before = np.array([1.0, *unit[:-1]])
        came = np.array(unit) + np.where(np.arange(len(unit)) == ex, paid, 0.0)
        growth = np.round((came / before - 1) * 100, 2).tolist()
        text = {self.keys[ex]: f"分红：每份派现金{paid}元"}
        name, said = f"基金{CODE}", wire.reports(_reports(sort, self.keys[-20:]))
        said |= wire.statements(_stated(self.keys, came / before, sort))
        return wire.history(CODE, name, self.keys, unit, acc, growth, text, **said)


def _stated(keys: list[int], grown: np.ndarray, sort: int) -> SourceStatements:
    """True returns of the windows, and a rank on each day."""
    index, end = np.cumprod(grown), pd.Timestamp(str(keys[-1]))
    figures = {("score", keys[-1]): 60.0 + sort}
    for what, months in (("1m", 1), ("3m", 3), ("6m", 6), ("1y", 12)):
        begin = int((end - pd.DateOffset(months=months)).strftime("%Y%m%d"))
        at = int(np.searchsorted(keys, begin, side="right")) - 1
        if at >= 0:
            figures[f"return_{what}", keys[-1]] = round(100 * (index[-1] / index[at] - 1), 2)
    days = np.array(keys, dtype=np.int32)
    ranks = np.random.default_rng(sort).integers(1, 3_000, len(keys)).astype(np.int32)
    return SourceStatements(figures, days, ranks, np.full(len(keys), 3_000, np.int32))


def _reports(sort: int, days: list[int]) -> Reports:
    """Five quarters and four half years; of today ten stocks, a manager and estimates."""
    quarters = [20250630, 20250930, 20251231, 20260331, 20260630]
    halves = [20241231, 20250630, 20251231, 20260630]
    size, part = 1e8 * (sort + 1), 0.1 * (sort + 1)
    shares = ("subscribed_shares", "redeemed_shares", "total_shares")
    holders = ("institutions", "individuals", "insiders")
    made_of = ("stocks", "bonds", "cash", "net_assets")
    return Reports(
        (
            Statement(
                "fund_size",
                ("net_assets", "net_assets_change"),
                dict.fromkeys(quarters, (size, 0.01)),
            ),
            Statement("fund_size", shares, dict.fromkeys(quarters[1:], (1e7, 1e7, size))),
            Statement(
                "fund_holders",
                holders,
                dict.fromkeys(halves, (part, round(1 - part, 4), 0.001)),
            ),
            Statement(
                "fund_allocation", made_of, dict.fromkeys(quarters[1:], (part, 0.1, 0.02, size))
            ),
            Statement("fund_position_estimate", ("position",), dict.fromkeys(days, (part,))),
            Statement(
                "fund_top_holdings",
                ("market", "security_code", "weight"),
                {(20260630, "stock", n): (1, f"{600000 + n}", None) for n in range(1, 11)},
            ),
            Statement(
                "fund_manager",
                ("name", "career_days", "managed_assets", "managed_funds"),
                {str(30_000_000 + sort): ("经理", 1_000, 1e9, 3)},
            ),
        )
    )
