"""The asset `nav_history`: the whole past of every fund, a part of the market at a time."""

import time

import dagster as dg
from pydantic import Field, field_validator

from fund_assets.assets._common import Renewed
from fund_assets.assets._histories import (
    Context,
    about_histories,
    log_missed,
    log_progress,
)
from fund_assets.assets._profiles import profiled_asset
from fund_assets.checks.histories import history_results
from fund_assets.checks.results import specs_of
from fund_assets.instance.names import HISTORIES
from fund_assets.instance.retry_wait import NO_RETRY
from fund_assets.nav.history import BUCKETS, HistoryChoice
from fund_assets.nav.landing_rows import Landing
from fund_assets.pipeline.agreement import compare_stated
from fund_assets.pipeline.nav_history import RetryWindow, collect_with_retries
from fund_assets.pipeline.validated_nav import explain_block, validate
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.schemas.run_config import Kind, codes_of, moment_of
from fund_assets.warehouse.queries.data_versions import data_version
from fund_assets.warehouse.stores.publish import Outcome

#: How long a run may take without a tag that says so (dagster.yaml), and how much of it is for
#: what comes after the last answer.
LONGEST_S, REST_S = 14_400.0, 600.0


def longest_s(context: Context) -> float:
    """How long this run may take."""
    return float(context.run.tags.get("dagster/max_runtime", LONGEST_S))


class HistoryConfig(dg.Config):
    """Which funds are asked for; by default those that never answered."""

    codes: list[str] = Field(default=[], description="exactly these funds")
    kind: Kind | None = Field(default=None, description="funds of this kind alone")
    since: int | None = Field(
        default=None, description="yyyymmddhhmmss: also funds last requested before then"
    )
    buckets: list[str] = Field(
        default=[],
        description="of these 64ths of the fund codes alone, 00 to 63; empty: of all",
    )

    _codes = field_validator("codes")(codes_of)
    _since = field_validator("since")(moment_of)

    @field_validator("buckets")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        if unknown := sorted(set(value) - set(BUCKETS)):
            raise ValueError(f"{', '.join(unknown)}: buckets are 00 to {BUCKETS[-1]}")
        return value


@profiled_asset(
    profiles.NAV_HISTORY,
    pool=HISTORIES,
    kinds={"python", "akshare", "table"},
    code_version="1",
    check_specs=specs_of("nav_history"),
)
def nav_history(
    context: dg.AssetExecutionContext, config: HistoryConfig, platform: Platform
) -> Renewed:
    """The histories of the funds that the configuration names."""
    choice = HistoryChoice(
        codes=tuple(config.codes),
        since=config.since,
        kind=config.kind.value if config.kind else "",
        buckets=frozenset(config.buckets or BUCKETS),
    )
    return fetch_histories(context, platform, choice)


def fetch_histories(
    context: Context,
    platform: Platform,
    choice: HistoryChoice,
) -> Renewed:
    """Fetch, land and publish the histories of some funds, batch by batch.

    Raises:
        dg.Failure: the source refuses us, or a rule holds a batch.
    """
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
    report = collect_with_retries(
        platform.warehouse,
        platform.source,
        platform.now,
        choice,
        window=RetryWindow(longest_s(context) - REST_S, context.log.warning),
        landed=publish,
        progress=lambda report: log_progress(context, report),
    )
    compare_stated(platform.warehouse, platform.now())
    log_missed(context, report)
    if report.stopped:
        # The same funds asked for again at once would be held off again.
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
