"""Lists of past dates that a user gives: codes, and names and types where the file has them.

Belongs here: reading the text of such a file. Does not belong here: opening it, storing it.
"""

import csv
import re
from collections.abc import Sequence

import pandas as pd

from fund_assets.errors import FundAssetsError
from fund_assets.schemas.codes import read_code
from fund_assets.schemas.tables import PAST_LIST

#: Column of PAST_LIST → the headings under which files have it.
HEADINGS = {
    "fund_code": ("fund_code", "code", "基金代码", "代码"),
    "name": ("name", "基金简称", "基金名称", "简称", "名称"),
    "fund_type": ("fund_type", "type", "基金类型", "类型"),
}


class PastListError(FundAssetsError, ValueError):
    """The text is no list of codes; the message says where."""

    exit_code = 2


def read_past_list(text: str, list_date: int, given_at: int) -> pd.DataFrame:
    """The share classes of a file: a CSV with headings, or codes alone.

    Args:
        text: a heading line with one of HEADINGS for the code, then a class in each line; or
            codes between commas, blanks and line ends.
        list_date: yyyymmdd, of which the list is.
        given_at: yyyymmddhhmmss.

    Returns:
        Columns of PAST_LIST, by code, each code once.

    Raises:
        PastListError: it has no code, or something that is none.
    """
    lines = [line for line in text.removeprefix("\ufeff").splitlines() if line.strip()]
    rows = list(csv.reader(lines))
    found = _columns(rows[0]) if rows else {}
    if "fund_code" in found:
        cells = {
            name: [row[at].strip() if at < len(row) else "" for row in rows[1:]]
            for name, at in found.items()
        }
    else:
        cells = {"fund_code": [part for part in re.split(r"[\s,;，；、\"]+", text) if part]}
    if not cells["fund_code"]:
        raise PastListError("the list has no codes: write one in each line, such as 000001")
    try:
        codes = [read_code(code.removeprefix("\ufeff")) for code in cells["fund_code"]]
    except ValueError as error:
        raise PastListError(f"the list is not readable: {error}") from error
    empty = [""] * len(codes)
    frame = pd.DataFrame(
        {
            "list_date": list_date,
            "fund_code": codes,
            "name": [_fitting(text, "name") for text in cells.get("name", empty)],
            "fund_type": [
                _fitting(text, "fund_type") for text in cells.get("fund_type", empty)
            ],
            "given_at": given_at,
        }
    )
    return PAST_LIST.conform(frame.drop_duplicates("fund_code").sort_values("fund_code"))


def _columns(headings: Sequence[str]) -> dict[str, int]:
    """Column of PAST_LIST → its place in the line of headings."""
    plain = [heading.strip().casefold() for heading in headings]
    return {
        name: plain.index(known)
        for name, words in HEADINGS.items()
        for known in words[::-1]
        if known in plain
    }


def _fitting(text: str, column: str) -> str:
    """A text as the table takes it: one that is too long says nothing."""
    return text if len(text) <= PAST_LIST[column].max_length else ""
