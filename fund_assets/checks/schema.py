"""The check `schema` of every table: the newest rows meet the table's declaration.

One factory for all tables. It looks at the newest rows, not at the whole history: the
database's own CHECK constraints hold for every row that was ever written.
"""

import dagster as dg
import pandas as pd
from pandera.errors import SchemaErrors

from fund_assets.checks.catalog import SCHEMA, TABLE_OF
from fund_assets.checks.results import check_result, own_step
from fund_assets.resources import Platform
from fund_assets.schemas.table import Table
from fund_assets.warehouse.queries import status as status_queries


def breaches(table: Table, rows: pd.DataFrame) -> list[tuple[str, str, str]]:
    """(column, demand, value) of everything in `rows` that breaks the declaration."""
    try:
        table.schema.validate(rows, lazy=True)
    except SchemaErrors as errors:
        cases = errors.failure_cases
        return [
            (str(c), str(d), str(v))
            for c, d, v in zip(
                cases["column"], cases["check"], cases["failure_case"], strict=True
            )
        ]
    return []


def schema_check(asset: str, table: Table) -> dg.AssetChecksDefinition:
    """The blocking check that the newest rows of an asset's table meet its declaration."""

    @own_step(SCHEMA, asset)
    def check(platform: Platform) -> dg.AssetCheckResult:
        return schema_result(platform, table)

    return check


def schema_result(platform: Platform, table: Table) -> dg.AssetCheckResult:
    """What the check finds in a table's newest rows."""
    rows = status_queries.newest_rows(platform.warehouse, table)
    found = breaches(table, rows)
    return check_result(
        SCHEMA,
        looked_at=rows.size,
        cases=[f"{column}: {value!r}, but {demand}" for column, demand, value in found],
        told={"rows": len(rows)},
    )


SCHEMA_CHECKS = [schema_check(asset, table) for asset, table in TABLE_OF.items()]
