"""The asset `fund_metrics`: return and risk of every fund."""

import time

import dagster as dg
from pydantic import Field

from fund_assets.assets._common import Renewed, last_version
from fund_assets.assets._conditions import when_input_is_sound
from fund_assets.assets._metadata import as_date, lineage
from fund_assets.assets._profiles import profiled_asset
from fund_assets.metrics import DEFINITION_VERSION
from fund_assets.metrics.computation import ABOUT_BENCHMARK
from fund_assets.pipeline.fund_metrics import measure, stored_report, version_of_inputs
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.schemas.tables import FUND_METRICS

FROM_INDEX = tuple(
    name
    for name in FUND_METRICS.value_columns
    if name not in ("status", "coverage", "benchmark_code", *ABOUT_BENCHMARK, "risk_free_rate",
                    "reason", "definition_version")
)  # fmt: skip


class MetricsConfig(dg.Config):
    """Whether to compute what is computed already."""

    recompute: bool = Field(
        default=False,
        description="compute also when nothing has changed since the last time",
    )


@profiled_asset(
    profiles.FUND_METRICS,
    kinds={"python", "numba", "table"},
    code_version=str(DEFINITION_VERSION),
    # Closes come every evening anyway; their absence must not hold up metrics.
    automation_condition=when_input_is_sound("benchmark_index", renewed_with=True),
)
def fund_metrics(
    context: dg.AssetExecutionContext, config: MetricsConfig, platform: Platform
) -> Renewed:
    """Compute the metrics of all funds as of the newest published date, if anything changed."""
    started = time.monotonic()
    warehouse, rate = platform.warehouse, platform.settings.risk_free_rate
    version = version_of_inputs(warehouse, rate)
    unchanged = version == last_version(context) and not config.recompute
    report = (stored_report(warehouse) if unchanged else None) or measure(
        warehouse, rate, progress=context.log.info
    )
    if report.calc_date is None:
        raise dg.Failure(
            description="no accepted NAV yet: run `fund-assets run` first",
            allow_retries=False,
        )
    for date, rows in (report.late or {}).items():
        context.log.info(f"late publishers of {as_date(date)}: {rows:,} rows updated")
    made_from = [("validated_nav", "total_return_index"), ("validated_nav", "nav_date")]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(version),
        metadata={
            "nav_date": as_date(report.calc_date),
            "funds": report.funds,
            "dagster/row_count": report.rows,
            "rows_written": report.rows_written,
            "rows_complete": report.complete,
            "rows_final": report.final,
            "late_rows_written": sum((report.late or {}).values()),
            **{f"benchmark_{basis}": n for basis, n in (report.bases or {}).items()},
            "definition_version": DEFINITION_VERSION,
            "duration_seconds": round(time.monotonic() - started, 2),
            **lineage(dict.fromkeys(FROM_INDEX, made_from)),
        },
    )
