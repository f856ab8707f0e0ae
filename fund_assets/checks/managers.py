"""What the pages of managers say of the check `terms_follow`."""

import dagster as dg

from fund_assets.checks.catalog import TERMS_FOLLOW
from fund_assets.checks.results import check_result
from fund_assets.pipeline.fund_manager_term import ManagerReport


def terms_result(report: ManagerReport) -> dg.AssetCheckResult:
    """No term begins before the one before it has ended."""
    return check_result(TERMS_FOLLOW, looked_at=report.asked, cases=report.overlaps)
