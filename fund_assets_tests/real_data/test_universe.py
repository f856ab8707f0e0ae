"""How many classes end in a year: two real lists of the market, five and a half years apart."""

from math import log
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import keys_to_days
from fund_assets.nav.universe import ENDS_PER_YEAR, YEAR, ends_per_year

pytestmark = pytest.mark.real_data


def test_share_of_classes_that_end_is_that_of_two_real_lists(real_data: Path) -> None:
    """Stops a share of missing dead funds that the real market contradicts."""
    old = pd.read_csv(
        real_data / "lists/fund_list_liangchengcheng_2020-10.csv.gz", dtype=str
    ).set_index("code")["name"]
    new = pd.read_csv(real_data / "lists/fund_list_yuyanpsy_2026-05.csv.gz", dtype=str)
    then = frozenset(old.index[~old.str.contains("后端")])
    now = frozenset(new["基金代码"])
    assert (len(then), len(then - now)) == (11_015, 1_597)

    first, last = map(int, keys_to_days(np.array([20201013, 20260504])))
    found = ends_per_year({first: then, last: now})
    assert found == pytest.approx(-log(1 - 1_597 / 11_015) / ((last - first) / YEAR))
    assert round(found, 3) == ENDS_PER_YEAR
