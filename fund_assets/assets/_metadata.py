"""What Dagster shows of a table: its columns, and where they come from.

Belongs here: turning declarations into Dagster's metadata. Does not belong here: the
declarations themselves (`schemas/`).
"""

import json
from collections.abc import Iterable, Mapping

import dagster as dg

from fund_assets.schemas.table import Table


def table_metadata(table: Table) -> dict[str, str | dg.TableSchema]:
    """Definition metadata of an asset that is a table: columns, key and name."""
    return {
        "dagster/column_schema": dg.TableSchema(
            columns=[
                dg.TableColumn(
                    column.name,
                    column.kind.name.lower(),
                    description=f"{column.description} [{column.unit}]"
                    if column.unit
                    else column.description,
                    constraints=dg.TableColumnConstraints(
                        nullable=column.nullable,
                        unique=table.primary_key == (column.name,),
                    ),
                )
                for column in table.columns
            ]
        ),
        "dagster/table_name": table.name,
        "primary_key": ", ".join(table.primary_key),
    }


def lineage(
    columns: Mapping[str, Iterable[tuple[str, str]]],
) -> dict[str, dg.TableColumnLineage]:
    """Column lineage: column → (asset, column) it is made from."""
    return {
        "dagster/column_lineage": dg.TableColumnLineage(
            deps_by_column={
                column: [
                    dg.TableColumnDep(asset_key=dg.AssetKey(asset), column_name=name)
                    for asset, name in made_from
                ]
                for column, made_from in columns.items()
            }
        )
    }


def as_date(key: int | None) -> str:
    """A date 20261124 → `2026-11-24`, as metadata shows it."""
    return f"{key // 10_000:04d}-{key // 100 % 100:02d}-{key % 100:02d}" if key else ""


def payload_table(payloads: str) -> dg.TableMetadataValue:
    """The answers of a batch as a table: endpoint, sha256, bytes, rows, decoder."""
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "endpoint": p["endpoint"],
                    "sha256": p["sha256"],
                    "bytes": p["size"],
                    "rows": p["rows"],
                    "decoder": p["decoder"],
                    "fallback_because": p["fallback_because"],
                }
            )
            for p in json.loads(payloads)[:50]
        ],
        schema=dg.TableSchema(
            [
                dg.TableColumn("endpoint"),
                dg.TableColumn("sha256"),
                dg.TableColumn("bytes", "int"),
                dg.TableColumn("rows", "int"),
                dg.TableColumn("decoder"),
                dg.TableColumn("fallback_because"),
            ]
        ),
    )
