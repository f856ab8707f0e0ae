"""Exports and the Python API on the simulated market, against slow readings of the tables."""

import os
import re
import signal
import subprocess
import sys
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from fund_assets import Funds
from fund_assets.calendar import exchange_sessions, from_key
from fund_assets.cli import main
from fund_assets.export import changes as export_changes
from fund_assets.export import stream as export_stream
from fund_assets.export.datasets import ExportError, select
from fund_assets.schemas.tables import FUND_EVENTS, NAV_REVISION, VALIDATED_NAV
from fund_assets.warehouse import WarehouseError
from fund_assets.warehouse.engine.diff_writes import delete, insert, update, upsert
from fund_assets_tests import notebook, stores
from fund_assets_tests.integration.evenings import THURSDAY

DAY = 20260917


@pytest.fixture
def funds(first_evening):
    with Funds(first_evening[0].warehouse.backend.url.render_as_string(False)) as funds:
        yield funds


def run(market, *arguments):
    environment = {
        **stores.environment(market.folder),
        "FUND_CLOCK": THURSDAY,
        "COLUMNS": "200",
    }
    return CliRunner().invoke(main, ["export", *arguments], env=environment)


def plain(frame):
    """A frame from a file with the tables' own dates and times."""
    for name, values in frame.items():
        if values.dtype.kind == "M" or (
            len(values.dropna()) and isinstance(values.dropna().iloc[0], date)
        ):
            form = "%Y%m%d%H%M%S" if name.endswith("_at") else "%Y%m%d"
            frame[name] = pd.to_datetime(values).dt.strftime(form).astype("Int64")
    return frame


def test_exported_tables_are_the_tables(first_evening, tmp_path):
    """Stops a row or value from being lost or changed on its way into a file."""
    market, _ = first_evening
    for dataset, name in (
        ("nav", "validated_nav"),
        ("metrics", "fund_metrics"),
        ("info", "fund_info"),
    ):
        path = tmp_path / f"{dataset}.parquet"
        told = run(market, dataset, "--out", str(path))
        assert told.exit_code == 0, told.output
        stored = market.table(name)
        assert f"{len(stored):,} rows of {name}" in told.output
        read = plain(pd.read_parquet(path))[list(stored.columns)]
        pd.testing.assert_frame_equal(read, stored, check_dtype=False)
    facts = pq.read_schema(tmp_path / "nav.parquet").metadata
    assert facts[b"market"] == b"simulated"
    assert facts[b"exported_at"] == b"2026-09-17 21:40:00 Asia/Shanghai"
    assert facts[b"newest_publication"] == b"2026-09-17 21:40:00"
    assert facts[b"selected"] == b"everything"


def test_a_part_is_exactly_that_part(first_evening, tmp_path):
    """Stops --since, --until or --codes from being off by one, or from being ignored."""
    market, _ = first_evening
    stored = market.table("validated_nav")
    codes = sorted(stored["fund_code"].unique())
    listed = tmp_path / "codes.txt"
    listed.write_text("\n".join(codes[:30]), encoding="utf-8")
    path = tmp_path / "part.csv"
    told = run(
        market, "nav", "--since", "2026-09-01", "--until", "20260916",
        "--codes", f"@{listed}", "--out", str(path),
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    read = pd.read_csv(
        path, dtype={"fund_code": str}, parse_dates=["nav_date", "first_seen_at"]
    )
    chosen = stored[
        stored["nav_date"].between(20260901, 20260916) & stored["fund_code"].isin(codes[:30])
    ].reset_index(drop=True)
    assert len(chosen) > 100
    pd.testing.assert_frame_equal(plain(read), chosen, check_dtype=False)
    # Few funds are read another way; it must not matter.
    few, many = codes[5:8], codes[5:30]
    by_few, by_many = (
        list(export_changes.selected(market.warehouse, select("nav", some, 20260901)))
        for some in (few, many)
    )
    frames = [pd.concat([b.to_pandas() for b in some]) for some in (by_few, by_many)]
    same = frames[1][frames[1]["fund_code"].isin(few)].reset_index(drop=True)
    pd.testing.assert_frame_equal(frames[0], same, check_dtype=False)


def test_xlsx_of_one_fund(first_evening, tmp_path):
    """Stops a workbook whose rows are not those of the table."""
    market, _ = first_evening
    stored = market.table("fund_metrics")
    code = stored["fund_code"].iloc[0]
    path = tmp_path / "m.xlsx"
    assert run(market, "metrics", "--codes", code, "--out", str(path)).exit_code == 0
    read = plain(
        pd.read_excel(
            path,
            dtype={0: str, "benchmark_code\n基准代码": str},
            keep_default_na=False,
            na_values=[""],
        ).rename(columns=lambda heading: heading.split("\n")[0])
    )
    names = market.table("fund_info").set_index("fund_code")["name"]
    assert set(read.pop("name")) == {names[code]}
    read = read.drop(columns="fund_type")
    chosen = stored[stored["fund_code"] == code].reset_index(drop=True)
    texts = ["reason", "benchmark_why"]  # in a workbook an empty text is an empty cell
    for frame in (read, chosen):
        frame[texts] = frame[texts].astype(object).fillna("").astype("str")
    pd.testing.assert_frame_equal(read.astype(chosen.dtypes), chosen, rtol=1e-14)


def test_what_cannot_be_exported_is_told_and_leaves_nothing(
    first_evening, tmp_path, monkeypatch
):
    """Stops a file from being replaced unasked, and half a file from looking whole."""
    market, _ = first_evening
    path = tmp_path / "nav.parquet"
    path.write_text("mine", encoding="utf-8")
    for arguments, words in (
        (("nav", "--out", str(path)), "already exists: choose another --out, or --overwrite"),
        (("nav", "--out", str(tmp_path / "none" / "n.csv")), "cannot be written"),
        (("scored",), "unknown dataset 'scored'"),
        (("nav", "--codes", "999999"), "known funds: 999999"),
        (("nav", "--codes", " ,"), "--codes is empty"),
        (("nav", "--codes", f"@{tmp_path}/none"), "No such file"),
        (("info", "--since", "2026-01-01"), "info has no date column"),
    ):
        told = run(market, *arguments)
        assert told.exit_code == 2, told.output
        assert words in " ".join(told.output.split()), told.output

    def broken(warehouse, selection):
        yield from list(parts(warehouse, selection))[:1]
        raise WarehouseError("the disk is gone")

    parts = export_changes.selected
    monkeypatch.setattr(export_changes, "selected", broken)
    told = run(market, "nav", "--out", str(path), "--overwrite")
    assert told.exit_code == 1
    assert "the disk is gone" in told.output
    assert [file.name for file in tmp_path.iterdir()] == ["nav.parquet"]
    assert path.read_text(encoding="utf-8") == "mine"


def test_xlsx_that_would_not_fit_is_refused_before_it_is_begun(
    first_evening, tmp_path, monkeypatch
):
    """Stops minutes of writing that end in an error."""
    market, _ = first_evening
    monkeypatch.setattr(export_stream.files, "SHEET_ROWS", 50)
    rows = len(market.table("validated_nav"))
    told = run(market, "nav", "--out", str(tmp_path / "nav.xlsx"))
    assert told.exit_code == 2
    words = f"validated_nav would have {rows:,} rows, a sheet of xlsx holds 50"
    assert words in " ".join(told.output.split())
    assert not list(tmp_path.iterdir())


def test_navs_of_one_fund_and_of_several(first_evening, funds):
    """Stops another fund's rows, a lost date, or an index that depends on luck."""
    market, _ = first_evening
    stored = market.table("validated_nav")
    codes = sorted(stored["fund_code"].unique())
    one = funds.nav(codes[0])
    mine = stored[stored["fund_code"] == codes[0]]
    assert one.index.name == "nav_date"
    assert one.index.is_monotonic_increasing
    assert one.index.strftime("%Y%m%d").astype(int).tolist() == mine["nav_date"].tolist()
    assert one["unit_nav"].tolist() == mine["unit_nav"].tolist()
    assert one["first_seen_at"].iloc[0] == pd.Timestamp("2026-09-17 21:40")
    some = funds.nav(iter(codes[:3]), since="2026-09-10", until=date(2026, 9, 16))
    assert some.index.names == ["fund_code", "nav_date"]
    chosen = stored[
        stored["fund_code"].isin(codes[:3]) & stored["nav_date"].between(20260910, 20260916)
    ]
    chosen = chosen.sort_values(["fund_code", "nav_date"])
    assert some["total_return_index"].tolist() == chosen["total_return_index"].tolist()
    assert some.index.get_level_values(0).tolist() == chosen["fund_code"].tolist()


def slow_returns(stored, code, every):
    """Return by return, with nothing but a loop."""
    rows = stored[stored["fund_code"] == code].sort_values("nav_date")
    ends = {}
    for key, value in zip(rows["nav_date"], rows["total_return_index"], strict=True):
        ends[every(datetime.strptime(str(key), "%Y%m%d").replace(tzinfo=UTC).date())] = value
    found, before = {}, None
    for period, value in ends.items():
        if before is not None:
            found[period] = value / before - 1
        before = value
    return found


PERIODS = {
    "day": lambda day: day,
    "week": lambda day: day.isocalendar()[:2],
    "month": lambda day: (day.year, day.month),
    "quarter": lambda day: (day.year, (day.month - 1) // 3),
    "year": lambda day: day.year,
}


@pytest.mark.parametrize("every", PERIODS)
def test_returns_equal_a_slow_loop(first_evening, funds, every):
    """Stops a return across a gap, over a dividend or at the first date from being wrong."""
    market, _ = first_evening
    period = PERIODS[every]
    stored = market.table("validated_nav")
    kinds = market.table("fund_info").drop_duplicates("kind")
    codes = sorted(set(kinds["fund_code"]) & set(stored["fund_code"]))
    found = funds.returns(codes, every=every)
    assert list(found.columns) == codes
    for code in codes:
        mine = found[code].dropna()
        expected = slow_returns(stored, code, period)
        assert [period(day.date()) for day in mine.index] == list(expected)
        assert mine.tolist() == pytest.approx(list(expected.values()), rel=1e-12, abs=1e-15)
    # What is read for a part of the dates, or for all funds, says the same.
    later = funds.returns(codes, since="2026-03-02", every=every)
    pd.testing.assert_frame_equal(later, found.loc["2026-03-02":], check_freq=False)
    whole = funds.returns(since="2026-03-02", every=every)
    pd.testing.assert_frame_equal(whole[codes].loc[later.index], later)


def test_a_period_bears_its_last_session_and_says_whether_it_is_over(funds):
    """Stops ends on which nobody traded, and a running month that looks like a whole one."""
    sessions = [day for day in exchange_sessions() if day <= DAY]
    for every in ("week", "quarter"):
        last = {}
        for key in sessions:
            last[PERIODS[every](from_key(key))] = pd.Timestamp(str(key))
        periods = funds.periods(every, since="2026-01-15")
        returns = funds.returns(since="2026-01-15", every=every)
        assert set(returns.index) <= set(periods.index)
        traded = periods.index[periods["sessions"] > 0]
        assert traded.tolist() == [day for day in last.values() if day >= traded[0]]
        assert periods["is_over"].tolist() == [True] * (len(periods) - 1) + [False]
        assert periods["began_before"].tolist() == [True] + [False] * (len(periods) - 1)
        assert periods["sessions"].iloc[1:-1].tolist() == [
            sum(begins <= pd.Timestamp(str(key)) <= ends for key in sessions)
            for begins, ends in periods[["begins", "ends"]].iloc[1:-1].itertuples(index=False)
        ]
        whole = funds.returns(since="2026-01-15", every=every, whole=True)
        over = periods.index[periods["is_over"]]
        assert whole.drop(index=over, errors="ignore").isna().all(axis=None)
        both = whole.notna()
        assert both.any(axis=None)
        pd.testing.assert_frame_equal(whole[both], returns[both])
    until = funds.periods("month", since="2026-08-01", until="2026-08-15")
    assert until["is_over"].tolist() == [False]
    assert until.index.tolist() == [pd.Timestamp("2026-08-14")]


def test_the_whole_market_is_that_of_the_single_funds(first_evening, funds):
    """Stops the market's other way of reading from giving other values."""
    market, _ = first_evening
    whole = funds.total_return(until="2026-09-16")
    codes = market.table("fund_info")["fund_code"].tolist()
    single = funds.total_return(codes, until="2026-09-16").dropna(axis="columns", how="all")
    pd.testing.assert_frame_equal(whole, single, check_index_type=False)
    assert whole.index.max() == pd.Timestamp("2026-09-16")
    assert np.isnan(whole.to_numpy()).any()
    few = funds.total_return(codes[3:7][::-1], since="2026-09-01", until="2026-09-16")
    same = whole.reindex(columns=codes[3:7][::-1]).loc["2026-09-01":].dropna(how="all")
    pd.testing.assert_frame_equal(few, same)


def test_metrics_are_those_of_the_window_and_date(first_evening, funds):
    """Stops another window's or date's values."""
    market, _ = first_evening
    stored = market.table("fund_metrics", f"calc_date = {DAY} AND \"window\" = '6m'")
    found = funds.metrics("6m")
    assert found.index.tolist() == stored["fund_code"].tolist()
    np.testing.assert_array_equal(found["sharpe_ratio"], stored["sharpe_ratio"])
    np.testing.assert_array_equal(found["max_drawdown_days"], stored["max_drawdown_days"])
    assert set(found["calc_date"]) == {pd.Timestamp("2026-09-17")}
    some = funds.metrics(window="6m", codes=found.index[:2], on=DAY)
    pd.testing.assert_frame_equal(some, found.iloc[:2])
    with pytest.raises(
        ExportError, match=r"no metrics of 2026-09-18: NAVs are .* to 2026-09-17"
    ):
        funds.metrics(on="2026-09-18")
    with pytest.raises(ExportError, match=r"unknown window '4y': .*choose from 1m"):
        funds.metrics("4y")


def test_metrics_say_whose_they_are(first_evening, funds):
    """Stops a ranking of bare codes, in which money-market funds lead every measure of risk."""
    market, _ = first_evening
    info = market.table("fund_info").set_index("fund_code")
    found = funds.metrics("6m")
    assert found.columns[:3].tolist() == ["name", "fund_type", "kind"]
    assert found["name"].tolist() == info.loc[found.index, "name"].tolist()
    mixed = funds.metrics("6m", kind="混合型")
    assert set(mixed["kind"]) == {"mixed"}
    assert mixed.index.tolist() == found.index[found["kind"] == "mixed"].tolist()
    code = mixed.index[0]
    both = funds.metrics(["近1年", "3m"], code)
    assert both.index.tolist() == [(code, "1y"), (code, "3m")]
    assert both.index.names == ["fund_code", "window"]
    three = market.table("fund_metrics", f"fund_code = '{code}' AND \"window\" = '3m'")
    assert both.loc[(code, "3m"), "total_return"] == three["total_return"].iloc[0]
    with pytest.raises(ExportError, match="unknown kind 'bonds': did you mean bond"):
        funds.metrics(kind="bonds")


def test_codes_as_people_write_them(funds):
    """Stops a code copied from another program from being refused, or from meaning another."""
    one = funds.nav("000001")
    for written in (1, "000001.OF", " 000001 "):
        pd.testing.assert_frame_equal(funds.nav(written), one)
    several = funds.nav(["000001", "000003"])
    pd.testing.assert_frame_equal(funds.nav("000001,000003"), several)
    pd.testing.assert_frame_equal(funds.nav(["000001，000003.OF"]), several)
    with pytest.raises(ExportError, match="'1' is not a fund code: write six digits"):
        funds.nav("1")


def test_asof_shows_what_was_known(market):
    """Stops look-ahead: a correction must not be seen before it was made."""
    stored = market.table("validated_nav")
    code, day = stored["fund_code"].iloc[-1], int(stored["nav_date"].iloc[-1])
    row = stored.iloc[[-1]]
    old = row.assign(
        superseded_at=20260918_073000,
        superseded_by="w2",
        kind="correction",
        change_pct=1.0,
        legal_level="announce",
    )
    with market.warehouse.transaction(writes=True) as connection:
        insert(connection, NAV_REVISION, NAV_REVISION.conform(old))
        update(connection, VALIDATED_NAV, row[["nav_date", "fund_code"]].assign(unit_nav=9.5))
    with Funds(market.warehouse.backend.url.render_as_string(False)) as funds:
        at = str(day)
        assert funds.nav(code)["unit_nav"][at] == 9.5
        assert funds.asof(code, "2026-09-18 07:29")["unit_nav"][at] == row["unit_nav"].iloc[0]
        assert funds.asof(code, "2026-09-18 07:30")["unit_nav"][at] == 9.5
        utc = datetime(2026, 9, 17, 23, 29, tzinfo=UTC)
        assert funds.asof(code, utc)["unit_nav"][at] == row["unit_nav"].iloc[0]
        assert funds.asof(code, date(2026, 9, 18))["unit_nav"][at] == 9.5
        assert funds.asof([code], "2026-09-16").empty
        both = funds.asof([code, stored["fund_code"].iloc[-2]], "2026-09-17")
        assert both.index.names == ["fund_code", "nav_date"]
        assert "total_return_index" not in both
        with pytest.raises(ExportError, match="'soon' is not a time: write YYYY-MM-DD or"):
            funds.asof(code, "soon")


def test_closes_of_any_index_are_handed_out(first_evening, funds):
    """Stops a benchmark that a row names from being one that nobody can look at."""
    market, _ = first_evening
    stored = market.table("benchmark_index", "index_code = 'HSI'")
    closes = funds.index("HSI")["close"]
    assert closes.tolist() == stored.sort_values("nav_date")["close"].tolist()
    assert len(closes) > 100
    with pytest.raises(ExportError, match="did you mean 中债-综合指数 "):
        funds.index("中债-综合指数")


def test_changes_since_a_cursor_lead_to_the_same_table(market, tmp_path):
    """Stops an export without a cursor, one that leaves a deletion out, and a second file that
    is written over."""
    told = run(market, "events", "--out", str(tmp_path / "events.parquet"))
    (cursor,) = re.findall(r"^cursor (1?[0-9]+-[0-9a-f]{8})$", told.output, re.M)
    facts = pq.read_schema(tmp_path / "events.parquet").metadata
    assert facts[b"cursor"].decode() == cursor
    events = market.table("fund_events")
    corrected = events.tail(1).assign(value=0.5)
    with market.warehouse.transaction(writes=True) as connection:
        upsert(connection, FUND_EVENTS, corrected)
        delete(connection, FUND_EVENTS, events.head(1)[["fund_code", "ex_date", "kind"]])
    with Funds(market.warehouse.backend.url.render_as_string(False)) as funds:
        begun = funds.changes(None, "events").rows
        assert len(begun) == len(events) - 1
        mirror = pd.read_parquet(tmp_path / "events.parquet")
        step = funds.changes(cursor, "events")
        assert (step.tombstones["fund_code"] == events["fund_code"][0]).all()
        pd.testing.assert_frame_equal(step.onto(mirror), begun, check_dtype=False)
        assert (
            funds.changes(cursor, "events", corrected["fund_code"]).rows["value"].max() == 0.5
        )
        assert funds.changes(step.cursor, "events").rows.empty
        assert funds.changes(step.cursor, "events").cursor == step.cursor
    out = ("--changed-since", cursor, "--out", str(tmp_path / "new.csv"))
    told = run(market, "events", *out)
    assert told.exit_code == 0 and f"cursor {step.cursor}" in told.output, told.output
    gone = pd.read_csv(tmp_path / "new.tombstones.csv", dtype={"fund_code": str})
    assert f"{tmp_path / 'new.tombstones.csv'}: what was deleted" in told.output
    assert gone["fund_code"].tolist() == [events["fund_code"][0]]
    assert gone["first_date"].str.replace("-", "").astype(int).tolist() == [
        events["ex_date"][0]
    ]
    assert len(pd.read_csv(tmp_path / "new.csv")) == len(step.rows)
    (tmp_path / "new.csv").unlink()
    told = run(market, "events", *out)
    assert told.exit_code == 2 and "new.tombstones.csv already exists" in told.output
    told = run(market, "events", "--changed-since", "7-00000000")
    assert told.exit_code == 2 and "not from this warehouse" in told.output


@pytest.mark.slow
def test_polars_gives_the_same(first_evening, funds):
    """Stops the two forms from differing, and an index from getting lost."""
    import polars as pl

    polars = funds.polars()
    codes = first_evening[0].table("fund_info")["fund_code"].tolist()[:3]
    for ask in (
        lambda f: f.nav(codes[0]),
        lambda f: f.nav(codes),
        lambda f: f.returns(codes, every="month"),
        lambda f: f.metrics("1y", codes),
        lambda f: f.metrics(["1y", "3m"], codes, on="2026-06-30"),
        lambda f: f.screen("total_return>0", on="2026-06-30"),
        lambda f: f.rolling("sharpe_ratio", "3m", codes),
        lambda f: f.periods("quarter"),
        lambda f: f.events(),
        lambda f: f.nav(codes, names=True),
        lambda f: f.table("events"),
        lambda f: f.index(),
        lambda f: f.info(),
    ):
        ours, theirs = ask(funds), ask(polars)
        assert isinstance(theirs, pl.DataFrame)
        flat = ours if ours.index.names == [None] else ours.reset_index()
        assert theirs.columns == list(flat.columns)
        assert theirs.height == len(ours)
        assert theirs.equals(pl.from_pandas(flat))
    polars.close()


def test_funds_reads_alone_and_follows_the_settings(first_evening, monkeypatch, tmp_path):
    """Stops research from changing the warehouse, and from opening another one."""
    market, _ = first_evening
    for name, value in stores.environment(market.folder).items():
        monkeypatch.setenv(name, value)
    with Funds() as funds:
        assert len(funds.info()) == len(market.table("fund_info"))
        name = funds.info()["name"].iloc[0]
        assert funds.find(name)["name"].iloc[0] == name
        assert re.search(r"^Funds\('.+'\)$", repr(funds))
        with pytest.raises(ExportError, match="known funds: 999999"):
            funds.nav("999999")
        assert funds._warehouse.read_only
    monkeypatch.setenv("FUND_SOURCE", "akshare")
    if stores.on_mysql():
        with pytest.raises(WarehouseError, match="stores the simulated market"):
            Funds()
    with pytest.raises(WarehouseError, match="run `fund-assets run` first"):
        Funds(f"sqlite:///{tmp_path / 'none.db'}")


@pytest.mark.slow
def test_the_notebook_gives_what_stands_in_it(first_evening, monkeypatch):
    """Stops the notebook from failing for its reader, or showing figures of another release."""
    for name, value in stores.environment(first_evening[0].folder).items():
        monkeypatch.setenv(name, value)
    written = notebook.load()
    assert notebook.texts(notebook.run(written)) == notebook.texts(written), "run `make docs`"


@pytest.mark.slow
def test_an_interrupted_export_leaves_no_file(first_evening, tmp_path):
    """Stops Ctrl-C from leaving half a file, or the reader's process behind."""
    market, _ = first_evening
    script = (
        "import fund_assets.export.changes as e, time, sys\n"
        "real = e.selected\n"
        "def slowly(*of):\n"
        "    for batch in real(*of):\n"
        "        print('begun', flush=True); time.sleep(30); yield batch\n"
        "e.selected = slowly\n"
        "from fund_assets.cli import main; main(['export', 'nav', '--out', sys.argv[1]])"
    )
    environment = {**os.environ, **stores.environment(market.folder), "FUND_CLOCK": THURSDAY}
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "nav.csv")],
        env=environment, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) != 0
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_a_full_disk_is_told_and_leaves_nothing(first_evening, tmp_path):
    """Stops half a file, or a traceback, where there is no room."""
    market, _ = first_evening
    script = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))\n"
        "from fund_assets.cli import main; main(['export', 'nav', '--out', sys.argv[1]])"
    )
    environment = {**os.environ, **stores.environment(market.folder), "FUND_CLOCK": THURSDAY}
    for form in ("parquet", "csv", "xlsx"):
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / f"nav.{form}")],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2, done.stderr
        assert f"nav.{form} cannot be written: " in done.stderr
        assert "File too large" in done.stderr
    assert not list(tmp_path.iterdir())
