"""Log files: their lines, their names, their age, and following them over a change of file."""

import json
import logging
import threading
from datetime import datetime, timedelta
from multiprocessing import get_context

import dagster as dg
import pytest

from fund_assets import logs
from fund_assets.cli.logs import KINDS
from fund_assets.settings import SHANGHAI

TODAY = datetime.now(SHANGHAI)


def record(message, level=logging.INFO, **meta):
    made = logging.LogRecord("fund_assets.x", level, "x.py", 1, message, None, None)
    if meta:
        made.dagster_meta = meta
    return made


def test_a_line_says_who_did_what():
    """Stops a line from which nobody can find the run."""
    line = logs.Lines(as_json=False).format(
        record("x", job_name="daily_pipeline", run_id="0123456789", step_key="fund_nav",
               orig_message="批次 w1：76 rows")
    )  # fmt: skip
    assert line[19:] == " INFO    daily_pipeline 01234567 fund_nav: 批次 w1：76 rows"
    assert datetime.fromisoformat(line[:19])
    assert logs.Lines(as_json=False).format(record("a")).endswith("fund_assets.x: a")
    told = json.loads(
        logs.Lines(as_json=True).format(record("b\nc", logging.ERROR, run_id="r"))
    )
    assert (told["level"], told["message"], told["run"]) == ("ERROR", "b\nc", "r")
    assert told["time"].endswith("+08:00")


def test_an_error_has_its_traceback():
    """Stops a failure that only the Dagster UI explains."""
    try:
        raise ValueError("fund 000001")
    except ValueError:
        made = record("broken", logging.ERROR)
        made.exc_info = __import__("sys").exc_info()
    for as_json in (False, True):
        line = logs.Lines(as_json=as_json).format(made)
        assert "ValueError: fund 000001" in line
        assert "\n" not in line or not as_json, "an object is one line"


def test_nothing_quoted_in_a_line_acts_or_passes_for_another():
    """Stops who is quoted in a log from acting on the terminal it is read in, or from adding
    lines of his own."""
    forged = "no \x1b[2J\u202e\x9b\r\n2026-11-29 20:00:00 INFO    all is well"
    try:
        raise ValueError(forged)
    except ValueError:
        made = record(forged, logging.ERROR)
        made.exc_info = __import__("sys").exc_info()
    for as_json in (False, True):
        line = logs.Lines(as_json=as_json).format(made)
        assert not set("\x1b\u202e\x9b\r") & set(line)
        if as_json:
            line = json.loads(line)["message"]
            assert (
                line
                == "no \ufffd[2J\ufffd\ufffd\ufffd\n2026-11-29 20:00:00 INFO    all is well"
            )
        else:
            assert all(more.startswith("    ") for more in line.split("\n")[1:])


def handler(folder, kind="collector"):
    made = logs.DailyFile(kind, folder)
    made.handle(record("one"))
    return made


def test_a_full_file_goes_on_in_another(tmp_path, monkeypatch):
    """Stops a flood of lines in one file, and a line that is lost or cut at the change."""
    monkeypatch.setattr(logs, "LARGEST_BYTES", 100)
    made = handler(tmp_path)
    for number in range(30):
        made.handle(record(f"line {number:02d}"))
    files = logs.log_files("collector", tmp_path)
    assert len(files) > 11, "the tenth file sorts after the ninth"
    assert [f.name[20:] for f in files[:3]] == [".log", "_1.log", "_2.log"]
    said = [line.split(": ")[1].strip() for line in logs.last_lines("collector", tmp_path, 99)]
    assert said == ["one", *(f"line {n:02d}" for n in range(30))]
    assert [line[-3:] for line in logs.last_lines("collector", tmp_path, 4)] == [
        "26\n", "27\n", "28\n", "29\n",
    ]  # fmt: skip
    assert logs.last_lines("collector", tmp_path, 0) == []


def test_old_files_go(tmp_path, monkeypatch):
    """Stops logs that fill the disk, and one kind from deleting another's."""
    monkeypatch.setenv("FUND_LOG_RETENTION_DAYS", "2")
    for kind in ("collector", "scheduler"):
        for days in (1, 2, 3):
            (tmp_path / f"{kind}-{TODAY - timedelta(days=days):%Y-%m-%d}.log").touch()
    (tmp_path / "collector-notes.log").touch()
    handler(tmp_path)
    kept = [f.name for f in logs.log_files("collector", tmp_path)]
    assert kept == [
        f"collector-{TODAY - timedelta(days=days):%Y-%m-%d}.log" for days in (2, 1, 0)
    ]
    assert len(logs.log_files("scheduler", tmp_path)) == 3
    assert (tmp_path / "collector-notes.log").exists()


def write(folder, name):
    logs.LARGEST_BYTES = 50_000
    made = logs.DailyFile("collector", folder)
    for number in range(200):
        made.handle(record(f"{name} {number} {'x' * 500}"))


@pytest.mark.slow
def test_processes_share_a_file(tmp_path):
    """Stops two runs at once from writing into each other's lines, also at a change of file."""
    processes = get_context("spawn")
    writers = [processes.Process(target=write, args=(tmp_path, name)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    lines = logs.last_lines("collector", tmp_path, 10_000)
    assert sorted(line.split(": ")[1][:-502] for line in lines) == sorted(
        f"{name} {number}" for name in "abc" for number in range(200)
    )
    assert {len(line.split(": ")[1].split()[2]) for line in lines} == {500}


def test_following_goes_on_over_files(tmp_path, monkeypatch):
    """Stops a follower that stays with yesterday's file, or shows half a line."""
    monkeypatch.setattr(logs, "_PAUSE_S", 0.01)
    old = tmp_path / "collector-2026-11-23.log"
    old.write_text("known\n")
    told, seen = [], threading.Event()

    def listen():
        for line in logs.follow("collector", tmp_path):
            told.append(line)
            seen.set()
            if line == "end\n":
                return

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()

    def told_by(text, to, mode="a"):
        seen.clear()
        with to.open(mode) as file:
            file.write(text)

    threading.Event().wait(0.05)
    told_by("half", old)
    threading.Event().wait(0.05)
    assert told == []
    told_by(" whole\n", old)
    assert seen.wait(5) and told == ["half whole\n"]
    told_by("next day\nend\n", tmp_path / "collector-2026-11-24.log", "w")
    listener.join(5)
    assert told == ["half whole\n", "next day\n", "end\n"]


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path, capsys):
    """Stops a full disk from failing the evening because of its log."""
    (tmp_path / "file").touch()
    handler(tmp_path / "file" / "logs")
    assert "Logging error" in capsys.readouterr().err


def test_runs_write_what_became_of_them(tmp_path, monkeypatch):
    """Stops a log of Dagster's housekeeping, or one without the failure and its figures."""
    monkeypatch.setenv("FUND_STATE", str(tmp_path))

    @dg.asset
    def good(context: dg.AssetExecutionContext):
        context.log.debug("whisper")
        context.log.info("says so")
        return dg.MaterializeResult(metadata={"rows_read": 76})

    @dg.asset(deps=[good])
    def bad():
        raise ValueError("no such luck")

    @dg.asset_check(asset=good)
    def wrong():
        return dg.AssetCheckResult(passed=False)

    @dg.asset_check(asset=good)
    def right():
        return dg.AssetCheckResult(passed=True)

    overrides = {
        "python_logs": {
            "dagster_handler_config": {
                "handlers": {"collector": {"class": "fund_assets.logs.CollectorFile"}}
            }
        }
    }
    (tmp_path / "home").mkdir()
    with dg.instance_for_test(temp_dir=str(tmp_path / "home"), overrides=overrides) as instance:
        dg.materialize([good, bad, wrong, right], instance=instance, raise_on_error=False)
    text = "".join(logs.last_lines("collector", logs.log_folder(), 999))
    for there in ("good: says so", "rows_read 76", "'wrong' on 'good' did not pass",
                  "ValueError: no such luck", "Started execution", "INFO", "ERROR"):  # fmt: skip
        assert there in text, there
    for absent in ("whisper", "STEP_INPUT", "'right'", "Loaded", "DEBUG"):
        assert absent not in text, absent


def test_the_command_knows_the_kinds():
    """Stops a log that is written and cannot be shown."""
    assert KINDS == logs.KINDS


def test_the_daemons_lines_are_written_once(tmp_path, monkeypatch, capsys):
    """Stops a scheduler log with every line twice, and warnings of others that vanish."""
    monkeypatch.setenv("FUND_STATE", str(tmp_path))
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs.follow_daemon()
    logs.follow_daemon()
    logging.getLogger("dagster.daemon.SchedulerDaemon").warning("tick %s", 7)
    logging.getLogger("somebody").warning("else")
    logging.getLogger("somebody").info("whispers")
    (line,) = logs.last_lines("scheduler", logs.log_folder(), 9)
    assert line.endswith("WARNING dagster.daemon.SchedulerDaemon: tick 7\n")
    (file,) = logs.log_files("scheduler", logs.log_folder())
    assert file.stat().st_size == len(line)
    assert capsys.readouterr().err == "else\n"
