"""What a round of histories says of its checks."""

from fund_assets.checks.histories import history_results
from fund_assets.pipeline.nav_history import HistoryReport


def _told(report, name):
    (found,) = [r for r in history_results(report) if r.check_name == name]
    return found


def test_a_new_variable_is_one_case_however_many_funds_have_it():
    """Stops a change of the source from being told 26,000 times, or not at all."""
    first = HistoryReport(done=2, unknown={"Data_new": ["000001", "000002"]})
    later = HistoryReport(done=1, unknown={"Data_new": ["000003"], "Data_other": ["000003"]})
    result = _told(first.with_round(later), "R01_history_variables")
    assert not result.passed and result.metadata["failed"].value == 2
    rows = str(result.metadata)
    assert "Data_new: unknown variable, of fund 000001 and 2 more" in rows
    assert "Data_other: unknown variable, of fund 000003" in rows
    assert _told(HistoryReport(done=2), "R01_history_variables").passed
