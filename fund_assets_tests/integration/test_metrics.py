"""Metrics in the pipeline: late publishers, failing indices, dated rates, and the commands."""

import pandas as pd
import pytest
from click.testing import CliRunner

from fund_assets.calendar import from_key
from fund_assets.cli import main
from fund_assets.metrics import compute_metrics
from fund_assets.nav.managers import years
from fund_assets.pipeline.fund_manager_term import collect_terms
from fund_assets.schemas.tables import FUND_METRICS, HISTORY_PROGRESS
from fund_assets.transport.errors import TransportError
from fund_assets.warehouse.engine import diff_writes
from fund_assets.warehouse.queries.metrics import facts_then
from fund_assets.warehouse.stores import landing
from fund_assets.warehouse.stores import metrics as metrics_store
from fund_assets.warehouse.stores.yardsticks import read_yardsticks
from fund_assets_tests import stores
from fund_assets_tests.integration.evenings import FRIDAY, THURSDAY, cases, checks, metadata

DAY = 20260917
KEY = ["calc_date", "fund_code", "window"]


def changed(before, after):
    """Keys of rows that are new or have another value."""
    both = before.merge(after, on=KEY, how="outer", suffixes=("", "_new"), indicator=True)
    differ = both["_merge"] != "both"
    for name in FUND_METRICS.value_columns:
        ours, theirs = both[name], both[f"{name}_new"]
        differ |= ~((ours == theirs).fillna(False).astype(bool) | (ours.isna() & theirs.isna()))
    return both[differ]


@pytest.mark.slow
def test_late_publishers_change_their_kind_and_nothing_else(market):
    """Stops a whole recomputation from rewriting what is as it was, and ranks from going stale."""
    kinds = market.table("fund_info").set_index("fund_code")["kind"]
    before = market.table("fund_metrics", f"calc_date = {DAY}")
    had = market.table("validated_nav", f"nav_date <= {DAY}")["fund_code"].value_counts()
    result = market.run("daily_metrics", THURSDAY)
    assert metadata(result, "fund_metrics")["rows_written"] == 0
    # The next morning some more have published for the same date.
    result = market.run("daily_pipeline", "2026-09-18T07:40:00")
    assert result.success
    has = market.table("validated_nav", f"nav_date <= {DAY}")["fund_code"].value_counts()
    late = {code for code, rows in has.items() if rows != had.get(code, 0)}
    assert late
    after = market.table("fund_metrics", f"calc_date = {DAY}")
    found = changed(before, after)
    assert metadata(result, "fund_metrics")["rows_written"] == len(found)
    touched = set(found["fund_code"])
    assert late <= touched
    assert {kinds[code] for code in touched} == {kinds[code] for code in late}
    # Of funds that had published, coverage and status are all that changed.
    others = found[~found["fund_code"].isin(late)]
    for name in set(FUND_METRICS.value_columns) - {"coverage", "status"}:
        same = (others[name] == others[f"{name}_new"]) | others[name].isna()
        assert same.all(), name


@pytest.mark.slow
def test_an_earlier_date_becomes_final_when_its_late_publishers_arrive(market):
    """Stops QDII and FOF, always a day or more late, from being provisional for ever."""
    first = market.table("fund_metrics", f"calc_date = {DAY}")
    assert "provisional" in set(first["status"])
    result = market.run("daily_pipeline", FRIDAY)
    assert metadata(result, "fund_metrics")["late_rows_written"] > 0
    later = market.table("fund_metrics", f"calc_date = {DAY}")
    assert (later["status"] == "final").sum() > (first["status"] == "final").sum()
    final = first[first["status"] == "final"].set_index(KEY)
    pd.testing.assert_frame_equal(later.set_index(KEY).loc[final.index], final)


@pytest.mark.slow
def test_a_failing_index_is_told_and_stops_nothing(market):
    """Stops a dead index source from costing an evening of metrics, or going unseen."""

    def fail(code, since):
        raise TransportError("index_history: no answer after 3 attempts")

    result = market.run("daily_pipeline", FRIDAY, index_history=fail)
    assert result.success
    check = checks(result)[("benchmark_index", "indices_current")]
    assert not check.passed
    assert "index 000300: TransportError: index_history: no answer" in cases(check)
    found = market.table("fund_metrics", "calc_date = 20260918 AND \"window\" = '1y'")
    assert found["beta"].notna().any(), "the stored closes serve on"


def test_a_rate_entered_by_hand_is_used(market):
    """Stops the setting from overruling the dated series."""
    metrics_store.set_rate(market.warehouse, 20260101, 0.03, "test")
    market.run("daily_metrics", THURSDAY)
    found = market.table("fund_metrics", f"calc_date = {DAY} AND \"window\" = '3m'")
    there = found["total_return"].notna()
    assert found.loc[there, "risk_free_rate"].tolist() == pytest.approx([0.03] * there.sum())


def test_an_index_fund_of_the_market_follows_its_benchmark(first_evening):
    """Stops a simulated index that has nothing to do with the simulated market."""
    market, _ = first_evening
    funds = market.table("fund_info").set_index("fund_code")
    found = market.table("fund_metrics", "\"window\" = '1y'").set_index("fund_code")
    equity = found[found.index.map(funds["kind"]) == "mixed"].dropna(subset=["beta"])
    assert equity["beta"].median() > 0.3
    assert equity["correlation"].median() > 0.5


def run(market, *arguments):
    environment = {
        **stores.environment(market.folder), "FUND_CLOCK": THURSDAY, "COLUMNS": "200",
        **{f"FUND_{n.upper()}": str(v) for n, v in market.settings.items()
           if n not in ("state", "warehouse_url")},
    }  # fmt: skip
    return CliRunner().invoke(main, list(arguments), env=environment)


def test_metrics_of_a_fund_and_of_several(first_evening):
    """Stops a table with values of another fund or window, and a silent missing one."""
    market, _ = first_evening
    rows = market.table("fund_metrics", "\"window\" = '1y'").dropna(subset=["sharpe_ratio"])
    one, two = rows["fund_code"].iloc[0], rows["fund_code"].iloc[1]
    shown = run(market, "metrics", one)
    assert shown.exit_code == 0, shown.output
    sharpe = rows.set_index("fund_code").loc[one, "sharpe_ratio"]
    line = next(ln for ln in shown.output.splitlines() if ln.startswith("sharpe_ratio "))
    assert f"{sharpe:.3f}" in line
    assert " 1y" in shown.output
    compared = run(market, "compare", one, two)
    assert compared.exit_code == 0, compared.output
    line = next(ln for ln in compared.output.splitlines() if "sharpe_ratio" in ln)
    assert line.split()[1:] == [f"{v:.3f}" for v in rows["sharpe_ratio"].iloc[:2]]
    assert run(market, "compare", one, "--window", "7y").exit_code == 2
    assert "unknown fund" in run(market, "metrics", "999999").output


def test_the_chart_of_a_comparison_ends_where_its_table_does(first_evening, tmp_path):
    """Stops a chart of another stretch than the table's, and one of a fund without it."""
    market, _ = first_evening
    rows = market.table("fund_metrics", "\"window\" = '1y'").set_index("fund_code")
    there = rows.dropna(subset=["total_return"])
    codes, path = list(there.index[:3]), tmp_path / "some.svg"
    drawn = run(market, "compare", *codes, "--chart", str(path))
    assert drawn.exit_code == 0, drawn.output
    assert str(path) in drawn.output
    said = path.read_text(encoding="utf-8")
    for code in codes:
        assert f"{there.loc[code, 'total_return']:+.2%}" in said
        assert said.count(f"return-{code}") == said.count(f"drawdown-{code}") == 1
    # Three years of history: nobody has five.
    refused = run(market, "compare", *codes, "--window", "5y", "--chart", str(path))
    assert refused.exit_code == 2 and "choose another --window" in refused.output
    assert run(market, "compare", codes[0], "--chart", "some.pdf").exit_code == 2


def test_screen_lists_what_a_query_finds(first_evening):
    """Stops a condition that is not applied, an order that is not kept, and NULLs that pass."""
    market, _ = first_evening
    table = market.table("fund_metrics", "\"window\" = '1y'").set_index("fund_code")
    listed = market.table("fund_info").set_index("fund_code")
    meets = table[(table["sharpe_ratio"] > 0.5) & (table["max_drawdown"] > -0.2)]
    meets = meets[meets.index.map(listed["status"]) == "listed"]
    order = meets.sort_values("total_return", ascending=False, kind="stable").index
    shown = run(
        market, "screen", "sharpe_ratio>0.5 max_drawdown>-20%", "--sort", "total_return",
        "--limit", "5",
    )  # fmt: skip
    assert shown.exit_code == 0, shown.output
    codes = [ln.split()[0] for ln in shown.output.splitlines() if ln[:6].isdigit()]
    assert codes == list(order[:5])
    assert f"{len(meets)} funds match" in shown.output
    types = meets.index.map(listed["fund_type"]).value_counts()
    some = run(market, "screen", "sharpe_ratio>0.5 max_drawdown>-20%", "--type", types.index[0])
    assert some.exit_code == 0, some.output
    assert f"{types.iloc[0]} funds match" in some.output and types.iloc[0] < len(meets)
    wrong = run(market, "screen", "sharp>1")
    assert wrong.exit_code == 2
    assert "did you mean" in wrong.output
    assert (
        "unknown kind 'equty': did you mean equity?"
        in run(market, "screen", "beta>0", "--kind", "equty").output
    )


def test_rates_are_shown_and_entered(market):
    """Stops a percent from being entered as a fraction, and an entered rate from being lost."""
    assert "1.5000%" in run(market, "rate", "show").output
    assert run(market, "rate", "set", "2024-01-01", "1.5", "--note", "x").exit_code == 2
    assert run(market, "rate", "set", "2024-01-01", "0.0145", "--note", "存款").exit_code == 0
    assert run(market, "rate", "show").output.startswith(
        "1.4500%  from 2024-01-01 on, and before"
    )


def test_stored_metrics_are_those_of_the_stored_history(first_evening):
    """Stops what is stored from differing from what the pure function finds."""
    market, _ = first_evening
    series = metrics_store.read_series(market.warehouse, DAY)
    by_day = metrics_store.by_day(market.warehouse, series, DAY)
    assert by_day.rows > series.rows, "two money funds tell sums of closed days"
    funds = landing.fund_info(market.warehouse)
    found = compute_metrics(
        by_day, DAY, risk_free_rate=0.015,
        benchmarks=read_yardsticks(market.warehouse, funds, series),
    ).sort_values(KEY, ignore_index=True)  # fmt: skip
    stored = market.table("fund_metrics").sort_values(KEY, ignore_index=True)
    rest = [name for name in FUND_METRICS.names if name not in ("coverage", "status")]
    pd.testing.assert_frame_equal(found[rest], stored[rest])


def test_inception_waits_for_the_whole_history(market):
    """Stops returns since the first wave from being told as returns since inception."""
    since = "calc_date = 20260917 AND \"window\" = 'inception'"
    before = market.table("fund_metrics", since).set_index("fund_code")
    code = before.index[before["total_return"].notna()][0]
    other = market.table("fund_metrics", f"calc_date = {DAY} AND \"window\" = '1y'")
    stored = market.table("history_progress", f"fund_code = '{code}'")
    with market.warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(f"DELETE FROM history_progress WHERE fund_code = '{code}'")
    assert market.run("daily_metrics", THURSDAY).success
    found = market.table("fund_metrics", since).set_index("fund_code")
    row = found.loc[code]
    assert row["reason"] == "inception: the fund's whole history is not stored yet"
    assert pd.isna(row["total_return"]) and pd.isna(row["start_date"])
    assert row["end_date"] == before.loc[code, "end_date"]
    after = market.table("fund_metrics", f"calc_date = {DAY} AND \"window\" = '1y'")
    pd.testing.assert_frame_equal(after, other)
    with market.warehouse.transaction(writes=True) as connection:
        diff_writes.upsert(connection, HISTORY_PROGRESS, stored)
    assert market.run("daily_metrics", THURSDAY).success
    again = market.table("fund_metrics", since).set_index("fund_code")
    pd.testing.assert_frame_equal(again, before)


def test_a_history_that_waits_for_the_rules_is_not_stored_yet(market):
    """Stops a held history from counting as one that metrics can look at."""
    assert len(metrics_store.whole_histories(market.warehouse))
    rows = market.table("history_progress", "stored_at IS NOT NULL")["fund_code"]
    code = rows.iloc[0]
    assert int(code) in metrics_store.whole_histories(market.warehouse)
    with market.warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(
            "UPDATE collection_batch SET state = 'held' WHERE kind = 'history'"
        )
    # What waits begins no earlier than what is accepted: the whole history is there.
    assert int(code) in metrics_store.whole_histories(market.warehouse)
    (first,) = market.warehouse.rows(
        f"SELECT MIN(nav_date) AS d FROM validated_nav WHERE fund_code = '{code}'"
    )
    with market.warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(
            f"DELETE FROM validated_nav WHERE fund_code = '{code}' AND nav_date = {first['d']}"
        )
    assert int(code) not in metrics_store.whole_histories(market.warehouse)


def test_screen_lists_what_can_be_bought_at_a_small_fee(first_evening):
    """Stops a closed fund, one without a status, and an old status from passing a screen."""
    market, _ = first_evening
    now = market.table("fund_status", "superseded_at IS NULL").set_index("fund_code")
    rows = market.table("fund_metrics", f"calc_date = {DAY} AND \"window\" = '1m'")
    listed = set(market.table("fund_info", "status = 'listed'")["fund_code"])
    codes = sorted(set(rows["fund_code"]) & listed & set(now.index))
    told = now.loc[codes]
    can = told["purchase_word"].isin(["开放申购", "限大额"])
    for asked, fits in (
        ("purchasable=yes", can),
        ("purchasable=no", ~can),
        ("purchasable=yes fee<0.12%", can & (told["fee"] < 0.0012)),
    ):
        result = run(market, "screen", f"window=1m {asked}", "--limit", "1000")
        assert result.exit_code == 0, result.output
        assert f": {fits.sum():,} funds match" in result.output and fits.sum() > 0, asked
        shown = {line.split()[0] for line in result.output.splitlines() if line[:6].isdigit()}
        assert shown == set(told.index[fits]), asked


def test_fund_shows_its_status_and_fee(first_evening):
    """Stops the page of a fund from hiding that it cannot be bought."""
    market, _ = first_evening
    now = market.table("fund_status", "purchase = 'limited' AND fee > 0.0").iloc[0]
    result = run(market, "fund", now["fund_code"])
    assert result.exit_code == 0, result.output
    assert "open up to a daily limit (限大额)" in result.output
    fee, full_fee = (round(100 * now[name], 6) for name in ("fee", "full_fee"))
    assert f"{fee:g} % ({full_fee:g} % without the discount)" in result.output


def test_screen_knows_limits_and_least_amounts_and_sorts_by_them(first_evening):
    """Stops a fund without a limit from failing `>=`, one whose limit nobody states from passing,
    and an order from beginning at the wrong end."""
    market, _ = first_evening
    rows = market.table("fund_metrics", f"calc_date = {DAY} AND \"window\" = '1m'")
    listed = set(market.table("fund_info", "status = 'listed'")["fund_code"])
    told = market.platform(THURSDAY).source.purchases().frame.set_index("fund_code")
    told = told.loc[sorted(set(rows["fund_code"]) & listed & set(told.index))]
    limit = told["daily_limit"].where(told["daily_limit"] > 0)

    def shown(*arguments):
        result = run(market, "screen", *arguments, "--limit", "1000")
        assert result.exit_code == 0, result.output
        lines = result.output.splitlines()
        return [line.split()[0] for line in lines if line[:6].isdigit()], result.output

    for asked, fits in (
        ("daily_limit>=10000", limit >= 10_000),
        ("daily_limit<1e6", limit < 1e6),
        ("least_amount<=10", told["least_amount"] <= 10),
        ("日累计限额>=10000 购买起点<=10", (limit >= 10_000) & (told["least_amount"] <= 10)),
    ):
        assert set(shown(f"window=1m {asked}")[0]) == set(told.index[fits]), asked
        assert 0 < fits.sum() < len(told), asked
    codes, output = shown("window=1m daily_limit>0", "--sort", "daily_limit", "--lowest")
    assert limit[codes].is_monotonic_increasing and "no limit" in output
    codes, _ = shown("window=1m fee>=0", "--sort", "fee")
    assert told["fee"][codes].is_monotonic_decreasing and len(codes) > 20
    assert "size" in shown("window=1m fee>=0", "--sort", "size")[1]


def test_screen_lists_by_net_assets_of_the_newest_quarter(first_evening):
    """Stops an older quarter, or a figure that was superseded, from passing a screen."""
    market, _ = first_evening
    sizes = market.table("fund_size", "superseded_at IS NULL AND net_assets IS NOT NULL")
    newest = sizes.sort_values("period_end").groupby("fund_code")["net_assets"].last()
    assert newest.groupby(level=0).size().max() == 1 and sizes["period_end"].nunique() > 3
    rows = market.table("fund_metrics", f"calc_date = {DAY} AND \"window\" = '1m'")
    listed = set(market.table("fund_info", "status = 'listed'")["fund_code"])
    codes = sorted(set(rows["fund_code"]) & listed & set(newest.index))
    fits = newest.loc[codes][newest.loc[codes] > 2e9]
    result = run(market, "screen", "window=1m size>2e9", "--limit", "1000")
    assert result.exit_code == 0, result.output
    shown = {line.split()[0] for line in result.output.splitlines() if line[:6].isdigit()}
    assert shown == set(fits.index) and len(codes) > len(fits) > 0
    assert f"{fits.iloc[0]:,.0f}" in result.output


def test_managers_are_shown_and_screened_by_their_tenure(first_evening):
    """Stops another tenure in a screen than the terms have, and a page without managers."""
    market, _ = first_evening
    platform = market.platform(THURSDAY)
    report = collect_terms(market.warehouse, platform.source, platform.now(), most=40)
    assert report.asked == 40 and report.failures == {} and report.overlaps == []
    running = market.table("fund_manager_term", "until IS NULL").set_index("fund_code")
    tenure = running["unbroken_since"].map(lambda since: years(since, DAY))
    rows = market.table("fund_metrics", f"calc_date = {DAY} AND \"window\" = '1m'")
    listed = set(market.table("fund_info", "status = 'listed'")["fund_code"])
    codes = sorted(set(rows["fund_code"]) & listed & set(tenure.index))
    fits = tenure.loc[codes][tenure.loc[codes] > 2]
    assert len(codes) > len(fits) > 0
    result = run(
        market, "screen", "window=1m manager_tenure>2y", "--sort", "manager_tenure",
        "--limit", "1000",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    shown = [line.split()[0] for line in result.output.splitlines() if line[:6].isdigit()]
    assert set(shown) == set(fits.index) and tenure[shown[0]] == fits.max()
    facts = {
        row["fund_code"]: row["manager_tenure"] for row in facts_then(market.warehouse, None)
    }
    assert all(facts[code] == pytest.approx(tenure[code]) for code in codes)

    code = fits.index[0]
    words = run(market, "fund", code).output
    assert "managers now" in words and running.loc[code, "managers"].split("、")[0] in words
    assert f"{from_key(int(running.loc[code, 'since']))}" in words and "own return" in words


def test_fund_shows_its_newest_report(first_evening):
    """Stops the page of a fund from showing an old quarter, or nothing of its size."""
    market, _ = first_evening
    sizes = market.table("fund_size", "superseded_at IS NULL AND net_assets_change IS NOT NULL")
    now = sizes.sort_values("period_end").iloc[-1]
    result = run(market, "fund", now["fund_code"])
    assert result.exit_code == 0, result.output
    words = " ".join(result.output.split())
    day = from_key(now["period_end"])
    assert (
        f"net assets {now['net_assets']:,.0f} yuan ({now['net_assets_change']:+.2%}), at {day}"
        in words
    )
    assert f"shares {now['total_shares']:,.0f}; {now['subscribed_shares']:,.0f} subs" in words
    assert "held by institutions" in words and "portfolio of stocks" in words
