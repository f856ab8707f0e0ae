"""The asset `fund_info`: which share classes exist."""

import time

import dagster as dg

from fund_assets.assets._common import Renewed
from fund_assets.assets._profiles import profiled_asset
from fund_assets.calendar import to_key
from fund_assets.checks.catalog import LIST_CURRENT
from fund_assets.checks.results import check_result, result_of, rule_specs, specs_of
from fund_assets.nav.list_rules import RULES
from fund_assets.pipeline import fund_info as fund_info_step
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.warehouse.queries.data_versions import data_version


@profiled_asset(
    profiles.FUND_INFO,
    kinds={"python", "akshare", "table"},
    code_version="1",
    check_specs=[*specs_of("fund_info"), *rule_specs("fund_info")],
)
def fund_info(context: dg.AssetExecutionContext, platform: Platform) -> Renewed:
    """Fetch the list of funds and write what it changes."""
    started = time.monotonic()
    report = fund_info_step.refresh(
        platform.warehouse, platform.source, to_key(platform.now().date())
    )
    kinds = report.funds.loc[report.funds["status"] == "listed", "kind"].value_counts()
    plan = report.plan
    verdicts = {v.rule: v for v in plan.verdicts} if plan else {}
    context.log.info(f"{len(report.funds):,} funds known, {report.written:,} rows changed")
    return dg.MaterializeResult(
        data_version=dg.DataVersion(data_version(platform.warehouse, "fund_info")),
        metadata={
            "dagster/row_count": len(report.funds),
            "listed": int((report.funds["status"] == "listed").sum()),
            "rows_changed": report.written,
            "added": plan.added if plan else 0,
            "gone": plan.gone if plan else 0,
            "renamed": len(plan.renamed) if plan else 0,
            "duration_seconds": round(time.monotonic() - started, 2),
            **{f"listed_{kind}": int(n) for kind, n in kinds.items()},
            **(
                {"renamed_funds": dg.MetadataValue.md(plan.renamed.head(50).to_string())}
                if plan and len(plan.renamed)
                else {}
            ),
        },
        check_results=[
            check_result(
                LIST_CURRENT,
                looked_at=1,
                cases=[report.failure] if report.failure else [],
            ),
            *(result_of(rule, verdicts.get(rule.id)) for rule in RULES),
        ],
    )
