"""The lines of a run on the terminal, from real events of small assets."""

import io
import logging
import threading

import dagster as dg
import pytest
from rich.console import Console

from fund_assets.checks.catalog import Check
from fund_assets.checks.results import SHOWN, case_table, check_result
from fund_assets.cli._progress import Progress
from fund_assets.language import speaking

FOUND = Check("found", ("fund_nav",), "nothing is wrong")
#: What a failed check may come with: results of ours, and of older releases or other code.
FORMS = {
    "ours": check_result(FOUND, looked_at=1200, cases=["000001: late; and twice", "000002"]),
    "without looked_at": dg.AssetCheckResult(
        check_name="found", passed=False, severity=dg.AssetCheckSeverity.WARN,
        metadata={"failed": 2, "cases": "000001: late; and twice"},
    ),
    "neither": dg.AssetCheckResult(
        check_name="found", passed=False, metadata={"newest": "2026-09-17"},
    ),
    "bare": dg.AssetCheckResult(check_name="found", passed=False),
}  # fmt: skip
TOLD = {
    "ours": [
        "! fund_nav       found WARN 2 of 1,200",
        "                 000001: late; and twice",
        "                 000002",
    ],
    "without looked_at": [
        "! fund_nav       found WARN 2",
        "                 000001: late; and twice",
    ],
    "neither": ["✗ fund_nav       found ERROR", "                 newest 2026-09-17"],
    "bare": ["✗ fund_nav       found ERROR"],
}


@pytest.fixture(autouse=True)
def english():
    with speaking("en"):
        yield


def lines_of(result):
    """What a run says of a check: `Progress` listens as it does in the command line."""

    @dg.asset(check_specs=[dg.AssetCheckSpec("found", asset="fund_nav")])
    def fund_nav():
        return dg.MaterializeResult(
            metadata={"history_funds_asked": 0, "duration_seconds": 0.1}, check_results=[result]
        )

    written = io.StringIO()
    progress = Progress(Console(file=written, width=200, highlight=False))
    events = logging.getLogger("fund-assets told in a test")
    events.propagate, events.handlers = False, [progress]
    events.setLevel(logging.DEBUG)

    @dg.logger
    def told(_):
        return events

    with dg.DagsterInstance.ephemeral() as instance:
        job = dg.Definitions(
            assets=[fund_nav], jobs=[dg.define_asset_job("one", "*")], loggers={"console": told},
            executor=dg.in_process_executor,
        ).resolve_job_def("one")  # fmt: skip
        run = job.execute_in_process(
            {"loggers": {"console": {}}}, instance=instance, raise_on_error=False
        )
    assert run.success
    return [line for line in written.getvalue().splitlines() if "no wave" not in line]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_failed_check_is_told(form):
    """Stops a run from ending because a check's result has one figure less than another's."""
    assert lines_of(FORMS[form]) == TOLD[form]


def test_a_line_that_cannot_be_told_ends_no_run():
    """Stops the evening from failing for the words about it."""
    written = io.StringIO()
    progress = Progress(Console(file=written, width=200))
    progress.emit(logging.makeLogRecord({"report": object()}))
    assert "! " in written.getvalue() and "a line could not be shown: " in written.getvalue()


def test_a_result_counts_all_and_shows_some():
    """Stops 26,000 cases from filling a run's metadata, and the count from being of the shown."""
    cases = [f"{n:06d}" for n in range(3 * SHOWN)]
    result = check_result(FOUND, looked_at=40, cases=cases)
    assert result.metadata["failed"].value == 30 and not result.passed
    assert result.metadata["cases"] == case_table(cases[:SHOWN])


def test_a_result_without_cases_passes_and_has_the_same_figures():
    """Stops a check that passes from lacking what its readers read."""
    result = check_result(FOUND, looked_at=7, severity=dg.AssetCheckSeverity.ERROR)
    assert result.passed and result.severity is dg.AssetCheckSeverity.ERROR
    assert {name: value.value for name, value in result.metadata.items()} == {
        "looked_at": 7, "failed": 0, "consequence": "warn",
    }  # fmt: skip


def test_threads_speak_as_the_command_does():
    """Stops a line that another thread logs from being in another language."""
    written = io.StringIO()
    progress = Progress(Console(file=written, width=200, highlight=False))
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "", (), None)
    record.report = object()
    thread = threading.Thread(target=progress.emit, args=(record,))
    thread.start()
    thread.join()
    assert "a line could not be shown: " in written.getvalue()
