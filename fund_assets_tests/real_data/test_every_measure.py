"""Every measure of every window on real histories: kernel, second writing and empyrical."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import from_key
from fund_assets.metrics import Benchmarks, FundSeries, RiskFreeRate, compute_metrics
from fund_assets.schemas.tables import WINDOWS
from fund_assets_tests.real_data import evidence
from fund_assets_tests.unit.metrics import reference
from fund_assets_tests.unit.metrics.elsewhere import measures
from fund_assets_tests.unit.metrics.test_computation import BENCHMARK_VALUES, assert_same

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

END = 20260213
RATES = [(date(2001, 1, 1), 0.0225), (date(2015, 10, 24), 0.015), (date(2025, 5, 20), 0.0095)]
#: Measured on unit NAV, for no dividend of theirs is in the data, with what each is here for.
PLAIN = {
    "000001": "the oldest, 2001",
    "000227": "weekly over ten years, a bond",
    "000183": "daily until 2020, then weekly",
    "000195": "weekly until 2019, then daily",
    "000459": "the youngest, a year",
    "022364": "young",
}
#: Measured on the index that dividends are in.
PAYING = {
    "000003": "convertible bonds",
    "000017": "eleven dividends",
    "000021": "from 2006",
    "000024": "bond",
    "000041": "QDII from 2007",
    "000043": "QDII",
    "000071": "QDII index",
    "000121": "mixed, mostly bonds",
    "000179": "QDII in real estate, 17 dividends",
    "000307": "gold",
    "000310": "bond with the most gaps",
    "000314": "three decimals, 367 days without a move",
    "000390": "19 dividends",
    "000578": "bond with gaps",
    "000585": "absolute return",
    "001021": "bond index from 2011",
    "003358": "bond index",
    "003760": "index with gaps",
    "008528": "the youngest with growth",
    "110011": "QDII from 2008",
    "519694": "from 2007",
}
#: Real funds stand for indices: of the CSI 500 and of the American market. Both began in 2013,
#: so that older windows have no close.
INDEX, US_INDEX = "000008", "000043"
#: (index, sessions that its closes come late), where it is not INDEX on the day itself.
CHOICE = {"000041": (US_INDEX, 0), "000179": (US_INDEX, 1), "110011": (US_INDEX, 1)}
UNCOMPARED = "000307"


@pytest.fixture(scope="module")
def levels(real_data) -> dict[str, pd.DataFrame]:
    """Fund code → nav_date and value, the total-return index of each."""
    histories = evidence.read_histories(real_data)
    chosen = histories[histories["fund_code"].isin([*PAYING, INDEX])]
    paying = evidence.steps_with_all_events(
        chosen.reset_index(drop=True), evidence.read_recorded(real_data)
    )
    nav = pd.read_parquet(real_data / "histories_ak" / "ethanj_unitnav.parquet")
    nav.columns = ["fund_code", "date", "index", "growth"]
    nav = nav[nav["fund_code"].isin(list(PLAIN))]
    nav = nav.assign(nav_date=evidence.as_keys(nav["date"]))
    rows = pd.concat([paying, nav])[["fund_code", "nav_date", "index"]]
    rows = rows.sort_values(["fund_code", "nav_date"])
    return {code: part.reset_index(drop=True) for code, part in rows.groupby("fund_code")}


@pytest.fixture(scope="module")
def both(levels) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(the kernel's, the second writing's), one row per fund and window."""
    closes = pd.concat(
        levels[code]
        .rename(columns={"index": "close"})
        .assign(index_code=code)[["index_code", "nav_date", "close"]]
        for code in (INDEX, US_INDEX)
    )
    histories = {
        code: [(from_key(day), value) for day, value in zip(part["nav_date"], part["index"], strict=True)]
        for code, part in levels.items()
    }  # fmt: skip
    choice = dict.fromkeys(histories.keys() - {UNCOMPARED}, (INDEX, 0)) | CHOICE
    rows = pd.concat(levels.values())
    found = compute_metrics(
        FundSeries.from_rows(rows["fund_code"], rows["nav_date"], rows["index"]),
        END,
        WINDOWS,
        RiskFreeRate.from_rows(
            [int(f"{day:%Y%m%d}") for day, _ in RATES], [rate for _, rate in RATES]
        ),
        benchmarks=Benchmarks.from_frame(closes, choice),
    )
    expected = reference.compute(
        histories,
        from_key(END),
        list(WINDOWS),
        RATES,
        {code: (index, histories[index], late) for code, (index, late) in choice.items()},
    )
    return found, expected


def test_every_measure_of_real_funds_equals_the_second_writing(both):
    """Stops what made-up series do not have: holidays, report dates on weekends, NAVs of
    three decimals, years of weekly NAVs, dividends, a rhythm that changes."""
    found, expected = both
    assert found["fund_code"].nunique() == len(PLAIN) + len(PAYING) + 1
    assert_same(found, expected)
    # The histories reach every measure and most branches: nothing is equal for want of it.
    measures_there = found.select_dtypes("number").drop(columns="coverage").notna().sum()
    assert measures_there.min() >= 100
    assert set(found["periods_per_year"].dropna()) == {52.0, 250.0}
    said = " ".join(found["reason"])
    for words in ("no NAV on", "under a year", "under 10 returns", "no known frequency",
                  "not recovered", "no whole month", "has no close", "none for this kind",
                  "returns equal those of 000008"):  # fmt: skip
        assert words in said


def test_every_measure_of_real_funds_equals_empyrical(both, levels):
    """Stops kernel and second writing from sharing a misreading that only real funds show."""
    found, _ = both
    compared: dict[str, int] = {}
    over_gaps = {
        code: reference.over_gaps([from_key(day) for day in part["nav_date"]])
        for code, part in levels.items()
    }
    for row in found[found["periods_per_year"].notna()].to_dict("records"):
        own = levels[row["fund_code"]]
        own = own[own["nav_date"].between(row["start_date"], row["end_date"])]
        closes = None
        if not np.isnan(row["beta"]):
            code, late = CHOICE.get(row["fund_code"], (INDEX, 0))
            known = levels[code].assign(close=levels[code]["index"].shift(late))
            aligned = pd.merge_asof(own, known[["nav_date", "close"]], on="nav_date")
            closes = aligned["close"].to_numpy()
        ends = from_key(row["start_date"]), from_key(row["end_date"])
        expected = measures(
            own["index"].to_numpy(),
            closes,
            (ends[1] - ends[0]).days,
            row["periods_per_year"],
            row["risk_free_rate"],
            np.array(
                [from_key(d) not in over_gaps[row["fund_code"]] for d in own["nav_date"]][1:]
            ),
        )
        for name, value in expected.items():
            if not pd.isna(row[name]):
                compared[name] = compared.get(name, 0) + 1
                where = row["fund_code"], row["window"], name
                assert row[name] == pytest.approx(value, rel=1e-9, abs=1e-11), where
    assert set(BENCHMARK_VALUES) < set(compared) and len(compared) == 25
    assert min(compared.values()) >= 100
