"""How long a run that is tried again waits: what failed a moment ago would fail again.

Belongs here: the pauses, waiting for them, and when trying again cannot help. Does not belong
here: which runs are tried again (`automation/schedules.py`, `dagster.yaml`).

Dagster makes the next run at once. It waits where it begins, in its first steps; later steps
find that the time has passed. A run whose process died is not held up.
"""

from time import sleep, time

import dagster as dg

#: The second pause is so many times the first.
GROWS = 5.0
#: Tag of a run: as often as it may be tried again.
NO_RETRY = {"dagster/max_retries": "0"}
_NUMBER, _PARENT, _REASON = (
    "dagster/retry_number",
    "dagster/parent_run_id",
    "dagster/failure_reason",
)


def longest_pause_s(pause_s: float) -> float:
    """The pause before the last time that a run is tried again."""
    return pause_s * GROWS


def left_to_wait(instance: dg.DagsterInstance, run: dg.DagsterRun, pause_s: float) -> float:
    """Seconds until a run should begin: after the failure of the run that it repeats.

    Args:
        pause_s: before the first time; the second is `GROWS` times as long.
    """
    number, parent = run.tags.get(_NUMBER, ""), run.tags.get(_PARENT)
    before = instance.get_run_record_by_id(parent) if number.isdigit() and parent else None
    if before is None or before.dagster_run.tags.get(_REASON) != "STEP_FAILURE":
        return 0.0
    pause = pause_s * GROWS ** (int(number) - 1)
    # A time in the future is of a clock that was wrong.
    return min(max((before.end_time or 0.0) + pause - time(), 0.0), pause)


def wait_for_turn(
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    pause_s: float,
    log: dg.DagsterLogManager | None,
) -> None:
    """Wait, if this is a run that is tried again, until its time has come."""
    if left := left_to_wait(instance, run, pause_s):
        if log:
            log.info(f"retry in {left:.0f} s: the cause may be over by then")
        sleep(left)
