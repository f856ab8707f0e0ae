"""The asset `fund_nav`: what was collected, as it was seen."""

import time
from typing import Any

import dagster as dg
import pandas as pd
from pydantic import Field, field_validator

from fund_assets.assets._common import Renewed
from fund_assets.assets._histories import (
    about_histories,
    log_missed,
    log_progress,
)
from fund_assets.assets._metadata import as_date, payload_table
from fund_assets.assets._profiles import profiled_asset
from fund_assets.calendar import to_key
from fund_assets.checks.catalog import PURCHASES_CURRENT
from fund_assets.checks.histories import history_results
from fund_assets.checks.results import check_result, specs_of
from fund_assets.checks.statuses import status_result
from fund_assets.instance.names import WAVES
from fund_assets.instance.retry_wait import NO_RETRY, longest_pause_s
from fund_assets.nav.history import HistoryChoice
from fund_assets.pipeline.fund_nav import WaveReport, collect_wave
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.run_config import codes_of, day_of
from fund_assets.sources.protocol import Payload
from fund_assets.transport.errors import HeldOffError, SourceError
from fund_assets.warehouse.queries.data_versions import data_version


class CollectConfig(dg.Config):
    """What to collect."""

    wave: bool = Field(default=True, description="collect the market's newest two dates")
    history_funds: int | None = Field(
        default=None,
        description="at most this many whole histories of funds that have none yet; "
        "empty: FUND_HISTORY_FUNDS_PER_RUN",
    )
    history_codes: list[str] = Field(
        default=[], description="fetch the histories of exactly these funds"
    )
    missing_on: int | None = Field(
        default=None, description="yyyymmdd: fetch histories of funds that lack this date"
    )

    _codes = field_validator("history_codes")(codes_of)
    _day = field_validator("missing_on")(day_of)

    @field_validator("history_funds")
    @classmethod
    def _count(cls, value: int | None) -> int | None:
        if value is not None and value < 0:
            raise ValueError(f"{value}: a number of funds is 0 or more")
        return value


@profiled_asset(
    profiles.FUND_NAV,
    pool=WAVES,
    kinds={"python", "akshare", "table"},
    code_version="1",
    check_specs=specs_of("fund_nav"),
)
def fund_nav(
    context: dg.AssetExecutionContext, config: CollectConfig, platform: Platform
) -> Renewed:
    """Collect a wave of the market and some histories, and land both."""
    started = time.monotonic()
    warehouse, source = platform.warehouse, platform.source
    metadata: dict[str, Any] = {}
    answers: tuple[Payload, ...] = ()
    statuses: pd.DataFrame | None = None
    lists, failed = 0, ""
    rows = 0
    if config.wave:
        try:
            wave = collect_wave(warehouse, source, platform.now)
        except SourceError as error:
            _end_retries_while_open(context, platform, error)
            raise
        metadata |= _about_wave(wave)
        answers, statuses = wave.wave.payloads, wave.statuses
        lists, failed = 1, wave.purchases_failed
        rows += len(wave.wave.observations)
        context.log.info(
            f"wave {wave.landing.batch_id}: {rows:,} observations"
            + ("" if wave.is_new else ", the same answer as before")
        )
    limit = config.history_funds
    histories = collect_histories(
        warehouse,
        source,
        platform.now,
        HistoryChoice(
            limit=platform.settings.history_funds_per_run if limit is None else limit,
            codes=tuple(config.history_codes),
            missing_on=config.missing_on,
        ),
        pages=False,  # the asset fund_benchmark asks for these
        progress=lambda report: log_progress(context, report),
    )
    rows += histories.rows
    log_missed(context, histories)
    return dg.MaterializeResult(
        data_version=dg.DataVersion(data_version(warehouse, "fund_nav")),
        metadata={
            **metadata,
            **about_histories(histories),
            "dagster/row_count": rows,
            "duration_seconds": round(time.monotonic() - started, 2),
            "collected_on": as_date(to_key(platform.now().date())),
        },
        check_results=[
            *history_results(histories, answers),
            status_result(statuses),
            check_result(PURCHASES_CURRENT, looked_at=lists, cases=[failed] if failed else []),
        ],
    )


def _end_retries_while_open(
    context: dg.AssetExecutionContext, platform: Platform, error: SourceError
) -> None:
    """Leave a source whose circuit breaker stays open past every pause to the next wave.

    Raises:
        dg.Failure: so it is.
    """
    until = platform.source.stopped_until()
    longest = longest_pause_s(platform.settings.retry_pause_s)
    if until and until.timestamp() - time.time() > longest:
        context.instance.add_run_tags(context.run.run_id, NO_RETRY)
        words = f"{type(error).__name__}: {error}"
        if not isinstance(error, HeldOffError):
            words += f". No more requests: {platform.source.stopped_because()}"
        raise dg.Failure(description=words, allow_retries=False) from error


def _about_wave(report: WaveReport) -> dict[str, Any]:
    batch = report.landing.batch.iloc[0]
    seen = report.wave.observations
    pending = seen[OBSERVED_NAMES].isna().all(axis=1) & (seen["defect"] == "")
    newest = seen["nav_date"] == batch["newest_date"]
    return {
        "nav_date": as_date(int(batch["newest_date"])),
        "previous_nav_date": as_date(int(batch["previous_date"])),
        "batch_id": report.landing.batch_id,
        "is_new": report.is_new,
        "rows_read": len(seen),
        "not_yet_published": int(pending.sum()),
        "published_share_newest": round(float((~pending[newest]).mean()), 4)
        if newest.any()
        else 0.0,
        "duplicates": report.wave.duplicates,
        "refused": len(report.landing.refused),
        "payload_bytes": sum(p.size for p in report.wave.payloads),
        "payloads": payload_table(batch["payloads"]),
        "purchases_listed": sum(p.rows for p in report.purchases),
        "purchases_bytes": sum(p.size for p in report.purchases),
        "statuses_written": report.statuses_written,
    }
