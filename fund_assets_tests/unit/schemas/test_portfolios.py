"""How names of classes become portfolios and currencies."""

from pathlib import Path

import pandas as pd
import pytest

from fund_assets.schemas.fund_types import kind_of
from fund_assets.schemas.portfolios import class_order, currency_of, portfolio_of


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("华夏成长混合", "华夏成长混合"),
        ("华夏成长混合(后端)", "华夏成长混合"),
        ("中海可转债债券A", "中海可转债债券"),
        ("中海可转债债券C", "中海可转债债券"),
        ("招商中证白酒指数(LOF)A", "招商中证白酒指数(LOF)"),
        ("某全球混合(QDII)A(美元现汇)", "某全球混合(QDII)"),
        ("某某沪深300A", "某某沪深300"),
        # The currency as managers write it: bare, before or after the letter, in the middle.
        ("某纳斯达克指数(QDII)人民币A", "某纳斯达克指数(QDII)"),
        ("某纳斯达克指数(QDII)A人民币", "某纳斯达克指数(QDII)"),
        ("某纳斯达克指数(QDII)C(美元现汇份额)", "某纳斯达克指数(QDII)"),
        ("某纳斯达克指数美元(QDII)C", "某纳斯达克指数(QDII)"),
        ("某纳斯达克指数人民币(QDII)", "某纳斯达克指数(QDII)"),
        ("某海外混合(QDII)美钞", "某海外混合(QDII)"),
        ("某海外混合(QDII)港币", "某海外混合(QDII)"),
        ("某原油A类美元汇", "某原油"),
        ("某全球美元债C美元现汇", "某全球美元债"),  # what it holds is no currency of a class
        ("某美元收益债券(QDII)", "某美元收益债券(QDII)"),
        ("华夏恒生ETF联接现汇", "华夏恒生ETF联接"),
        ("易方达恒生国企ETF联接现钞A", "易方达恒生国企ETF联接"),
        ("富国信用债债券A/B", "富国信用债债券"),  # with its class C one portfolio
        ("富国信用债债券A/B(后端)", "富国信用债债券"),
        ("某养老目标日期2040三年持有期混合FOFY", "某养老目标日期2040三年持有期混合FOF"),
        ("博时保证金货币ETFC", "博时保证金货币ETF"),
        ("某趋势混合X", "某趋势混合"),
        ("某价值混合O", "某价值混合"),
        ("某债券Z", "某债券"),
        ("华夏上证50ETF", "华夏上证50ETF"),  # the F is no class
        ("某养老目标2035三年持有混合(FOF)", "某养老目标2035三年持有混合(FOF)"),
        ("A", "A"),
        ("", ""),
    ],
)
def test_family(name: str, family: str) -> None:
    """Stops classes of one portfolio from counting as many, and others from being merged."""
    assert portfolio_of(name) == family


@pytest.mark.parametrize(
    ("name", "currency"),
    [("某海外混合(QDII)A", "CNY"), ("某海外混合(QDII)人民币A", "CNY"), ("某全球美元债A", "CNY"),
     ("某全球美元债A人民币", "CNY"), ("某海外混合(QDII)美元现汇C", "USD"), ("某海外混合美元(QDII)A", "USD"),
     ("某海外混合A(美元现钞)", "USD"), ("某海外混合(QDII)美汇", "USD"), ("某全球股票(QDII)港币", "HKD"),
     ("华夏恒生ETF联接现汇", "USD"), ("华夏海外收益债券现钞", "USD")],
)  # fmt: skip
def test_currency(name: str, currency: str) -> None:
    """Stops returns in dollars from standing for a portfolio whose other classes are in yuan,
    and a fund that holds dollar bonds from counting in dollars."""
    assert currency_of(name) == currency
    assert class_order(name)[0] == ("0" if currency == "CNY" else "1")


@pytest.fixture(scope="module")
def listed(real_data: Path) -> pd.DataFrame:
    """The market's list of May 2026 with kind and family."""
    file = real_data / "lists" / "fund_list_yuyanpsy_2026-05.csv.gz"
    funds = pd.read_csv(file, dtype=str, keep_default_na=False)
    assert len(funds) == 26_580
    pairs = zip(funds["基金类型"], funds["基金简称"], strict=True)
    return funds.assign(
        kind=[kind_of(fund_type, name) for fund_type, name in pairs],
        family=funds["基金简称"].map(portfolio_of),
    )


@pytest.mark.real_data
def test_portfolios_of_the_real_list(listed: pd.DataFrame) -> None:
    """Stops the guess from merging different portfolios, or hardly any classes."""
    by_family = listed.groupby("family")
    assert by_family.size().max() == 6  # 银华活钱宝货币 has the classes A to F
    assert by_family.ngroups == 14_341
    currencies = listed["基金简称"].map(currency_of)
    assert currencies.value_counts().to_dict() == {"CNY": 26_419, "USD": 160, "HKD": 1}
    alone = (currencies != "CNY").groupby(listed["family"]).all()
    assert alone.sum() == 6  # their classes in yuan are written with another mark of QDII
    mixed = by_family["kind"].nunique()
    assert list(mixed.index[mixed > 1]) == ["恒生ETF华夏"]  # two funds of one name
    words = "人民币|现汇|现钞|美汇|美钞|港币|港元|/"
    assert not listed["family"].str.contains(words).any()
