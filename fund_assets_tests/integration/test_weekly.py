"""The weekly job: what it finds, does, writes and mails, and that it can be interrupted anywhere."""

from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from fund_assets.cli import main
from fund_assets.definitions import build_defs
from fund_assets.instance.names import WEEK_TAG
from fund_assets.metrics import peer_groups, peers
from fund_assets.metrics import scores as scoring
from fund_assets.metrics.peers import standing_among
from fund_assets.observability.alerts.channels.mail import Mail
from fund_assets.pipeline import nav_history
from fund_assets.pipeline.history_recheck import recheck
from fund_assets.pipeline.history_refetch import quarter
from fund_assets.pipeline.weekly_report import week_facts
from fund_assets.report.page import weekly_page
from fund_assets.report.week import Operations
from fund_assets.schemas.tables import FUND_METRICS, FUND_PEERS
from fund_assets.settings import SHANGHAI, load_settings
from fund_assets.warehouse import WarehouseError
from fund_assets.warehouse.engine.diff_writes import insert
from fund_assets.warehouse.stores import recheck as recheck_store
from fund_assets.warehouse.stores import scores as stored_scores
from fund_assets.warehouse.stores import weekly_log
from fund_assets.warehouse.stores.weekly_log import missing_week, week_log
from fund_assets_tests import stores
from fund_assets_tests.integration.evenings import (
    FRIDAY,
    THURSDAY,
    cases,
    checks,
    failure,
    metadata,
)

#: The Sunday after the first evening; its week and the day of its newest NAVs.
SUNDAY, WEEK, DAY = "2026-09-20T02:00:00", "2026-W38", 20260917
HOSTILE = "<b>粗</b>\"'&🚀|$x_1$混合"
OLD = (20260810, 20260811, 20260814)
MAIL = {
    "alert_mail_to": "a@fund.example", "alert_mail_from": "b@fund.example",
    "alert_smtp_host": "127.0.0.1", "alert_smtp_security": "none",
}  # fmt: skip


@pytest.fixture
def letters(monkeypatch):
    """What would have been mailed: the message and the file's text."""
    found = []
    monkeypatch.setattr(
        Mail, "send", lambda self, message, file=None: found.append((message, file.read_text()))
    )
    return found


def hostile(listed):
    """The list with a name that is no markup for one fund of the market."""
    named = listed["fund_code"] == listed["fund_code"].min()
    return listed.assign(name=listed["name"].where(~named, HOSTILE))


@pytest.fixture
def before_sunday(market, monkeypatch):
    """The market with an index that somebody changed, old metrics, and histories of last week.

    Its kinds are small: five portfolios are a group here.
    """
    for module in (peer_groups, peers, scoring):
        monkeypatch.setattr(module, "MIN_PEERS", 5)
    market.settings |= {**MAIL, "landing_retention_days": 2}
    with market.warehouse.transaction(writes=True) as connection:
        connection.execute(
            sa.text("UPDATE validated_nav SET total_return_index = 1.5 WHERE nav_date = :day "
                    "AND fund_code = (SELECT MIN(fund_code) FROM fund_info WHERE kind = 'bond')"),
            {"day": 20260901},
        )  # fmt: skip
        connection.execute(sa.text("UPDATE history_progress SET asked_at = 20260901200000"))
        for table in (FUND_METRICS, FUND_PEERS):
            rows = market.table(table.name, f"calc_date = {DAY}").head(50)
            for key in OLD:
                insert(connection, table, table.conform(rows.assign(calc_date=key)))
    return market


def weekly_run(market, **tampering):
    result = market.run("weekly_full_calc", SUNDAY, listed=hostile, **tampering)
    assert result.success, failure(result)
    return result


@pytest.mark.slow
def test_what_a_sunday_does(before_sunday, letters):
    """Stops a step that does nothing, hides what it found, or does it twice."""
    market = before_sunday
    index = market.table("validated_nav", f"nav_date <> 20260901 AND nav_date < {DAY}")
    monday = datetime(2026, 9, 21, 9, tzinfo=SHANGHAI)
    assert missing_week(market.warehouse, monday) == WEEK
    result = weekly_run(market)
    assert missing_week(market.warehouse, monday) is None

    # Recheck: the changed row is told, and set right.
    found = metadata(result, "history_recheck")
    assert (found["rows_differing"], found["rows_repaired"]) == (1, 1)
    check = checks(result)["history_recheck", "index_as_stored"]
    assert not check.passed and "1 rows from 20260901 on, index stored 1.5" in cases(check)
    assert found["metrics_differing"] == 0 and found["metrics_compared"] > 300
    repaired = market.table("validated_nav", f"nav_date <> 20260901 AND nav_date < {DAY}")
    assert repaired["total_return_index"].tolist() == index["total_return_index"].tolist()

    # Refetch: this week's quarter, and no other fund.
    funds = market.table("fund_info")
    turn = set(quarter(funds, WEEK))
    progress = market.table("history_progress")
    assert set(progress.loc[progress["asked_at"] >= 20260920000000, "fund_code"]) == turn
    assert metadata(result, "history_refetch")["history_funds_asked"] == len(turn) > 5
    assert metadata(result, "validated_nav")["batches"] >= 1

    # Scores, pruning, and the log.
    scores = market.table("fund_scores")
    assert (scores["calc_date"] == DAY).all() and scores["composite_score"].notna().any()
    assert set(market.table("fund_metrics")["calc_date"]) == {20260814, DAY}
    assert set(market.table("fund_peers")["calc_date"]) <= {20260814, DAY}
    log = week_log(market.warehouse, WEEK)
    assert set(log) == {"recheck", "refetch", "walk_forward", "upkeep", "mail"}
    assert log["upkeep"]["metric_dates"] == 2
    assert log["upkeep"]["landing_rows"] > 1_000

    # The report: names are texts, and the mail has the same file.
    path = Path(metadata(result, "weekly_report")["file"])
    page = path.read_text(encoding="utf-8")
    assert path.name == f"weekly-{WEEK}.html" and len(page) < 3_000_000
    assert "&lt;b&gt;粗&lt;/b&gt;" in page and "<b>粗" not in page
    asks = page.replace("http://www.w3.org/", "")  # the names of SVG and its links
    for forbidden in ("<script", "http://", "https://", "url(http", "<img", "<link"):
        assert forbidden not in asks, forbidden
    ((message, attached),) = letters
    assert attached == page
    assert message.title == "【周报】2026-W38（基金数据·模拟市场）"
    assert "1 行与所存不同" in message.text
    assert "### 基金周报 2026-W38" in metadata(result, "weekly_report")["preview"]


@pytest.mark.slow
def test_a_second_sunday_run_changes_nothing(before_sunday, letters):
    """Stops a step that does its work twice, mails twice, or hides what the first run found."""
    market = before_sunday
    weekly_run(market)
    sums = market.checksums()
    again = weekly_run(market)
    assert market.checksums() == sums
    assert len(letters) == 1
    assert metadata(again, "history_refetch")["history_funds_asked"] == 0
    assert not checks(again)["history_recheck", "index_as_stored"].passed


@pytest.mark.slow
def test_scores_of_a_past_date_stay_as_they_were(before_sunday, letters):
    """Stops what is seen later, corrections of that very date, from changing an old score."""
    market = before_sunday
    weekly_run(market)
    scored = market.table("fund_scores", f"calc_date = {DAY}")

    def corrected(seen):
        """The next evening's wave, with other values for the scored date."""
        days = seen["nav_date"] == DAY
        return seen.assign(unit_nav=seen["unit_nav"].where(~days, seen["unit_nav"] * 1.004))

    rare = seen_share(market)
    result = market.run("daily_pipeline", FRIDAY, observations=lambda f: rare(f, corrected))
    assert result.success, failure(result)
    assert len(market.table("nav_revision", f"nav_date = {DAY}")) >= 1
    result = market.run("weekly_full_calc", "2026-09-27T02:00:00")
    assert result.success, failure(result)
    assert market.table("fund_scores", f"calc_date = {DAY}").equals(scored)
    assert metadata(result, "fund_scores")["compared_with"] == "2026-09-17"
    assert len(market.table("fund_scores", "calc_date = 20260918")) > 30


def seen_share(market):
    """Changes what is seen of one fund: more would be a mass revision (R17)."""
    fund = market.table("validated_nav", f"nav_date = {DAY} AND unit_nav IS NOT NULL")
    code = fund["fund_code"].iloc[0]

    def change(frame, how):
        mine = frame["fund_code"] == code
        frame = frame.copy()
        frame.loc[mine] = how(frame[mine])
        return frame

    return change


def interrupting(monkeypatch, target, name, nth):
    """The nth call of a function raises before it does anything."""
    original, calls = getattr(target, name), []

    def call(*arguments, **options):
        calls.append(1)
        if len(calls) == nth:
            raise RuntimeError("interrupted here")
        return original(*arguments, **options)

    monkeypatch.setattr(target, name, call)
    return calls


def after_all(market):
    """All tables, and the report without what Dagster's records say of the runs."""
    facts = week_facts(market.warehouse, load_settings(**market.settings, clock=SUNDAY), WEEK)
    return market.checksums(), weekly_page(facts, Operations())


@pytest.fixture(scope="module")
def uninterrupted():
    """How a week ends that ran through, to compare with."""
    return {}


#: (where, function, which call of it): in the order in which the job comes to them.
BEFORE_CLEANING = [
    (recheck_store, "update", 1),
    (recheck_store, "log_step", 1),
    (nav_history, "_land_histories", 2),
    (nav_history.landing, "land", 3),
    (weekly_log, "note_step", 1),
    (stored_scores, "upsert", 1),
    (weekly_log, "_prune_batch", 1),  # upkeep does not wait for the walk-forward
    (weekly_log, "note_step", 2),
    (Path, "replace", 1),
]
CLEANING = [
    (weekly_log, "_prune_date", 2),
    (weekly_log, "count_up", 1),
    (Path, "replace", 2),
    (Mail, "send", 1),
]


@pytest.mark.slow
@pytest.mark.parametrize("points", [BEFORE_CLEANING, CLEANING], ids=["before", "clean"])
def test_an_interrupted_week_ends_as_one_that_ran_through(
    points, before_sunday, letters, monkeypatch, uninterrupted, tmp_path
):
    """Stops a step that is not whole or not repeatable, counts twice, or forgets what it found.

    The job is begun again after each interruption, the next one comes later, and then it ends.
    """
    monkeypatch.setattr(nav_history, "FUNDS_PER_BATCH", 4)
    market = before_sunday
    if not uninterrupted:
        twin = market.copy(tmp_path / "twin")
        weekly_run(twin)
        uninterrupted["end"] = after_all(twin)
        letters.clear()
    for where, name, nth in points:
        with monkeypatch.context() as patch:
            calls = interrupting(patch, where, name, nth)
            broken = market.run("weekly_full_calc", SUNDAY, listed=hostile)
        assert not broken.success and len(calls) == nth, name
        assert "interrupted here" in failure(broken)
    weekly_run(market)
    sums, page = after_all(market)
    ended, whole = uninterrupted["end"]
    assert {t: s for t, s in sums.items() if s != ended[t]} == {}
    assert page == whole
    assert len(letters) == 1


def test_a_mass_of_differences_is_not_written_over(market):
    """Stops a defect of the program from rewriting the whole history unseen."""
    with market.warehouse.transaction(writes=True) as connection:
        connection.execute(sa.text("UPDATE validated_nav SET total_return_index = 2.0 "
                                   "WHERE nav_date >= 20260901"))  # fmt: skip
        connection.execute(sa.text("UPDATE fund_metrics SET best_day = 0.9 WHERE fund_code = "
                                   "'000008' AND \"window\" = '3m'"))  # fmt: skip
    platform = market.platform(SUNDAY)
    options = {"risk_free_rate": 0.015}
    found = recheck(market.warehouse, platform.calendar, WEEK, platform.now(), **options)
    assert not found.repaired and found.differing > 100
    stored = market.table("validated_nav", "nav_date = 20260901")["total_return_index"]
    assert (stored == 2.0).all()
    assert found.metrics_differing == 1
    assert any(case.startswith("000008 3m: best_day stored 0.9") for case in found.cases)
    found = recheck(market.warehouse, platform.calendar, WEEK, platform.now(),
                    repair_all=True, **options)  # fmt: skip
    assert found.repaired
    assert (
        recheck(market.warehouse, platform.calendar, WEEK, platform.now(), **options).differing
        == 0
    )


def test_a_merge_during_the_recheck_changes_nothing(market, monkeypatch):
    """Stops an index that was computed from an older history from being written over a new one."""
    with market.warehouse.transaction(writes=True) as connection:
        connection.execute(sa.text("UPDATE validated_nav SET total_return_index = 1.5 WHERE "
                                   "nav_date = 20260901 AND fund_code = (SELECT MIN(fund_code) "
                                   "FROM fund_info WHERE kind = 'bond')"))  # fmt: skip
    platform = market.platform(SUNDAY)
    read = recheck_store.read_history
    monkeypatch.setattr(
        recheck_store, "read_history", lambda warehouse: (read(warehouse)[0], -1)
    )
    before = market.checksums()
    with pytest.raises(WarehouseError, match="run it again when nothing is being collected"):
        recheck(market.warehouse, platform.calendar, WEEK, platform.now(), risk_free_rate=0.015)
    assert market.checksums() == before


@contextmanager
def command_settings(market):
    yield {
        **stores.environment(market.folder), "FUND_CLOCK": SUNDAY,
        **{f"FUND_{n.upper()}": str(v) for n, v in market.settings.items()
           if n not in ("state", "warehouse_url")},
    }  # fmt: skip


@pytest.mark.slow
def test_the_command_writes_any_week(before_sunday, letters):
    """Stops a command that writes another week than asked for, or mails what nobody wanted."""
    market = before_sunday
    weekly_run(market)
    letters.clear()
    with command_settings(market) as env:
        run = CliRunner().invoke
        done = run(main, ["report", "weekly"], env=env)
        assert done.exit_code == 0, done.output
        assert "weekly-2026-W38.html" in done.output and not letters
        done = run(main, ["report", "weekly", "--week", "2026-W37", "--mail"], env=env)
        assert done.exit_code == 0, done.output
        ((message, page),) = letters
        assert "2026-W37" in message.title and "2026-09-07 至 2026-09-13" in page
        wrong = run(main, ["report", "weekly", "--week", "2026-37"], env=env)
        assert wrong.exit_code == 2 and "is not an ISO week, such as 2026-W47" in wrong.output
        walked = run(main, ["report", "walk-forward"], env=env)
        assert walked.exit_code == 0 and walked.output.strip().endswith("walk-forward.html")


def test_the_tag_names_the_week(market):
    """Stops a run that is started again on Monday from being about another week."""
    platform = market.platform("2026-09-21T09:00:00")
    result = (
        build_defs(platform).resolve_job_def("weekly_full_calc")
        .execute_in_process(instance=market.instance, tags={WEEK_TAG: WEEK},
                            op_selection=["history_recheck"], raise_on_error=False)
    )  # fmt: skip
    platform.warehouse.close()
    assert result.success, failure(result)
    assert set(week_log(market.warehouse, WEEK)) == {"recheck"}


def test_the_report_is_whole_before_the_first_sunday(first_evening):
    """Stops the year so far from waiting for scores, and an empty part from leaving its reader
    without the command that fills it."""
    market, _ = first_evening
    facts = week_facts(market.warehouse, market.platform(THURSDAY).settings, WEEK)
    assert facts.calc_date is None
    stored = market.table("fund_metrics", "calc_date = 20260917 AND \"window\" = 'ytd'")
    year = stored.set_index("fund_code")["total_return"].dropna()
    navs = market.table("validated_nav")
    before = set(navs.loc[navs["nav_date"] < 20260914, "fund_code"])
    moved = before & set(navs.loc[navs["nav_date"] >= 20260914, "fund_code"])
    info = market.table("fund_info")
    info = info[
        info["fund_code"].isin(set(standing_among(info[info["fund_code"].isin(moved)])))
    ]
    told = {kind.kind: kind.ytd for kind in facts.kinds}
    assert len(told) > 5 and None not in told.values()
    mixed = info.loc[info["kind"] == "mixed", "fund_code"]
    assert told["mixed"] == pytest.approx(year.reindex(mixed).median())
    page = weekly_page(facts, Operations())
    assert page.count("<code>fund-assets weekly</code>") == 4
