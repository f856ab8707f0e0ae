"""A failed run whose retry Dagster lost is run again, once: Dagster's own loop on its records.

The code server is away where its location cannot be loaded, as it is for the daemon then.
"""

from contextlib import ExitStack
from time import time

import dagster as dg
import pytest
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import InProcessWorkspaceLoadTarget
from dagster._daemon.auto_run_reexecution.event_log_consumer import EventLogConsumerDaemon

from fund_assets.automation import retry_sensor as module
from fund_assets.automation.retry_sensor import MOST_REPORTS, PAUSE_S, retry_sensor
from fund_assets.instance.retry_wait import NO_RETRY
from fund_assets.instance.storage import write_at_once

PARTS = {
    "run_retries": {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False},
    "run_coordinator": {
        "module": "dagster._core.run_coordinator", "class": "QueuedRunCoordinator",
    },
    "telemetry": {"enabled": False},
}  # fmt: skip


@dg.op
def step():
    pass


@dg.job
def works():
    step()


class Dagster:
    """Dagster's records, and what its daemon knows of the code server."""

    def __init__(self, instance, answering, away):
        self.instance, self.answering, self.away = instance, answering, away

    def consume(self, *, away=False):
        """One round, of a daemon that has just begun, of trying failed runs again."""
        context = self.away if away else self.answering
        list(EventLogConsumerDaemon().run_iteration(context))

    def started(self, tags=None):
        """A run that the daemon launched."""
        location = self.answering.create_request_context().get_code_location("here")
        job = location.get_repository("__repository__").get_full_job("works")
        return self.instance.create_run_for_job(
            works,
            tags=tags,
            status=dg.DagsterRunStatus.STARTED,
            remote_job_origin=job.get_remote_origin(),
        )

    def failed(self, *, away=False, tags=None, reason=None):
        """A run that failed, and whose failure the daemon has looked at."""
        run = self.started(tags)
        because = reason and JobFailureData(error=None, failure_reason=reason)
        self.instance.report_run_failed(run, "its process is gone", because)
        self.consume(away=away)
        given_up = "Failed to retry run" in {
            e.message for e in self.instance.all_logs(run.run_id)
        }
        assert given_up == away
        return run

    def again(self, run):
        """The runs that repeat a run."""
        return [
            found for found in self.instance.get_runs() if found.parent_run_id == run.run_id
        ]

    def look(self, *, later=PAUSE_S + 1.0):
        """What the sensor says so many seconds from now."""
        with (
            pytest.MonkeyPatch.context() as patch,
            dg.build_sensor_context(instance=self.instance) as context,
        ):
            patch.setattr(module, "time", lambda: time() + later)
            return retry_sensor(context).skip_message


@pytest.fixture(scope="module")
def dagster(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dagster")
    (folder / "works.py").write_text(
        "import dagster as dg\nfrom fund_assets_tests.unit.automation.test_retry_sensor import works\n"
        "defs = dg.Definitions(jobs=[works])\n",
        encoding="utf-8",
    )
    write_at_once(folder)

    def knowing(file):
        origin = InProcessCodeLocationOrigin(
            LoadableTargetOrigin(python_file=str(folder / file)), location_name="here"
        )
        return WorkspaceProcessContext(instance, InProcessWorkspaceLoadTarget(origin))

    with ExitStack() as stack:
        instance = stack.enter_context(
            dg.DagsterInstance.local_temp(str(folder), overrides=PARTS)
        )
        answering = stack.enter_context(knowing("works.py"))
        with pytest.warns(UserWarning, match="Error loading repository location here"):
            away = stack.enter_context(knowing("nowhere.py"))
        found = Dagster(instance, answering, away)
        found.consume()  # the daemon's first look remembers where the events end
        yield found


def test_a_run_that_failed_while_the_code_server_was_away_is_run_again_once(dagster):
    """Stops a run from staying failed because Dagster asked for its retry once, at the moment
    at which nobody answered, and from being run twice when that is asked for again."""
    run = dagster.failed(away=True)
    dagster.consume()
    assert dagster.again(run) == [], "Dagster asks by itself: the sensor is superfluous"
    assert dagster.look() == f"retries requested again: {run.run_id}"
    dagster.consume()
    (again,) = dagster.again(run)
    assert again.status is dg.DagsterRunStatus.QUEUED
    assert again.tags["dagster/retry_number"] == "1"
    assert dagster.look(later=3600.0) == "no lost retry"
    dagster.instance.report_run_failed(run, "reported a third time")
    dagster.consume()
    assert [found.run_id for found in dagster.again(run)] == [again.run_id]


def test_a_failure_that_is_read_before_it_is_recorded_is_run_again_once(dagster, monkeypatch):
    """Stops a retry from being lost to the moment between Dagster's two writes of a failure:
    first the event, and then the status of the run."""
    run = dagster.started()
    handle = dagster.instance.run_storage.handle_run_event

    def read_by_the_daemon(*given):
        dagster.consume()
        handle(*given)

    with monkeypatch.context() as patch:
        patch.setattr(dagster.instance.run_storage, "handle_run_event", read_by_the_daemon)
        dagster.instance.report_run_failed(run, "its process is gone")
    dagster.consume()
    assert dagster.again(run) == [], "Dagster asks by itself: the sensor is superfluous"
    assert dagster.look() == f"retries requested again: {run.run_id}"
    dagster.consume()
    assert len(dagster.again(run)) == 1


def test_the_daemon_has_its_time_first(dagster):
    """Stops a failure that the daemon is about to see from being reported anew."""
    run = dagster.started()
    dagster.instance.report_run_failed(run, "its process is gone")
    assert dagster.look(later=PAUSE_S - 5.0) == "no lost retry"
    dagster.consume()
    assert len(dagster.again(run)) == 1


def test_a_retry_that_cannot_be_had_is_asked_for_so_often(dagster):
    """Stops a run whose job is gone from being reported every minute of a day."""
    run = dagster.failed(away=True)
    looks = [dagster.look(later=after * (PAUSE_S + 1.0)) for after in range(12)]
    asked = [after for after, said in enumerate(looks) if run.run_id in said]
    assert asked == [1, 2, 3, 4]
    reported = dagster.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert len(reported) == MOST_REPORTS


@pytest.mark.parametrize(
    ("tags", "reason"),
    [(NO_RETRY, None), ({}, RunFailureReason.STEP_FAILURE)],
    ids=["by a command", "by a step, without a schedule's tags"],
)
def test_what_dagster_would_not_try_again_stays_failed(dagster, tags, reason):
    """Stops a run that a person started, or whose step failed, from being run behind their
    back."""
    dagster.failed(tags=tags, reason=reason)
    assert dagster.look() == "no lost retry"


def test_a_run_that_a_person_ran_again_stays_failed(dagster):
    """Stops a run from being repeated that somebody has repeated, or whose retry was made and
    then deleted."""
    run = dagster.failed(away=True)
    of = {"dagster/parent_run_id": run.run_id, "dagster/root_run_id": run.run_id}
    dagster.instance.report_run_canceled(dagster.started(of))
    deleted = dagster.failed()
    dagster.instance.delete_run(dagster.again(deleted)[0].run_id)
    assert dagster.look() == "no lost retry"


def test_a_failure_of_the_day_before_is_left_to_the_other_sensors(dagster):
    """Stops a code server that was away for a week from running all evenings of that week."""
    run = dagster.failed(away=True)
    assert dagster.look(later=25 * 3600.0) == "no lost retry"
    assert run.run_id in dagster.look(later=23 * 3600.0)
