"""Names of indices and the official lists.

`indices.csv` is of our own making: official codes and names of indices that are beyond doubt, in
no source's form. Here it stands in the form of akshare's lists.
"""

from pathlib import Path

import pandas as pd
import pytest

from fund_assets.benchmarks.index_names import IndexNames

CSI = ["指数代码", "指数简称", "指数全称", "指数币种"]
BONDS = pd.DataFrame({"index": [1, 2, 3, 4], "value": [
    "新综合指数", "国债总指数", "市场隐含评级AAA信用债指数", "市场隐含评级AAA-信用债指数",
]})  # fmt: skip


@pytest.fixture(scope="module")
def listed() -> pd.DataFrame:
    frame = pd.read_csv(
        Path(__file__).with_name("indices.csv"), dtype="str", keep_default_na=False
    )
    return frame.set_axis(CSI, axis=1)


@pytest.fixture(scope="module")
def names(listed: pd.DataFrame) -> IndexNames:
    return IndexNames.of([listed, BONDS])


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("沪深300指数", "000300"),
        ("沪深300", "000300"),
        ("沪深300全收益指数", "H00300"),
        ("沪深300净收益指数收益率", "N00300"),
        ("中证500指数", "000905"),
        ("中证1000全收益指数", "H00852"),  # by the rule: the list has it not
        ("中证500净收益指数", "N00905"),
        ("中证小盘500指数", "000905"),
        ("中证主要消费指数（人民币）", "000932"),
        ("创业板指数(价格)", "399006"),
        ("创业板指数(收益)", "399606"),
        ("深证100指数(收益)", "399004"),
        ("深证成份指数(价格)", "399001"),
        ("深证300价格", "399007"),
        ("上证综指", "000001"),
        ("科创50", "000688"),
        ("全指医药", "000991"),
        ("中证800有色", "000823"),
        ("中证人工智能主题指数", "930713"),
        ("中证人工智能产业指数", "931071"),
        ("中证新能源汽车指数", "399976"),
        ("中证新能源汽车产业指数", "930997"),
        ("中证海外中国互联网50人民币指数", "H30533"),
        ("香港恒生指数", "HSI"),
        ("标准普尔500指数", "SPX"),
        ("国证半导体芯片", "980017"),
        ("中债-新综合财富(总值)指数", "中债-新综合指数"),
        ("中债国债总财富(7-10年)指数", "中债-国债总指数(7-10年)"),
        ("中债-市场隐含评级AAA信用债财富(1-3年)指数", "中债-市场隐含评级AAA信用债指数(1-3年)"),
        # Another currency, variant, stretch or index than the lists have, or more than one.
        ("中证人工智能产业净收益指数", ""),
        ("中证海外中国互联网50指数(美元)", ""),
        ("中债-1-3年国开行债券全价(总值)指数", ""),
        ("中证人工智能指数", ""),
        ("新能源车", ""),
        ("中证全指家用电器与装修指数", ""),
        ("活期存款利率", ""),
        ("伦敦金", ""),
        # Gold has the code of its price.
        ("黄金9999", "Au99.99"),
        ("上海金", "SHAU"),
    ],
)  # fmt: skip
def test_a_name_finds_its_index_and_no_other(names: IndexNames, name: str, code: str) -> None:
    """A twin, a sister index or a stretch that is taken for the index."""
    assert names.code_of(name) == code


def test_every_listed_index_is_found_by_its_full_name(
    listed: pd.DataFrame, names: IndexNames
) -> None:
    """A spelling that makes two indices one, or hides one."""
    for code, full in zip(listed["指数代码"], listed["指数全称"], strict=True):
        assert names.code_of(full) == code, full
        assert names.code_of(f"{full}收益率") == code, full


@pytest.mark.parametrize(
    "columns",
    [["index_code", "display_name"], ["代码", "名称"], ["指数代码", "指数简称"]],
)
def test_the_forms_of_akshares_lists_are_known(columns: list[str]) -> None:
    """A list of another function that is refused, or read by the wrong column."""
    frame = pd.DataFrame([["000300", "沪深300"]], columns=columns)
    assert IndexNames.of([frame]).code_of("沪深300指数") == "000300"
    with pytest.raises(ValueError, match="no list of indices has the columns a"):
        IndexNames.of([pd.DataFrame({"a": ["1"]})])


def test_names_of_real_funds_find_their_index(real_data: Path, names: IndexNames) -> None:
    """A way in which pages write names that the lists do not: shares with our own short list."""
    facts = pd.read_parquet(real_data / "fundpages_2020-10-13" / "page_facts.parquet")
    tracked = facts["tracked_index"][~facts["tracked_index"].isin(["", "--"])]
    found = {name: names.code_of(name) for name in tracked.unique()}
    assert tracked.map(found).ne("").mean() > 0.55
    assert sum(map(bool, found.values())) > 0.45 * len(found)
