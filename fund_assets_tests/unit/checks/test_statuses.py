"""The check `status_cells_known`."""

import pandas as pd

from fund_assets.checks.statuses import status_result
from fund_assets.sources.protocol import STATUS_COLUMNS
from fund_assets_tests.unit.checks.test_results import shown


def test_unknown_words_fail_the_check_without_an_alarm_for_each_fund():
    """Stops a new word from passing, and a source without statuses from failing."""
    rows = [(f"{n:06}", "额度用尽", "开放赎回", 0.0015, 0.015, "") for n in range(3)]
    result = status_result(pd.DataFrame(rows, columns=STATUS_COLUMNS))
    assert not result.passed
    assert shown(result)["failed"] == 1 and shown(result)["looked_at"] == 3
    assert shown(result)["cases"] == [
        {"case": "the purchase status '额度用尽' is not known: 3 funds"}
    ]
    assert status_result(None).passed
