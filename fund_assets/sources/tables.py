"""How large the tables of a page may be, known before anything is laid out.

Belongs here: counting what a page's tables ask for. Does not belong here: what stands in them
(`pages.py`), reading them (`akshare_calls.py`).

A cell may say that it covers 3,000 columns: a page of a kilobyte asks for as many cells as a
thousand of them have together, and pandas makes each one.
"""

from typing import Any

#: Cells of a page's tables, spans counted; the page of exchange-traded funds has about 30,000.
MOST_CELLS = 200_000
#: Columns or rows that one cell may cover; the pages' own cover three at the most.
LONGEST_SPAN = 100
MOST_BYTES = 16 * 2**20


class TooManyCellsError(ValueError):
    """A page's tables ask for more than is laid out; the message says what."""


def check_tables(page: str) -> None:
    """Refuse a page whose tables would need more than the limits above.

    A cell counts once for each table that it lies in: pandas lays tables in tables out anew.

    Raises:
        TooManyCellsError: with what the page asks for and what is allowed.
    """
    from lxml import etree, html

    if len(page) > MOST_BYTES:
        raise TooManyCellsError(
            f"the page has {len(page):,} characters, {MOST_BYTES:,} are read"
        )
    try:
        root = html.fromstring(page)
    except (etree.ParserError, ValueError) as error:
        raise TooManyCellsError(f"it is no page: {str(error)[:100]}") from error
    cells, depth = 0, 0
    for event, element in etree.iterwalk(
        root, events=("start", "end"), tag=("table", "tr", "td", "th")
    ):
        if element.tag == "table":
            depth += 1 if event == "start" else -1
        elif event == "start":
            spans = _span(element, "colspan") * _span(element, "rowspan")
            cells += max(depth, 1) * spans
            if cells > MOST_CELLS:
                raise TooManyCellsError(
                    f"its tables have more than {MOST_CELLS:,} cells, spans counted"
                )


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
