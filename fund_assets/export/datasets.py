"""What can be taken away, under which name, and which part of it is meant.

Belongs here: the names, and refusing what does not exist. Does not belong here: the
statement (`warehouse/queries/selections.py`).
"""

from collections.abc import Iterable
from difflib import get_close_matches

from fund_assets.calendar import from_key
from fund_assets.errors import FundAssetsError
from fund_assets.schemas.codes import read_code
from fund_assets.schemas.table import Kind, Table
from fund_assets.schemas.tables import FUND_NAV, TABLES, VALIDATED_NAV
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries.nav import codes as known_codes
from fund_assets.warehouse.queries.selections import Selection

NAMED = 5


class ExportError(FundAssetsError, ValueError):
    """What was asked for does not exist or cannot be written; the message says what to do."""

    exit_code = 2


#: Name → table: the accepted NAVs, and under its name without `fund_` every other table that
#: is about funds. The landing zone is for the rules and is not among them.
DATASETS: dict[str, Table] = {"nav": VALIDATED_NAV} | {
    table.name.removeprefix("fund_"): table
    for table in TABLES.values()
    if table not in (FUND_NAV, VALIDATED_NAV)
    and any(c.name == "fund_code" and c.kind is Kind.CODE for c in table.columns)
}


def select(
    name: str,
    codes: Iterable[str | int] | None = None,
    since: int | None = None,
    until: int | None = None,
    columns: Iterable[str] | None = None,
) -> Selection:
    """A part of the dataset `name`.

    Args:
        codes: of these funds alone; None: of all.
        since, until: yyyymmdd, both included; None: no limit.
        columns: these alone, behind those of the key; None: all.

    Raises:
        ExportError: there is no such dataset or column, or a code or date is none.
    """
    if name not in DATASETS:
        near = get_close_matches(name, DATASETS, n=1) or [", ".join(DATASETS)]
        raise ExportError(f"unknown dataset {name!r}: did you mean {near[0]}?")
    table = DATASETS[name]
    if columns is not None:
        columns = list(columns)
        if unknown := sorted(set(columns) - set(table.names)):
            raise ExportError(
                f"{table.name} has no column {', '.join(unknown)}: choose from "
                f"{', '.join(table.names)}"
            )
        table = table.part(columns)
    try:
        codes = None if codes is None else tuple(dict.fromkeys(map(read_code, codes)))
    except ValueError as error:
        raise ExportError(str(error)) from error
    selection = Selection(table, codes, since, until)
    for key in (since, until):
        if key is not None and selection.date is None:
            raise ExportError(
                f"{name} has no date column: a first and a last date do not apply"
            )
        if key is not None:
            try:
                from_key(key)
            except ValueError as error:
                raise ExportError(f"{key} is not a date: write yyyymmdd") from error
    if since is not None and until is not None and since > until:
        raise ExportError(f"no dates from {since} to {until}: the start is after the end")
    return selection


def check_codes(warehouse: Warehouse, codes: Iterable[str]) -> None:
    """Raise ExportError for funds that are not in fund_info, naming some near ones."""
    known = known_codes(warehouse)
    if not (unknown := sorted(set(codes) - set(known))):
        return
    near = get_close_matches(unknown[0], known, n=NAMED, cutoff=0.6)
    more = f" and {len(unknown) - NAMED:,} more" if len(unknown) > NAMED else ""
    raise ExportError(
        f"not among the {len(known):,} known funds: {', '.join(unknown[:NAMED])}{more}"
        + (f". Similar to {unknown[0]}: {', '.join(near)}" if near else "")
        + ". `fund-assets collect` updates the list"
    )
