"""The asset `fund_scores`: where every fund stands in its group by several measures at once."""

import time

import dagster as dg

from fund_assets.assets._common import Renewed
from fund_assets.assets._metadata import as_date, lineage
from fund_assets.assets._profiles import profiled_asset
from fund_assets.metrics.scores import SCORE_VERSION
from fund_assets.pipeline.fund_metrics import version_of_inputs
from fund_assets.pipeline.fund_scores import score
from fund_assets.resources import Platform
from fund_assets.schemas import profiles
from fund_assets.schemas.tables import SCORE_PARTS
from fund_assets.warehouse.queries.data_versions import digest

MADE_FROM = {
    **{
        f"{part}_score": [("fund_metrics", name)]
        for part, name in zip(
            SCORE_PARTS, ("total_return", "sharpe_ratio", "max_drawdown"), strict=False
        )
    },
    "consistency_score": [("validated_nav", "total_return_index")],
    "stars": [("validated_nav", "total_return_index")],
}


@profiled_asset(
    profiles.FUND_SCORES,
    kinds={"python", "numba", "table"},
    code_version=str(SCORE_VERSION),
)
def fund_scores(context: dg.AssetExecutionContext, platform: Platform) -> Renewed:
    """Score every active fund as of the newest metrics."""
    started = time.monotonic()
    settings = platform.settings
    report = score(
        platform.warehouse, settings.score_weights, settings.risk_free_rate, platform.now()
    )
    if report.calc_date is None or report.scores is None:
        raise dg.Failure(
            description="no metrics yet: run `fund-assets run` first",
            allow_retries=False,
        )
    scores = report.scores
    version = digest(
        version_of_inputs(platform.warehouse, settings.risk_free_rate),
        settings.score_weights,
        SCORE_VERSION,
    )
    alike = {
        f"stability_{row.peer_group}": round(float(row.correlation), 4)
        for row in report.stability.itertuples()
        if row.correlation == row.correlation
    }
    return dg.MaterializeResult(
        data_version=dg.DataVersion(version),
        metadata={
            "nav_date": as_date(report.calc_date),
            "dagster/row_count": len(scores),
            "rows_written": report.rows_written,
            "rows_complete": int(scores["composite_score"].notna().sum()),
            "passes_4433": int((scores["passes_4433"] == 1).sum()),
            "with_stars": int(scores["stars"].notna().sum()),
            "weights": str(scores["weights"].iloc[0]) if len(scores) else "",
            "compared_with": as_date(report.compared_with),
            **alike,
            "definition_version": SCORE_VERSION,
            "duration_seconds": round(time.monotonic() - started, 2),
            **lineage(MADE_FROM),
        },
    )
