"""How the market's type names become kinds, and names become families."""

from pathlib import Path

import pandas as pd
import pytest

from fund_assets.schemas.kinds import (
    KINDS,
    class_order,
    currency_of,
    family_of,
    kind_of,
    read_kind,
)


@pytest.mark.parametrize(
    ("fund_type", "kind"),
    [
        ("股票型", "equity"),
        ("混合型-偏股", "mixed"),
        ("混合型-偏债", "mixed"),  # not a bond fund
        ("混合型-平衡", "mixed"),
        ("混合型-灵活", "mixed"),
        ("混合型-绝对收益", "mixed"),
        ("债券型-长债", "bond"),
        ("债券型-混合一级", "bond"),  # not a mixed fund
        ("债券型-混合二级", "bond"),
        ("债券型-中短债", "bond"),
        ("指数型-股票", "index"),
        ("指数型-固收", "index"),
        ("指数型-海外股票", "qdii"),
        ("QDII-普通股票", "qdii"),
        ("QDII-FOF", "fof"),
        ("FOF-稳健型", "fof"),
        ("货币型-普通货币", "money"),
        ("货币型-浮动净值", "money"),
        ("理财型", "money"),
        ("商品", "commodity"),
        ("Reits", "reit"),
        ("其他", "other"),
        ("", "other"),
        ("从未见过的类型", "other"),
    ],
)
def test_kind_of_a_type(fund_type: str, kind: str) -> None:
    """Stops a fund from being held against another kind's limits."""
    assert kind_of(fund_type) == kind


def test_name_counts_only_without_a_type() -> None:
    """Stops a word in a fund's name from overruling its listed type."""
    assert kind_of("股票型", "某某债券主题股票") == "equity"
    assert kind_of("", "华夏现金增利货币A") == "money"
    assert kind_of("", "华夏上证50ETF") == "index"


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
    assert family_of(name) == family


@pytest.mark.parametrize(
    ("name", "currency"),
    [("某海外混合(QDII)A", "CNY"), ("某海外混合(QDII)人民币A", "CNY"), ("某全球美元债A", "CNY"),
     ("某全球美元债A人民币", "CNY"), ("某海外混合(QDII)美元现汇C", "USD"), ("某海外混合美元(QDII)A", "USD"),
     ("某海外混合A(美元现钞)", "USD"), ("某海外混合(QDII)美汇", "USD"), ("某全球股票(QDII)港币", "HKD")],
)  # fmt: skip
def test_currency(name: str, currency: str) -> None:
    """Stops returns in dollars from standing for a portfolio whose other classes are in yuan,
    and a fund that holds dollar bonds from counting in dollars."""
    assert currency_of(name) == currency
    assert class_order(name)[0] == ("0" if currency == "CNY" else "1")


def test_limits_are_in_order() -> None:
    """Stops a kind whose rows are held before they warn."""
    for kind in KINDS.values():
        assert 0 < kind.nav_range[0] < 1 < kind.nav_range[1], kind
        assert 0 < kind.jump_warn < kind.jump_hold < 1, kind
        assert kind.lag >= 1, kind


@pytest.fixture(scope="module")
def listed(real_data: Path) -> pd.DataFrame:
    """The market's list of May 2026 with kind and family."""
    file = real_data / "lists" / "fund_list_yuyanpsy_2026-05.csv.gz"
    funds = pd.read_csv(file, dtype=str, keep_default_na=False)
    assert len(funds) == 26_580
    pairs = zip(funds["基金类型"], funds["基金简称"], strict=True)
    return funds.assign(
        kind=[kind_of(fund_type, name) for fund_type, name in pairs],
        family=funds["基金简称"].map(family_of),
    )


@pytest.mark.real_data
def test_every_type_of_the_real_list_is_known(listed: pd.DataFrame) -> None:
    """Stops real funds from falling into `other` unseen."""
    unknown = listed[listed["kind"] == "other"]
    assert (unknown["基金类型"] == "").all()
    assert len(unknown) == 2
    assert set(listed["kind"]) == set(KINDS)


@pytest.mark.real_data
def test_families_of_the_real_list(listed: pd.DataFrame) -> None:
    """Stops the guess from merging different portfolios, or hardly any classes."""
    by_family = listed.groupby("family")
    assert by_family.size().max() <= 8  # 银华活钱宝货币 has the classes A to F
    assert by_family.ngroups == 14_379
    currencies = listed["基金简称"].map(currency_of)
    assert currencies.value_counts().to_dict() == {"CNY": 26_425, "USD": 154, "HKD": 1}
    alone = (currencies != "CNY").groupby(listed["family"]).all()
    assert alone.sum() == 5  # their classes in yuan are written with another mark of QDII
    mixed = by_family["kind"].nunique()
    assert list(mixed.index[mixed > 1]) == ["恒生ETF华夏"]  # two funds of one name


@pytest.mark.parametrize(
    ("written", "kind"),
    [("mixed", "mixed"), ("Mixed", "mixed"), ("混合型", "mixed"), ("货币", "money"), ("QDII", "qdii"),
     ("fof", "fof"), ("REITs", "reit"), ("其他", "other")],
)  # fmt: skip
def test_kinds_as_people_write_them(written, kind):
    """Stops the market's own words from being refused where a kind is asked for."""
    assert read_kind(written) == kind


@pytest.mark.parametrize("written", ["", "bonds", "股"])
def test_what_is_no_kind(written):
    """Stops a mistyped kind from choosing nobody, or somebody else."""
    with pytest.raises(ValueError, match="there is no kind"):
        read_kind(written)
