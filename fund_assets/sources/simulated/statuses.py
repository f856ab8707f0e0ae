"""Statuses, limits and fees of the simulated market's funds.

Belongs here: which class is open, limited or closed on which day, up to how much, and its fees.
Does not belong here: NAVs, which do not depend on it.

Each class keeps its status for a period of some weeks, counted from a day of its own; what it
is in a period is drawn. About one class in 120 changes on a day. A limit may change once more
in the middle of its period. Classes on the exchange's page are traded there.
"""

from datetime import timedelta
from math import inf

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import to_key
from fund_assets.sources.protocol import PURCHASE_COLUMNS, STATUS_COLUMNS
from fund_assets.sources.simulated.market import Market
from fund_assets.sources.simulated.randomness import Stream, uniforms
from fund_assets.sources.simulated.timeline import ORIGIN

WORDS = ["purchase_word", "redemption_word"]
#: Days of a period; no two classes begin theirs together.
_PERIOD = 40
#: The share of periods up to which a status goes: purchases, then redemptions.
_STATUSES = (
    (0.80, "开放申购", "开放赎回"),
    (0.92, "限大额", "开放赎回"),
    (0.97, "暂停申购", "开放赎回"),
    (1.00, "暂停申购", "暂停赎回"),
)
_OPEN, _LIMITED, _SUSPENDED, _SHUT = range(4)
_ON_EXCHANGE = "场内交易"
#: Daily limits in yuan, each as frequent as the others; 0: none is stated.
_LIMITS = (0.0, 100.0, 1_000.0, 10_000.0, 50_000.0, 100_000.0, 1_000_000.0, 10_000_000.0)
_LEAST_AMOUNTS = (10.0, 1.0, 100.0, 1_000.0)
#: The full fee of most classes; those that pay for sales by the day have none.
_FULL_FEES = (0.015, 0.012, 0.008, 0.0)
_DISCOUNT = 0.1


def status_frame(market: Market, funds: NDArray[np.int64], day: int) -> pd.DataFrame:
    """A frame with `STATUS_COLUMNS` of some classes, as published with the NAVs of a day."""
    which, _ = _drawn(market, funds, day)
    full_fee = _full_fees(market, funds)
    columns = (
        [market.universe.code[fund] for fund in funds.tolist()],
        [_STATUSES[at][1] for at in which.tolist()],
        [_STATUSES[at][2] for at in which.tolist()],
        np.round(_DISCOUNT * full_fee, 6),
        full_fee,
        [""] * len(funds),
    )
    frame = pd.DataFrame(dict(zip(STATUS_COLUMNS, columns, strict=True)))
    return frame.astype(dict.fromkeys(["fund_code", *WORDS, "defect"], "str"))


def purchase_frame(market: Market, funds: NDArray[np.int64], day: int) -> pd.DataFrame:
    """A frame with `PURCHASE_COLUMNS` of some classes on a day, by their code."""
    funds = funds[np.argsort([market.universe.code[fund] for fund in funds.tolist()])]
    which, until = _drawn(market, funds, day)
    traded = market.page[funds] == "exchange"
    seed, half = market.seed, (until - day) > _PERIOD / 2
    drawn = uniforms(seed, Stream.STATUS, funds, 3, until, half)
    amounts = np.array(_LIMITS)[(len(_LIMITS) * drawn).astype(np.int64)]
    limit = np.select([which == _OPEN, which == _LIMITED], [inf, amounts], 0.0)
    least = uniforms(seed, Stream.STATUS, funds, 4)
    opens = [
        to_key(ORIGIN + timedelta(int(last))) if at == _SHUT and not on else None
        for at, last, on in zip(which.tolist(), until.tolist(), traded.tolist(), strict=True)
    ]
    words = status_frame(market, funds, day)
    frame = words[["fund_code", *WORDS]].assign(
        fee=np.where(traded, np.nan, words["fee"]),
        least_amount=np.array(_LEAST_AMOUNTS)[(len(_LEAST_AMOUNTS) * least).astype(np.int64)],
        daily_limit=np.where(traded, 0.0, limit),
        next_open_date=pd.array(opens, dtype="Int32"),
        defect=words["defect"],
    )
    frame.loc[traded, WORDS] = _ON_EXCHANGE
    return frame[PURCHASE_COLUMNS]


def _drawn(
    market: Market, funds: NDArray[np.int64], day: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which status each class has on a day, and the first day of its next period."""
    shift = np.floor(_PERIOD * uniforms(market.seed, Stream.STATUS, funds, 0))
    period = (day + shift) // _PERIOD
    drawn = uniforms(market.seed, Stream.STATUS, funds, 1, period)
    which = np.searchsorted([share for share, *_ in _STATUSES], drawn, side="right")
    return which, ((period + 1) * _PERIOD - shift).astype(np.int64)


def _full_fees(market: Market, funds: NDArray[np.int64]) -> NDArray[np.float64]:
    drawn = uniforms(market.seed, Stream.STATUS, funds, 2)
    fees: NDArray[np.float64] = np.array(_FULL_FEES)[
        np.floor(len(_FULL_FEES) * drawn).astype(np.int64)
    ]
    return fees
