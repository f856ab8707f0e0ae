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

2,819 more are of two groups that print the ranking of an earlier day, of which not every member's
return is recorded: each other member has a stand-in, where the printed ranks leave a place free.

- QDII funds: 267 of 299 pages print Friday's ranking, 32 a later day's. The places that are free
  are 32 in number (31 over a year), which are exactly the other QDII pages with a return.
- Bonds with fixed opening dates that publish weekly are ranked on Friday among all of their type,
  of which 442 daily ones print Monday's ranking. Pages print 994 peers, or 995: one fund arrived
  between them. The ranks of both are one ranking once that fund is taken out, and our members of
  the type are 992, 980, 834 and 663 in the four windows, where 994, 979, 834 and 663 are printed.

This shows the groups, their numbers and the ties, but less than the 34,408: where a stand-in is put,
the place is the source's own.

The other 1,747 ranks cannot be compared by number: nine tenths of their peers' returns of the same
day are recorded nowhere. They belong to mixed funds and FOF that publish weekly or were still
closed (ranked on the Friday before, among the Friday's returns of all), to funds that are gone and
print their last day's rank, and to groups under 10, which make no rank with us. Of these, and of all
others, the order is compared: within pages that print the same numbers, our order by return is the
order of the printed ranks.
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
#: Groups that print the ranking of an earlier day; the weekly ones before and after one arrived.
QDII, DAILY = "299/298/283/260", "442/443/418/360"
WEEKLY = ("994/979/834/663", "995/980/835/664")
#: Groups whose members are recorded, by the numbers of peers that their pages print.
MIXED, BOND, INDEX = "3745/3730/3385/3086", "2512/2496/2196/1918", "1197/1195/1089/903"
SHARES = "1647/1643/1497/1278"
WHOLE = {
    "674/669/656/650": "money-market funds",
    DAILY: "bonds with fixed opening dates that publish daily",
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
    before = values[shift.index].shift(fill_value=values.max() + 1)
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


def test_ranks_of_an_earlier_day_are_the_sources(pages: pd.DataFrame) -> None:
    """Stops a group, a number of its members or a tie that is not the source's."""
    there = pages[pages["value"].notna() & pages["rank"].notna()]
    compared = 0
    for window in WINDOWS:
        rows = there[there["window"] == window].set_index("code")
        abroad = rows[rows["group"] == QDII]
        filled = with_stand_ins(abroad["value"], abroad["rank"])
        of_type = pages[(pages["window"] == window) & pages["value"].notna()]
        others = of_type["type"].str.startswith("QDII") & (of_type["group"] != QDII)
        assert len(filled) - len(abroad) == others.sum() in (31, 32)
        rank, peers = ranked(filled, pd.Series(0, filled.index))
        pd.testing.assert_series_equal(rank[abroad.index], abroad["rank"], check_names=False)
        assert (peers[abroad.index] == abroad["peers"]).all()
        weekly = pd.concat([rows[rows["group"] == WEEKLY[0]], without_the_late_one(rows)])
        filled = with_stand_ins(weekly["value"], weekly["rank"])
        rank, _ = ranked(filled, pd.Series(0, filled.index))
        pd.testing.assert_series_equal(rank[weekly.index], weekly["rank"], check_names=False)
        daily = (rows["group"] == DAILY).sum()
        assert abs(len(weekly) + daily - weekly["peers"].min()) <= 2, window
        compared += len(abroad) + len(weekly)
    assert compared == 2_819


def without_the_late_one(rows: pd.DataFrame) -> pd.DataFrame:
    """The later weekly pages, ranked as the first ones are: without the fund that came between.

    Its return is not recorded. All that are below it have one rank more than on the first pages.
    """
    first, later = (rows[rows["group"] == group] for group in WEEKLY)
    for late in sorted({*first["value"], *later["value"], np.inf}):
        lower = later.assign(rank=later["rank"] - (later["value"] < late))
        both = pd.concat([first, lower]).sort_values("value", ascending=False)
        above = both["value"].rank(method="min", ascending=False)
        if (both["rank"] - above).is_monotonic_increasing:
            return lower
    raise AssertionError("no one fund between the pages explains their ranks")


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
