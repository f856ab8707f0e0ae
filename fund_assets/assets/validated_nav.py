"""The asset `validated_nav`: the accepted history."""

import time
from typing import Any

import dagster as dg

from fund_assets.assets._common import Renewed
from fund_assets.assets._conditions import when_input_is_sound
from fund_assets.assets._metadata import as_date, lineage
from fund_assets.assets._profiles import profiled_asset
from fund_assets.checks.agreement import agreement_result
from fund_assets.checks.arrivals import arrival_result
from fund_assets.checks.catalog import RULES_OF
from fund_assets.checks.results import SHOWN, result_of, rule_specs, specs_of
from fund_assets.instance.retry_wait import NO_RETRY
from fund_assets.nav.rules import TAKEN_BACK
from fund_assets.pipeline.agreement import UNEXPLAINED, compare_stated
from fund_assets.pipeline.arrivals import lagging
from fund_assets.pipeline.validated_nav import explain_block, summed, validate
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.tables import PUBLISH_LOG
from fund_assets.warehouse.queries import agreement as agreement_queries
from fund_assets.warehouse.queries import coverage as coverage_queries
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.queries.data_versions import data_version
from fund_assets.warehouse.stores import known as known_store
from fund_assets.warehouse.stores import publish

ROW_RULES = RULES_OF["validated_nav"]
WEEKLY_JOB = "weekly_full_calc"
COUNTS = [name for name in PUBLISH_LOG.names if name.startswith("rows_")]


@profiled_asset(
    profiles.VALIDATED_NAV,
    kinds={"python", "pandera", "table"},
    code_version="1",
    # A backfill publishes its own batches as they land. What the weekly job fetches, it merges
    # itself; before its first Sunday there is none.
    automation_condition=when_input_is_sound("nav_history", "history_refetch"),
    check_specs=[*specs_of("validated_nav"), *rule_specs("validated_nav")],
)
def validated_nav(context: dg.AssetExecutionContext, platform: Platform) -> Renewed:
    """Judge the batches that wait and merge what passes, each wholly or not at all."""
    started = time.monotonic()
    warehouse = platform.warehouse
    outcomes = validate(
        warehouse,
        platform.calendar,
        platform.now(),
        progress=lambda outcome: context.log.info(f"{outcome.batch_id}: {_told(outcome)}"),
    )
    if blocked := explain_block(outcomes):
        # The week's other steps do not need the batch; its report says what is held.
        if context.run.job_name != WEEKLY_JOB:
            # The same batch judged again would be blocked again.
            context.instance.add_run_tags(context.run.run_id, NO_RETRY)
            raise dg.Failure(description=blocked, allow_retries=False)
        context.log.warning(blocked)
        outcomes = [outcome for outcome in outcomes if not outcome.blocked_by]
    last = known_store.last_published(warehouse)
    if not outcomes and last is None:
        raise dg.Failure(
            description="nothing has been collected yet: run `fund-assets collect`, or the "
            "job daily_collection, first",
            allow_retries=False,
        )
    compared = compare_stated(warehouse, platform.now())
    of_events = [o for o in outcomes if o.kind == "events"]
    observed = [o for o in outcomes if o.kind != "events"]
    shown = observed or [publish.outcome(warehouse, str(last))]
    verdicts = {v.rule: v for v in summed((v for o in shown for v in o.verdicts), ROW_RULES)}
    counts = {name: sum(o.counts[name] for o in observed) for name in COUNTS}
    newest = status_queries.newest_published(warehouse)
    coverage = coverage_queries.coverage(warehouse, newest) if newest else []
    corrected = status_queries.corrections_in(warehouse, {o.batch_id for o in outcomes})
    return dg.MaterializeResult(
        data_version=dg.DataVersion(data_version(warehouse, "validated_nav")),
        metadata={
            "nav_date": as_date(newest),
            "batches": len(outcomes),
            "batch_id": shown[-1].batch_id,
            **counts,
            "corrections": sum(corrected.values()),
            "corrections_to_report": corrected["report"],
            "corrections_to_announce": corrected["announce"],
            "taken_back": sum(
                v.failed for o in observed for v in o.verdicts if v.rule == TAKEN_BACK.id
            ),
            "events_new": sum(o.counts["rows_new"] for o in of_events),
            "events_changed": sum(o.counts["rows_changed"] for o in of_events),
            "dagster/row_count": status_queries.nav_rows(warehouse),
            "coverage": round(coverage_queries.total_coverage(coverage), 4),
            **{f"coverage_{row['kind']}": round(float(row["share"]), 4) for row in coverage},
            "returns_compared": compared.returns,
            "duration_seconds": round(time.monotonic() - started, 2),
            **_lineage(),
        },
        check_results=[
            arrival_result(*lagging(warehouse)),
            agreement_result(
                agreement_queries.verdict_counts(warehouse),
                agreement_queries.differences(warehouse, UNEXPLAINED, SHOWN),
            ),
            *(result_of(rule, verdicts[rule.id]) for rule in ROW_RULES),
        ],
    )


def _told(outcome: publish.Outcome) -> str:
    if outcome.blocked_by:
        return f"held by {', '.join(v.rule for v in outcome.blocked_by)}"
    counts = outcome.counts.items()
    return ", ".join(f"{n:,} {name.removeprefix('rows_')}" for name, n in counts)


def _lineage() -> dict[str, Any]:
    kept = {name: [("fund_nav", name)] for name in ("fund_code", "nav_date", *OBSERVED_NAMES)}
    index = [
        ("fund_nav", name) for name in ("unit_nav", "growth_pct", "acc_nav", "yield_per_10k")
    ] + [("fund_events", name) for name in ("ex_date", "kind", "value")]
    return lineage(
        {
            **kept,
            "batch_id": [("fund_nav", "batch_id")],
            "total_return_index": index,
            "return_status": index,
        }
    )
