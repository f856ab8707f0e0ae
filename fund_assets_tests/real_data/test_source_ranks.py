"""Our ranking, fed the source's printed returns in the source's own groups, against its ranks.

11,015 pages of 13 October 2020 print a return, a rank and a number of peers over four windows:
38,974 ranks. Share classes are counted one by one there, and equal returns share a rank. The
source's groups are found by the numbers of peers that pages print: pages of one group print the
same four.

34,408 of the ranks are of groups whose members' pages are recorded, and are compared with ours
number by number. What is special about them:

- Of the mixed funds one member has no recorded page, of the bond funds one, of the index funds
  two. Their returns are not known; where the printed ranks leave a place free, a stand-in is put.
- Index funds are ranked with commodity funds whose own pages print the mixed funds' numbers.
- Funds of shares are ranked together with the index funds. (The lists of today keep them apart.)

The other 4,566 ranks cannot be compared by number: their peers' returns of the same day are recorded
nowhere. They belong to funds that publish weekly or were still closed (ranked on the Friday
before, among the Friday's returns of all), to QDII funds (32 of their 299 members print another
group and a later day's return), to funds that are gone and print their last day's rank, and to
groups under 10, which make no rank with us. Of these the order is compared: within pages that
print the same numbers, our order by return is the order of the printed ranks.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fund_assets.metrics.peer_groups import MIN_PEERS, ranked

pytestmark = pytest.mark.real_data

WINDOWS = ["近1周", "近1月", "近6月", "近1年"]
LISTED = ("ETF-场内", "联接基金")
#: Groups whose members are recorded, by the numbers of peers that their pages print.
MIXED, BOND, INDEX = "3745/3730/3385/3086", "2512/2496/2196/1918", "1197/1195/1089/903"
SHARES = "1647/1643/1497/1278"
WHOLE = {
    "674/669/656/650": "money-market funds",
    "442/443/418/360": "bonds with fixed opening dates that publish daily",
    "184/184/184/184": "both sides of structured funds",
    "32/32/32/31": "QDII index funds with their own number of peers",
    "27/27/27/27": "wealth-management funds",
}


@pytest.fixture(scope="module")
def pages(real_data: Path) -> pd.DataFrame:
    """One row a page and window: code, window, value, rank, peers, type and group."""
    folder = real_data / "fundpages_2020-10-13"
    frame = pd.read_parquet(folder / "page_stages.parquet")
    types = pd.read_parquet(folder / "page_types.parquet").set_index("code")["type"]
    for name, text in (("value", frame["return"].str.rstrip("%")), ("rank", frame["rank"]),
                       ("peers", frame["of"])):  # fmt: skip
        frame[name] = pd.to_numeric(text, errors="coerce")
    numbers = frame.pivot(index="code", columns="window", values="peers")[WINDOWS]
    groups = numbers.fillna(0).astype(int).astype(str).agg("/".join, axis=1)
    return frame.assign(type=frame["code"].map(types), group=frame["code"].map(groups))


def members(pages: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame, int]]:
    """Each group that is recorded: its numbers, window, members' rows, members without a page."""
    listed = pages["type"].isin(LISTED)
    absent = {MIXED: 1, BOND: 1, INDEX: 2}
    parts = {name: pages["group"] == name for name in (*WHOLE, MIXED, BOND)}
    parts[INDEX] = (pages["group"] == INDEX) | ((pages["group"] == MIXED) & listed)
    parts[SHARES] = pages["group"].isin([SHARES, INDEX])
    for name, chosen in parts.items():
        for window, rows in pages[chosen].groupby("window"):
            yield name, str(window), rows.set_index("code"), absent.get(name, 0)


def with_stand_ins(values: pd.Series, printed: pd.Series) -> pd.Series:
    """The returns, and one for each place that the printed ranks leave free."""
    ours, _ = ranked(values, pd.Series(0, values.index))
    shift = (printed - ours).dropna().loc[lambda s: ours[s.index].sort_values().index]
    steps = shift.diff().fillna(shift.iloc[0])
    free = steps[steps > 0]
    before = values[shift.index].shift()
    places = [
        (before[code] + values[code]) / 2
        for code, many in free.items()
        for _ in range(int(many))
    ]
    return pd.concat([values, pd.Series(places, [f"absent {n}" for n in range(len(places))])])


def test_ranks_and_numbers_of_peers_are_the_sources(pages: pd.DataFrame) -> None:
    """Stops a rank, a tie or a number of peers that the source would not print."""
    compared = equal = 0
    for name, window, rows, absent in members(pages):
        shown = rows[(rows["group"] == name) & rows["rank"].notna() & rows["value"].notna()]
        values = rows["value"]
        if absent:
            values = with_stand_ins(values, shown["rank"])
            assert 0 < len(values) - len(rows) <= absent, (name, window)
        rank, peers = ranked(values, pd.Series(0, values.index))
        same = (rank[shown.index] == shown["rank"]) & (peers[shown.index] == shown["peers"])
        compared += len(same)
        equal += int(same.sum())
        assert same.mean() >= 0.995, (name, window, shown[~same].head())
    assert (compared, equal) == (34_408, 34_408)


def test_no_rank_of_the_rest_is_against_our_order(pages: pd.DataFrame) -> None:
    """Stops an order that differs from the source's where its numbers cannot be had."""
    there = pages[pages["rank"].notna() & pages["value"].notna()]
    assert pages["rank"].notna().sum() == 38_974
    compared = equal = 0
    for _, rows in there.groupby(["group", "window"]):
        if len(rows) >= MIN_PEERS:
            one = pd.Series(0, rows.index)
            ours, theirs = (
                ranked(rows["value"], one)[0],
                ranked(rows["rank"], one, lowest=True)[0],
            )
            compared += len(rows)
            equal += int(np.sum(ours == theirs))
    assert (compared, equal) == (38_638, 38_638)


@pytest.mark.parametrize(
    ("payload", "type_of_2026", "peers", "classes"),
    [
        ("pingzhongdata_161725_2026-02-27.js.gz", "指数型-股票", 4_683, 5_183),
        ("pingzhongdata_710001_2026-05-14.js.gz", "混合型-偏股", 5_149, 5_481),
    ],
)
def test_the_sources_groups_of_today_are_types(
    real_data: Path, payload: str, type_of_2026: str, peers: int, classes: int
) -> None:
    """Stops our groups from being other ones than the source's of today.

    Its number of peers counts the classes with a return over three months; the list of 4 May
    2026 has those under three months old, too. 4,683 of 5,183 are 90 % ten weeks before the
    list, 5,149 of 5,481 are 94 % nine days after it. Kind index has 5,913 classes and kind mixed
    9,371, of which these would be 79 % and 55 %.
    """
    import gzip
    import re

    text = gzip.decompress((real_data / "raw_payloads" / payload).read_bytes()).decode("utf-8")
    (found,) = re.findall(r"Data_rateInSimilarType\s*=\s*\[(.*?)\]", text)
    assert int(re.findall(r'"sc":"(\d+)"', found)[-1]) == peers
    file = real_data / "lists" / "fund_list_yuyanpsy_2026-05.csv.gz"
    types = pd.read_csv(file, dtype=str, keep_default_na=False)["基金类型"]
    assert (types == type_of_2026).sum() == classes
    assert 0.9 <= peers / classes < 1
