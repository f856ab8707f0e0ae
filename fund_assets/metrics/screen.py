"""Conditions on metrics such as `window=3y sharpe_ratio>1 max_drawdown>-0.2`, read safely.

Belongs here: the small language and its errors. Does not belong here: SQL, printing.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from fund_assets.errors import FundAssetsError
from fund_assets.schemas.statuses import PURCHASABLE
from fund_assets.schemas.table import Kind
from fund_assets.schemas.tables import BENCHMARK_BASES, FUND_METRICS
from fund_assets.schemas.words import (
    SCORE_LABELS,
    SIZE_LABELS,
    STATUS_LABELS,
    TENURE_LABELS,
    YIELD_LABELS,
    metric_named,
    read_window,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

#: The columns that a condition or an order may name.
NUMBERS = tuple(
    column.name
    for column in FUND_METRICS.columns
    if column.kind in (Kind.REAL, Kind.INT) and column.name != "definition_version"
)
#: Fees and amounts of fund_status that a condition may name, each also as its Chinese label.
TERMS = tuple(STATUS_LABELS)
#: Net assets at the newest quarter, of fund_size.
SIZES = tuple(SIZE_LABELS)
#: Yields of money-market funds over the window.
YIELDS = tuple(YIELD_LABELS)
#: Years for which the manager who has been there longest has managed the fund.
TENURES = tuple(TENURE_LABELS)
#: Figures of the newest fund_scores.
SCORES = tuple(SCORE_LABELS)
#: Everything that a condition may name beside metrics and yields.
FACTS = (*TERMS, *SIZES, *TENURES, *SCORES)
_BESIDES = {
    label: name
    for name, (label, _) in (
        STATUS_LABELS | SIZE_LABELS | TENURE_LABELS | SCORE_LABELS | YIELD_LABELS
    ).items()
}
#: What may follow a number of years.
_YEARS = ("y", "Y", "年")
_YES_NO = {"yes": True, "no": False, "是": True, "否": False}
#: Signs as a Chinese keyboard writes them.
_PLAIN = str.maketrans({"＞": ">", "＜": "<", "＝": "=", "≥": ">=", "≤": "<=", "％": "%",
                        "，": ",", "；": ";"})  # fmt: skip
_COMPARE: dict[str, Callable[[Any, float], Any]] = {
    ">=": operator.ge, "<=": operator.le, "!=": operator.ne,
    ">": operator.gt, "<": operator.lt, "=": operator.eq,
}  # fmt: skip
OPERATORS = tuple(_COMPARE)
DEFAULT_WINDOW = "1y"
_CONDITION = re.compile(r"\s*(\w+)\s*(>=|<=|!=|==|>|<|=)\s*([^\s<>=!,;]+)\s*(?:[,;]|and\b)?")


class ScreenError(FundAssetsError, ValueError):
    """A condition is not understood; the message names it and what is near."""


@dataclass(frozen=True)
class Screen:
    """What is asked for.

    Attributes:
        window: one of the windows.
        conditions: (column, operator, value), all of which must hold; NULL never does. The
            column is one of NUMBERS, FACTS or YIELDS.
        bases: what the benchmark may be, of BENCHMARK_BASES; empty: anything, or none.
        purchasable: whether the class can be bought by its newest status; None: either way.
    """

    window: str
    conditions: tuple[tuple[str, str, float], ...]
    bases: tuple[str, ...] = ()
    purchasable: bool | None = None

    @property
    def besides(self) -> tuple[str, ...]:
        """The facts that conditions name and metrics have not: status, FACTS."""
        named = {name for name, _, _ in self.conditions}
        found = [name for name in FACTS if name in named]
        return (*(() if self.purchasable is None else ("purchase",)), *found)


def meets(rows: "pd.DataFrame", screen: Screen) -> "NDArray[np.bool_]":
    """Which rows meet all conditions; a value that is absent meets none.

    Args:
        rows: a column for each name in the conditions, benchmark_basis, and purchase where
            the screen asks for it.
    """
    import numpy as np

    met = np.ones(len(rows), np.bool_)
    for name, sign, limit in screen.conditions:
        values = rows[name].to_numpy(float, na_value=np.nan)
        met &= _COMPARE[sign](values, limit) & ~np.isnan(values)
    if screen.bases:
        met &= rows["benchmark_basis"].isin(screen.bases).to_numpy(bool)
    if screen.purchasable is not None:
        may = rows["purchase"].isin(PURCHASABLE).to_numpy(bool)
        met &= rows["purchase"].notna().to_numpy(bool) & (may == screen.purchasable)
    return met


def parse(text: str) -> Screen:
    """Read conditions; spaces, commas or `and` stand between them.

    `window=3y` chooses the window, else it is 1y. Values are numbers, fractions where the
    column is one: `max_drawdown>-0.2`, or with a percent sign `max_drawdown>-20%`.

    Names may be the Chinese labels: `窗口=近3年 夏普比率>1 最大回撤>-20%`. `benchmark=own`
    leaves the funds that are measured against the benchmark that they state, or the index that
    they track; `benchmark=tracked` and `benchmark=type` work alike.

    >>> parse("window=3y sharpe_ratio>1 max_drawdown > -20%").conditions
    (('sharpe_ratio', '>', 1.0), ('max_drawdown', '>', -0.2))

    Raises:
        ScreenError: something is not a condition, an unknown name, window or number.
    """
    window, conditions, at = DEFAULT_WINDOW, [], 0
    bases: tuple[str, ...] = ()
    purchasable: bool | None = None
    text = text.translate(_PLAIN).strip()
    while at < len(text):
        found = _CONDITION.match(text, at)
        if not found:
            raise ScreenError(
                f"{text[at:].strip()[:60]!r} is not a condition: write a name, one of "
                f"{' '.join(OPERATORS)} and a number, such as sharpe_ratio>1"
            )
        name, sign, value = found.groups()
        sign, at = "=" if sign == "==" else sign, found.end()
        if name in ("window", "窗口"):
            if sign != "=":
                raise ScreenError(f"window{sign}{value}: write window={value}")
            try:
                window = read_window(value)
            except ValueError as error:
                raise ScreenError(f"window={value}: {error}") from error
        elif name in ("benchmark", "基准"):
            bases = _bases(sign, value)
        elif name in ("purchasable", "可申购"):
            purchasable = _yes_or_no(sign, value)
        else:
            asked = operand(name)
            if asked in TENURES and value.endswith(_YEARS):
                value = value[:-1]
            conditions.append((asked, sign, _number(name, value)))
    return Screen(window, tuple(conditions), bases, purchasable)


def operand(name: str) -> str:
    """What a condition or an order may name: a metric, a yield or one of FACTS.

    Raises:
        ScreenError: it is none of them; says what is near.
    """
    besides = _BESIDES.get(name, name)
    return besides if besides in (*FACTS, *YIELDS) else column(name)


def _yes_or_no(sign: str, value: str) -> bool:
    if sign != "=" or value.casefold() not in _YES_NO:
        raise ScreenError(f"purchasable{sign}{value}: write purchasable=yes or purchasable=no")
    return _YES_NO[value.casefold()]


def _bases(sign: str, value: str) -> tuple[str, ...]:
    if sign != "=" or value not in BENCHMARK_BASES:
        raise ScreenError(
            f"benchmark{sign}{value}: write benchmark= and one of {', '.join(BENCHMARK_BASES)}"
        )
    return ("own", "tracked") if value == "own" else (value,)


def column(name: str) -> str:
    """The name of a metric's column, or a ScreenError with the nearest ones."""
    name = metric_named(name)
    if name in NUMBERS:
        return name
    near = get_close_matches(name, NUMBERS, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"choose from {', '.join(NUMBERS)}"
    raise ScreenError(f"unknown metric {name!r}: {hint}")


def _number(name: str, text: str) -> float:
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = float("nan")
    if value != value or value in (float("inf"), float("-inf")):
        raise ScreenError(f"{name}: {text!r} is not a number, such as 0.2 or 20%")
    return value / 100 if text.endswith("%") else value
