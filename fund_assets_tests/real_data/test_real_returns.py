"""Statuses, inference and window returns over every real history there is."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.nav.inference import infer
from fund_assets.schemas.columns import RETURN_STATUSES
from fund_assets.sources.eastmoney.decode_history import decode_history
from fund_assets_tests.real_data import evidence, proofs
from fund_assets_tests.real_data.evidence import NO_EVENTS, steps_of

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.fixture(scope="module")
def recorded(real_data) -> pd.DataFrame:
    return evidence.read_recorded(real_data)


@pytest.fixture(scope="module")
def histories(real_data) -> pd.DataFrame:
    return evidence.read_histories(real_data)


@pytest.fixture(scope="module")
def inference(histories, recorded) -> evidence.Inference:
    return evidence.withheld(histories, recorded)


def test_every_status_of_every_real_step(histories, recorded):
    """Stops a class of real steps from changing its status unseen; docs/returns.md explains
    each of these counts."""
    steps = evidence.steps_with_all_events(histories, recorded)
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


def test_how_many_recorded_events_inference_finds(inference, histories, recorded):
    """Stops inference from missing, inventing or missizing events: all recorded ones are
    withheld, and what is inferred is compared with them."""
    known, both, error = inference.known, inference.both, inference.error
    assert (len(known), len(inference.found), len(both)) == (294, 290, 290)
    assert len(error) == 290
    assert (error < 0.00005).sum() == 289 and error.max() < 0.0005
    missed = set(known["fund_code"] + known["ex_date"].astype("str")) - set(
        both["fund_code"] + both["ex_date"].astype("str")
    )
    # Below rounding, beside a growth that covers another span, or without a NAV on the day.
    assert missed == {"00016520140116", "00092720150114", "00017920180116", "00057820150413"}

    steps, true = inference.blind, steps_of(histories, recorded)
    paid = (true["dividend"] > 0) & (steps["status"] == 3)
    off = (steps["returns"] - true["returns"])[paid].abs()
    by_growth = (steps["growth_pct"] / 100 - true["returns"])[paid].abs()
    assert off.median() < 1e-15 < 1e-7 < by_growth.median()


def test_splits_and_dividends_of_a_recorded_payload(real_data):
    """Stops a split from being lost where it cannot be told from a dividend: this source adds
    both to 161725's accumulated NAV, so six of its nine splits are found as the dividends that
    would have had the same effect; three end at a NAV of 1. All twelve events are withheld."""
    frame, events = decode_history(evidence.recorded_payload(real_data), "161725")
    blind, true = steps_of(frame, NO_EVENTS), steps_of(frame, events)
    found = infer(blind, "test")
    both = events.merge(found, on=["fund_code", "ex_date"], suffixes=("", "_found"))
    both = both.merge(frame, left_on="ex_date", right_on="nav_date")
    assert (len(events), len(found), len(both)) == (12, 12, 12)
    assert both["kind"].value_counts().to_dict() == {"split": 9, "dividend": 3}
    named = both["kind_found"] == "split"
    assert (named == (both["unit_nav"] == 1.0)).all() and named.sum() == 3
    paid, found_paid = (
        both[value].where(both[kind] == "dividend", both["unit_nav"] * (both[value] - 1))
        for kind, value in (("kind", "value"), ("kind_found", "value_found"))
    )
    assert (paid - found_paid).abs().max() < 0.0006, "NAVs of three decimals at first"
    apart = (blind["returns"] - true["returns"]).abs()
    assert apart.max() < 0.0006
    assert abs(blind["index"].iloc[-1] / true["index"].iloc[-1] - 1) < 0.001


def test_real_splits_that_are_withheld_are_found(real_data, recorded):
    """Stops real splits from being lost: 36 of 43 are
    found with the effect they had, and those that end at 1 are called splits."""
    splits = evidence.withheld_splits(real_data, recorded)
    found = splits["kind_found"].notna()
    assert (len(splits), int(found.sum())) == (43, 36)
    assert splits["effect"].max() < 0.0009, "NAVs of three decimals"
    to_one = splits["unit_nav"] == 1
    assert splits[to_one & found]["kind_found"].tolist() == ["split"] * 13
    assert (splits["kind_found"] == "split").sum() == 14
    # No NAV of the day, none accumulated, a day late in this source, or one that backs neither.
    assert splits.loc[~found, "fund_code"].tolist() == [
        "165312", "160224", "160224", "163114", "163114", "165523", "165523",
    ]  # fmt: skip


#: Funds with a dividend in a window that no record tells of.
UNEXPLAINED = {
    "001513", "001741", "010391", "016272", "016273", "019018", "019236", "019237", "019374",
    "020383", "021793", "022739", "161606", "410003", "519087",
}  # fmt: skip
#: Funds whose dividend is inferred from a growth of two decimals.
INFERRED = {"000017", "000390"}


def test_window_returns_equal_the_source_s_own(real_data, inference, recorded):
    """Stops our index from telling other returns than the source does: every fund of the
    rank list whose events are known is equal to the last digit in every window."""
    rank = evidence.read_rank(real_data)
    listed = evidence.read_listed(real_data, rank)
    steps = evidence.listed_index(listed, recorded, inference.blind)
    ours = evidence.beside_published(steps, "index", rank)
    ours = ours[ours["verdict"] != "not_compared"]
    equal = ours["verdict"] == "equal"
    assert (len(ours), int(equal.sum()), ours["fund_code"].nunique()) == (1635, 1592, 333)
    apart = ours[~equal]
    assert set(apart["fund_code"]) == UNEXPLAINED | INFERRED
    assert set(apart.loc[apart["fund_code"].isin(INFERRED), "verdict"]) == {"rounding"}
    # The others paid out: the published return is higher, and accumulated NAV above unit NAV.
    paid = apart[apart["fund_code"].isin(UNEXPLAINED)]
    assert (paid["difference"] < 0).all() and (paid["acc_nav"] > paid["nav"]).all()
    # Unit NAV alone: what a shift of the window could explain as well stays unknown.
    counts = paid["verdict"].value_counts().to_dict()
    assert counts == {"unrecorded_dividend": 33, "unknown": 7}
    days = paid.dropna(subset="located_on").groupby("fund_code")["located_on"].first()
    assert days.astype(int).to_dict() == {
        "016272": 20251106, "016273": 20251106, "021793": 20251030,
    }  # fmt: skip


@pytest.mark.slow
def test_docs_state_the_figures_that_are_computed(real_data, capsys):
    """Stops docs/returns.md from stating a figure that is no longer true."""
    assert proofs.main() == 0, capsys.readouterr().out
    assert "largest difference" in capsys.readouterr().out
