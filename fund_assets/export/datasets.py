"""What can be taken away, under which name, and which part of it is meant.

Belongs here: the names, and refusing what does not exist. Does not belong here: the
statement (`warehouse/queries/selections.py`).
"""

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

import pyarrow as pa

from fund_assets.calendar import from_key
from fund_assets.errors import FundAssetsError
from fund_assets.export.made import MADE
from fund_assets.schemas.codes import read_code
from fund_assets.schemas.table import DATE_LIMITS, Kind, Table
from fund_assets.schemas.tables import (
    BENCHMARK_INDEX,
    COLLECTION_BATCH,
    FUND_NAV,
    NAV_QUARANTINE,
    PUBLISH_LOG,
    RISK_FREE_RATE,
    TABLES,
    VALIDATED_NAV,
)
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries.nav import codes as known_codes
from fund_assets.warehouse.queries.nav import codes_in_events
from fund_assets.warehouse.queries.selections import Selection
from fund_assets.warehouse.queries.selections import count as count_stored
from fund_assets.warehouse.queries.selections import selected as stored

if TYPE_CHECKING:
    import pandas as pd

NAMED = 5


class ExportError(FundAssetsError, ValueError):
    """What was asked for does not exist or cannot be written; the message says what to do."""

    exit_code = 2


#: What the figures were made with and from, beside what is about funds.
BESIDES = (BENCHMARK_INDEX, RISK_FREE_RATE, NAV_QUARANTINE, COLLECTION_BATCH, PUBLISH_LOG)
#: Name → table: the accepted NAVs, and under its name without `fund_` every other table that
#: is about funds; what they were made from; what no table has (`made.py`). The landing zone is
#: for the rules and is not among them.
DATASETS: dict[str, Table] = (
    {"nav": VALIDATED_NAV}
    | {
        table.name.removeprefix("fund_"): table
        for table in TABLES.values()
        if table not in (FUND_NAV, VALIDATED_NAV)
        and any(c.name == "fund_code" and c.kind is Kind.CODE for c in table.columns)
    }
    | {table.name: table for table in BESIDES}
    | {name: table for name, (table, _) in MADE.items()}
)


def select(
    name: str,
    codes: Iterable[str | int] | None = None,
    since: int | None = None,
    until: int | None = None,
    columns: Iterable[str] | None = None,
    *,
    named: bool = False,
) -> Selection:
    """A part of the dataset `name`.

    Args:
        codes: of these funds alone; None: of all.
        since, until: yyyymmdd, both included; None: no limit.
        columns: these alone, behind those of the key; None: all.
        named: with the name and type of each fund, where the rows are about funds and have
            no name.

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
    about_funds = "fund_code" in table.names
    if codes is not None and not about_funds:
        raise ExportError(f"{name} has no funds in it: codes do not apply")
    named = named and about_funds and "name" not in table.names
    selection = Selection(table, codes, since, until, named)
    _check_dates(name, selection)
    return selection


def _check_dates(name: str, selection: Selection) -> None:
    since, until = selection.since, selection.until
    for key in (since, until):
        if key is not None and selection.table.date is None:
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


def selected(warehouse: Warehouse, selection: Selection) -> Iterator[pa.RecordBatch]:
    """The rows of a selection in the order of the key; see `selections.selected`."""
    if selection.table.name not in MADE:
        return stored(warehouse, selection)
    return iter([pa.RecordBatch.from_pandas(_made(warehouse, selection), preserve_index=False)])


def count(warehouse: Warehouse, selection: Selection) -> int:
    """How many rows a selection has."""
    if selection.table.name not in MADE:
        return count_stored(warehouse, selection)
    return len(_made(warehouse, selection))


def _made(warehouse: Warehouse, selection: Selection) -> "pd.DataFrame":
    table, make = MADE[selection.table.name]
    rows = table.conform(make(warehouse))[selection.table.names]
    if selection.table.date is not None:
        low, high = selection.since or DATE_LIMITS[0], selection.until or DATE_LIMITS[1]
        rows = rows[rows[selection.table.date].between(low, high)]
    return rows


def check_codes(warehouse: Warehouse, codes: Iterable[str]) -> None:
    """Raise ExportError for funds of no list and no event, naming some near ones.

    The market's lists of events name funds that its list of funds has not, such as those that
    ended before the first list was read: they are known, and have nothing else.
    """
    known = known_codes(warehouse)
    if set(codes) <= set(known):
        return
    known = sorted({*known, *codes_in_events(warehouse)})
    if not (unknown := sorted(set(codes) - set(known))):
        return
    near = get_close_matches(unknown[0], known, n=NAMED, cutoff=0.6)
    more = f" and {len(unknown) - NAMED:,} more" if len(unknown) > NAMED else ""
    raise ExportError(
        f"not among the {len(known):,} known funds: {', '.join(unknown[:NAMED])}{more}"
        + (f". Similar to {unknown[0]}: {', '.join(near)}" if near else "")
        + ". `fund-assets collect` updates the list"
    )
