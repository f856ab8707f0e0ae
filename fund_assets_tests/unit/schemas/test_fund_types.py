"""The source's types: every real one is declared, with its kind, its limits and its pool."""

from pathlib import Path

import pandas as pd
import pytest

from fund_assets.schemas.fund_types import (
    POOLS,
    TYPES,
    FundType,
    group_label,
    group_order,
    kind_of,
    read_type,
    type_of,
)
from fund_assets.schemas.kinds import KINDS


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


def test_types_are_told_apart_where_their_kind_is_one():
    """Stops bond index funds from having the limits, and the peers, of equity index funds."""
    shares, bonds = type_of("指数型-股票"), type_of("指数型-固收")
    assert (shares.kind, bonds.kind) == ("index", "index")
    assert shares.limits == (0.1, 500.0, 0.11, 0.21)
    assert bonds.limits == (0.1, 500.0, 0.02, 0.05)
    assert (shares.pool, bonds.pool) == ("index", "bond_index")
    assert (shares.index, bonds.index) == ("000300", "000012")
    assert type_of("QDII-商品").index == type_of("指数型-其他").index == ""
    assert type_of("混合型-偏债").limits[2:] == (0.04, 0.08)
    assert type_of("混合型-偏股").limits[2:] == (0.11, 0.20)
    assert type_of("QDII-纯债").pool == "qdii_bond"


def test_every_type_is_of_a_kind_and_a_pool_and_warns_before_it_holds():
    """Stops a pool that crosses kinds: metrics of a past date are renewed by kind."""
    kinds_of_pool: dict[str, set[str]] = {}
    for one in TYPES.values():
        assert one.pool in KINDS or one.pool in POOLS, one
        low, high, warn, hold = one.limits
        assert 0 < low < 1 < high and 0 < warn < hold < 1, one
        kinds_of_pool.setdefault(one.pool, set()).add(one.kind)
    assert all(len(kinds) == 1 for kinds in kinds_of_pool.values())
    assert all(kinds == {pool} for pool, kinds in kinds_of_pool.items() if pool in KINDS)
    assert not set(TYPES) & (set(KINDS) | set(POOLS))


@pytest.mark.parametrize(
    ("fund_type", "name", "found"),
    [
        ("债券型-可转债", "", FundType("", "bond", "bond", index="000012")),
        ("指数型-债券", "", FundType("", "index", "bond_index", 0.02, 0.05, "000012")),
        (
            "",
            "某中债1-3年国开债指数A",
            FundType("", "index", "bond_index", 0.02, 0.05, "000012"),
        ),
        ("", "云计算ETF嘉实", FundType("", "index", "index", index="000300")),
        ("从未见过的类型", "某股票", FundType("", "other", "other")),
    ],
)
def test_what_is_not_declared_is_treated_as_its_kind(fund_type, name, found):
    """Stops a new word of the source from failing a list, or from mixing bonds with shares."""
    assert type_of(fund_type, name) == found


@pytest.mark.parametrize(
    ("written", "found"),
    [("混合型-偏债", "混合型-偏债"), ("偏债", "混合型-偏债"), ("qdii-fof", "QDII-FOF"), (" 中短债 ", "债券型-中短债"),
     ("股票型", "股票型"), ("固收", "指数型-固收")],
)  # fmt: skip
def test_types_as_people_write_them(written, found):
    """Stops the market's own words from being refused where a type is asked for."""
    assert read_type(written) == found


@pytest.mark.parametrize("written", ["", "债", "bonds", "灵"])
def test_what_is_no_type(written):
    """Stops a word that fits several types, or none, from choosing one of them."""
    with pytest.raises(ValueError, match="unknown type"):
        read_type(written)


def test_labels_and_order_of_groups():
    """Stops a group of peers from being shown by its inner word, or out of its kind."""
    assert group_label("mixed") == "混合型"
    assert group_label("bond_index") == "债券指数"
    assert group_label("QDII-纯债 USD") == "QDII-纯债（USD）"
    groups = [
        "QDII-纯债 USD",
        "bond_index",
        "mixed",
        "QDII-纯债",
        "混合型-偏债",
        "股票型",
        "index",
    ]
    assert sorted(groups, key=group_order) == [
        "股票型", "混合型-偏债", "mixed", "bond_index", "index", "QDII-纯债", "QDII-纯债 USD",
    ]  # fmt: skip


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("file", "column", "types"),
    [
        ("lists/fund_list_yuyanpsy_2026-05.csv.gz", "基金类型", 31),
        ("lists/fund_list_liangchengcheng_2020-10.csv.gz", "type", 19),
        ("fundpages_2020-10-13/page_types.parquet", "type", 19),
    ],
)
def test_every_type_of_the_real_lists_is_declared(
    real_data: Path, file: str, column: str, types: int
) -> None:
    """Stops a type of the market from having no limits and no peers of its own."""
    path = real_data / file
    if file.endswith("csv.gz"):
        found = pd.read_csv(path, dtype=str, keep_default_na=False)[column]
    else:
        found = pd.read_parquet(path)[column]
    known = set(found) - {""}
    assert len(known) == types
    assert known <= set(TYPES)


@pytest.mark.real_data
def test_every_kind_has_funds_on_the_real_list(real_data: Path) -> None:
    """Stops real funds from falling into `other` unseen."""
    file = real_data / "lists" / "fund_list_yuyanpsy_2026-05.csv.gz"
    funds = pd.read_csv(file, dtype=str, keep_default_na=False)
    pairs = zip(funds["基金类型"], funds["基金简称"], strict=True)
    kinds = pd.Series([kind_of(fund_type, name) for fund_type, name in pairs])
    assert set(kinds) == set(KINDS)
    assert (funds.loc[kinds == "other", "基金类型"] == "").all()
    assert (kinds == "other").sum() == 2
