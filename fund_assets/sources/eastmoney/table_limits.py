"""How large the tables of a page may be, known before anything is laid out.

Belongs here: counting what a page's tables ask for. Does not belong here: what stands in them
(`akshare_tables.py`), reading them (`akshare_calls.py`).

A cell may say that it covers 3,000 columns: a page of a kilobyte asks for as many cells as a
thousand of them have together, and pandas makes each one.
"""

from dataclasses import dataclass, field
from typing import Any

#: Cells of a page's tables as they are laid out; the page of exchange-traded funds has 30,000.
MOST_CELLS = 100_000
#: Tables of a page, and rows of all of them; the pages have 2 and 2,000.
MOST_TABLES, MOST_ROWS = 50, 20_000
#: Columns of a table: each costs as much as a thousand cells. The pages have 16.
MOST_COLUMNS = 100
#: Columns or rows that one cell may cover; the pages' own cover three at the most.
LONGEST_SPAN = 100
MOST_CHARACTERS = 16 * 2**20


class TooManyCellsError(ValueError):
    """A page's tables ask for more than is laid out; the message says what."""


@dataclass
class _Extent:
    """How far a table reaches; `below` are cells that reach down: rows left, and columns."""

    rows: int = 0
    columns: int = 0
    below: list[tuple[int, int]] = field(default_factory=list)

    def add(self, spans: list[tuple[int, int]]) -> None:
        """One more row, of cells with these rows and columns."""
        self.rows += 1
        row = [*spans, *self.below]
        self.columns = max(self.columns, sum(columns for _, columns in row))
        self.below = [(rows - 1, columns) for rows, columns in row if rows > 1]
        if self.columns > MOST_COLUMNS:
            raise TooManyCellsError(f"a table has more than {MOST_COLUMNS} columns")

    def cells(self) -> int:
        """What pandas makes of it: every row as long as the longest."""
        return (self.rows + max((rows for rows, _ in self.below), default=0)) * self.columns


def check_tables(page: str) -> None:
    """Refuse a page whose tables would need more than the limits above.

    pandas lays a table out that lies in another as part of that one too, so it counts for both.

    Raises:
        TooManyCellsError: with what the page asks for and what is allowed.
    """
    from lxml import etree, html

    if len(page) > MOST_CHARACTERS:
        raise TooManyCellsError(f"the page has over {MOST_CHARACTERS:,} characters")
    try:
        root = html.fromstring(page)
    except (etree.ParserError, ValueError) as error:
        raise TooManyCellsError(f"it is not a page: {str(error)[:100]}") from error
    cells, tables, rows, around = 0, 0, 0, [_Extent()]
    for event, element in etree.iterwalk(root, events=("start", "end"), tag=("table", "tr")):
        if element.tag == "table":
            if event == "start":
                tables += 1
                around.append(_Extent())
                continue
            cells += around.pop().cells()
        elif event == "start":
            spans = [
                (_span(cell, "rowspan"), _span(cell, "colspan"))
                for cell in element.iterchildren("td", "th")
            ]
            for table in around:
                table.add(spans)
            rows += max(len(around) - 1, 1)
        if tables > MOST_TABLES or rows > MOST_ROWS:
            raise TooManyCellsError(
                f"it has over {MOST_TABLES} tables or {MOST_ROWS:,} rows in them"
            )
        if cells + sum(table.cells() for table in around[1:]) > MOST_CELLS:
            raise TooManyCellsError(f"its tables have over {MOST_CELLS:,} cells, spans counted")


def _span(cell: Any, name: str) -> int:
    told = cell.get(name)
    if not told:
        return 1
    text = told.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise TooManyCellsError(f"a cell has the {name} {told[:20]!r}")
    if int(text) > LONGEST_SPAN:
        raise TooManyCellsError(
            f"a cell covers {int(text):,} by its {name}, {LONGEST_SPAN} are laid out"
        )
    return max(int(text), 1)
