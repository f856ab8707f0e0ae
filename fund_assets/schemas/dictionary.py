"""The data dictionary `docs/data-dictionary.md`, written from the table declarations.

Belongs here: turning declarations into that page. Does not belong here: anything a reader
of the page should know about a table or column (it stands in its declaration).

    python -m fund_assets.schemas.dictionary            writes the page
    python -m fund_assets.schemas.dictionary --check    fails when the page is out of date
"""

import sys
from collections.abc import Iterable

from fund_assets.schemas.fund_types import TYPES
from fund_assets.schemas.kinds import KINDS
from fund_assets.schemas.page import DOCS, write_or_check
from fund_assets.schemas.table import DATE_LIMITS, Column, Kind, Table
from fund_assets.schemas.tables import TABLES

PAGE = DOCS / "data-dictionary.md"

HEAD = f"""# Data dictionary

Generated from `fund_assets/schemas/` by `make docs`; edit the declarations, not this page.

How to read it:

* A **date** is a whole number yyyymmdd, a **time** is a whole number yyyymmddhhmmss, both in
  Asia/Shanghai on every machine. Dates lie between {DATE_LIMITS[0]} and {DATE_LIMITS[1]}.
  Whole numbers sort as time does; differences between them are not days.
* Columns that end in `_pct` are percent as published (5 is 5 %). All other rates are
  fractions (0.05 is 5 %).
* `fund_code` is text of six digits: leading zeros count.
* A number is never NaN or infinite. Absent is NULL, which means "not yet published" or "does
  not apply", never zero.
* The names of tables and columns are part of the interface: queries rely on them. A changed
  meaning gets a new name and a line in CHANGELOG.md. `window` is a reserved word in some
  databases: write `"window"`.
"""


def anchor(name: str) -> str:
    """A link to the table's section."""
    return f"[{name}](#{name})"


def limits(column: Column) -> str:
    """The limits of a column's values in words; empty when its kind says all."""
    if column.isin:
        return "one of " + ", ".join(f"`{value}`" for value in column.isin)
    signs = ((">", column.gt), ("≥", column.ge), ("<", column.lt), ("≤", column.le))
    found = [f"{sign} {limit:,.12g}" for sign, limit in signs if limit is not None]
    if column.kind is Kind.TEXT:
        found.append(f"at most {column.max_length:,} characters")
    return ", ".join(found)


def column_row(column: Column, table: Table) -> str:
    """One line of a table's column list."""
    name = f"**`{column.name}`**" if column.name in table.primary_key else f"`{column.name}`"
    cells = (
        name,
        column.kind.name.lower(),
        column.unit,
        "yes" if column.nullable else "no",
        limits(column),
        column.description,
    )
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def section(table: Table) -> list[str]:
    """A table's part of the page."""
    facts = [f"Key: {', '.join(f'`{name}`' for name in table.primary_key)}."]
    facts += [f"`{name}` is in {anchor(to)}." for name, to in table.references.items()]
    facts += [
        f"Also ordered by {', '.join(f'`{n}`' for n in names)}." for names in table.indexes
    ]
    return [
        f"## {table.name}",
        "",
        f"{table.grain[0].upper()}{table.grain[1:]}. {table.why}",
        "",
        " ".join(facts),
        "",
        "| column | type | unit | null | limits | meaning |",
        "|---|---|---|---|---|---|",
        *(column_row(column, table) for column in table.columns),
        "",
    ]


def render(tables: Iterable[Table] = TABLES.values()) -> str:
    """The whole page."""
    tables = list(tables)
    types = [f"| {kind.name.lower()} | {kind.value} |" for kind in Kind]
    kinds = [
        f"| `{kind.name}` | {kind.label} | {kind.nav_range[0]:g} to {kind.nav_range[1]:g} "
        f"| {kind.jump_warn:.0%} | {kind.jump_hold:.0%} | {kind.lag} |"
        for kind in KINDS.values()
    ]
    fund_types = [
        f"| {one.name} | `{one.kind}` | `{one.pool}` "
        f"| {one.limits[2]:.0%} | {one.limits[3]:.0%} |"
        for one in TYPES.values()
    ]
    lines = [
        HEAD,
        "| type | holds |",
        "|---|---|",
        *types,
        "",
        "| table | one row is |",
        "|---|---|",
        *(
            f"| {anchor(table.name)} | {table.grain.removeprefix('one row ')} |"
            for table in tables
        ),
        "",
        *(line for table in tables for line in section(table)),
        "## Kinds of funds",
        "",
        "What `fund_info.kind` may be, and the limits that differ by kind.",
        "",
        "| kind | 类型 | plausible unit NAV, yuan | move that warns | move that is held "
        "| sessions until late |",
        "|---|---|---|---|---|---|",
        *kinds,
        "",
        "## Types of funds",
        "",
        "The source's words in `fund_info.fund_type`, with the limits that hold for each: its "
        "kind's where it has none of its own. A pool is a kind, or a part of one that is never "
        "compared with the rest. A word that is not here is reported once by `R28_known_type` "
        "and treated as its kind.",
        "",
        "| 类型 | kind | pool | move that warns | move that is held |",
        "|---|---|---|---|---|",
        *fund_types,
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, render(), sys.argv[1:]))
