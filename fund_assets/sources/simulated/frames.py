"""Arrays of the market as the frames and payloads of `sources/protocol.py`.

Belongs here: column names, dtypes, wording, digests. Does not belong here: figures.
"""

import hashlib
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.sources.protocol import (
    EVENT_COLUMNS,
    LISTING_COLUMNS,
    OBSERVATION_COLUMNS,
    Payload,
)
from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.market import Market, Rows, Series


def types_of(market: Market, funds: NDArray[np.int64]) -> list[str]:
    """基金类型 of share classes."""
    universe = market.universe
    breeds = universe.breed[universe.portfolio[funds]].tolist()
    return [BREEDS[breed].fund_type for breed in breeds]


def listing_frame(market: Market, funds: NDArray[np.int64], types: list[str]) -> pd.DataFrame:
    """A frame with `LISTING_COLUMNS`."""
    universe, at = market.universe, funds.tolist()
    columns = (
        [universe.code[fund] for fund in at],
        [universe.name[fund] for fund in at],
        types,
        [universe.pinyin[fund] for fund in at],
    )
    return pd.DataFrame(
        {
            name: pd.array(column, dtype="str")
            for name, column in zip(LISTING_COLUMNS, columns, strict=True)
        }
    )


def observation_frame(market: Market, rows: Rows) -> pd.DataFrame:
    """A frame with `OBSERVATION_COLUMNS`."""
    codes = market.universe.code
    columns = {
        "fund_code": pd.array([codes[fund] for fund in rows.fund.tolist()], dtype="str"),
        "nav_date": market.timeline.keys[rows.day],
        **rows.values,
        "defect": pd.array([""], dtype="str").repeat(len(rows.fund)),
    }
    return pd.DataFrame(columns, columns=OBSERVATION_COLUMNS, copy=False)


def event_frame(
    market: Market, funds: list[int], series: list[Series]
) -> tuple[pd.DataFrame, list[int]]:
    """A frame with `EVENT_COLUMNS`, fund after fund by date, and how many each fund has."""
    fund: list[str] = []
    day: list[np.int64] = []
    kinds: list[str] = []
    values: list[float] = []
    counts: list[int] = []
    for at, one in zip(funds, series, strict=True):
        with_event = np.flatnonzero((one.dividend > 0) | (one.split != 1)).tolist()
        before = len(day)
        for row in with_event:
            for kind, value in (("dividend", one.dividend[row]), ("split", one.split[row])):
                if value != (0 if kind == "dividend" else 1):
                    fund.append(market.universe.code[at])
                    day.append(one.day[row])
                    kinds.append(kind)
                    values.append(float(value))
        counts.append(len(day) - before)
    columns = (
        pd.array(fund, dtype="str"),
        market.timeline.keys[np.array(day, dtype=np.int64)],
        pd.array(kinds, dtype="str"),
        np.array(values, dtype=np.float64),
        pd.array(list(map(wording, kinds, values)), dtype="str"),
    )
    return pd.DataFrame(dict(zip(EVENT_COLUMNS, columns, strict=True))), counts


def market_events(market: Market, year: int, today: int) -> pd.DataFrame:
    """A frame with `EVENT_COLUMNS` of what goes ex in a year until `today` (a day number)."""
    first, after = (market.timeline.index(date(y, 1, 1)) for y in (year, year + 1))
    fund, day, dividend, split = market.quoter.events_between(first, min(after - 1, today))
    shown = np.isin(market.page[fund], ("open", "exchange"))
    parts = []
    for kind, values, none in (("dividend", dividend, 0.0), ("split", split, 1.0)):
        rows = np.flatnonzero(shown & (values != none))
        parts.append(
            pd.DataFrame(
                {
                    "fund_code": pd.array(
                        [market.universe.code[at] for at in fund[rows].tolist()], dtype="str"
                    ),
                    "ex_date": market.timeline.keys[day[rows]],
                    "kind": pd.array([kind], dtype="str").repeat(len(rows)),
                    "value": values[rows],
                    "text": pd.array([wording(kind, v) for v in values[rows]], dtype="str"),
                },
                columns=EVENT_COLUMNS,
            )
        )
    both = pd.concat(parts, ignore_index=True)
    return both.sort_values(["fund_code", "ex_date", "kind"], ignore_index=True)


def wording(kind: str, value: float) -> str:
    """An event as the source words it."""
    if kind == "dividend":
        return f"分红：每份派现金{value:.4f}元"
    whole, digits = f"{value:.9f}".rstrip("0").split(".")
    verb = "分拆" if value >= 2 and not digits else "折算"
    return f"拆分：每份基金份额{verb}{whole}.{digits or '0'}份"


def texts(frame: pd.DataFrame) -> tuple[str, ...]:
    """A canonical text of each column of a frame of strings."""
    return tuple("\n".join(frame[name].tolist()) for name in frame.columns)


def payload(endpoint: str, rows: int, *parts: str | NDArray[np.number]) -> Payload:
    """Provenance of an answer: the digest of its content in a fixed binary form."""
    digest, size = hashlib.sha256(), 0
    for part in parts:
        if isinstance(part, str):
            content = part.encode() + b"\0"
        elif part.dtype.kind == "f":
            content = np.where(np.isnan(part), np.nan, part).astype("<f8").tobytes()
        else:
            content = part.astype("<i8").tobytes()
        digest.update(content)
        size += len(content)
    return Payload(endpoint, digest.hexdigest(), size, rows)
