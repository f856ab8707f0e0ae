"""The way of an alert, from the tick of the sensor to the message that a webhook has accepted.

It is played and watched: every function that the tick calls, in any thread, is noted with the
room that it stands in. A room is a folder of the package, such as `observability/alerts` or
`warehouse/stores`; a function of a library is in none. What Dagster does around the tick counts,
too, as far as our code is called by it (the resource that is set up for the sensor).

Not counted, and each of them named below, is what every room stands on and nobody goes through:

- `schemas` and `language`, which declare: tables and assets, and the sentences of both languages;
- the single files in the package's own folder, which are no room: the settings, the calendar of
  trading days, and the resource that puts the platform together.
"""

import sys
import threading
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

import fund_assets
from fund_assets.automation.alert_sensor import alert_sensor
from fund_assets.calendar import to_key
from fund_assets.resources import Platform
from fund_assets_tests.integration.evenings import THURSDAY
from fund_assets_tests.server.robots import RobotServer

PACKAGE = Path(fund_assets.__file__).parent
MOST_ROOMS = 9
#: They only declare what others read.
DECLARING = {"schemas", "language"}
#: Dagster's storage opens its connections through them, whatever the connection is for. They
#: are called in a process in which something has loaded this storage.
CONNECTING = {Path("instance/storage.py"), Path("instance/server_storage.py")}
#: Files in the package's own folder that the way may use.
SINGLE_FILES = {"calendar", "language", "logs", "resources", "safe_text", "settings"}
ROOMS = {
    "automation",  # the sensor
    "observability",  # what Dagster's records say, and the table of conditions
    "observability/alerts",  # what is wrong, what is told, the message
    "observability/alerts/channels",  # the webhook
    "transport",  # which hosts refuse us; the deadline of a request
    "warehouse",  # a transaction
    "warehouse/engine",  # SQLite or MySQL
    "warehouse/queries",  # what the tables say
    "warehouse/stores",  # states of alerts and the outbox
}


@contextmanager
def watched():
    """The files of the package whose functions are called within the block, in any thread."""
    seen: set[str] = set()  # one `add` at a time is safe between threads

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_name != "<module>":
            seen.add(frame.f_code.co_filename)

    before = sys.getprofile()
    files: set[Path] = set()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield files
    finally:
        sys.setprofile(before)
        threading.setprofile(None)
        paths = (Path(name) for name in seen)
        files |= {p.relative_to(PACKAGE) for p in paths if p.is_relative_to(PACKAGE)}


@dg.op
def fails():
    raise RuntimeError("as it was told to")


def tick(platform, instance):
    """One tick of the sensor, as the code server calls it; its words."""
    with dg.build_sensor_context(instance, resources={"platform": platform}) as context:
        return alert_sensor(context).skip_message


@pytest.fixture
def failed(market):
    """A market after an evening, and a job that has failed since."""
    job = dg.GraphDefinition("faulty", node_defs=[fails]).to_job(
        tags={"dagster/max_retries": "0"}
    )
    assert not job.execute_in_process(instance=market.instance, raise_on_error=False).success
    return market


def test_an_alert_goes_through_nine_rooms_at_most(failed):
    """Stops the way from a condition to its message from growing by a room in passing."""
    with RobotServer("webhook") as server:
        settings = failed.settings | {"clock": THURSDAY, "alert_webhook_url": server.url}
        with watched() as files:
            words = tick(Platform(overrides=settings), failed.instance)
        (message,) = server.robot.accepted
    assert "run_failed:faulty" in message["fingerprints"], words
    folders = {path.parent.as_posix() for path in files - CONNECTING}
    rooms = folders - DECLARING - {"."}
    assert rooms == ROOMS, sorted(map(str, files))
    assert len(rooms) <= MOST_ROOMS
    assert {path.stem for path in files if path.parent == Path()} <= SINGLE_FILES


def test_the_watch_sees_other_threads():
    """Stops the count from leaving out whoever sends, in a thread of its own."""
    with watched() as files:
        other = threading.Thread(target=to_key, args=(date(2026, 9, 17),))
        other.start()
        other.join()
    assert files == {Path("calendar.py")}
