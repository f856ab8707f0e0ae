"""The real market through the whole pipeline: Dagster runs in child processes, the real
akshare and the gateway on a TLS server that speaks eastmoney's wire formats."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from fund_assets_tests import stores
from fund_assets_tests.real_data import evidence
from fund_assets_tests.server import MarketServer, RealContent

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
PANEL_EVENING, HISTORY_EVENING = "2020-09-25T21:40:00", "2026-02-27T20:00:00"
SUNDAY, WEEK = "2020-09-27T02:00:00", "2020-W39"


@pytest.fixture(scope="module")
def content(real_data):
    return RealContent(real_data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("real")


@pytest.fixture(scope="module")
def warehouse(content, folder):
    """A wave of 2020-09-25, a backfill of the 61 histories, and the Sunday after it, all by `dagster job`."""
    with MarketServer(content) as server:
        env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("FUND_")},
            **server.env,
            "FUND_SOURCE": "akshare",
            **stores.environment(folder),
            "FUND_REQUESTS_PER_SECOND": "1000",
            "PYTHONWARNINGS": "ignore",
        }
        config = {"codes": sorted(content.histories)}
        for job, clock, run_config in (
            ("daily_pipeline", PANEL_EVENING, collecting({"history_funds": 0})),
            ("history_backfill", HISTORY_EVENING, {"ops": {"nav_history": {"config": config}}}),
            ("daily_metrics", HISTORY_EVENING, {}),
            ("weekly_full_calc", SUNDAY, {}),
        ):
            file = folder / "run.json"
            file.write_text(json.dumps(run_config))
            done = subprocess.run(
                [sys.executable, "-m", "dagster", "job", "execute", "-m", "fund_assets.definitions",
                 "-j", job, "-c", str(file)],
                cwd=ROOT, env={**env, "FUND_CLOCK": clock}, capture_output=True, text=True,
                check=False, timeout=600,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr[-3000:]
        waves = [server.count(e) for e in ("open_funds", "money_funds", "exchange_funds")]
        assert waves == [1, 1, 1], "the whole market in three requests"
    return partial(stores.query, folder, source="akshare")


def collecting(what):
    """The run config of a collection."""
    return {"ops": {"fund_nav": {"config": what}}}


def test_the_report_of_a_real_week(warehouse, folder, content):
    """Stops a report that real names, a young warehouse or a whole market break."""
    page = (folder / "akshare" / "reports" / f"weekly-{WEEK}.html").read_text(encoding="utf-8")
    assert len(page.encode()) < 3_000_000
    assert "真实市场" in page and "2020-09-21 至 2020-09-27" in page
    addresses = page.replace("http://www.w3.org/", "")  # the names of SVG and its links
    assert "://" not in addresses, "no name of a fund is an address"
    (log,) = warehouse("SELECT figures FROM weekly_log WHERE step = 'recheck'")
    recheck = json.loads(log[0])
    (count,) = warehouse("SELECT COUNT(*) FROM validated_nav")
    assert (recheck["rows"], recheck["index_differing"]) == (count[0], 0)
    assert (folder / "akshare" / "reports" / "walk-forward.html").exists()


def test_every_row_of_the_whole_market_is_accounted_for(warehouse, content):
    """Stops rows of the 10,120-fund panel from vanishing between reading and merging."""
    names = [
        "batch_id", "rows_read",
        "rows_new", "rows_changed", "rows_filled", "rows_unchanged",
        "rows_quarantined", "rows_pending",
    ]  # fmt: skip
    rows = warehouse(f"SELECT {', '.join(names)} FROM publish_log")
    log = pd.DataFrame(rows, columns=names).set_index("batch_id")
    parts = names[2:]
    assert (log[parts].sum(axis=1) == log["rows_read"]).all()
    wave = log[log.index.str.startswith("w")].iloc[0]
    open_codes, money_codes = set(content.panel.index), set(content.money_panel.index)
    assert wave["rows_read"] == 2 * len(open_codes | money_codes)
    shown = content.panel[["unit_nav0", "unit_nav1"]].stack()
    money = content.money_panel[["wan_yield0", "wan_yield1"]].stack()
    published = int((~shown.isin(["", "--"])).sum() + (money != "---").sum())
    assert wave["rows_new"] == published
    assert wave["rows_pending"] == wave["rows_read"] - published
    # One recorded event is held: a split of 46.7384 of 006401. It is no NAV.
    held = warehouse(
        "SELECT fund_code, nav_date, rule FROM nav_quarantine WHERE rule NOT LIKE 'R24%'"
    )
    assert {rule for _, _, rule in held} == {"R10_accumulated_nav"}
    found = {(code, day) for code, day, _ in held}
    assert found == odd_levels(content.panel) & found, "no other real figure is implausible"
    assert len({code for code, _ in found}) == 40, "the rest is explained by recorded splits"


def odd_levels(panel):
    """(code, date) of accumulated NAVs below a fifth or above five times of their unit NAV.

    Seen first they wait alone for the fund's history: classes B of structured funds, funds whose
    old splits no list has, and some that have paid out most of what they earned.
    """
    found = set()
    for number, day in enumerate((20200925, 20200924)):
        unit, acc = (
            pd.to_numeric(panel[f"{name}{number}"], errors="coerce")
            for name in ("unit_nav", "acc_nav")
        )
        odd = (acc / unit < 0.2) | (acc / unit > 5)
        found |= {(code, day) for code in panel.index[odd]}
    return found


def figures(warehouse, where=""):
    names = ["fund_code", "nav_date", "unit_nav", "acc_nav", "growth_pct"]
    rows = warehouse(f"SELECT {', '.join(names)} FROM validated_nav {where}")
    return pd.DataFrame(rows, columns=names)


def test_the_panel_is_stored_as_it_was_shown(warehouse, content):
    """Stops any figure of the real market from changing on its way: exact, every fund."""
    stored = figures(warehouse, "WHERE nav_date IN (20200925, 20200924)")
    stored = stored.set_index(["nav_date", "fund_code"])
    histories, odd = set(content.histories), odd_levels(content.panel)
    compared = 0
    for number, day in enumerate((20200925, 20200924)):
        for code, row in content.panel.iterrows():
            if code in histories or row[f"unit_nav{number}"] in ("", "--"):
                continue
            found = stored.loc[(day, code)]
            assert found["unit_nav"] == float(row[f"unit_nav{number}"]), code
            acc = row[f"acc_nav{number}"]
            waits = pd.isna(found["acc_nav"]) and (code, day) in odd
            assert waits or (
                pd.isna(found["acc_nav"])
                if acc in ("", "--")
                else found["acc_nav"] == float(acc)
            )
            growth = row["growth0"].removesuffix("%")
            if number == 0 and growth not in ("", "--"):
                assert found["growth_pct"] == float(growth), code
            compared += 1
    assert compared > 18_000


def test_histories_are_stored_exactly(warehouse, content, real_data):
    """Stops any value of a recorded history from being rounded, shifted by a day or lost."""
    stored = figures(warehouse).set_index("fund_code")
    recorded = pd.read_parquet(
        real_data / "histories_acc" / "ethanj_unit_acc_reconstructed.parquet"
    )
    recorded["nav_date"] = (
        pd.to_datetime(recorded["date"]).dt.strftime("%Y%m%d").astype("int64")
    )
    by_code = recorded.groupby("code")
    for code in sorted(set(content.histories) - {"161725"}):
        mine = stored.loc[code].sort_values("nav_date").reset_index(drop=True)
        theirs = by_code.get_group(code).sort_values("nav_date").reset_index(drop=True)
        for column in ("nav_date", "unit_nav", "acc_nav", "growth_pct"):
            pd.testing.assert_series_equal(
                mine[column], theirs[column], check_dtype=False, check_exact=True, obj=code
            )


def day_of(milliseconds):
    return int(
        (datetime.fromtimestamp(milliseconds / 1000, UTC) + timedelta(hours=8)).strftime(
            "%Y%m%d"
        )
    )


def test_the_recorded_payload_is_stored_exactly(warehouse, real_data):
    """Stops the one payload of recorded bytes from losing a point, and its events."""
    trend, acc = evidence.points_of(evidence.recorded_payload(real_data))
    rows = warehouse(
        "SELECT nav_date, unit_nav, acc_nav, growth_pct FROM validated_nav "
        "WHERE fund_code = '161725' ORDER BY nav_date"
    )
    accumulated = dict(acc)
    assert rows == [
        (day_of(p["x"]), p["y"], accumulated[p["x"]], float(p["equityReturn"])) for p in trend
    ]
    events = warehouse(
        "SELECT kind, COUNT(*) FROM fund_events WHERE fund_code = '161725' GROUP BY kind"
    )
    assert events == [("dividend", 3), ("split", 9)]


def test_window_returns_equal_the_source_to_its_last_digit(warehouse, real_data):
    """Stops a return that the source itself would contradict: 9 splits and 3 dividends."""
    index = dict(
        warehouse(
            "SELECT nav_date, total_return_index FROM validated_nav WHERE fund_code = '161725'"
        )
    )
    source = evidence.own_returns(evidence.recorded_payload(real_data))
    assert evidence.month_returns(index) == source == {"1m": 0.34, "3m": -11.61, "6m": -18.14, "1y": -13.69}  # fmt: skip
    found = warehouse("SELECT theirs, verdict FROM source_agreement WHERE fund_code = '161725'")
    assert sorted(found) == sorted((value, "equal") for value in source.values())


def test_names_keep_every_character(warehouse, content):
    """Stops names from being eaten: 金鹰货币A is not 鹰货币A."""
    names = dict(warehouse("SELECT fund_code, name FROM fund_info"))
    expected = dict(zip(content.listing["fund_code"], content.listing["name"], strict=True))
    assert {code: names[code] for code in expected} == expected
    assert names["210012"] == "金鹰货币A"
