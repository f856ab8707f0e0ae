"""A few trials of each sort; the command of this package does some hundred, at every point."""

import sys

import pytest

from fund_assets.warehouse import Warehouse
from fund_assets_tests import mariadb
from fund_assets_tests.reliability import backfill
from fund_assets_tests.reliability.__main__ import a_place
from fund_assets_tests.reliability.places import glance
from fund_assets_tests.reliability.script import prepare
from fund_assets_tests.reliability.trials import FILE_LIMITS, LEFT_BYTES, Result, Trials

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="kills and mounts as Linux does"),
]


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def trials(request):
    """Trials of a small evening on an engine; MariaDB on a server of their own."""
    with a_place(request.param) as (place, folder):
        yield Trials(place, prepare(place.first_url, folder, funds=80, years=0.1))


#: At the ends of each transaction: a statement that had left it would be seen there.
ENDS = (
    "land.before_commit", "land.after_commit", "publish.before_commit", "publish.after_commit",
    "desk.before_commit",
)  # fmt: skip


def kept(result: Result) -> None:
    """Every promise was kept, and there was something to keep."""
    assert result.well, result
    assert result.looks > 0, "nobody watched"


def test_kills_of_the_client(trials):
    """Stops a client that dies from leaving half a batch, to readers or to the next run."""
    kept(trials.kills(3))


def test_crash_points(trials):
    """Stops a statement from being moved out of its transaction."""
    result = trials.crashes(ENDS)
    kept(result)
    after_commits = {"land.after_commit", "publish.after_commit"}
    assert result.reached["nothing"] == 1, "land.before_commit"
    assert len(after_commits) <= len(result.reached) - 1


def test_kills_of_the_server(trials):
    """Stops a server that dies from leaving half a batch, or the client without words."""
    if not trials.place.server:
        pytest.skip("SQLite has no server")
    kept(trials.server_kills(2))


def test_six_at_once(trials):
    """Stops a batch from being published twice, or never, when runs meet."""
    kept(trials.same_batches(1))
    kept(trials.other_batches(1))


def test_full_and_read_only_disks(trials):
    """Stops a disk that takes nothing from being told as something else, or costing data."""
    if not trials.place.server:
        kept(trials.file_limits(FILE_LIMITS[::2]))
    if not trials.place.disk:
        pytest.skip("this user may not mount a disk to fill")
    kept(trials.full_disks(LEFT_BYTES[::2]))
    result = trials.read_only()
    assert result.well, result


def test_the_judge_sees_a_partial_state(trials):
    """Stops trials that would call anything well: here a row goes missing on the way."""
    result = Result("a judge's own trial")
    url = trials.place.begin()
    trials._done(url, trials.script.evening)
    warehouse = Warehouse(url)
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(
            "DELETE FROM validated_nav WHERE nav_date = 20260918 AND fund_code = '000001'"
        )
    seen = glance(warehouse)
    warehouse.close()
    trials._after(result, url)
    assert (result.partial, result.diverged, result.lost, result.doubled) == (1, 1, 1, 0)
    assert seen not in trials.sights, "a reader would have seen it"
    assert not result.well


def test_a_server_can_be_had():
    """Stops the trials on MariaDB from being left out in silence where they should run."""
    server = mariadb.Server()
    try:
        assert mariadb.answers(server.url)
    finally:
        server.stop()


def test_kills_of_a_backfill(tmp_path):
    """Stops a backfill that is killed from asking twice, or from ending otherwise."""
    urls = (f"sqlite:///{tmp_path}/undisturbed.db", f"sqlite:///{tmp_path}/killed.db")
    found = backfill.kills(urls, tmp_path, 240, 5, 40)
    assert found.kills == 5 and found.differing == []
    assert found.most_again <= backfill.WORKERS, "only what was in flight"
