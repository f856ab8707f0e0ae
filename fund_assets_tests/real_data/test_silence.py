"""R13 on the NAV dates of real funds: who is told to be silent and publishes all the same.

The histories end in 2026 and tell no hour: a NAV counts as seen when the lag of its kind has
passed, which is the latest at which it is on time. A fund that never published again is left out.
"""

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import TradingCalendar, days_to_keys
from fund_assets.schemas.fund_types import kind_of
from fund_assets.schemas.kinds import KINDS
from fund_assets_tests.integration.test_cadence import Evenings
from fund_assets_tests.real_data import absence, folder

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

SINCE, UNTIL = 20150101, 20260213


class RealEvenings(Evenings):
    """The sessions of real funds."""

    def __init__(self) -> None:
        parts = [
            pd.read_parquet(folder() / "histories_ak" / f"{name}_unitnav.parquet").iloc[:, :2]
            for name in ("ethanj", "yuyanpsy")
        ]
        rows = pd.concat([part.set_axis(["code", "date"], axis=1) for part in parts])
        listed = pd.read_csv(
            folder() / "lists" / "fund_list_yuyanpsy_2026-05.csv.gz", dtype=str
        ).set_index("基金代码")["基金类型"]
        codes, fund = np.unique(rows["code"].astype(str).str.zfill(6), return_inverse=True)
        self.calendar = TradingCalendar.build()
        keys = days_to_keys(self.calendar.session_days)
        some = (keys >= SINCE) & (keys <= UNTIL)
        self.codes, self.keys = codes.tolist(), keys[some].astype(np.int64)
        self.kinds = np.array([kind_of(listed.get(code, "")) for code in self.codes])
        own = self.calendar.session_days[some].astype(np.int64)
        day = pd.to_datetime(rows["date"]).to_numpy().astype("datetime64[D]").astype(np.int64)
        at = np.minimum(np.searchsorted(own, day), len(own) - 1)
        held = own[at] == day
        self.there = np.zeros((len(codes), len(own)), dtype=bool)
        self.there[fund[held], at[held]] = True
        self.lag = np.array([KINDS[kind].lag for kind in self.kinds])

    def seen(self, at: int, evening: int = 0) -> np.ndarray:
        """What is on time on a session."""
        session = np.arange(self.there.shape[1])
        return self.there & (session <= at + evening - self.lag[:, None])


@pytest.mark.skipif(bool(absence()), reason=absence())
def test_few_real_funds_are_told_that_publish_again():
    """Stops holidays abroad, closed periods and single lost dates from telling real funds."""
    year = RealEvenings()
    last = year.there.shape[1] - 1 - year.there[:, ::-1].argmax(axis=1)
    told, looked = Counter(), Counter()
    for at in range(70, year.there.shape[1], 10):
        seen = year.seen(at)
        alive = seen[:, at - 60 : at + 1].any(axis=1) & (last > at)
        looked.update(year.kinds[alive].tolist())
        told.update(str(year.kinds[fund]) for fund in year.silent(at, seen) if alive[fund])
    shares = {kind: told[kind] / looked[kind] for kind in looked if looked[kind] > 1_000}
    print({kind: (told[kind], looked[kind]) for kind in looked})
    assert {"mixed", "bond", "equity", "index", "qdii"} <= shares.keys()
    assert sum(told.values()) < 0.001 * sum(looked.values())
    assert shares.pop("qdii") < 0.01, "too few QDII are here to show a holiday abroad"
    assert max(shares.values()) < 0.001
