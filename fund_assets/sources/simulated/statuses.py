"""Statuses and fees of the simulated market's open funds.

Belongs here: which class is open, limited or closed on which day, and its fees. Does not belong
here: NAVs, which do not depend on it.

Each class keeps its status for a period of some weeks, counted from a day of its own; what it
is in a period is drawn. About one class in 120 changes on a day.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.sources.protocol import STATUS_COLUMNS
from fund_assets.sources.simulated.market import Market
from fund_assets.sources.simulated.randomness import Stream, uniforms

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
#: The full fee of most classes; those that pay for sales by the day have none.
_FULL_FEES = (0.015, 0.012, 0.008, 0.0)
_DISCOUNT = 0.1


def status_frame(market: Market, funds: NDArray[np.int64], day: int) -> pd.DataFrame:
    """A frame with `STATUS_COLUMNS` of some classes, as published with the NAVs of a day."""
    seed = market.seed
    shift = np.floor(_PERIOD * uniforms(seed, Stream.STATUS, funds, 0))
    period = (day + shift) // _PERIOD
    drawn = uniforms(seed, Stream.STATUS, funds, 1, period)
    which = np.searchsorted([share for share, *_ in _STATUSES], drawn, side="right")
    fees = np.floor(len(_FULL_FEES) * uniforms(seed, Stream.STATUS, funds, 2)).astype(np.int64)
    full_fee = np.array(_FULL_FEES)[fees]
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
