"""Status and fees of 7,411 recorded fund pages, put into the cells of the market page."""

from collections import Counter
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest

from fund_assets.nav.statuses import changed, odd_cells, united
from fund_assets.schemas.statuses import UNKNOWN
from fund_assets.schemas.tables import FUND_STATUS
from fund_assets.sources.eastmoney.decode_purchases import decode_purchases, purchase_frame
from fund_assets.sources.eastmoney.decode_snapshot import decode_snapshot
from fund_assets_tests.server import wire

pytestmark = pytest.mark.real_data
REDEEMED = r"(开放赎回|暂停赎回)"
#: The limit as a page prints it, and what its unit is in yuan.
LIMIT = r"单日累计购买上限([0-9.]+)(元|万元|亿元)"
YUAN = {"元": 1, "万元": 10_000, "亿元": 100_000_000}
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
    stored = changed(FUND_STATUS.empty(), united(seen.statuses, None), 20201013_200000)
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


def test_every_recorded_limit_is_the_exact_amount_in_yuan(real_data):
    """Stops a limit that funds really have from being lost, rounded or taken for no limit."""
    pages = pd.read_parquet(real_data / "fundpages_2020-10-13" / "page_facts.parquet")
    pages = pages.fillna("")
    told = pages["status"].str.extract(LIMIT)
    due = {
        code: Decimal(figure) * YUAN[unit]
        for code, figure, unit in zip(pages["code"], told[0], told[1], strict=True)
        if isinstance(figure, str)
    }
    words = pages["status"].str.strip().str.split(" ").str[0].str.partition("(")[0]
    redemption = pages["status"].str.extract(REDEEMED)[0].fillna("")
    rows = [
        wire.purchase_row(
            code, "某", purchase=word, redemption=back,
            limit=f"{due[code]:f}" if code in due else "100000000000" if word == "开放申购" else "0",
            fee=fee,
        )
        for code, word, back, fee in zip(
            pages["code"], words, redemption, pages["fee_discounted"], strict=True
        )
    ]  # fmt: skip
    seen = purchase_frame(decode_purchases(wire.purchase_list(rows), 1).rows)
    assert odd_cells(seen) == [
        f"the purchase status {word!r} is not known: {funds} funds"
        for word, funds in WITHOUT.items()
    ]
    stored = changed(FUND_STATUS.empty(), united(None, seen), 20201013_200000)
    FUND_STATUS.schema.validate(stored)
    assert len(stored) == 7411 and len(due) == 1229
    limits = dict(zip(stored["fund_code"], stored["daily_limit"], strict=True))
    zero = {code for code, yuan in due.items() if yuan == 0}
    assert {c: Decimal(limits[c]) for c in due if c not in zero} == {
        c: yuan for c, yuan in due.items() if c not in zero
    }
    states = stored.set_index("fund_code")["limit_state"]
    assert (states.loc[sorted(zero)] == "unstated").all() and zero
    assert Counter(states) == {
        "limited": len(due) - len(zero),
        "unlimited": int((words == "开放申购").sum())
        - sum(words[pages["code"].isin(due)] == "开放申购"),
        "unstated": 7411 - (len(due) - len(zero)) - Counter(states)["unlimited"],
    }
