"""The asset `fund_manager_term`: who has managed every fund since when."""

import time

import dagster as dg
from pydantic import Field, field_validator

from fund_assets.assets._common import Renewed
from fund_assets.assets._histories import EVERY
from fund_assets.assets._profiles import profiled_asset
from fund_assets.checks.managers import terms_result
from fund_assets.checks.results import case_table, specs_of
from fund_assets.pipeline.fund_manager_term import MOST_A_WEEK, collect_terms
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.schemas.run_config import codes_of
from fund_assets.warehouse.queries.data_versions import data_version


class ManagerConfig(dg.Config):
    """Which funds are asked for."""

    codes: list[str] = Field(default=[], description="exactly these funds")
    most: int = Field(
        default=MOST_A_WEEK, ge=1, description="so many of those whose page is owed"
    )

    _codes = field_validator("codes")(codes_of)


@profiled_asset(
    profiles.FUND_MANAGER_TERM,
    kinds={"python", "table"},
    code_version="1",
    check_specs=specs_of("fund_manager_term"),
)
def fund_manager_term(
    context: dg.AssetExecutionContext, config: ManagerConfig, platform: Platform
) -> Renewed:
    """Ask for the pages that are owed; one that fails is told of and stops nothing."""
    started = time.monotonic()

    def progress(done: int, asked: int) -> None:
        if done % EVERY == 0 or done == asked:
            context.log.info(f"managers: {done} of {asked} funds")

    report = collect_terms(
        platform.warehouse,
        platform.source,
        platform.now(),
        most=config.most,
        codes=config.codes,
        progress=progress,
    )
    for code, reason in list(report.failures.items())[:20]:
        context.log.warning(f"no managers of {code}: {reason}")
    if report.stopped:
        context.log.warning(report.stopped)
    problems = [*filter(None, [report.stopped]), *report.failures.values()][:20]
    rows = platform.warehouse.count(
        "SELECT COUNT(*) FROM fund_manager_term WHERE superseded_at IS NULL"
    )
    return dg.MaterializeResult(
        data_version=dg.DataVersion(data_version(platform.warehouse, "fund_manager_term")),
        metadata={
            "dagster/row_count": rows,
            "asked": report.asked,
            "rows_written": report.changed,
            "failed": len(report.failures),
            **({"problems": case_table(problems)} if problems else {}),
            "duration_seconds": round(time.monotonic() - started, 2),
        },
        check_results=[terms_result(report)],
    )
