"""Status and fees of 7,411 recorded fund pages, put into the cells of the market page."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from fund_assets.nav.statuses import changed, odd_cells
from fund_assets.schemas.statuses import UNKNOWN
from fund_assets.schemas.tables import FUND_STATUS
from fund_assets.sources.eastmoney.decode_snapshot import decode_snapshot
from fund_assets_tests.server import wire

pytestmark = pytest.mark.real_data
REDEEMED = r"(开放赎回|暂停赎回)"
#: Pages that show no status where others do: the first words there, and how many.
WITHOUT = {"该基金暂不开放购买，你可": 27, "开放申购/赎回时间": 2}


def test_every_recorded_status_is_known_or_told(real_data):
    """Stops a status that funds really have from being unknown, and one that is unknown from
    being stored as another or passing in silence."""
    pages = pd.read_parquet(real_data / "fundpages_2020-10-13" / "page_facts.parquet")
    pages = pages.fillna("")
    purchase = pages["status"].str.strip().str.split(" ").str[0]
    redemption = pages["status"].str.extract(REDEEMED)[0].fillna("")
    texts = zip(
        pages["code"], purchase, redemption, pages["fee_discounted"], pages["fee"], strict=True
    )
    rows = [
        (code, "某", "M", "1", "1", "1", "1", "0", "0", *wire.status_cells(*cells))
        for code, *cells in texts
    ]
    seen = decode_snapshot(wire.snapshot((date(2020, 10, 13), date(2020, 10, 12)), rows))
    assert odd_cells(seen.statuses) == [
        f"the purchase status {word!r} is not known: {funds} funds"
        for word, funds in WITHOUT.items()
    ]
    stored = changed(FUND_STATUS.empty(), seen.statuses, 20201013_200000)
    FUND_STATUS.schema.validate(stored)
    assert len(stored) == 7411
    assert Counter(stored["purchase"]) == {
        "open": 4003, "limited": 1392, "suspended": 1266, "on_exchange": 344, "closed_period": 140,
        "unstated": 121, "initial_offer": 86, "ended": 30, UNKNOWN: 29,
    }  # fmt: skip
    assert stored["fund_code"].to_list() == pages["code"].to_list()
    for name, column in (("fee", "fee_discounted"), ("full_fee", "fee")):
        for text, fees in stored[name].groupby(pages[column], dropna=False):
            if text:
                exact = float(Decimal(text.removesuffix("%")) / 100)
                assert fees.unique().tolist() == [pytest.approx(exact, rel=1e-15, abs=0)], text
            else:
                assert fees.isna().all()
