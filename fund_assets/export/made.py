"""Datasets that no table has: the trading calendar, and the definitions of the measures.

Belongs here: their declarations and how their rows are made. Does not belong here: tables of
the warehouse, formulas (`metrics/`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from inspect import cleandoc
from typing import TYPE_CHECKING

from fund_assets.calendar import FIRST_SESSION, from_key, to_key
from fund_assets.schemas.column_labels import label_of
from fund_assets.schemas.table import Column, Kind, Table
from fund_assets.schemas.tables import FUND_METRICS, FUND_PEERS, FUND_SCORES
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries.status import newest_published
from fund_assets.warehouse.stores import calendar_overrides

if TYPE_CHECKING:
    import pandas as pd

CALENDAR = Table(
    name="calendar",
    grain="one row per calendar day",
    why="The sessions of the Shanghai exchange, with the days that were entered by hand, as "
    "the pipeline uses them.",
    columns=(
        Column("day", Kind.DATE, "the day", "yyyymmdd"),
        Column("is_session", Kind.INT, "1: the exchange trades, 0: it does not", ge=0, le=1),
        Column(
            "is_announced", Kind.INT,
            "1: announced or entered. 0: assumed, every weekday is a session", ge=0, le=1,
        ),
        Column("note", Kind.TEXT, "entered by hand: by whom and why; empty otherwise"),
    ),
    primary_key=("day",),
)  # fmt: skip

DEFINITIONS = Table(
    name="definitions",
    grain="one row per column of fund_metrics, fund_peers and fund_scores",
    why="What each measure means, with its formula and the version of the definitions, which "
    "the rows have in definition_version. V are the index values of a window, R the n returns "
    "of its steps, B the benchmark's over the same steps, N the returns in a year, rf the "
    "risk-free rate of one step, D = V over the highest V so far, less 1. docs/metrics.md has "
    "all conventions.",
    columns=(
        Column("table_name", Kind.TEXT, "table that has the column"),
        Column("column_name", Kind.TEXT, "the column"),
        Column("label", Kind.TEXT, "its Chinese name; empty where it has none"),
        Column("unit", Kind.TEXT, "its unit; empty: none"),
        Column("meaning", Kind.TEXT, "what it is", max_length=600),
        Column(
            "formula", Kind.TEXT,
            "how it is computed, in the terms above; empty where the meaning says it",
            max_length=600,
        ),
        Column("definition_version", Kind.INT, "version of its table's definitions", ge=1),
    ),
    primary_key=("table_name", "column_name"),
)  # fmt: skip

#: A line of the table in the text of `compute_metrics`: names, two spaces, formula.
_LINE = re.compile(r"^([a-z_0-9, ]+?)  +(\S.*)$", re.MULTILINE)
_EDGE = re.compile(r"^=+ =+$", re.MULTILINE)


def formulas() -> dict[str, str]:
    """Measure → its formula, as the table in the text of `compute_metrics` has it."""
    from fund_assets.metrics.computation import compute_metrics

    _, table, _ = _EDGE.split(cleandoc(compute_metrics.__doc__ or "= =\n= ="))
    return {
        name: formula for names, formula in _LINE.findall(table) for name in names.split(", ")
    }


def calendar(warehouse: Warehouse) -> pd.DataFrame:
    """Every day from the exchange's first to the last that is known."""
    import pandas as pd

    today = from_key(newest_published(warehouse) or to_key(FIRST_SESSION))
    known = calendar_overrides.calendar(warehouse, today)
    notes = calendar_overrides.notes(warehouse)
    sessions = set(known.sessions)
    until = known.known_until
    days = [
        FIRST_SESSION + timedelta(n) for n in range((known.horizon - FIRST_SESSION).days + 1)
    ]
    return pd.DataFrame(
        [_day(day, sessions, until, notes) for day in days], columns=CALENDAR.names
    )


def _day(
    day: date, sessions: set[int], until: date, notes: dict[int, str]
) -> tuple[int, int, int, str]:
    key = to_key(day)
    return key, int(key in sessions), int(day <= until), notes.get(key, "")


def definitions(_: Warehouse) -> pd.DataFrame:
    """Every value column of the tables of measures."""
    import pandas as pd

    from fund_assets.metrics.kernel import DEFINITION_VERSION
    from fund_assets.metrics.peers import PEER_VERSION
    from fund_assets.metrics.scores import SCORE_VERSION

    versions = (
        (FUND_METRICS, DEFINITION_VERSION),
        (FUND_PEERS, PEER_VERSION),
        (FUND_SCORES, SCORE_VERSION),
    )
    known = formulas()
    rows = [
        (
            table.name, name, label_of(name), table[name].unit,
            table[name].description,
            known.get(name, "") if table is FUND_METRICS else "", version,
        )
        for table, version in versions
        for name in table.value_columns
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=DEFINITIONS.names)


#: Declaration's name → how its rows are made, in the order of its key.
MADE: dict[str, tuple[Table, Callable[[Warehouse], pd.DataFrame]]] = {
    CALENDAR.name: (CALENDAR, calendar),
    DEFINITIONS.name: (DEFINITIONS, definitions),
}
