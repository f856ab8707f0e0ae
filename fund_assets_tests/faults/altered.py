"""Answers of the market that were changed on their way: bytes in, bytes out.

Belongs here: what a source may do to its own pages. Does not belong here: what the transport
does (`server/market_server.py`), or what must follow (`cells.py`).
"""

import json
from collections.abc import Callable

Rows = list[list[str]]
Bytes = Callable[[bytes], bytes]
#: Fields of a row of the open-fund page.
CODE, NAME, UNIT, ACC, UNIT_BEFORE, ACC_BEFORE, STEP, GROWTH = 0, 1, 3, 4, 5, 6, 7, 8


def rows(change: Callable[[Rows], Rows], record: int | None = None) -> Bytes:
    """The rows of the open-fund page changed, and their number as it then is."""

    def changed(body: bytes) -> bytes:
        text = body.decode()
        start = text.index("datas:") + len("datas:")
        table, end = json.JSONDecoder().raw_decode(text, start)
        count = len(table)
        table = change(table)
        told = len(table) if record is None else record
        tail = text[end:].replace(f'record:"{count}"', f'record:"{told}"')
        return f"{text[:start]}{json.dumps(table, ensure_ascii=False)}{tail}".encode()

    return changed


def share(part: float) -> Bytes:
    """Only this part of the funds, evenly thinned out."""

    def thin(table: Rows) -> Rows:
        kept = round(part * len(table))
        return [table[i * len(table) // kept] for i in range(kept)]

    return rows(thin)


def victim(table: Rows) -> list[str]:
    """The first fund whose NAV of today is shown."""
    return next(row for row in table if row[UNIT] and float(row[UNIT]) > 0.5)


def cell(field: int, text: str | Callable[[str], str]) -> Bytes:
    """One cell of one fund says something else."""

    def change(table: Rows) -> Rows:
        row = victim(table)
        row[field] = text(row[field]) if callable(text) else text
        return table

    return rows(change)


def twice(other: str | None) -> Bytes:
    """One fund stands twice, the second time with another NAV or the same."""

    def change(table: Rows) -> Rows:
        row = list(victim(table))
        row[UNIT] = other or row[UNIT]
        return [*table, row]

    return rows(change)


def standing_still(table: Rows) -> Rows:
    """Every NAV of today is the one of the session before, its growth 0."""
    for row in table:
        if row[UNIT] and row[UNIT_BEFORE]:
            row[UNIT], row[ACC] = row[UNIT_BEFORE], row[ACC_BEFORE]
            row[STEP], row[GROWTH] = "0.0000", "0.00"
    return table


def revised(table: Rows) -> Rows:
    """Six NAVs of the session before look 0.3 % higher: each too little to be held."""
    for row in [row for row in table if row[UNIT_BEFORE]][:6]:
        row[UNIT_BEFORE] = f"{float(row[UNIT_BEFORE]) * 1.003:.4f}"
    return table


def shifted(table: Rows) -> Rows:
    """Every row has lost its third field: all that follows stands one column too far left."""
    return [[*row[:2], *row[3:]] for row in table]


def more_fields(table: Rows) -> Rows:
    """Every row has one field more than any known variant."""
    return [[*row, "新字段", "", ""] for row in table]


def replaced(old: str, new: str, encoding: str = "utf-8") -> Bytes:
    """A text of the page that is another; there must be one."""

    def change(body: bytes) -> bytes:
        before, after = old.encode(encoding), new.encode(encoding)
        assert before in body, f"the page has no {old!r}"
        return body.replace(before, after)

    return change


def mixed_encodings(body: bytes) -> bytes:
    """The first Chinese name of a UTF-8 page stands there in GBK."""
    text = body.decode()
    at = next(i for i, char in enumerate(text) if "一" <= char <= "鿿")
    return text[:at].encode() + text[at : at + 2].encode("gbk") + text[at + 2 :].encode()


def as_page(text: str) -> Bytes:
    """Another answer altogether."""
    return lambda body: text.encode()
