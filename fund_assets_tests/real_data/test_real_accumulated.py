"""Real accumulated NAVs before the rule on them: none is held falsely without a known reason."""

import gzip

import numpy as np
import pandas as pd
import pytest

from fund_assets.nav.accumulated import Accumulation, judge, levels_of_events
from fund_assets.nav.timeline import keys_of
from fund_assets.sources.eastmoney.decode_history import decode_history
from fund_assets_tests.real_data import evidence

pytestmark = pytest.mark.real_data


def held(rows, events, *, recorded):
    """The rows that the rule holds when all are new."""
    steps = evidence.steps_of(rows, events)
    base, paid = levels_of_events(
        keys_of(rows["fund_code"], rows["nav_date"]), events.assign(status="recorded")
    )
    names = ("unit_nav", "acc_nav", "growth_pct", "dividend", "split")
    found = judge(
        Accumulation(
            **{name: steps[name].to_numpy(dtype=float) for name in names},
            base=base,
            paid=paid,
            first=(rows["fund_code"] != rows["fund_code"].shift()).to_numpy(),
            open=np.ones(len(rows), dtype=bool),
            disputed=np.zeros(len(rows), dtype=bool),
            restated=np.full(len(rows), np.nan),
        ),
        recorded=recorded,
    )
    return rows.assign(against=found.against)[found.unexplained]


@pytest.fixture(scope="module")
def events(real_data):
    told_of = [evidence.read_recorded(real_data)]
    for name in ("161725_2026-02-27", "710001_2026-05-14"):
        body = (real_data / "raw_payloads" / f"pingzhongdata_{name}.js.gz").read_bytes()
        told_of.append(decode_history(gzip.decompress(body), name[:6])[1])
    both = pd.concat(told_of, ignore_index=True)
    return both.drop_duplicates(["fund_code", "ex_date", "kind"], keep="last")


@pytest.mark.slow
def test_no_accumulated_nav_of_a_real_history_is_held(real_data, events):
    """Stops readings that managers really use from being held: dividends and splits added or
    scaled, bases of old splits, three decimals, accumulated below unit NAV, rows missing."""
    folder = real_data / "histories_acc"
    many = evidence.read_histories(real_data)
    parts = [many[["fund_code", "nav_date", "unit_nav", "acc_nav", "growth_pct"]]]
    parts += [
        evidence.told(pd.read_parquet(folder / f"{name}.parquet"), *of)
        for name, of in evidence.SCRAPED.items()
    ]
    lsjz = pd.read_csv(folder / "1394862250_161725_2023-09.csv.gz", dtype=str)
    parts.append(
        evidence.told(lsjz.assign(code="161725"), "code", "FSRQ", "DWJZ", "LJJZ", "JZZZL")
    )
    for name in ("161725_2026-02-27", "710001_2026-05-14"):
        body = (real_data / "raw_payloads" / f"pingzhongdata_{name}.js.gz").read_bytes()
        parts.append(decode_history(gzip.decompress(body), name[:6])[0])
    shown = sum(int(part["acc_nav"].notna().sum()) for part in parts)
    assert shown == 910_194
    assert [len(held(part, events, recorded=True)) for part in parts] == [0] * len(parts)


def test_what_is_held_of_a_whole_market_at_first_sight(real_data, events):
    """Stops more than 19 of 9,992 funds from waiting for their history: those far from their
    unit NAV by splits or dividends that no list has. Nothing is held that has a row before it."""
    panel = pd.read_parquet(real_data / "snapshots" / "lcc_2020-09_panel_nav.parquet")
    rows = evidence.told(panel, "code", "date", "unit_nav", "acc_nav", "growth")
    found = held(rows, events, recorded=False)
    assert (len(found), found["fund_code"].nunique()) == (114, 19)
    assert (found["against"] < 0).all()
    level = found["acc_nav"] / found["unit_nav"]
    assert ((level < 0.2) | (level > 5)).all()
    assert rows.dropna(subset="acc_nav")["fund_code"].nunique() == 9_992


def test_ten_fold_accumulated_navs_of_a_real_market_are_held(real_data, events):
    """Stops a shifted column of a whole market from passing, as one did word for word."""
    panel = pd.read_parquet(real_data / "snapshots" / "lcc_2020-09_panel_nav.parquet")
    rows = evidence.told(panel, "code", "date", "unit_nav", "acc_nav", "growth")
    last = ~rows["fund_code"].duplicated(keep="last")
    wrong = last & rows["fund_code"].duplicated(keep="first") & rows["acc_nav"].notna()
    shown = rows.assign(acc_nav=rows["acc_nav"].where(~wrong, rows["acc_nav"] * 10))
    clean = set(held(rows, events, recorded=False)["fund_code"])
    found = held(shown, events, recorded=False)
    caught = found[~found["fund_code"].isin(clean)]
    expected = rows[wrong & ~rows["fund_code"].isin(clean)]
    assert len(expected) > 8_000
    assert set(caught["fund_code"]) == set(expected["fund_code"]) and len(caught) == len(
        expected
    )
