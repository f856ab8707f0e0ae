"""The command line on a small simulated market: what it writes, says and exits with."""

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from fund_assets.calendar import TradingCalendar, exchange_sessions
from fund_assets.cli import main
from fund_assets.schemas.profiles import every_evening
from fund_assets.settings import load_settings
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets.sources.simulated.timeline import NEVER
from fund_assets.transport.errors import TransportError
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.http_answer import Answer
from fund_assets.warehouse import Warehouse
from fund_assets_tests import stores
from fund_assets_tests.unit.sources.eastmoney.test_trading_days import encode, sessions_of

NOTICES = Path(__file__).resolve().parents[1] / "notices"
ASSETS = every_evening()
MARKET = {"FUND_SIM_FUNDS": "40", "FUND_SIM_YEARS": "1"}
EVENING_BEFORE, EVENING = "2026-09-17T21:40", "2026-09-18T21:40"


class Command:
    """The command line on one state folder."""

    def __init__(self, state, monkeypatch):
        self.state = state
        self.environment = {**MARKET, **stores.environment(state), "FUND_CLOCK": EVENING}
        self.monkeypatch = monkeypatch

    def __call__(self, *arguments, **settings):
        for name, value in {**self.environment, **settings}.items():
            self.monkeypatch.setenv(name, value)
        self.monkeypatch.delenv("DAGSTER_HOME", raising=False)
        result = CliRunner().invoke(main, list(arguments))
        assert result.exception is None or isinstance(result.exception, SystemExit), (
            result.exc_info
        )
        assert "Traceback" not in result.output
        return result

    @property
    def database(self):
        return self.state / "simulated" / "warehouse.db"

    def sql(self, query, *parameters):
        return stores.query(self.state, query, *parameters)


@pytest.fixture(scope="module")
def evenings(tmp_path_factory):
    """A state after the runs of two evenings, and their results."""
    state = tmp_path_factory.mktemp("evenings") / "state"
    with pytest.MonkeyPatch.context() as patch:
        stores.forget_settings(patch)
        command = Command(state, patch)
        first = command("run", FUND_CLOCK=EVENING_BEFORE)
        second = command("run")
    return state, first, second


@pytest.fixture
def command(evenings, monkeypatch):
    """For commands that change nothing."""
    return Command(evenings[0], monkeypatch)


@pytest.fixture
def own(evenings, tmp_path, monkeypatch):
    """For commands that change something: on a copy of the state."""
    stores.copy(evenings[0], tmp_path / "own")
    return Command(tmp_path / "own", monkeypatch)


def test_run_tells_what_it_did(evenings, command):
    """Stops figures on the terminal that are not those of the tables."""
    _, first, second = evenings
    assert (first.exit_code, second.exit_code) == (0, 0)
    listed = command.sql("SELECT COUNT(*) FROM fund_info WHERE status = 'listed'")[0][0]
    assert f"✓ fund_info      {listed} funds listed: {listed} added" in first.output
    log = command.sql(
        "SELECT SUM(rows_new), SUM(rows_changed), SUM(rows_filled), SUM(rows_unchanged), "
        "SUM(rows_quarantined), SUM(rows_pending) FROM publish_log JOIN collection_batch USING (batch_id) "
        "WHERE published_at = 20260917214000 AND kind <> 'events'"
    )
    new, changed, filled, unchanged, quarantined, pending = log[0]
    # Nothing was accepted before: whatever the histories add to the wave corrects nothing.
    assert new > 5_000 and filled > 0 and changed == 0
    assert (
        f"✓ validated_nav  {new:,} new, 0 corrected, {filled:,} filled in, "
        f"{unchanged:,} unchanged, {quarantined:,} quarantined, {pending:,} pending; "
    ) in first.output
    rows = command.sql("SELECT COUNT(*) FROM fund_metrics WHERE calc_date = 20260918")[0][0]
    assert f"as of 2026-09-18: {rows:,} rows, {rows:,} written" in second.output


@pytest.mark.slow
def test_a_real_process_prints_our_lines_alone(own):
    """Stops Dagster's lines, tracebacks and warnings from reaching the terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "fund_assets", "run"],
        env={**os.environ, **own.environment},
        cwd=own.state,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("daily_pipeline: simulated market of 40 funds")
    assert [line[:16].rstrip() for line in lines if line.startswith("✓")] == [
        "✓ fund_info", "✓ fund_benchmark", "✓ fund_events", "✓ fund_nav", "✓ benchmark_inde",
        "✓ validated_nav", "✓ fund_metrics", "✓ run",
    ]  # fmt: skip
    assert {line[0] for line in lines[1:]} <= set("✓!  ")


@pytest.mark.slow
def test_running_again_changes_nothing(own):
    """Stops a rerun from writing, and from telling that it did."""
    tables = ("validated_nav", "fund_metrics", "publish_log", "nav_revision")
    before = [own.sql(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables]
    result = own("run")
    assert result.exit_code == 0
    assert "the same as before" in result.output
    assert "no batch was waiting" in result.output
    assert " rows, 0 written" in result.output
    assert [own.sql(f"SELECT * FROM {table} ORDER BY 1, 2, 3") for table in tables] == before


def test_the_run_is_dagsters_own(own):
    """Stops a run that the Dagster UI does not show, or shows as another version of the job,
    and one that the daemon starts again although a person started it."""
    import dagster as dg

    from fund_assets.definitions import defs
    from fund_assets.instance.storage import project_instance

    assert own("metrics").exit_code == 0
    with project_instance() as instance:
        # What the pages of a job and the timeline ask for.
        shown = {".dagster/repository": "__repository__@fund_assets.definitions"}
        (run,) = instance.get_runs(dg.RunsFilter(job_name="daily_metrics", tags=shown))
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert run.tags["fund/job"] == "daily_metrics"
    assert run.tags["dagster/code_location"] == "fund_assets.definitions"
    assert run.tags["dagster/max_retries"] == "0"
    expected = defs.resolve_job_def("daily_metrics").get_job_snapshot_id()
    assert run.job_snapshot_id == expected


def test_a_blocked_batch_fails_and_says_why(own):
    """Stops exit code 0, a traceback or a published row when a blocking rule fails."""
    before = own.sql("SELECT * FROM validated_nav ORDER BY 1, 2")
    result = own("run", FUND_CLOCK="2026-09-10T21:40")
    assert result.exit_code == 1
    assert "✗ fund_nav       R05_header_dates ERROR 1 of 1" in result.output
    assert "header dates 20260910 and 20260909" in result.output
    assert (
        "blocked by fund_nav: R05_header_dates; the waiting data was not merged"
        in result.output
    )
    assert own.sql("SELECT * FROM validated_nav ORDER BY 1, 2") == before
    status = own("dashboard", "--json")
    facts = json.loads(status.output)
    assert (status.exit_code, facts["healthy"]) == (1, False)
    assert any("R05_header_dates" in problem for problem in facts["problems"])
    newest = facts["updates"][0]["run_id"]
    states = {u["asset"]: u["status"] for u in facts["updates"] if u["run_id"] == newest}
    assert (states["fund_nav"], states["fund_info"]) == ("failed", "succeeded")


@pytest.mark.slow
def test_a_source_that_is_down(tmp_path, monkeypatch):
    """Stops a traceback or exit code 0 when the market cannot be reached."""
    command = Command(tmp_path / "live", monkeypatch)
    nowhere = {"https_proxy": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    result = command("run", FUND_SOURCE="akshare", FUND_REQUEST_ATTEMPTS="1", **nowhere)
    assert result.exit_code == 1
    assert "fund_list from fund.eastmoney.com" in result.output
    assert "✗ run" in result.output
    told = command("dashboard", "--json", FUND_SOURCE="akshare")
    assert told.exit_code == 1
    problems = json.loads(told.output)["problems"]
    assert [p for p in problems if "daily_pipeline" in p], problems


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"FUND_SOURCE": "sina"}, "FUND_SOURCE='sina'"),
        ({"FUND_SIM_FUNS": "40"}, "did you mean FUND_SIM_FUNDS"),
        ({"FUND_WAREHOUSE_URL": "oracle://x/y"}, "SQLite, MySQL or MariaDB"),
    ],
)
@pytest.mark.parametrize("name", ["run", "dashboard", "nav 000001", "calendar show"])
def test_wrong_settings(command, settings, words, name):
    """Stops a wrong setting from ending in a traceback or in another exit code than 2."""
    result = command(*name.split(), **settings)
    assert result.exit_code == 2
    assert words in result.output


def test_another_markets_warehouse(command):
    """Stops real NAVs from landing in a simulated warehouse."""
    url = stores.url_for(command.state) or f"sqlite:///{command.database}"
    result = command("run", FUND_SOURCE="akshare", FUND_WAREHOUSE_URL=url)
    assert result.exit_code == 2
    assert "stores the simulated market" in result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["collect", "--code", "00001"],
        ["collect", "--code", "000001", "--history", "3"],
        ["collect", "--no-wave", "--history", "0"],
        ["nav", "000001", "--as-of", "yesterday"],
        ["calendar", "set", "2026-10-10", "open", "--note", "a make-up Saturday"],
        ["calendar", "set", "2027-02-01", "open", "--note", "days before it are not known"],
        ["calendar", "refresh"],
    ],
)
def test_wrong_use(command, arguments):
    """Stops a slip of the keys from starting something."""
    assert command(*arguments).exit_code == 2
    assert command.sql("SELECT COUNT(*) FROM calendar_override") == [(0,)]


UNKNOWN = "known funds: 999999"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("collect --code 99999", "six digits, such as 000001"),
        ("collect --codes-from x.csv --list-date 2025-01-02", "x.csv"),
        ("collect --list-date 2025-01-02", "--codes-from and --list-date belong together"),
        ("backfill --codes 999999", UNKNOWN),
        ("backfill --since 2031-01-01", "is in the future"),
        ("collect --missing 2031-01-01", "is in the future"),
        ("nav 000001,000002", "fund-assets compare 000001 000002"),
        ("export nav --format csv --out x.parquet", "contradicts --out x.parquet"),
        ("export nav --out x.txt", "does not end in .parquet"),
        ("export nav --since 2026-02-01 --until 2026-01-01", "the start is after the end"),
    ],
)
def test_a_typo_starts_nothing(command, tmp_path, monkeypatch, arguments, words):
    """Stops a typing error from turning an asset red and ringing an alert, or from making a file
    that is not what its name says."""
    import dagster as dg

    from fund_assets.instance.storage import project_instance

    monkeypatch.chdir(tmp_path)
    result = command(*arguments.split())
    assert result.exit_code == 2
    assert words in " ".join(result.output.split())
    with project_instance() as instance:
        newest = instance.get_runs(dg.RunsFilter(), limit=50)
    assert {run.job_name for run in newest} == {"daily_pipeline"}
    assert list(tmp_path.glob("x.*")) == []


def test_collect_named_histories(own):
    """Stops a named history that could not be had from ending in exit code 0."""
    ((feeless,),) = own.sql("SELECT fund_code FROM fund_info WHERE name LIKE '%(后端)' LIMIT 1")
    result = own("collect", "--no-wave", "--code", "000001", "--code", feeless)
    assert result.exit_code == 1
    assert "no wave; histories of 2 funds:" in result.output
    assert "1 fund without" in result.output
    assert f"no history of {feeless}" in result.output
    assert "✓ run" in result.output


@pytest.mark.slow
def test_collect_a_list_of_a_past_date(own, tmp_path):
    """Stops codes that are in no list from being refused, and a given list from being lost."""
    codes = {code for (code,) in own.sql("SELECT fund_code FROM fund_info")}
    market = SimulatedSource.from_settings(load_settings(), TradingCalendar.build()).market
    gone = [code for at, code in enumerate(market.universe.code) if code not in codes
            and market.universe.last_nav[market.universe.portfolio[at]] < NEVER
            and not market.universe.back_end[at]]  # fmt: skip
    file = tmp_path / "list.csv"
    file.write_text("基金代码,基金简称,基金类型\n000001,甲,混合型-偏股\n"
                    f"{gone[0]},乙成长混合A,混合型-偏股\n999999,丙,\n", encoding="utf-8-sig")  # fmt: skip
    result = own("collect", "--no-wave", "--codes-from", str(file), "--list-date", "2025-01-02")
    assert "list of 2025-01-02: 3 codes stored, 2 of them are in no list" in result.output
    assert "histories of 2 funds" in result.output and "no history of 999999" in result.output
    assert own.sql("SELECT list_date, fund_code, name FROM past_list ORDER BY fund_code") == [
        (20250102, "000001", "甲"), (20250102, gone[0], "乙成长混合A"), (20250102, "999999", "丙")
    ]  # fmt: skip
    again = own("collect", "--no-wave", "--code", gone[0])
    assert again.exit_code == 0, again.output
    by_hand = own("collect", "--no-wave", "--code", "999998")
    assert by_hand.exit_code == 1 and "1 of the codes are in no list" in by_hand.output


def test_status_counts(command):
    """Stops the dashboard from telling other figures than the tables and runs."""
    result = command("dashboard", "--json")
    facts = json.loads(result.output)
    assert (result.exit_code, facts["healthy"], facts["problems"]) == (0, True, [])
    assert [(f["table"], f["newest"], f["due"]) for f in facts["freshness"]] == [
        (table, "2026-09-18", "2026-09-17") for table in ASSETS
    ]
    assert {(f["hours_late"], f["due_since"]) for f in facts["freshness"]} == {
        (0.0, "2026-09-17T23:30:00+08:00")
    }
    published = command.sql(
        "SELECT i.kind, COUNT(*) FROM validated_nav JOIN fund_info AS i USING (fund_code) "
        "WHERE nav_date = 20260918 AND status = 'listed' GROUP BY i.kind"
    )
    shown = {c["kind"]: c["published"] for c in facts["coverage"] if c["published"]}
    assert shown == dict(published)
    assert sum(shown.values()) > 20
    log = command.sql("SELECT batch_id, rows_read, rows_new, rows_pending FROM publish_log")
    assert {
        (b["batch_id"], b["rows_read"], b["rows_new"], b["rows_pending"])
        for b in facts["batches"]
    } == set(log)
    assert facts["rows_written"] == sum(
        n
        for (n,) in command.sql(
            "SELECT rows_new + rows_changed + rows_filled FROM publish_log "
            "JOIN collection_batch USING (batch_id) WHERE kind <> 'events'"
        )
    )
    jobs = {job["job"]: job for job in facts["jobs"]}
    assert (jobs["daily_pipeline"]["runs"], jobs["daily_pipeline"]["success_rate"]) == (2, 1.0)
    assert (facts["runs_ended"], facts["success_rate"]) == (2, 1.0)
    assert sorted(u["asset"] for u in facts["updates"]) == sorted(2 * ASSETS)
    done = {s["asset"]: s for s in facts["assets"]}
    assert list(done) == list(ASSETS)
    assert {(s["updates"], s["success_rate"]) for s in done.values()} == {(2, 1.0)}
    waves = command.sql("SELECT SUM(rows_read) FROM collection_batch WHERE kind = 'wave'")
    assert done["fund_nav"]["rows"] == waves[0][0]
    newest = facts["sessions"][-1]
    assert newest["nav_date"] == "2026-09-18"
    assert (newest["rows"],) == command.sql(
        "SELECT COUNT(*) FROM validated_nav WHERE nav_date = 20260918"
    )[0]
    assert facts["missing"] == []
    corrected = command.sql("SELECT COUNT(*) FROM nav_revision WHERE kind = 'correction'")[0][0]
    held = command.sql("SELECT COUNT(*) FROM nav_quarantine WHERE state = 'held'")[0][0]
    assert facts["revisions"] == corrected
    assert sum(n for _, n in facts["quarantine"]) == held


def test_status_of_old_data(command):
    """Stops missed sessions from looking healthy, and a holiday from looking like one."""
    late = command("dashboard", "--json", FUND_CLOCK="2026-09-22T23:40")
    facts = json.loads(late.output)
    assert late.exit_code == 1
    assert {f["sessions_behind"] for f in facts["freshness"]} == {2}
    assert {f["hours_late"] for f in facts["freshness"]} == {24.2}  # since Monday 23:30
    told = ", ".join(ASSETS)
    assert facts["problems"] == [
        f"{told} 2 sessions behind (24 hours late): newest 2026-09-18, due 2026-09-22"
    ]
    assert command("dashboard", FUND_CLOCK="2026-09-20T23:40").exit_code == 0  # a Sunday


def test_a_hole_in_the_history_is_told(own):
    """Stops a session that was never published from hiding behind newer ones."""
    warehouse = Warehouse(stores.url_for(own.state) or f"sqlite:///{own.database}")
    with warehouse.transaction(writes=True) as connection:
        for change in (
            "UPDATE collection_batch SET newest_date = 20260914 "
            "WHERE kind = 'wave' AND newest_date = 20260917",
            "DELETE FROM validated_nav WHERE nav_date = 20260916",
            "DELETE FROM date_count WHERE nav_date = 20260916",
        ):
            connection.exec_driver_sql(change)
    warehouse.close()
    result = own("dashboard", "--json")
    facts = json.loads(result.output)
    assert (result.exit_code, facts["missing"]) == (1, ["2026-09-16"])
    assert [p.partition(";")[0] for p in facts["problems"]] == [
        "no NAVs of 1 sessions: 2026-09-16"
    ]


@pytest.mark.slow
def test_a_session_that_somebody_deleted_is_told_and_comes_back(own):
    """Stops a whole session from vanishing while health is well and `gaps` finds nothing."""
    (had,) = own.sql("SELECT COUNT(*) FROM validated_nav WHERE nav_date = 20260909")[0]
    assert own("gaps").exit_code == 0 and "no date has fewer" in own("doctor").output
    warehouse = Warehouse(stores.url_for(own.state) or f"sqlite:///{own.database}")
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql("DELETE FROM validated_nav WHERE nav_date = 20260909")
    warehouse.close()
    repair = f"collect --no-wave --missing 2026-09-09 --history {had}"
    facts = json.loads(own("dashboard", "--json").output)
    assert facts["problems"] == [
        f"2026-09-09 lost NAVs: {had} rows before, 0 now; to restore them, run fund-assets {repair}, then "
        "fund-assets validate"
    ]
    gaps, doctor = own("gaps"), own("doctor")
    assert gaps.exit_code == 1
    words = " ".join(gaps.output.split())
    assert f"2026-09-09 has lost accepted NAVs: {had} before, 0 now; `fund-assets" in words
    assert f"2026-09-09 had {had} accepted NAVs and now has 0" in " ".join(
        doctor.output.split()
    )
    own("watch", "--once")
    assert "rows_lost:validated_nav" in own("alert", "list").output
    assert own(*repair.split(), FUND_CLOCK="2026-09-19T10:00").exit_code == 0
    assert own("validate", FUND_CLOCK="2026-09-19T10:01").exit_code == 0
    assert own.sql("SELECT COUNT(*) FROM validated_nav WHERE nav_date = 20260909") == [(had,)]
    assert json.loads(own("dashboard", "--json").output)["problems"] == []
    assert own("gaps").exit_code == 0


@pytest.mark.slow
def test_watching_goes_on_until_it_is_told_to_end(evenings, command):
    """Stops a watch that looks once, or ends with a traceback or another exit code."""
    command("dashboard")  # sets the environment
    with subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", "fund_assets", "dashboard",
         "--watch", "1"],
        env={**os.environ, **command.environment}, cwd=command.state,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        heads = 0
        for line in process.stdout:
            heads += "Fund Assets" in line
            if heads == 2:
                process.send_signal(signal.SIGINT)
                break
        process.stdout.read()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0
    assert command("dashboard", "--json", "--watch").exit_code == 2


def test_dashboard_is_aligned(command, monkeypatch):
    """Stops a frame broken by the width of Chinese texts."""
    for columns, language in (("80", "zh"), ("120", "zh"), ("120", "en")):
        monkeypatch.setenv("COLUMNS", columns)
        result = command("dashboard", FUND_LANG=language)
        widths = {cell_len(line) for line in result.output.splitlines()}
        assert widths == {int(columns)}
    assert "✓ All is well" in result.output


def test_without_a_warehouse(tmp_path, monkeypatch):
    """Stops commands that only look from making a warehouse, or from a traceback without."""
    command = Command(tmp_path / "new", monkeypatch)
    result = command("dashboard")
    assert result.exit_code == 1
    # The page may break the sentence anywhere.
    said = " ".join(re.sub("[│─╭╮╰╯]", " ", result.output).split())
    assert "no warehouse exists yet" in said
    assert "run `fund-assets run` first" in said
    facts = json.loads(command("dashboard", "--json").output)
    assert (facts["exists"], facts["healthy"]) == (False, False)
    assert command("nav", "000001").exit_code == 2
    assert command("calendar", "show").exit_code == 0
    assert not stores.exists(command.state)
    assert "Created: " in command("init").output
    assert "Already exists: " in command("init").output
    assert stores.exists(command.state)


def read_csv(result):
    return list(csv.DictReader(io.StringIO(result.output)))


def test_nav(command):
    """Stops a table or CSV that differs from what is stored, to the last digit."""
    stored = command.sql(
        "SELECT nav_date, unit_nav, total_return_index FROM validated_nav "
        "WHERE fund_code = '000003' ORDER BY nav_date"
    )
    found = read_csv(command("nav", "000003", "--csv"))
    assert [
        (int(r["nav_date"]), float(r["unit_nav"]), float(r["total_return_index"]))
        for r in found
    ] == stored
    table = command("nav", "000003", "--limit", "3").output
    assert [line.split()[1] for line in table.splitlines()[2:]] == [
        f"{unit:.4f}" for _, unit, _ in stored[-3:]
    ]
    since = read_csv(command("nav", "000003", "--csv", "--since", "2026-09-15"))
    assert [r["nav_date"] for r in since] == ["20260915", "20260916", "20260917", "20260918"]


def test_nav_as_of(command):
    """Stops an answer about the past that knows what came later."""
    code, unit_before, unit_now = command.sql(
        "SELECT fund_code, a.unit_nav, b.unit_nav FROM validated_nav AS a "
        "JOIN validated_nav AS b USING (fund_code) WHERE a.nav_date = 20260917 "
        "AND a.first_seen_at = 20260917214000 AND b.nav_date = 20260918 "
        "AND a.unit_nav > 0 AND b.unit_nav > 0 "
        "AND fund_code NOT IN (SELECT fund_code FROM nav_revision WHERE kind <> 'filling') "
        "ORDER BY fund_code"
    )[0]
    before = read_csv(command("nav", code, "--csv", "--as-of", "2026-09-17"))
    at = read_csv(command("nav", code, "--csv", "--as-of", "2026-09-18 21:40"))
    now = read_csv(command("nav", code, "--csv"))
    assert (before[-1]["nav_date"], float(before[-1]["unit_nav"])) == ("20260917", unit_before)
    assert (now[-1]["nav_date"], float(now[-1]["unit_nav"])) == ("20260918", unit_now)
    assert "total_return_index" not in before[-1]
    assert [r["unit_nav"] for r in at] == [r["unit_nav"] for r in now]
    assert [r["unit_nav"] for r in before] == [r["unit_nav"] for r in now[:-1]]
    nothing = command("nav", code, "--as-of", "2026-09-17 21:39")
    assert "no NAVs were known as of 2026-09-17 21:39" in nothing.output
    assert "this warehouse stored its first one at 2026-09-17 21:40" in nothing.output


def test_nav_of_a_money_fund(command):
    """Stops a money-market fund from being shown by a NAV that never moves."""
    code = command.sql("SELECT fund_code FROM fund_info WHERE kind = 'money'")[0][0]
    output = command("nav", code).output
    assert "per 10k" in output and "7-day %" in output
    shown = command("nav", code, FUND_LANG="zh").output
    assert "万份收益" in shown and "7日年化%" in shown


def test_nav_finds_funds(command):
    """Stops an unknown code from ending without a hint."""
    name, pinyin = command.sql("SELECT name, pinyin FROM fund_info WHERE fund_code = '000003'")[
        0
    ]
    assert f"000003 {name}" in command("nav", name).output
    assert "000003" in command("nav", pinyin[:4].lower()).output
    unknown = command("nav", "000013x")
    assert unknown.exit_code == 2
    assert "unknown fund '000013x'" in unknown.output
    assert "near it are 000013 " in unknown.output
    assert command("nav", name[:2], "--csv").exit_code == 2


def test_doctor(own):
    """Stops a doctor that finds all well when the settings are wrong."""
    well = own("doctor", "--deep", FUND_HISTORY="3")
    assert well.exit_code == 0, well.output
    deep = ("match the declarations", "columnar reader", "no damage", "JavaScript engine")
    for text in ("FUND_SIM_FUNDS", *deep, "is writable", "2 runs in", "GB free"):
        assert text in well.output
    quick = own("doctor").output
    assert "2 runs in" in quick and "is writable" in quick
    assert "all tables and views exist" in quick
    assert not [text for text in deep if text in quick], "that is looked at by --deep alone"
    assert "FUND_HISTORY       is not a setting" in well.output
    assert own("doctor", FUND_SIM_YEARS="-1", FUND_HISTORY="").exit_code == 1


@pytest.mark.usefixtures("sqlite_only")
def test_doctor_finds_damage(own):
    """Stops a doctor that finds all well when the file is damaged."""
    for suffix in ("-wal", "-shm"):
        own.database.with_name(own.database.name + suffix).unlink(missing_ok=True)
    with own.database.open("r+b") as file:
        file.seek(own.database.stat().st_size // 2)
        file.write(b"\xff" * 40_000)
    ill = own("doctor", "--deep", FUND_SIM_YEARS="1")
    assert ill.exit_code == 1
    assert "failures: 1" in ill.output


def test_calendar_by_hand(own):
    """Stops days that are guessed: the calendar grows day by day, by name."""
    assert "2026-01-01 to 2026-12-31: 242 sessions" in own("calendar", "show", "2026").output
    assert (
        "the calendar is unknown from 2027-01-01 on: every weekday is collected"
        in own("calendar", "show", "2027").output
    )
    assert own("calendar", "set", "2027-01-01", "closed", "--note", "元旦").exit_code == 0
    assert own("calendar", "set", "2027-01-04", "open", "--note", "[bold]").exit_code == 0
    shown = own("calendar", "show", "2027").output
    assert "2027-01-01 to 2027-01-04: 1 sessions" in shown
    assert "the calendar is unknown from 2027-01-05 on" in shown
    assert "2027-01-04 is open  [bold]" in shown
    assert own.sql("SELECT * FROM calendar_override ORDER BY day") == [
        (20270101, 0, "元旦"),
        (20270104, 1, "[bold]"),
    ]


def test_calendar_refresh(tmp_path, monkeypatch):
    """Stops a refresh that is refused in words but stored, or stored but for the year's end."""
    command = Command(tmp_path / "live", monkeypatch)
    command.environment["FUND_SOURCE"] = "akshare"
    bodies = [
        encode([*exchange_sessions(), *sessions_of(2027)[:100]]),
        encode([*exchange_sessions(), *sessions_of(2027)]),
    ]

    def fetch(_gateway, endpoint, url, *_args, **_more):
        if "szse" in url:
            raise TransportError(f"{endpoint}: no connection")
        return Answer(endpoint, url, 200, {}, bodies.pop(0), "0" * 64)

    monkeypatch.setattr(Gateway, "fetch", fetch)
    refused = command("calendar", "refresh")
    assert refused.exit_code == 1
    assert "Sina: refused: 2027 has 100 sessions" in refused.output
    taken = command("calendar", "refresh")
    assert taken.exit_code == 0
    assert f"{len(sessions_of(2027))} sessions added" in taken.output
    assert "Not read: the Shenzhen exchange: szse_calendar: no connection" in taken.output
    assert "Only one source" in taken.output
    shown = command("calendar", "show", "2027").output
    assert f"2027-01-01 to 2027-12-31: {len(sessions_of(2027))} sessions" in shown
    assert "249 days open" in shown and "provisional" not in shown


def test_calendar_import(tmp_path, monkeypatch):
    """Stops notices that are refused in words but stored, and standard input from being lost."""
    command = Command(tmp_path / "notices", monkeypatch)
    known = [str(NOTICES / f"{kind}-2026.txt") for kind in ("council", "exchange")]
    found = command("calendar", "import", *known)
    assert found.exit_code == 0, found.output
    assert (
        "2026: 242 sessions, from the notice of the exchange and the notice of" in found.output
    )
    assert "Nothing to enter" in found.output
    refused = command("calendar", "import", str(NOTICES / "council-2020.txt"))
    assert refused.exit_code == 1 and "line 1: 2020-01-31 is open there" in refused.output
    assert command.sql("SELECT COUNT(*) FROM calendar_override") == [(0,)]
    text = (NOTICES / "council-2020-extended.txt").read_text()
    piped = CliRunner().invoke(main, ["calendar", "import", "-"], input=text)
    assert piped.exit_code == 0 and "2020: 243 sessions" in piped.output
    empty = CliRunner().invoke(main, ["calendar", "import", "-"], input="")
    assert empty.exit_code == 1 and "standard input: no notice on holidays" in empty.output


def test_help_waits_for_nothing():
    """Stops an import of Dagster, pandas or rich from slowing --help and wrong usage down."""
    program = (
        "import sys; from click.testing import CliRunner; from fund_assets.cli import main;"
        "results = [CliRunner().invoke(main, a) for a in"
        " (['--help'], ['run', '--help'], ['nav', '-h'], ['--version'], ['rnu'])];"
        "print([r.exit_code for r in results],"
        " sorted({'dagster', 'pandas', 'rich', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "[0, 0, 0, 0, 2] []", done.stderr


def test_prove_shows_events_witnesses_and_a_verdict(command):
    """Stops the proof from hiding an event, a source or a step that is not proven."""
    told = command.sql(
        "SELECT fund_code, ex_date, kind, value FROM fund_events WHERE status = 'recorded' "
        "AND fund_code IN (SELECT fund_code FROM validated_nav) ORDER BY 1, 2, 3"
    )
    code = told[0][0]
    mine = [row for row in told if row[0] == code]
    proof = json.loads(command("prove", code, "--json").output)
    assert [(code, e["ex_date"], e["kind"], e["value"]) for e in proof["events"]] == mine
    first, last, steps = command.sql(
        "SELECT MIN(nav_date), MAX(nav_date), COUNT(*) FROM validated_nav WHERE fund_code = ?",
        code,
    )[0]
    assert (proof["from"], proof["to"], sum(proof["counts"].values())) == (first, last, steps)
    assert proof["counts"]["proven"] + 1 == steps and proof["verdict"] == "proven"
    assert proof["index_start"] == 1.0 and proof["steps"] == []
    whole = json.loads(command("prove", code, "--json", "--all").output)["steps"]
    assert len(whole) == steps
    day = next(step for step in whole if step["nav_date"] == mine[0][1])
    assert day["disagreement_pct"] < 0.03 and day["return_status"] == "proven"
    text = command("prove", code).output
    assert code in text and "published (history," in text
    assert "together prove every step" in text and f"→ {last // 10000}-" in text
    assert command("prove", "99999x").exit_code == 2


#: All but the last load no pandas either.
LOOKS = ("nav 000001", "metrics 000001", "compare 000001 000002", "screen beta>9", "rate show",
         "quarantine list", "corrections", "alert list", "calendar show", "gaps")  # fmt: skip


@pytest.mark.usefixtures("sqlite_only")
def test_a_look_loads_only_what_it_needs(command):
    """Stops a command that reads a few rows from waiting for Dagster, a compiler or pandas."""
    program = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from fund_assets.cli import main\n"
        "heavy = ('dagster', 'numba', 'pandas', 'pandera', 'connectorx', 'mysql', 'alembic')\n"
        f"for text in {LOOKS!r}:\n"
        "    done = CliRunner().invoke(main, text.split())\n"
        "    assert done.exit_code in (0, 1), (text, done.output)\n"
        "    print(text, [name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **command.environment, "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = dict(line.rsplit(" ", 1) if line.endswith(" []") else line.split(" [", 1)
                  for line in done.stdout.splitlines())  # fmt: skip
    assert [text for text in LOOKS[:-1] if loaded[text] != "[]"] == []
    assert not [
        text for text, names in loaded.items() if "dagster" in names or "mysql" in names
    ]
