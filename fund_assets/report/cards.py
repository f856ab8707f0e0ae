"""Tables whose rows are cards where a screen is too narrow for their columns.

Belongs here: writing to each cell what its column is called; a style sheet shows it there.
Does not belong here: how a card looks (`narrow.css`).
"""

import re
from importlib.resources import files

from markupsafe import Markup

_HEAD = re.compile(r'<th scope="col"[^>]*>([^<]*)')
_ROW = re.compile(r"<tr>.*?(?=<tr>|</tbody>)", re.DOTALL)
_CELL = re.compile(r"<td(?! colspan)(?=[\s>])")


def cards(table: str) -> Markup:
    """A `<table>` of a template, its texts escaped, with its column's head on each cell."""
    heads = [head.strip() for head in _HEAD.findall(table)]

    def labelled(row: re.Match[str]) -> str:
        left = iter(heads)
        return _CELL.sub(lambda _: f'<td data-label="{next(left)}"', row[0])

    return Markup(_ROW.sub(labelled, table))  # noqa: S704  its own text again


def styled(own: str) -> str:
    """A page's style sheet, with what pages share on narrow screens behind it."""
    return own + (files(__package__) / "narrow.css").read_text(encoding="utf-8")
