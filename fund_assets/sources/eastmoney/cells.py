"""From the source's cells to numbers, and from several sightings of one value to one row.

Belongs here: which texts are numbers, which mean "not yet published", and what becomes of
the rest; assembling frames of observations and of events; uniting rows that two pages both
hold. Does not belong here: the form of any answer (`decode_snapshot.py` and its like,
`akshare_tables.py`).
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from math import isfinite, nan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.sources.protocol import EVENT_COLUMNS, OBSERVATION_COLUMNS

LONGEST_QUOTE = 80
#: Figures from here on are taken for no numbers.
LARGEST = 1e300
#: What the source writes, in one page or another, for a value it does not have yet.
NOT_YET = frozenset({"", "--", "---"})
#: Fund code, ex-date, kind, value and wording: the columns of `EVENT_COLUMNS`.
Event = tuple[str, int, str, float, str]
_PLAIN = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")


def quote(cell: object) -> str:
    """A cell as a message shows it: quoted, at most 80 characters of it."""
    return repr(cell if not isinstance(cell, str) else cell[:LONGEST_QUOTE])[
        : LONGEST_QUOTE + 2
    ]


@dataclass
class Defects:
    """What is wrong with which row: texts by row number, several to a row."""

    by_row: dict[int, str] = field(default_factory=dict)

    def add(self, row: int, text: str) -> None:
        """Note one more defect of `row`."""
        self.by_row[row] = f"{self.by_row[row]}; {text}" if row in self.by_row else text

    def column(self, rows: int) -> list[str]:
        """One text a row, mostly empty."""
        texts = [""] * rows
        for row, text in self.by_row.items():
            texts[row] = text
        return texts


def numbers(
    cells: Sequence[object], name: str, defects: Defects, *, unit: str = ""
) -> NDArray[np.float64]:
    """Cells → float64; NaN where a cell is blank, and where it is not a number.

    A number is a plain decimal in ASCII digits (or a JSON number) that is finite; negative
    ones and zero are numbers. Anything else but a blank is a defect of its row.

    Args:
        name: the field, for the defect's text.
        unit: what may follow a number, such as `%`.
    """
    if set(map(type, cells)) <= {int, float}:
        with suppress(OverflowError):  # a whole number that no float can be
            values = np.array(cells, dtype="float64")
            if (np.abs(values) < LARGEST).all():
                return values
    values = np.full(len(cells), nan)
    plain = _PLAIN.fullmatch
    for row, cell in enumerate(cells):
        if cell is None:
            continue
        if isinstance(cell, str):
            if cell in NOT_YET:
                continue
            if plain(text := cell.removesuffix(unit)) and isfinite(value := float(text)):
                values[row] = value
                continue
        elif (type(cell) is int or type(cell) is float) and abs(cell) < LARGEST:
            values[row] = cell
            continue
        defects.add(row, f"{name}: not a number: {quote(cell)}")
    return values


def observations(
    codes: Sequence[str],
    dates: NDArray[np.integer] | int,
    figures: Mapping[str, NDArray[np.float64]],
    defects: Defects,
) -> pd.DataFrame:
    """An observation frame; figures that are not given are NaN."""
    rows = len(codes)
    return pd.DataFrame(
        {
            "fund_code": pd.Series(codes, dtype="str"),
            "nav_date": np.full(rows, dates, dtype=np.int32),
            **{name: figures.get(name, np.full(rows, nan)) for name in OBSERVED_NAMES},
            "defect": pd.Series(defects.column(rows), dtype="str"),
        },
        columns=OBSERVATION_COLUMNS,
    )


def unite(pages: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, int]:
    """Observations of several pages as one frame with one row per fund and date.

    Where several rows hold the same fund and date, each figure is the first that is there;
    where they differ in one, the row's defect names both values and their pages.

    Returns:
        The frame, and how many rows were dropped because an equal one stood in the same
        page.
    """
    frame = pd.concat(pages.values(), ignore_index=True)
    twice = frame.duplicated(_KEY, keep=False).to_numpy()
    if not twice.any():
        return frame, 0
    rows = frame[twice]
    origin = np.repeat(list(pages), [len(page) for page in pages.values()])[twice]
    equal = int(rows.assign(page=origin).duplicated().sum())
    groups = rows.groupby(_KEY, sort=False)
    figures = list(OBSERVED_NAMES)
    united = groups.first()
    clash = (groups[figures].nunique() > 1).to_numpy().any(axis=1)
    marked = clash | (groups["defect"].max() != "").to_numpy()
    defects = united["defect"].to_list()
    number = groups.ngroup().to_numpy()
    order = np.argsort(number, kind="stable")
    starts = np.searchsorted(number[order], np.arange(len(united) + 1))
    for at in np.flatnonzero(marked):
        members = order[starts[at] : starts[at + 1]]
        sightings = rows.iloc[members]
        texts = [
            text
            for name in figures
            for text in _clash(name, sightings[name].to_list(), origin[members])
        ]
        defects[at] = "; ".join(dict.fromkeys(filter(None, [*sightings["defect"], *texts])))
    united = united.assign(defect=defects).reset_index()[frame.columns].astype(frame.dtypes)
    return pd.concat([frame[~twice], united], ignore_index=True), equal


_KEY = ["fund_code", "nav_date"]


def _clash(name: str, values: list[float], pages: Sequence[str]) -> list[str]:
    """How the sightings of one figure differ, if they do."""
    seen = [(value, page) for value, page in zip(values, pages, strict=True) if value == value]
    for value, page in seen:
        first, first_page = seen[0]
        if value != first and page == first_page:
            return [f"{page} lists it twice: {name} {first!r} and {value!r}"]
        if value != first:
            return [f"sources disagree: {name} {first!r} in {first_page}, {value!r} in {page}"]
    return []


def event_frame(rows: list[Event]) -> pd.DataFrame:
    """Events as a frame with `EVENT_COLUMNS` and fixed dtypes."""
    columns = zip(*rows, strict=True) if rows else [()] * len(EVENT_COLUMNS)
    typed = zip(EVENT_COLUMNS, columns, ("str", "int32", "str", "float64", "str"), strict=True)
    return pd.DataFrame({name: pd.Series(cells, dtype=dtype) for name, cells, dtype in typed})
