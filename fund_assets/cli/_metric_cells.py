"""How one metric, and the date that it is of, stand in a table on the terminal.

Belongs here: what `metrics`, `compare` and `screen` write alike. Does not belong here: labels
and forms of the metrics (`schemas/words.py`).
"""

from typing import TYPE_CHECKING, Any

from fund_assets.cli._context import provisional_after
from fund_assets.language import say

if TYPE_CHECKING:
    from fund_assets.warehouse import Warehouse


def date_mark(warehouse: "Warehouse", calc_date: int) -> str:
    """What stands behind a date beyond the announced calendar."""
    from fund_assets.calendar import from_key

    known = from_key(calc_date) <= provisional_after(warehouse, calc_date)
    return "" if known else say(" (calendar unknown, date provisional)")


def cell(value: Any, form: str) -> str:
    """A value as its form (`%`, `d`, `i` or a number) is written; a dash for none."""
    from fund_assets.calendar import from_key

    if value is None:
        return "—"
    if form == "%":
        return f"{value:.2%}"
    if form == "d":
        return f"{from_key(value)}"
    return f"{value:,}" if form == "i" else f"{value:.3f}"
