"""Who manages a fund, as the command `fund` shows it.

Belongs here: the managers of today in words, and the table of their terms. Does not belong
here: reads (`warehouse/queries/`), returns over a term (`nav/managers.py`).
"""

from typing import TYPE_CHECKING, Any

from fund_assets.language import say

if TYPE_CHECKING:
    from rich.table import Table

    from fund_assets.warehouse import Warehouse


def current_managers(warehouse: "Warehouse", code: str) -> dict[str, str]:
    """The managers of today, by label; nothing while no history has named them."""
    from fund_assets.schemas.tables import FUND_MANAGER
    from fund_assets.warehouse.queries.reports import periods_of

    told = "\n".join(map(_person, periods_of(warehouse, FUND_MANAGER, code)))
    return {say("managers now"): told} if told else {}


def _person(row: dict[str, Any]) -> str:
    told = [row["name"]]
    if row["career_days"] is not None:
        told.append(say("{years:.1f} years in the job", years=row["career_days"] / 365))
    if row["managed_assets"] is not None:
        amount = f"{row['managed_assets']:,.0f}"
        told.append(say("{amount} yuan in {funds} funds", amount=amount,
                        funds=row["managed_funds"] or "—"))  # fmt: skip
    return ", ".join(told)


def terms_table(warehouse: "Warehouse", code: str) -> "Table":
    """The terms of a fund's managers, the newest first, with both returns."""
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.calendar import from_key
    from fund_assets.warehouse.queries.managers import terms_of

    table = Table(
        say("managers"), say("since"), say("until"), say("own return"), say("source's return"),
        box=None,
    )  # fmt: skip
    for term in terms_of(warehouse, code):
        table.add_row(
            escape(term.managers),
            f"{from_key(term.since)}",
            f"{from_key(term.until)}" if term.until else "",
            _gain(term.own_return),
            _gain(term.published_return),
        )
    return table


def _gain(value: float | None) -> str:
    return "—" if value is None else f"{value:+.2%}"
