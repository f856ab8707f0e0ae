"""The asset `nav_history`: the whole past of every fund, a part of the market at a time."""

import time
from collections.abc import Sequence

import dagster as dg
from pydantic import Field

from fund_assets.assets.common import GROUP, OWNERS
from fund_assets.assets.histories import (
    about_histories,
    history_checks,
    history_results,
    log_missed,
    log_progress,
)
from fund_assets.assets.metadata import table_metadata
from fund_assets.nav.history import BUCKETS, HistoryChoice
from fund_assets.nav.observe import Landing
from fund_assets.platform import Platform
from fund_assets.schemas.tables import HISTORY_PROGRESS
from fund_assets.steps.collecting import collect_patiently
from fund_assets.steps.validating import explain_block, validate
from fund_assets.warehouse.publishing import Outcome
from fund_assets.warehouse.versions import data_version

PARTITIONS = dg.StaticPartitionsDefinition(list(BUCKETS))


def tags_of(buckets: Sequence[str]) -> dict[str, str]:
    """Tags of one run over neighbouring buckets: its funds come in the order of their codes."""
    return {
        "dagster/asset_partition_range_start": buckets[0],
        "dagster/asset_partition_range_end": buckets[-1],
    }


EVERY_BUCKET = tags_of(BUCKETS)
#: The same funds asked for again at once would be held off again.
NO_RETRY = {"dagster/max_retries": "0"}


#: How long a run may take without a tag that says so (dagster.yaml), and how much of it is for
#: what comes after the last answer.
LONGEST_S, REST_S = 14_400.0, 600.0


def longest_s(context: dg.AssetExecutionContext) -> float:
    """How long this run may take."""
    return float(context.run.tags.get("dagster/max_runtime", LONGEST_S))


class HistoryConfig(dg.Config):
    """Which funds of the buckets are asked for; by default those that never answered."""

    codes: list[str] = Field(default=[], description="exactly these funds")
    kind: str = Field(default="", description="funds of this kind alone")
    since: int | None = Field(
        default=None, description="yyyymmddhhmmss: those not asked for since then, too"
    )


@dg.asset(
    deps=["fund_info"],
    partitions_def=PARTITIONS,
    group_name=GROUP,
    owners=OWNERS,
    kinds={"python", "akshare", "table"},
    code_version="1",
    description="Whole histories, asked for once, landed and merged like every other batch. "
    "Each partition is a 64th of the fund codes, by their hash.",
    metadata=table_metadata(HISTORY_PROGRESS),
    check_specs=history_checks("nav_history"),
)
def nav_history(
    context: dg.AssetExecutionContext, config: HistoryConfig, platform: Platform
) -> dg.MaterializeResult:
    """Fetch, land and publish the histories of the funds of some buckets, batch by batch."""
    started = time.monotonic()
    outcomes: list[Outcome] = []

    def publish(fresh: Landing | None = None) -> None:
        done = validate(
            platform.warehouse,
            platform.calendar,
            platform.now(),
            kinds=("history",),
            fresh=fresh,
        )
        outcomes.extend(done)
        for outcome in done:
            context.log.info(f"{outcome.batch_id}: {outcome.counts or 'held by a rule'}")

    publish()  # what a run that was killed has left
    report = collect_patiently(
        platform.warehouse,
        platform.source,
        platform.now,
        HistoryChoice(
            codes=tuple(config.codes),
            since=config.since,
            kind=config.kind,
            buckets=frozenset(context.partition_keys),
        ),
        patience_s=longest_s(context) - REST_S,
        told=context.log.warning,
        landed=publish,
        progress=lambda report: log_progress(context, report),
    )
    log_missed(context, report)
    if report.stopped:
        context.instance.add_run_tags(context.run.run_id, NO_RETRY)
        raise dg.Failure(description=report.stopped, allow_retries=False)
    if blocked := explain_block(outcomes):
        context.instance.add_run_tags(context.run.run_id, NO_RETRY)
        raise dg.Failure(description=blocked, allow_retries=False)
    counts = {
        name: sum(outcome.counts[name] for outcome in outcomes)
        for name in (
            "rows_new",
            "rows_changed",
            "rows_filled",
            "rows_unchanged",
            "rows_quarantined",
        )
    }
    return dg.MaterializeResult(
        data_version=dg.DataVersion(data_version(platform.warehouse, "nav_history")),
        metadata={
            **about_histories(report),
            **counts,
            "batches": len(outcomes),
            "duration_seconds": round(time.monotonic() - started, 2),
        },
        check_results=history_results(report),
    )
