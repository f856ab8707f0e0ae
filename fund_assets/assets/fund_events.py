"""The asset `fund_events`: dividends and splits."""

import time

import dagster as dg

from fund_assets.assets._common import Renewed
from fund_assets.assets._profiles import profiled_asset
from fund_assets.checks.catalog import LISTS_CURRENT, LISTS_STILL, LISTS_WHOLE
from fund_assets.checks.results import check_result, result_of, rule_specs, specs_of
from fund_assets.nav.events import RULES
from fund_assets.pipeline.fund_events import refresh_events
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.queries.data_versions import data_version
from fund_assets.warehouse.stores import events


@profiled_asset(
    profiles.FUND_EVENTS,
    kinds={"python", "akshare", "table"},
    code_version="1",
    check_specs=[*specs_of("fund_events"), *rule_specs("fund_events")],
)
def fund_events(context: dg.AssetExecutionContext, platform: Platform) -> Renewed:
    """Fetch the market's lists of this year and the last, and land what they tell."""
    started = time.monotonic()
    warehouse = platform.warehouse
    report = refresh_events(warehouse, platform.source, platform.now)
    context.log.info(
        f"{report.listed:,} events listed"
        if report.asked
        else "the lists were already fetched today"
    )
    for text in report.withdrawn:
        context.log.info(f"withdrawn: {text}")
    problems = [text for text in (report.failure, *report.unreadable) if text]
    verdicts = {verdict.rule: verdict for verdict in report.verdicts}
    return dg.MaterializeResult(
        data_version=dg.DataVersion(data_version(warehouse, "fund_events")),
        metadata={
            "dagster/row_count": status_queries.row_count(warehouse, "fund_events"),
            "asked": report.asked,
            "listed": report.listed,
            "lists_moved": len(report.moved),
            "not_told_yet": report.untold,
            "withdrawn": len(report.withdrawn),
            "impossible": len(report.impossible),
            "batch_id": report.batch_id,
            **events.counts(warehouse),
            "duration_seconds": round(time.monotonic() - started, 2),
        },
        check_results=[
            check_result(LISTS_CURRENT, looked_at=report.lists, cases=problems),
            check_result(LISTS_STILL, looked_at=report.lists, cases=report.moved),
            check_result(LISTS_WHOLE, looked_at=report.lists, cases=report.refused),
            *(result_of(rule, verdicts.get(rule.id)) for rule in RULES),
        ],
    )
