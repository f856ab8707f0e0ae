"""Strict decoder of what a history answer states of the fund's return, rank and score.

Belongs here: the forms of these variables, and the refusal of cells that cannot be. Nothing
here raises for a figure: one that is refused costs neither another figure nor the NAVs. Does
not belong here: the NAVs (`decode_history.py`), the reports (`decode_reports.py`), what changes
in the warehouse (`nav/statements.py`).
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fund_assets.nav.statements import SourceStatements
from fund_assets.safe_text import plain
from fund_assets.schemas.tables import SCORES_STATED
from fund_assets.sources.eastmoney.cells import Defects, numbers, quote
from fund_assets.sources.eastmoney.decode_history import shanghai_dates
from fund_assets.sources.eastmoney.decode_text import json_value, text_of
from fund_assets.sources.eastmoney.history_variables import variables_of
from fund_assets.transport.errors import FormatError

#: Variable → return over which months. The source's 1y is a month: 1月.
_RETURNS = {
    "syl_1y": "return_1m",
    "syl_3y": "return_3m",
    "syl_6y": "return_6m",
    "syl_1n": "return_1y",
}
_RANKS, _CURVES, _SCORE = (
    "Data_rateInSimilarType",
    "Data_grandTotal",
    "Data_performanceEvaluation",
)
#: Name of a curve → what its last point is; the first curve is the fund's own.
_LAST_POINTS = {"同类平均": "peers_6m", "沪深300": "csi300_6m"}
#: What the source writes where there is no score.
_NO_SCORE = ("", "暂无数据", "--")
#: The last point of the fund's curve is its return over six months, in two decimals.
_ROUNDING = 0.0101


def decode_statements(body: bytes, fund_code: str, newest: int) -> SourceStatements:
    """What a history answer states of the fund's return, rank and score.

    Args:
        newest: yyyymmdd, the newest NAV of the answer, for which returns and score hold.

    Raises:
        FormatError, EmptyAnswerError, TruncatedError: the answer is no text.
    """
    text = text_of(body, f"the history of fund {fund_code}")
    found = _Found(fund_code, newest)
    for name, at in variables_of(text).items():
        if name in _READ:
            try:
                value, _ = json_value(text, at, name)
                _READ[name](found, name, value)
            except FormatError as error:
                found.refuse(name, str(error))
    return SourceStatements(
        found.figures, *found.ranked, tuple(found.refused), tuple(found.unknown)
    )


class _Found:
    """What one answer stated so far."""

    def __init__(self, fund_code: str, newest: int) -> None:
        self.fund_code, self.newest = fund_code, newest
        self.figures: dict[tuple[str, int], float] = {}
        empty: NDArray[np.int32] = np.empty(0, np.int32)
        self.ranked = (empty, empty, empty)
        self.refused: list[str] = []
        self.unknown: list[str] = []

    def refuse(self, variable: str, why: str) -> None:
        """Note what cannot be used."""
        self.refused.append(f"{self.fund_code}: {variable}: {why}"[:300])

    def state(self, variable: str, what: str, cell: object, low: float) -> None:
        """Take in one figure of the newest date; a blank states nothing."""
        wrong = Defects()
        (value,) = numbers([cell], what, wrong).tolist()
        if wrong.by_row or value < low or value >= _MOST:
            self.refuse(variable, wrong.by_row.get(0, f"{quote(cell)} cannot be"))
        elif value == value:
            self.figures[what, self.newest] = value

    def read_return(self, variable: str, value: Any) -> None:
        """The return over a window."""
        self.state(variable, _RETURNS[variable], value, -100.0)

    def read_ranks(self, variable: str, points: Any) -> None:
        """The place on each day, and among how many."""
        if not points:
            return
        try:
            cells = [(p["x"], p["y"], p["sc"]) for p in points]
        except (KeyError, TypeError):
            self.refuse(variable, f"no list of days with y and sc: {quote(points)}")
            return
        stamps, places, texts = zip(*cells, strict=True)
        among = _whole_numbers(texts)
        wrong = Defects()
        place = numbers(places, "rank", wrong)
        peers = numbers(among, "peers", wrong)
        days = shanghai_dates(stamps, variable)
        for row, why in wrong.by_row.items():
            self.refuse(variable, f"{days[row]}: {why}")
        there = ~(np.isnan(place) | np.isnan(peers))
        whole = there & (place % 1 == 0) & (peers % 1 == 0)
        well = whole & (place >= 1) & (place <= peers) & (peers < _MOST)
        again = np.concatenate([[False], np.diff(days) <= 0])
        for row in np.flatnonzero((there & ~well) | again)[:1]:
            self.refuse(
                variable, f"{days[row]}: rank {place[row]:g} of {peers[row]:g} cannot be"
            )
        well &= ~again
        self.ranked = (
            days[well],
            place[well].astype(np.int32),
            peers[well].astype(np.int32),
        )

    def read_curves(self, variable: str, curves: Any) -> None:
        """The last points of half a year's curves: of its peers and of an index."""
        if not curves:
            return
        try:
            lasts = [(one["name"], *one["data"][-1]) for one in curves if one["data"]]
            days = shanghai_dates([day for _, day, _ in lasts], variable)
        except (IndexError, KeyError, TypeError, ValueError):
            self.refuse(variable, f"no list of curves: {quote(curves)}")
            return
        for at, ((name, _, value), day) in enumerate(zip(lasts, days.tolist(), strict=True)):
            if day != self.newest:
                continue
            if name in _LAST_POINTS:
                self.state(variable, _LAST_POINTS[name], value, -100.0)
            elif at == 0:
                self._compare(variable, value)
            else:
                self.unknown.append(f"{variable} {plain(str(name))[:40]}")

    def _compare(self, variable: str, value: object) -> None:
        stated = self.figures.get(("return_6m", self.newest))
        if stated is None or not isinstance(value, int | float):
            return
        if abs(stated - value) > _ROUNDING:
            self.refuse(variable, f"ends at {value:g} %, and syl_6y is {stated:g} %")

    def read_score(self, variable: str, value: Any) -> None:
        """The score and its parts."""
        if not isinstance(value, dict):
            if value:
                self.refuse(variable, f"no score with categories: {quote(value)}")
            return
        names, points = value.get("categories") or [], value.get("data") or []
        if not isinstance(names, list) or not isinstance(points, list):
            self.refuse(variable, f"no score with categories: {quote(value)}")
            return
        if value.get("avr") not in _NO_SCORE:
            self.state(variable, "score", value.get("avr"), 0.0)
        for name, cell in zip(names, points, strict=False):
            if name in SCORES_STATED and cell not in _NO_SCORE:
                self.state(variable, SCORES_STATED[name], cell, 0.0)
            elif name not in SCORES_STATED:
                self.unknown.append(f"{variable} {plain(str(name))[:40]}")


def _whole_numbers(cells: Sequence[object]) -> Sequence[object]:
    """The cells; texts of whole numbers, of which there are thousands, are numbers at once."""
    try:
        texts: dict[object, object] = {
            c: int(c) for c in set(cells) if type(c) is str and _PLACES.fullmatch(c)
        }
    except TypeError:  # a list among them, which is refused in its place
        return cells
    return [texts.get(cell, cell) for cell in cells]


_MOST = 1e6
_PLACES = re.compile(r"[0-9]{1,9}")
#: Variable → what reads it, in the order of an answer: returns come before curves.
_READ = {
    **dict.fromkeys(_RETURNS, _Found.read_return),
    _RANKS: _Found.read_ranks,
    _CURVES: _Found.read_curves,
    _SCORE: _Found.read_score,
}
