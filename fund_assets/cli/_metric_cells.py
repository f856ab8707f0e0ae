"""How one metric, and the date that it is of, stand in a table on the terminal.

Belongs here: what `metrics`, `compare` and `screen` write alike. Does not belong here: labels
and forms of the metrics (`schemas/words.py`).
"""

from typing import TYPE_CHECKING, Any

from fund_assets.cli._context import provisional_after
from fund_assets.language import say
from fund_assets.schemas.statuses import NO_LIMIT_FROM

if TYPE_CHECKING:
    from fund_assets.warehouse import Warehouse

Row = dict[str, Any]


def date_mark(warehouse: "Warehouse", calc_date: int) -> str:
    """What stands behind a date beyond the announced calendar."""
    from fund_assets.calendar import from_key

    known = from_key(calc_date) <= provisional_after(warehouse, calc_date)
    return "" if known else say(" (calendar unknown, date provisional)")


def cell(value: Any, form: str) -> str:
    """A value as its form (`%`, `d`, `i`, `y`, `l` or a number) is written; a dash for none."""
    from fund_assets.calendar import from_key

    if value is None:
        return "—"
    if form == "%":
        return f"{value:.2%}"
    if form == "d":
        return f"{from_key(value)}"
    if form == "l" and value >= NO_LIMIT_FROM:
        return say("no limit")
    if form in ("y", "l"):
        return f"{value:,.0f}"
    return f"{value:,}" if form == "i" else f"{value:.3f}"


def measured_against(row: Row) -> str:
    """What a row of metrics is measured against, and why; empty for nothing."""
    from fund_assets.labels import BENCHMARK_BASES, BENCHMARK_REASONS, BENCHMARK_RETURNS
    from fund_assets.schemas.kinds import INDICES

    code = row["benchmark_code"]
    if not code:
        return ""
    name = f"{INDICES[code]} {code}" if code in INDICES else str(code)
    about = [
        say(BENCHMARK_BASES[row["benchmark_basis"]]) if row["benchmark_basis"] else "",
        say(BENCHMARK_REASONS[row["benchmark_why"]]) if row["benchmark_why"] else "",
        say(BENCHMARK_RETURNS[row["benchmark_returns"]]) if row["benchmark_returns"] else "",
        row["benchmark_currency"] or "",
    ]
    told = ", ".join(filter(None, about))
    return f"{name} ({told})" if told else name
