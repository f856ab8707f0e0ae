"""The asset `weekly_report`: one self-contained HTML file for each week, kept and mailed."""

import time
from datetime import datetime

import dagster as dg

from fund_assets.assets._common import Renewed, week_of
from fund_assets.assets._metadata import as_date
from fund_assets.assets._profiles import profiled_asset
from fund_assets.checks.catalog import REPORT_MAILED
from fund_assets.checks.results import check_result, specs_of
from fund_assets.observability.alerts.weekly_mail import mail_report
from fund_assets.observability.operations import operations
from fund_assets.pipeline.weekly_report import write_weekly
from fund_assets.report.headlines import preview
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.settings import SHANGHAI
from fund_assets.warehouse.queries.data_versions import digest


@profiled_asset(
    profiles.WEEKLY_REPORT,
    kinds={"python", "matplotlib", "html"},
    code_version="1",
    check_specs=specs_of("weekly_report"),
)
def weekly_report(context: dg.AssetExecutionContext, platform: Platform) -> Renewed:
    """Write the report of the week and mail it once."""
    started = time.monotonic()
    written = write_weekly(
        platform.warehouse,
        platform.settings,
        week_of(context, platform),
        operations(platform, context.instance, datetime.now(SHANGHAI)),
    )
    took = time.monotonic() - started
    facts = written.facts
    failure = mail_report(platform, facts, written.path)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(
            digest(facts.week, facts.calc_date, facts.newest, facts.provenance, facts.batches)
        ),
        metadata={
            "preview": dg.MetadataValue.md(preview(facts)),
            "file": dg.MetadataValue.path(str(written.path)),
            "bytes": written.size,
            "week": facts.week,
            "nav_date": as_date(facts.newest),
            "duration_seconds": round(took, 2),
        },
        check_results=[
            check_result(REPORT_MAILED, looked_at=1, cases=[failure] if failure else [])
        ],
    )
