"""The indices that real funds track, by name, in lists as akshare's functions return them.

The lists of CSI and CNI are not at hand. Those here are of our own making: official names with
codes (`indices.csv`), and official names alone (`more_indices.csv`: the name stands for the
code). All others are the ones that the source returns, which need no request: other markets,
ChinaBond, and the indices that no list of akshare has.
"""

import re
from pathlib import Path

import pandas as pd
import pytest

from fund_assets.benchmarks.index_names import IndexNames
from fund_assets.sources.eastmoney.akshare_client import replay, run
from fund_assets.sources.eastmoney.index_providers import treasury_list
from fund_assets.sources.eastmoney.unlisted_indices import unlisted
from fund_assets.sources.eastmoney.world_indices import world_list
from fund_assets.transport.http_answer import Answer

pytestmark = pytest.mark.real_data

CSI = ["指数代码", "指数简称", "指数全称", "指数币种"]
FOLDER = Path(__file__).parent.parent / "unit" / "benchmarks"
#: Names that a page writes in words of its own → what the list has.
OTHER_WORDS = {
    "A股资源": "中证A股资源产业指数", "上证中小": "上证中小盘指数",
    "上证周期": "上证周期行业50指数", "上证商品": "上证大宗商品股票指数",
    "上证国企": "上证国有企业100指数", "上证资源": "上证自然资源指数",
    "上证龙头": "上证龙头企业指数", "中证200指数": "中证中盘200指数",
    "中证500指数": "中证小盘500指数", "中证800有色": "中证800有色金属指数",
    "全指信息": "中证全指信息技术指数", "全指医药": "中证全指医药卫生指数",
    "全指可选": "中证全指可选消费指数", "全指金融": "中证全指金融地产指数",
    "全指工业": "中证全指工业指数",
    "东京日经225指数": "日经225指数", "伦敦富时100指数": "富时100指数",
    "法兰克福DAX指数": "DAX指数", "香港恒生指数": "恒生指数", "标准普尔500指数": "标普500指数",
    "创业板指数(收益)": "创业板R", "深证100指数(收益)": "深证100R",
    "中证800制药与生物技术指数": "中证800制药与生物科技指数", "非周期": "上证非周期行业100指数",
    "中证港股通大消费人民币指数": "中证港股通大消费主题指数",
    "中证港股通TMT人民币指数": "中证港股通TMT主题指数",
}  # fmt: skip
#: Gold has the code of its price, which is in no list.
GOLD = {"黄金9999": "Au99.99", "上海金": "SHAU"}
#: Fund → code of the index that it tracks, as public records of other sites have both.
FUNDS = {
    "501021": "SPHCMSHP", "501310": "SPACEVCP", "501029": "CSPSADRP", "161128": "S5INFT",
    "162415": "IXY", "162411": "SPSIOP", "162719": "DJSOEP", "160140": "DWRTF",
    "512160": "716567", "161124": "HSSI", "160922": "HSMSI", "162416": "HSHK35",
    "006614": "HSSCNE", "159980": "IMCI", "159981": "ICEA",
}  # fmt: skip
_FILLING = re.compile(
    r"指数|\(总值\)|\(价格\)|价格$|全价|财富|人民币|港元|中债|期(?=国债)|[-() ]"
)


def _bare(name: str) -> str:
    return _FILLING.sub("", name)


def _more() -> pd.DataFrame:
    frame = pd.read_csv(FOLDER / "more_indices.csv", dtype="str", keep_default_na=False)
    codes = frame["full"] + frame["currency"].map({"港元": "/HKD"}).fillna("")
    return pd.DataFrame(
        {CSI[0]: codes, CSI[1]: "", CSI[2]: frame["full"], CSI[3]: frame["currency"]}
    )


@pytest.fixture(scope="module")
def tracked(real_data: Path) -> pd.Series:
    facts = pd.read_parquet(real_data / "fundpages_2020-10-13" / "page_facts.parquet")
    said = facts.set_index("code")["tracked_index"]
    return said[~said.isin(["", "--"])]


@pytest.fixture(scope="module")
def lists() -> list[pd.DataFrame]:
    known = pd.read_csv(FOLDER / "indices.csv", dtype="str", keep_default_na=False)
    known = known.set_axis(CSI, axis=1)
    world = world_list()
    nobody = replay(Answer("", "", 0, {}, b"", ""))
    return [
        known[~known[CSI[0]].isin(world["代码"])],
        world,
        treasury_list(),
        run("bond_available_index_cbond", nobody).frame[["value"]],
        _more(),
        *unlisted(),
    ]


def test_tracked_indices_are_in_the_lists(
    tracked: pd.Series, lists: list[pd.DataFrame], capsys: pytest.CaptureFixture[str]
) -> None:
    """Stops a spelling of the pages that finds no entry, or another index's."""
    names = IndexNames.of(lists)
    found = {name: names.code_of(name) for name in tracked.unique()}
    none = sorted(name for name, code in found.items() if not code)
    with capsys.disabled():
        print(f"\n{len(none)} of {len(found)} names find none: {', '.join(none)}")
    assert len(found) > 300
    assert sum(map(bool, found.values())) / len(found) >= 0.90
    assert tracked.map(found).ne("").mean() >= 0.93
    entries: dict[str, set[str]] = {}
    for frame in lists:
        for row in frame.to_dict("records"):
            said = set(map(str, row.values()))
            code = row.get("指数代码") or row.get("代码") or f"中债-{row['value']}"
            entries.setdefault(code, set()).update(map(_bare, said))
    wrong = {
        name: code
        for name, code in found.items()
        if code
        and GOLD.get(name) != code
        and not {_bare(name), _bare(OTHER_WORDS.get(name, ""))} & entries.get(code, set())
        and not _of_a_stretch(name, code)
    }
    assert wrong == {}


def test_codes_without_a_list_are_those_of_the_funds(
    tracked: pd.Series, lists: list[pd.DataFrame]
) -> None:
    """Stops a code of our own table from standing for another index than the fund's."""
    names = IndexNames.of(lists)
    assert {fund: names.code_of(tracked[fund]) for fund in FUNDS} == FUNDS


def _of_a_stretch(name: str, code: str) -> bool:
    """Whether a bond index and one of its stretches are told: 国债总财富(7-10年)."""
    return code.startswith("中债-") and _bare(name) == _bare(code)
