"""The decoders on payloads with the market's real figures."""

import gzip
import re

import numpy as np
import pandas as pd
import pytest

from fund_assets.sources.eastmoney.akshare_tables import akshare_history, akshare_money_page
from fund_assets.sources.eastmoney.decode_history import decode_history
from fund_assets.sources.eastmoney.decode_list import decode_list
from fund_assets.sources.eastmoney.decode_pages import MONEY, decode_page
from fund_assets.sources.eastmoney.decode_snapshot import decode_snapshot
from fund_assets.transport.http_answer import Answer
from fund_assets_tests.server import RealContent

pytestmark = pytest.mark.real_data

FIRST_ROW_OF_161725 = 20150527
RECORDED = "pingzhongdata_161725_2026-02-27.js.gz"


def _unpacked(path):
    return gzip.decompress(path.read_bytes())


def _keys(dates):
    return dates.str.replace("-", "").astype("int32").to_numpy()


@pytest.mark.slow
def test_sixty_built_payloads_decode_to_their_recorded_values(real_data):
    """Unit NAV, accumulated NAV and growth of 168,000 fund days, to the last bit."""
    table = pd.read_parquet(
        real_data / "histories_acc" / "ethanj_unit_acc_reconstructed.parquet",
        columns=["code", "date", "unit_nav", "acc_nav", "growth_pct", "div_per_share"],
    )
    recorded = dict(list(table.groupby("code")))
    files = sorted((real_data / "pingzhongdata_built").glob("*.js.gz"))
    assert len(files) == 60
    for path in files:
        code = path.name[:6]
        truth = recorded[code]
        frame, events = decode_history(_unpacked(path), code)
        assert set(frame["fund_code"]) == {code} and set(frame["defect"]) == {""}
        np.testing.assert_array_equal(frame["nav_date"], _keys(truth["date"]), code)
        for name in ("unit_nav", "acc_nav", "growth_pct"):
            np.testing.assert_array_equal(frame[name], truth[name], f"{code} {name}")
        paid = truth[truth["div_per_share"] > 0]
        np.testing.assert_array_equal(events["ex_date"], _keys(paid["date"]))
        np.testing.assert_array_equal(events["value"], paid["div_per_share"])
        assert set(events["kind"]) <= {"dividend"}


def test_recorded_payload_of_161725(real_data):
    """Recorded bytes: 2,616 dates, 9 splits and 3 dividends, equal to another endpoint's."""
    frame, events = decode_history(_unpacked(real_data / "raw_payloads" / RECORDED), "161725")
    assert len(frame) == 2616 and set(frame["defect"]) == {""}
    assert frame["nav_date"].is_monotonic_increasing and frame["nav_date"].is_unique
    assert frame["nav_date"].iloc[0] == FIRST_ROW_OF_161725
    assert events["kind"].value_counts().to_dict() == {"split": 9, "dividend": 3}
    dividends = events[events["kind"] == "dividend"]
    assert dividends[["ex_date", "value"]].values.tolist() == [
        [20210907, 0.012], [20211209, 0.028], [20211231, 0.045],
    ]  # fmt: skip
    assert events["value"].iloc[0] == 1.018012713

    path = real_data / "histories_acc" / "1394862250_161725_2023-09.csv.gz"
    other = pd.read_csv(path, dtype={"FSRQ": str}).assign(
        nav_date=lambda table: _keys(table["FSRQ"])
    )
    both = frame.merge(other, on="nav_date")
    assert len(both) == len(other) == 1921
    np.testing.assert_array_equal(both["unit_nav"], both["DWJZ"])
    np.testing.assert_array_equal(both["acc_nav"], both["LJJZ"])
    # Until 2020 the payload gives growth with four decimals, the other endpoint with two.
    assert (both["growth_pct"] - both["JZZZL"]).abs().max() <= 0.005 + 1e-9


def test_recorded_payload_of_161725_as_akshare_reads_it(real_data):
    """The recorded bytes in the JavaScript engine: same dates, same figures."""
    body = _unpacked(real_data / "raw_payloads" / RECORDED)
    answer = Answer("history", "https://x/", 200, {}, body, "")
    ours, _ = decode_history(body, "161725")
    theirs, _ = akshare_history(answer, "161725", "index")
    pd.testing.assert_frame_equal(ours, theirs)


def test_recorded_fund_list_keeps_every_character(real_data):
    """9,874 rows behind a byte-order mark, against the quoted texts in their order."""
    body = _unpacked(real_data / "raw_payloads" / "fundcode_search_2020-03-19.js.gz")
    texts = re.findall(r'"([^"]*)"', body.decode("utf-8-sig"))  # five a row, none escaped
    rows = [texts[at : at + 5] for at in range(0, len(texts), 5)]
    truth = [[row[0], row[2], row[3], row[1]] for row in rows]
    frame = decode_list(body)
    assert len(frame) == 9874 and frame.values.tolist() == truth
    assert frame["fund_code"].str.fullmatch("[0-9]{6}").all()


def test_the_market_panel_passes_whole(real_data):
    """Every fund of September 2020 at both dates: shown texts are values, the rest blanks."""
    content = RealContent(real_data)
    got = decode_snapshot(content.reply("open_funds", "").body)
    panel = pd.read_parquet(real_data / "snapshots" / "lcc_2020-09_panel_nav.parquet")
    assert got.rows == panel["code"].nunique() and got.duplicates == 0
    assert set(got.observations["defect"]) == {""}
    for day, key in (("2020-09-25", 20200925), ("2020-09-24", 20200924)):
        shown = panel[panel["date"] == day].set_index("code")
        ours = got.observations[got.observations["nav_date"] == key].set_index("fund_code")
        assert ours["unit_nav"].notna().sum() == len(shown)
        seen = ours.loc[shown.index]
        np.testing.assert_array_equal(seen["unit_nav"], shown["unit_nav"].astype(float))
        acc = pd.to_numeric(shown["acc_nav"].replace("--", None))
        np.testing.assert_array_equal(seen["acc_nav"], acc.astype(float))
        if key == 20200925:
            growth = pd.to_numeric(shown["growth"].str.removesuffix("%").replace("--", None))
            np.testing.assert_array_equal(seen["growth_pct"], growth.astype(float))


def test_the_money_panel_passes_whole(real_data):
    """Yields of 711 money funds through our decoder of the page, and through akshare's."""
    content = RealContent(real_data)
    reply = content.reply("money_funds", "")
    answer = Answer("money_funds", "https://x/", 200, {}, reply.body, "")
    page = decode_page(reply.body, MONEY)
    witness = akshare_money_page(answer)
    pd.testing.assert_frame_equal(page.observations, witness.observations)
    pd.testing.assert_frame_equal(page.listing, witness.listing)
    panel = pd.read_parquet(real_data / "snapshots" / "lcc_2020-10-early_money.parquet")
    assert page.rows == panel["code"].nunique() and set(page.observations["defect"]) == {""}
    for day, key in (("2020-09-25", 20200925), ("2020-09-24", 20200924)):
        shown = panel[panel["date"] == day].set_index("code")
        ours = page.observations[page.observations["nav_date"] == key].set_index("fund_code")
        assert ours["yield_per_10k"].notna().sum() == len(shown) > 300
        seen = ours.loc[shown.index]
        np.testing.assert_array_equal(seen["yield_per_10k"], shown["wan_yield"].astype(float))
        week = pd.to_numeric(shown["seven_day"].str.removesuffix("%").replace("--", None))
        np.testing.assert_array_equal(seen["yield_7d_pct"], week.astype(float))
    names = content.listing.set_index("fund_code")["name"]
    listed = page.listing[page.listing["fund_code"].isin(names.index)]
    assert listed["name"].tolist() == names[listed["fund_code"]].tolist()
    assert (listed["name"] != "").all()
