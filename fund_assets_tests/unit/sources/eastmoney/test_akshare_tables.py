"""Frames of akshare, with what spoilt answers put into them."""

from math import nan

import pandas as pd
import pytest

from fund_assets.sources.eastmoney import akshare_tables
from fund_assets.transport.errors import FormatError


def frame(day, code="000001"):
    """Two funds of the market at a day and at 2026-11-19."""
    figures = {
        f"{on}-{label}": ["1.0", "1.1"]
        for on in (day, "2026-11-19")
        for label in ("单位净值", "累计净值")
    }
    names = ["甲", nan]
    return pd.DataFrame(
        {"基金代码": [code, "000002"], "基金简称": names, **figures, "日增长率": ["1", "2"]}
    )


def read(given):
    names = given["基金简称"].to_list()
    return akshare_tables._page(
        given, "the page", names, akshare_tables.EXCHANGE_FIGURES, growth="日增长率"
    )


@pytest.mark.parametrize("day", ["0026-11-20", "5026-11-20", "1989-12-29", "2026-02-30"])
def test_a_page_of_an_impossible_date_is_refused(day):
    """Stops NAVs of the year 26, or 5026, from being landed for a digit that was spoilt."""
    with pytest.raises(FormatError, match="at two dates"):
        read(frame(day))


def test_a_cell_that_is_none_costs_its_row_alone():
    """Stops a fund without code or name from ending the page, or from being named nan."""
    page = read(frame("2026-11-20", code=nan))
    assert page.listing["fund_code"].to_list() == ["nan", "000002"], (
        "no code: its row is refused"
    )
    assert page.listing["name"].to_list() == ["甲", ""]
    assert page.observations["nav_date"].to_list() == [20261120, 20261120, 20261119, 20261119]
