"""What the 7-day yields say of every real income there is; docs/returns.md states it."""

import pytest

from fund_assets_tests.real_data import evidence

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


@pytest.fixture(scope="module")
def incomes(real_data):
    return evidence.read_incomes(real_data)


def test_real_incomes_agree_with_the_published_yields(incomes):
    """Stops a real sum from passing for a day, a real gap for a sum, and a right income from
    being held: the yields are recomputed by plain loops with what each figure covers."""
    assert (len(incomes), incomes["fund_code"].nunique()) == (5_429, 711)
    error = incomes["error_pct"].abs()
    whole, cut = error[~incomes["cut"]].dropna(), error[incomes["cut"]]
    assert (len(whole), (whole <= 0.005).sum(), (whole <= 0.03).sum()) == (1_136, 1_131, 1_134)
    assert (len(cut), (cut <= 0.06).sum()) == (366, 366)
    assert set(incomes.loc[error > 0.06, "fund_code"]) == {"004589"}
    assert not incomes["contradicted"].any() and not incomes["overlap"].any()


def test_what_real_figures_after_a_gap_cover(incomes):
    """Stops holidays told in one figure from being gaps, and gaps from being told figures."""
    late = incomes[incomes["gap"] > 1]
    sums = late["days_covered"] == late["gap"]
    assert (len(late), sums.sum(), (late["days_covered"] == 1).sum()) == (747, 727, 20)
    holidays = incomes[incomes["nav_date"] == 20201008]
    assert (holidays["days_covered"] == 8).sum() == 362


def test_a_weekend_told_twice_is_convicted_on_real_figures(incomes):
    """Stops a fund whose history tells Sunday's figure as that of the whole weekend: made of
    every real fund that tells each day, all are found."""
    daily = incomes.groupby("fund_code")["gap"].max() == 1
    found = tried = 0
    for code in daily.index[daily]:
        one = incomes[incomes["fund_code"] == code].reset_index(drop=True)
        if set(range(20201002, 20201009)) - set(one["nav_date"]):
            continue
        tried += 1
        found += evidence.doubled(one, 20201008)
    assert (tried, found) == (326, 326)
