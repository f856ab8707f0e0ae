"""What answers say of funds beyond NAV: size, holders, portfolio and managers.

Belongs here: the shape of it, what a later answer changes of what is stored, and the identities
between the figures. Does not belong here: reading an answer (`sources/`), SQL (`warehouse/`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isnan
from typing import Any

from fund_assets.schemas.columns import FIRST_SEEN_AT, SUPERSEDED_AT
from fund_assets.schemas.table import DATE_LIMITS, Table
from fund_assets.schemas.tables import (
    FUND_ALLOCATION,
    FUND_HOLDERS,
    FUND_MANAGER,
    FUND_MANAGER_TERM,
    FUND_POSITION_ESTIMATE,
    FUND_SIZE,
    FUND_TOP_HOLDINGS,
)

#: The tables of what is said: the key of each begins with the fund and ends with
#: `first_seen_at`, and each has both times.
REPORT_TABLES = {
    table.name: table
    for table in (
        FUND_SIZE,
        FUND_HOLDERS,
        FUND_ALLOCATION,
        FUND_POSITION_ESTIMATE,
        FUND_TOP_HOLDINGS,
        FUND_MANAGER,
        FUND_MANAGER_TERM,
    )
}
#: Columns that grow by themselves: another value of them alone makes no row.
GROWING = frozenset({"career_days"})
#: What ends by itself: that it is no longer there is no news about the figures.
ENDING = frozenset({FUND_MANAGER.name})
#: Shares are published in units of 1,000,000: each of four figures is half a unit off at most.
SHARES_ROUNDING = 2_000_001.0
#: Net assets are shares times NAV, but for this share of them and the rounding of both.
SIZE_OFF, SIZE_ROUNDING = 0.005, 500_001.0
#: Fractions of holders are published with four decimals, and there are two of them.
HOLDERS_ROUNDING = 0.000_2
#: Of net assets: what a fund may hold with borrowed money.
MOST_ALLOCATED = 2.0
#: A row as SQL has it: column → value, None for NULL.
Row = dict[str, Any]
#: What tells the rows of a fund apart: the value of the key's one column, or of its columns.
Place = Any


@dataclass(frozen=True)
class Statement:
    """What one part of an answer says of some columns of a table.

    Attributes:
        table: its name, of REPORT_TABLES.
        columns: the columns that it has figures of.
        periods: period_end (yyyymmdd), or what else the key has between the fund and
            `first_seen_at` → the figures of `columns`, None where it has none.
        unread: periods of which a cell could not be used: what is stored of them stays.
        since: the first period that it speaks of; None: the first that it has.
    """

    table: str
    columns: tuple[str, ...]
    periods: dict[Place, tuple[Any, ...]]
    unread: frozenset[Place] = frozenset()
    since: Place | None = None


@dataclass(frozen=True)
class Reports:
    """What an answer says of a fund's reports.

    Attributes:
        statements: one for each part of the answer.
        refused: what could not be used, each with fund, variable and value.
        unknown: parts that nothing is declared of.
    """

    statements: tuple[Statement, ...] = ()
    refused: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def figures_of(table: Table) -> list[str]:
    """The columns of a table of reports that an answer fills."""
    times = (FIRST_SEEN_AT.name, SUPERSEDED_AT.name)
    return [name for name in table.value_columns if name not in times]


def changes(
    table: Table,
    stored: Iterable[Row],
    told: Mapping[str, Sequence[Statement]],
    seen_at: int,
) -> list[Row]:
    """The rows to be written when funds say something new.

    A figure that changes closes the row that had it and opens another. A period that an answer
    leaves out although it is not older than what the answer begins with is taken back: its row
    is closed. What a part of an answer does not reach back to stays.

    Args:
        stored: the rows of these funds that are not superseded.
        told: fund code → what it says now, of this table and of others.
        seen_at: yyyymmddhhmmss.
    """
    before: dict[str, dict[Place, Row]] = {}
    for row in stored:
        before.setdefault(row["fund_code"], {})[_place(table, row)] = row
    names = figures_of(table)
    counted = [name for name in names if name not in GROWING]
    found: list[Row] = []
    for code, statements in told.items():
        had = before.get(code, {})
        for period, now in _now(table.name, names, had, statements).items():
            was = had.get(period)
            gone = all(value is None for value in now.values())
            if was is None if gone else was is not None and _same(was, now, counted):
                continue
            if was is not None and (gone or was["first_seen_at"] != seen_at):
                found.append(was | {"superseded_at": seen_at})
            if not gone:
                key = {"fund_code": code, **_columns(table, period)}
                found.append(key | now | {"first_seen_at": seen_at, "superseded_at": None})
    return found


def _place(table: Table, row: Row) -> Place:
    """What tells a row of a table from the others of its fund."""
    values = tuple(row[name] for name in table.primary_key[1:-1])
    return values[0] if len(values) == 1 else values


def _columns(table: Table, place: Place) -> Row:
    """The same by column."""
    names = table.primary_key[1:-1]
    return dict(zip(names, (place,) if len(names) == 1 else place, strict=True))


def _same(was: Row, now: Row, names: list[str]) -> bool:
    return all(was[name] == now[name] for name in names)


def _now(
    table: str, names: list[str], had: dict[Place, Row], statements: Sequence[Statement]
) -> dict[Place, Row]:
    """Period → the figures that hold after these statements, None for what is not known."""
    now = {period: {name: row[name] for name in names} for period, row in had.items()}
    for one in statements:
        if one.table != table or not (reached := one.periods.keys() | one.unread):
            continue
        since = min(reached) if one.since is None else one.since
        for period in now:
            if period > since and period not in reached:
                now[period] |= dict.fromkeys(one.columns)
        for period, figures in one.periods.items():
            now.setdefault(period, dict.fromkeys(names)).update(
                zip(one.columns, figures, strict=True)
            )
    return now


def taken_back(table: Table, rows: Iterable[Row]) -> list[str]:
    """Of the rows of `changes`, those that were closed and not replaced, in words."""
    if table.name in ENDING:
        return []
    names = table.primary_key[:-1]
    closed = {tuple(row[name] for name in names): row["superseded_at"] for row in rows}
    return [
        f"{code}: {table.name} of {' '.join(map(str, of))} is no longer there"
        for (code, *of), at in closed.items()
        if at is not None
    ]


def doubts(code: str, statements: Iterable[Statement]) -> list[str]:
    """Where the figures of an answer do not add up, in words.

    Shares of a quarter's end are those of the one before, plus subscribed, minus redeemed;
    institutions and individuals hold everything. Conversions and reinvested dividends may
    break the first, so that this refuses nothing.
    """
    found = []
    for one in statements:
        rows = {p: dict(zip(one.columns, f, strict=True)) for p, f in one.periods.items()}
        if "total_shares" in one.columns:
            found += _shares_off(code, rows)
        if one.table == FUND_HOLDERS.name:
            found += _holders_off(code, rows)
    return found


def _shares_off(code: str, rows: Mapping[int, Row]) -> list[str]:
    found, ordered = [], sorted(rows)
    for earlier, period in pairwise(ordered):
        if next_quarter(earlier) != period:
            continue
        now = rows[period]
        expected = _sum(
            rows[earlier]["total_shares"],
            now.get("subscribed_shares"),
            -_sum(now.get("redeemed_shares")),
        )
        off = _sum(now["total_shares"], -expected)
        if abs(off) > SHARES_ROUNDING:
            found.append(
                f"{code}: shares of {period} are {off:+,.0f} off those of {earlier} with "
                "what was subscribed and redeemed"
            )
    return found


def _holders_off(code: str, rows: Mapping[int, Row]) -> list[str]:
    return [
        f"{code}: institutions and individuals hold {total:.2%} at {period}"
        for period, row in rows.items()
        if not isnan(total := _sum(row["institutions"], row["individuals"]))
        and abs(total - 1) > HOLDERS_ROUNDING
    ]


def size_off(assets: float, shares: float, unit_nav: float) -> bool:
    """Whether net assets of a class are not its shares times its NAV of that day."""
    rounding = SIZE_ROUNDING * (1 + unit_nav)
    return abs(shares * unit_nav - assets) > SIZE_OFF * assets + rounding


def _sum(*values: float | None) -> float:
    """The sum; NaN where a part is not known."""
    return sum(float("nan") if value is None else value for value in values)


def over_allocated(figures: Mapping[str, float | None]) -> bool:
    """Whether stocks, bonds and cash are more than a fund may hold."""
    parts = (figures.get(name) for name in ("stocks", "bonds", "cash"))
    return round(sum(part for part in parts if part is not None), 8) > MOST_ALLOCATED


def is_period_end(table: str, period: int) -> bool:
    """Whether yyyymmdd ends a period of a table: a quarter, or a half year of holders."""
    half = table == FUND_HOLDERS.name
    ends = (630, 1231) if half else (331, 630, 930, 1231)
    return DATE_LIMITS[0] <= period <= DATE_LIMITS[1] and period % 10_000 in ends


def next_quarter(period: int) -> int:
    """The quarter end after one."""
    later = {331: 630, 630: 930, 930: 1231, 1231: 10_331}
    return period // 10_000 * 10_000 + later[period % 10_000]
