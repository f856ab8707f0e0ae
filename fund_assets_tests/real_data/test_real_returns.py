"""Statuses, inference and window returns over every real history there is."""

import gzip

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import TradingCalendar
from fund_assets.metrics import FundSeries, compute_metrics
from fund_assets.nav.inference import infer
from fund_assets.nav.returns import chain, step_returns
from fund_assets.nav.timeline import keys_of
from fund_assets.schemas.columns import RETURN_STATUSES
from fund_assets.sources.decode import decode_history, event_frame, read_events

pytestmark = pytest.mark.real_data

CALENDAR = TradingCalendar.build()
RECORDED_TO = 20201012
NO_EVENTS = event_frame([])
WINDOWS = {
    "1w": "week_change",
    "1m": "month_change",
    "3m": "three_month_change",
    "6m": "six_month_change",
    "1y": "year_change",
}


def as_keys(dates: pd.Series) -> pd.Series:
    return dates.astype("str").str.slice(0, 10).str.replace("-", "").astype("int32")


@pytest.fixture(scope="module")
def recorded(real_data) -> pd.DataFrame:
    """Every dividend and split recorded until October 2020, columns of `EVENT_COLUMNS`."""
    told = pd.read_parquet(real_data / "other" / "lcc_dividends_splits.parquet")
    rows = [
        (code, int(day.replace("-", "")), kind, value, text)
        for code, day, text in told.itertuples(index=False)
        for kind, value in read_events(text)
    ]
    events = event_frame(rows)
    assert (len(told), len(events), int(events["value"].isna().sum())) == (11082, 11082, 6)
    return events.dropna(subset="value")


@pytest.fixture(scope="module")
def histories(real_data) -> pd.DataFrame:
    """309 funds with unit NAV, growth as published, accumulated NAV, and dividends."""
    frame = pd.read_parquet(
        real_data / "histories_acc" / "ethanj_unit_acc_reconstructed.parquet"
    )
    frame = frame.rename(columns={"code": "fund_code"}).assign(nav_date=as_keys(frame["date"]))
    return frame.sort_values(["fund_code", "nav_date"], ignore_index=True)


def steps_of(frame: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Rows (fund_code, nav_date, unit_nav, acc_nav, growth_pct) with the step of each."""
    first = (frame["fund_code"] != frame["fund_code"].shift()).to_numpy()
    position = CALENDAR.positions(frame["nav_date"].to_numpy())
    gap = np.maximum(np.diff(position, prepend=position[:1]) - 1, 0)
    keys = keys_of(frame["fund_code"], frame["nav_date"])
    wanted = keys_of(events["fund_code"], events["ex_date"])
    at = np.searchsorted(keys, wanted)
    inside = at < len(keys)
    inside[inside] = keys[at[inside]] // 100_000_000 == wanted[inside] // 100_000_000
    dividend, split = np.zeros(len(frame)), np.ones(len(frame))
    for row, kind, value in zip(
        at[inside], events["kind"][inside], events["value"][inside], strict=True
    ):
        if kind == "dividend":
            dividend[row] += value
        else:
            split[row] *= value
    figures = {
        name: frame[name].to_numpy(dtype=float)
        for name in ("unit_nav", "acc_nav", "growth_pct")
    }
    steps = step_returns(
        **figures,
        yield_per_10k=np.full(len(frame), np.nan),
        dividend=dividend,
        split=split,
        first=first,
        gap=np.where(first, 0, gap),
    )
    return frame.assign(
        dividend=dividend,
        split=split,
        returns=steps.returns,
        status=steps.status,
        by_events=steps.by_events,
        disagreement_pct=steps.disagreement_pct,
        prev_unit_nav=frame["unit_nav"].shift().where(~first),
        prev_acc_nav=frame["acc_nav"].shift().where(~first),
        index=chain(steps.returns, first, np.ones(len(frame))),
    )


def test_every_status_of_every_real_step(histories, recorded):
    """Stops a class of real steps from changing its status unseen; docs/returns.md explains
    each of these counts."""
    later = histories[histories["div_inferred"] & (histories["div_per_share"] > 0)]
    rows = [
        (r.fund_code, r.nav_date, "dividend", r.div_per_share, "") for r in later.itertuples()
    ]
    steps = steps_of(histories, pd.concat([recorded, event_frame(rows)], ignore_index=True))
    counts = np.bincount(steps["status"], minlength=len(RETURN_STATUSES))
    assert dict(zip(RETURN_STATUSES, counts.tolist(), strict=True)) == {
        "first": 309,
        "proven": 833_879,
        "single_source": 1_549,
        "suspected_event": 5,
        "unproven": 33,
    }
    odd = steps[steps["status"] >= RETURN_STATUSES.index("suspected_event")]
    assert odd["disagreement_pct"].max() < 6
    assert (odd["disagreement_pct"] > 0.3).sum() == 14


def test_how_many_recorded_events_inference_finds(histories, recorded):
    """Stops inference from missing, inventing or missizing events: all recorded ones are
    withheld, and what is inferred is compared with them."""
    steps = steps_of(histories, NO_EVENTS)
    found = infer(steps, "test")
    found = found[found["ex_date"] <= RECORDED_TO]
    span = histories.groupby("fund_code")["nav_date"].agg(["min", "max"])
    known = recorded[recorded["fund_code"].isin(span.index)]
    limits = span.loc[known["fund_code"]]
    known = known[
        (known["ex_date"].to_numpy() > limits["min"].to_numpy())
        & (known["ex_date"].to_numpy() <= limits["max"].to_numpy())
    ]
    both = known.merge(found, on=["fund_code", "ex_date"], suffixes=("", "_found"))
    assert (len(known), len(found), len(both)) == (294, 290, 290)
    same = both[both["kind"] == both["kind_found"]]
    error = (same["value"] - same["value_found"]).abs()
    assert len(same) == 289
    assert (error < 0.00005).sum() == 284 and error.max() < 0.0021
    missed = set(known["fund_code"] + known["ex_date"].astype("str")) - set(
        both["fund_code"] + both["ex_date"].astype("str")
    )
    # Below rounding, beside a growth that covers another span, or without a NAV on the day.
    assert missed == {"00016520140116", "00092720150114", "00017920180116", "00057820150413"}

    true = steps_of(histories, recorded)
    paid = (true["dividend"] > 0) & (steps["status"] == 3)
    off = (steps["returns"] - true["returns"])[paid].abs()
    by_growth = (steps["growth_pct"] / 100 - true["returns"])[paid].abs()
    assert off.median() < 1e-15 < 1e-7 < by_growth.median()


def test_splits_and_dividends_of_a_recorded_payload(real_data):
    """Stops a split from being lost where it cannot be told from a dividend: this source adds
    both to 161725's accumulated NAV, so its nine splits are found as the dividends that
    would have had the same effect. All twelve events are withheld."""
    path = real_data / "raw_payloads" / "pingzhongdata_161725_2026-02-27.js.gz"
    frame, events = decode_history(gzip.decompress(path.read_bytes()), "161725")
    blind, true = steps_of(frame, NO_EVENTS), steps_of(frame, events)
    found = infer(blind, "test")
    both = events.merge(found, on=["fund_code", "ex_date"], suffixes=("", "_found"))
    both = both.merge(frame, left_on="ex_date", right_on="nav_date")
    assert (len(events), len(found), len(both)) == (12, 12, 12)
    assert both["kind"].value_counts().to_dict() == {"split": 9, "dividend": 3}
    assert set(both["kind_found"]) == {"dividend"}
    paid = both["value"].where(
        both["kind"] == "dividend", both["unit_nav"] * (both["value"] - 1)
    )
    assert (paid - both["value_found"]).abs().max() < 0.0006, "NAVs of three decimals at first"
    apart = (blind["returns"] - true["returns"]).abs()
    assert apart.max() < 0.0006
    assert abs(blind["index"].iloc[-1] / true["index"].iloc[-1] - 1) < 0.001


#: Funds with a dividend in a window that no record tells of.
UNEXPLAINED = {
    "001513", "001741", "010391", "016272", "016273", "019018", "019236", "019237", "019374",
    "020383", "021793", "022739", "161606", "410003", "519087",
}  # fmt: skip
#: Funds whose dividend is inferred from a growth of two decimals.
INFERRED = {"000017", "000390"}


def test_window_returns_equal_the_source_s_own(real_data, histories, recorded):
    """Stops our index from telling other returns than the source does: every fund of the
    rank list whose events are known is equal to the last digit in every window."""
    rank = pd.read_csv(
        real_data / "snapshots" / "yuyanpsy_rank_2026-04-27.csv.gz", dtype={"code": str}
    ).set_index("code")
    nav = pd.read_parquet(real_data / "histories_ak" / "yuyanpsy_unitnav.parquet")
    nav = nav[nav["code"].isin(rank.index) & (nav["nav"] > 0)]
    nav = nav.rename(columns={"code": "fund_code", "nav": "unit_nav"})
    nav = nav.assign(nav_date=as_keys(nav["date"]), acc_nav=np.nan, growth_pct=np.nan)
    nav = nav.sort_values(["fund_code", "nav_date"], ignore_index=True)
    inferred = infer(steps_of(histories, NO_EVENTS), "test")
    inferred = inferred[inferred["ex_date"] > RECORDED_TO].assign(text="")
    events = pd.concat([recorded, inferred[recorded.columns]], ignore_index=True)
    steps = steps_of(nav, events[events["fund_code"].isin(nav["fund_code"])])
    series = FundSeries.from_rows(steps["fund_code"], steps["nav_date"], steps["index"])
    ours = compute_metrics(series, 20260427, list(WINDOWS)).join(rank, on="fund_code")
    ours["published"] = [row[WINDOWS[row["window"]]] for row in ours.to_dict("records")]
    ours = ours.dropna(subset="total_return")
    percent = 100 * ours["total_return"]
    ours["apart"] = percent - ours["published"]
    equal = ours["apart"].abs() < 0.005 + 1e-9
    assert (len(ours), int(equal.sum()), ours["fund_code"].nunique()) == (1635, 1592, 333)
    apart = ours[~equal]
    assert set(apart["fund_code"]) == UNEXPLAINED | INFERRED
    assert (apart.loc[apart["fund_code"].isin(INFERRED), "apart"].abs() < 0.02).all()
    # The others paid out: the published return is higher, and accumulated NAV above unit NAV.
    paid = apart[apart["fund_code"].isin(UNEXPLAINED)]
    assert (paid["apart"] < 0).all() and (paid["acc_nav"] > paid["nav"]).all()
