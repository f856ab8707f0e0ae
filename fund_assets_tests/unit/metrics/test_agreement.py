"""Why a return of the source is not ours: each cause is built, and gets its own verdict."""

import numpy as np
import pandas as pd
import pytest

from fund_assets.metrics.agreement import compare

WINDOWS = {"1m": 1, "3m": 3, "6m": 6, "1y": 12}
END = 20260918
EX = 20260205


@pytest.fixture
def navs():
    """A fund of two years, about 1 % a day, whose NAVs have four decimals."""
    days = pd.bdate_range("2024-09-02", "2026-09-18")
    dice = np.random.default_rng(7)
    unit = np.round(1.5 * np.exp(np.cumsum(dice.normal(0, 0.01, len(days)))), 4)
    return pd.DataFrame(
        {
            "fund_code": "000001",
            "nav_date": days.strftime("%Y%m%d").astype("int32"),
            "total_return_index": unit / unit[0],
            "unit_nav": unit,
            "acc_nav": unit + 1.0,
            "digit": 0.0001,
            "unsure": 0.0,
        }
    )


def _stated(navs, end=END, shift=0):
    """What the source states, by pandas' months and not by our windows; two decimals."""
    index = navs.set_index("nav_date")["total_return_index"]
    rows = []
    for window, months in WINDOWS.items():
        begin = pd.Timestamp(str(end)) - pd.DateOffset(months=months)
        at = index.index.searchsorted(int(begin.strftime("%Y%m%d")), side="right") - 1 + shift
        percent = round(100 * (index[end] / index.iloc[at] - 1), 2)
        rows.append(("000001", END, window, percent))
    return pd.DataFrame(rows, columns=["fund_code", "nav_date", "window", "theirs"])


def _paid(navs, amount, day=EX):
    """The fund pays out: the truth, and what is stored without a record of it."""
    on = navs["nav_date"] >= day
    at = int(np.flatnonzero(on)[0])
    share = navs["unit_nav"][at] / (navs["unit_nav"][at] + amount)
    fallen = np.round(navs["unit_nav"].where(~on, navs["unit_nav"] * share), 4)
    paid = navs["unit_nav"][at] - fallen[at]
    step = fallen / fallen.shift(fill_value=fallen[0])
    step[at] = (fallen[at] + paid) / fallen[at - 1]
    truth = navs.assign(total_return_index=step.cumprod())
    stored = navs.assign(
        unit_nav=fallen,
        total_return_index=fallen / fallen[0],
        acc_nav=fallen + 1.0 + np.where(on, paid, 0.0),
    )
    return truth, stored


def _verdicts(found):
    return dict(zip(found.rows["window"], found.rows["verdict"], strict=True))


def _all(verdict, **others):
    return dict.fromkeys(WINDOWS, verdict) | {name[1:]: one for name, one in others.items()}


def test_equal_returns_are_equal(navs):
    """Stops a difference from being seen where there is none."""
    found = compare(navs, _stated(navs))
    assert _verdicts(found) == _all("equal") and found.missing.empty
    assert (found.rows["difference"].abs() <= 0.005).all()


def test_an_unrecorded_dividend_is_found_on_its_day(navs):
    """Stops a missing dividend from being called unknown, and windows after it from being
    accused."""
    truth, stored = _paid(navs, 0.05)
    found = compare(stored, _stated(truth))
    assert _verdicts(found) == _all("equal", _1y="unrecorded_dividend")
    (missing,) = found.missing.to_dict("records")
    nav = stored.set_index("nav_date")["unit_nav"][EX]
    acc = stored["acc_nav"].diff() - stored["unit_nav"].diff()
    assert missing["ex_date"] == EX
    assert missing["gain"] == pytest.approx(acc.max() / nav, abs=1e-6)
    told = found.rows.set_index("window").loc["1y"]
    assert told["located_on"] == EX and str(EX) in told["evidence"]


def test_two_dividends_of_one_window_are_both_found(navs):
    """Stops several payouts in a part of a window from being taken for none."""
    truth, stored = _paid(navs, 0.05, 20251212)
    # The second one on top: the truth grows by what was paid.
    on = stored["nav_date"] >= EX
    at = int(np.flatnonzero(on)[0])
    unit = stored["unit_nav"].where(~on, np.round(stored["unit_nav"] * 0.96, 4))
    paid = stored["unit_nav"][at] - unit[at]
    stored = stored.assign(
        unit_nav=unit,
        acc_nav=stored["acc_nav"] - stored["unit_nav"] + unit + np.where(on, paid, 0.0),
        total_return_index=unit / unit[0],
    )
    step = unit / unit.shift(fill_value=unit[0])
    first = int(np.flatnonzero(stored["nav_date"] == 20251212)[0])
    jump = stored["acc_nav"].diff() - unit.diff()
    for row in (first, at):
        step[row] = (unit[row] + jump[row]) / unit[row - 1]
    found = compare(stored, _stated(truth.assign(total_return_index=step.cumprod())))
    assert found.missing["ex_date"].tolist() == [20251212, EX]
    assert _verdicts(found)["1y"] == "unrecorded_dividend"


def test_without_an_accumulated_nav_a_great_fall_is_found(navs):
    """Stops the day from staying unknown where only the unit NAV tells it."""
    truth, stored = _paid(navs, 0.30)
    for acc in (np.nan, stored["unit_nav"]):
        found = compare(stored.assign(acc_nav=acc), _stated(truth))
        assert found.missing["ex_date"].tolist() == [EX]
        assert _verdicts(found)["1y"] == "unrecorded_dividend"


def test_a_small_dividend_is_convicted_by_two_windows(navs):
    """Stops a payout that moves less than a usual day from being placed on a wrong day."""
    truth, stored = _paid(navs, 0.02, 20260415)
    found = compare(stored.assign(acc_nav=np.nan), _stated(truth))
    assert _verdicts(found) == _all(
        "equal", _6m="unrecorded_dividend", _1y="unrecorded_dividend"
    )
    assert found.missing.empty and found.rows["located_on"].isna().all()


def test_an_accumulated_nav_without_a_jump_acquits(navs):
    """Stops a figure of the source that is merely wrong from inventing a dividend."""
    stated = _stated(navs).assign(theirs=lambda rows: rows["theirs"] + [0, 0, 0, 4.0])
    found = compare(navs, stated)
    assert _verdicts(found) == _all("equal", _1y="unknown") and found.missing.empty
    lower = _stated(navs).assign(theirs=lambda rows: rows["theirs"] - [0, 0, 3.0, 0])
    assert _verdicts(compare(navs, lower)) == _all("equal", _6m="unknown")


def test_rounding_is_one_unit_of_the_last_digit(navs):
    """Stops the last digit from being a finding, and two units from being rounding."""
    stated = _stated(navs)
    exact = compare(navs, stated).rows["ours"].to_numpy()
    for apart, verdict in ((0.0149, "rounding"), (0.0151, "unknown")):
        found = compare(navs, stated.assign(theirs=exact - [0, 0, apart, 0]))
        assert _verdicts(found) == _all("equal", _6m=verdict)
    unsure = navs.assign(unsure=np.where(navs["nav_date"] == 20260601, 0.0001, 0.0))
    found = compare(unsure, stated.assign(theirs=exact - [0, 0, 0.02, 0]))
    assert _verdicts(found) == _all("equal", _6m="rounding")


def test_a_later_correction_of_an_end(navs):
    """Stops a NAV that was corrected since from looking like a payout."""
    index = navs.set_index("nav_date")["total_return_index"]
    begin = int(index.index[index.index.searchsorted(20260318, side="right") - 1])
    before = navs.assign(
        total_return_index=navs["total_return_index"]
        * np.where(navs["nav_date"] == begin, 0.99, 1.0)
    )
    earlier = pd.DataFrame(
        [("000001", begin, 0.99)], columns=["fund_code", "nav_date", "ratio"]
    )
    found = compare(navs, _stated(before), earlier)
    assert _verdicts(found) == _all("equal", _6m="later_correction")
    assert found.rows.set_index("window").loc["6m", "located_on"] == begin
    assert _verdicts(compare(navs, _stated(before)))["6m"] != "later_correction"


def test_windows_that_end_or_start_otherwise(navs):
    """Stops returns of the evening before, and another count of months, from being unknown."""
    found = compare(navs, _stated(navs, end=20260916))
    assert _verdicts(found) == _all("different_window")
    assert "20260916" in found.rows["evidence"][0]
    found = compare(navs, _stated(navs, shift=1))
    assert _verdicts(found) == _all("different_window")


def test_what_cannot_be_compared(navs):
    """Stops a young fund from being a difference, and a date without a NAV from being compared."""
    young = navs[navs["nav_date"] > 20260401].reset_index(drop=True)
    assert _verdicts(compare(young, _stated(navs))) == _all(
        "equal", _6m="not_compared", _1y="not_compared"
    )
    assert compare(navs, _stated(navs).assign(nav_date=20260919)).rows.empty
    assert compare(navs.head(0), _stated(navs)).rows.empty
