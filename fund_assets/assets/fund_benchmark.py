"""The asset `fund_benchmark`: what every fund says it is measured against."""

import time

import dagster as dg
from pydantic import Field, field_validator

from fund_assets.assets._common import Renewed
from fund_assets.assets._histories import EVERY
from fund_assets.assets._profiles import profiled_asset
from fund_assets.benchmarks.parse import PARSER_VERSION
from fund_assets.checks.benchmarks import benchmark_result
from fund_assets.checks.results import case_table, specs_of
from fund_assets.pipeline.fund_benchmark import CodeReport, collect_benchmarks, name_codes
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.schemas.run_config import codes_of
from fund_assets.warehouse.queries import benchmarks as queries
from fund_assets.warehouse.queries.data_versions import data_version


class BenchmarkConfig(dg.Config):
    """Which funds are asked for."""

    codes: list[str] = Field(default=[], description="exactly these funds")
    most: int | None = Field(
        default=None,
        ge=1,
        description="so many of those not seen for a quarter; default: those never seen, "
        "FUND_HISTORY_FUNDS_PER_RUN at the most",
    )

    _codes = field_validator("codes")(codes_of)


@profiled_asset(
    profiles.FUND_BENCHMARK,
    kinds={"python", "akshare", "table"},
    code_version=str(PARSER_VERSION),
    check_specs=specs_of("fund_benchmark"),
)
def fund_benchmark(
    context: dg.AssetExecutionContext, config: BenchmarkConfig, platform: Platform
) -> Renewed:
    """Ask for the funds that are due; one that fails is told of and stops nothing."""
    started = time.monotonic()

    def progress(done: int, asked: int) -> None:
        if done % EVERY == 0 or done == asked:
            context.log.info(f"benchmarks: {done} of {asked} funds")

    report = collect_benchmarks(
        platform.warehouse,
        platform.source,
        platform.now().date(),
        most=config.most or platform.settings.history_funds_per_run,
        never_seen=config.most is None,
        codes=config.codes,
        progress=progress,
    )
    for code, reason in list(report.failures.items())[:20]:
        context.log.warning(f"no benchmark of {code}: {reason}")
    if report.stopped:
        context.log.warning(report.stopped)
    look = report.changed or report.read_again or config.most
    codes = name_codes(platform.warehouse, platform.source) if look else CodeReport()
    for name, reason in codes.failures.items():
        context.log.warning(f"no list of indices by {name}: {reason}")
    states = queries.states(platform.warehouse)
    failures = [*codes.failures.values(), *report.failures.values()]
    problems = [*filter(None, [report.stopped]), *failures][:20]
    return dg.MaterializeResult(
        data_version=dg.DataVersion(data_version(platform.warehouse, "fund_benchmark")),
        metadata={
            "dagster/row_count": sum(states.values()),
            "asked": report.asked,
            "rows_written": report.changed,
            "read_again": report.read_again,
            "failed": len(report.failures),
            "codes_found": codes.named,
            "indices_without_code": len(codes.without),
            **({"without_code": case_table(codes.without[:50])} if codes.without else {}),
            **({"problems": case_table(problems)} if problems else {}),
            **{f"status_{name}": count for name, count in states.items()},
            "duration_seconds": round(time.monotonic() - started, 2),
        },
        check_results=[benchmark_result(states, queries.not_understood(platform.warehouse))],
    )
