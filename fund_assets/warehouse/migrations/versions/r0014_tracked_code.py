"""fund_benchmark.tracked_code: the code of the index that a fund tracks."""

from fund_assets.warehouse.migrations.rebuild import rebuild

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """One column more, and longer codes of parts."""
    rebuild("fund_benchmark")
    rebuild("fund_benchmark_part")
