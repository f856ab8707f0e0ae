"""The job `missing_date`: in the UI, what is missing on a date can be asked for from a grid.

A job of assets has no such grid: Dagster draws the partitions of its assets there, which ours
have none of, and starts a run of no partition. So this job is a step of its own, and tells what
it renewed of `nav_history`, with the checks that stand on it.

Does not belong here: fetching (`assets/nav_history.py`), or which dates single funds lack.
"""

from datetime import datetime
from typing import Any

import dagster as dg
from pydantic import Field, field_validator

from fund_assets.assets.nav_history import fetch_histories
from fund_assets.calendar import to_key
from fund_assets.checks.schema import schema_result
from fund_assets.instance.names import HISTORIES, TIMEZONE
from fund_assets.nav.history import HistoryChoice
from fund_assets.resources import Platform
from fund_assets.schemas.run_config import day_of
from fund_assets.schemas.tables import HISTORY_PROGRESS
from fund_assets.warehouse.queries.data_versions import data_version

ASSET = dg.AssetKey("nav_history")
#: Days whose missing NAVs can be asked for.
ASKED_SINCE = "2026-01-01"


class DateConfig(dg.Config):
    """Which date."""

    missing_on: int = Field(description="yyyymmdd: fetch the funds that lack this date")

    _day = field_validator("missing_on")(day_of)


@dg.op(
    pool=HISTORIES,
    description="Ask for the histories of funds that have NAVs before a date but not on it.",
)
def navs_of_date(
    context: dg.OpExecutionContext, config: DateConfig, platform: Platform
) -> None:
    """Fetch, land and publish; tell it as a renewal of `nav_history` and its checks."""
    choice = HistoryChoice(
        limit=platform.settings.history_funds_per_run, missing_on=config.missing_on
    )
    done = fetch_histories(context, platform, choice)
    tags = {"dagster/data_version": data_version(platform.warehouse, "nav_history")}
    context.log_event(dg.AssetMaterialization(ASSET, metadata=done.metadata, tags=tags))
    schema = schema_result(platform, HISTORY_PROGRESS)
    for result, blocking in [*((r, False) for r in done.check_results or ()), (schema, True)]:
        name = result.check_name
        assert name, result
        context.log_event(
            dg.AssetCheckEvaluation(  # type: ignore[arg-type]  # it logs these as well
                asset_key=ASSET,
                check_name=name,
                passed=result.passed,
                metadata=result.metadata,
                severity=result.severity,
                blocking=blocking,
            )
        )
    if not schema.passed:
        raise dg.Failure(description="schema: the newest rows do not meet their declaration")


@dg.daily_partitioned_config(start_date=ASKED_SINCE, timezone=TIMEZONE, end_offset=1)
def _by_date(start: datetime, _end: datetime) -> dict[str, Any]:
    return {"ops": {"navs_of_date": {"config": {"missing_on": to_key(start.date())}}}}


def missing_date_job(tags: dict[str, str]) -> dg.JobDefinition:
    """The job, with the tags that all jobs have."""

    @dg.job(
        name="missing_date",
        config=_by_date,
        tags=tags,
        description="Histories of funds that have NAVs before a date but not on it; a "
        "partition is a date.",
    )
    def job() -> None:
        navs_of_date()

    return job
