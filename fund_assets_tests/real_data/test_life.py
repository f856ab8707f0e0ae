"""States of real share classes, concluded from what was known in the past, against what came.

The market of 2020: the panel ends on 25 September, the list and the pages are of 13 October.
What is concluded from the panel and the list is contradicted by the pages, and by the list,
the ranks and the histories of 2021 to 2026. Histories: at the end of each quarter from the
NAVs before it, against the NAVs after it.

A class that is called active is contradicted when its page says that it has ended, or when
nothing later shows it alive: no NAV, no place on the list of 2026, no page of October 2020 that
sells or redeems it, and no page that ranks it over the last week in a group of that day. (The
page of a fund that has ended keeps its last rank, and the number of peers of that day.) 1,500
classes that are called active are not on the list of 2026; most of them were alive in October
2020 and ended in the years between.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fund_assets.calendar import TradingCalendar
from fund_assets.nav.cadence import (
    Attendance,
    Cadence,
    learn_cadence,
    no_cadence,
    sessions_to_learn,
)
from fund_assets.nav.lateness import allowed_silence
from fund_assets.nav.life import ALIVE, DEAD, Facts, Spell, Today, life_of
from fund_assets.nav.transitions import Change, transition
from fund_assets.schemas.fund_types import kind_of

pytestmark = [pytest.mark.real_data, pytest.mark.slow]

CALENDAR = TradingCalendar.build()
#: The newest date of the panel, of its money-market funds, and of the list and the pages.
PANEL, MONEY, LIST = 20200925, 20201008, 20201013
ENDED = "基金终止"
MOST_CONTRADICTED = 0.01
#: So many pages at least print the number of peers of a group of the day.
PAGES_OF_GROUP = 10


def keys(dates: pd.Series) -> pd.Series:
    """yyyymmdd of texts or timestamps that begin with yyyy-mm-dd."""
    return dates.astype("str").str.slice(0, 10).str.replace("-", "").astype("int64")


def history(path: Path, code: str, date: str) -> pd.DataFrame:
    """code and nav_date (yyyymmdd) of each NAV of a file of histories."""
    frame = pd.read_parquet(path, columns=[code, date])
    codes = frame[code].astype("str").str.zfill(6)
    return pd.DataFrame({"code": codes, "nav_date": keys(frame[date])}).drop_duplicates()


@pytest.fixture(scope="module")
def histories(real_data: Path) -> dict[str, pd.DataFrame]:
    """Name of the file → its NAV dates."""
    files = {
        "ethanj": ("histories_ak/ethanj_unitnav.parquet", "code", "净值日期"),
        "yuyanpsy": ("histories_ak/yuyanpsy_unitnav.parquet", "code", "date"),
        "xujinjie": ("histories_acc/xujinjie151_2017.parquet", "code", "time"),
        "ohiyox": ("histories_acc/ohiyox_2019-2020.parquet", "CODE", "DATE"),
        "saaltfiish": ("histories_acc/saaltfiish_emfund_2024-01.parquet", "Code", "TradingDay"),
    }
    return {name: history(real_data / file, *rest) for name, (file, *rest) in files.items()}


@pytest.fixture(scope="module")
def market(real_data: Path) -> pd.DataFrame:
    """The classes of the list of October 2020 with what the panel shows of each, by code."""
    listed = pd.read_csv(
        real_data / "lists/fund_list_liangchengcheng_2020-10.csv.gz", dtype="str"
    ).set_index("code")[["name", "type"]].fillna("")  # fmt: skip
    index = pd.read_parquet(real_data / "lists/lcc_fund_index_2020-10.parquet")
    inception = index.set_index("code")["inception"].dropna()
    panel = pd.read_parquet(real_data / "snapshots/lcc_2020-09_panel_nav.parquet")
    money = pd.read_parquet(real_data / "snapshots/lcc_2020-10-early_money.parquet")
    shown = pd.concat([panel[panel["unit_nav"].str.contains(r"\d")], money])
    spans = shown.assign(key=keys(shown["date"])).groupby("code")["key"].agg(["min", "max"])
    begun = keys(inception[inception.str.len() == 10])
    return listed.assign(
        begun=begun.reindex(listed.index).fillna(0).astype(int),
        first=spans["min"].reindex(listed.index).fillna(0).astype(int),
        last=spans["max"].reindex(listed.index).fillna(0).astype(int),
        is_money=listed.index.isin(money["code"]),
    )


@pytest.fixture(scope="module")
def concluded(market: pd.DataFrame) -> pd.Series:
    """Code → state, from the panel and the list of 2020."""
    funds = [
        Facts(row.Index, row.name, row.type, kind_of(row.type, row.name), "listed",
              min(row.begun or LIST, LIST), LIST, min(row.first, row.begun or row.first),
              row.last, 0, 0, 0)
        for row in market.itertuples()
    ]  # fmt: skip
    days = [Today(MONEY if m else PANEL, CALENDAR.sessions) for m in market["is_money"]]
    allowed = [
        allowed_silence([f], no_cadence(), on)[0] for f, on in zip(funds, days, strict=True)
    ]
    found = {
        fund.fund_code: life_of(fund, (), today, sessions)[-1].state
        for fund, today, sessions in zip(funds, days, allowed, strict=True)
    }
    return pd.Series(found)


@pytest.fixture(scope="module")
def later(real_data: Path, histories: dict[str, pd.DataFrame]) -> dict[str, set[str]]:
    """Classes with a NAV after October 2020, on the list of 2026, and alive on their page."""
    ranks = [
        pd.read_csv(path, dtype="str")["code"]
        for path in sorted((real_data / "snapshots").glob("yuyanpsy_rank_*.csv.gz"))
    ]
    navs = [frame.loc[frame["nav_date"] > LIST, "code"] for frame in histories.values()]
    listed = pd.read_csv(
        real_data / "lists/fund_list_yuyanpsy_2026-05.csv.gz", dtype="str", usecols=[0]
    )
    pages = pd.read_parquet(real_data / "fundpages_2020-10-13/page_facts.parquet")
    of_day = pages["published"].str.startswith("2020-10-13") & (pages["status"] != "")
    ended = pages["status"].str.startswith(ENDED)
    stages = pd.read_parquet(real_data / "fundpages_2020-10-13/page_stages.parquet")
    week = stages[stages["window"] == "近1周"]
    of_group = week.groupby("of")["code"].transform("size") >= PAGES_OF_GROUP
    return {
        "ranked": set(week.loc[of_group, "code"]),
        "nav": set(pd.concat([*ranks, *navs])),
        "listed": set(listed.iloc[:, 0]),
        "page": set(pages.loc[of_day & ~ended, "code"]),
        "ended": set(pages.loc[ended, "code"]),
    }


def test_what_2020_says_holds_in_2026(concluded, later):
    """Stops living funds from being called dead, and ended ones from being called active."""
    dead = set(concluded.index[concluded.isin(DEAD)])
    alive = set(concluded.index[concluded.isin(ALIVE)])
    counts = {str(state): int(n) for state, n in concluded.value_counts().items()}
    back = dead & later["nav"]
    unlisted = alive - later["nav"] - later["listed"]
    lost = unlisted - later["page"] - later["ranked"]
    called_off = alive & later["ended"]
    figures = {
        "classes": len(concluded), **counts, "dead, published later": sorted(back),
        "alive, ended on the page": len(called_off), "alive, never seen again": len(lost), "alive, not on the list of 2026": len(unlisted),
    }  # fmt: skip
    print(figures)
    assert len(concluded) == 11_202
    assert counts["active"] + counts.get("resting", 0) > 10_500
    assert len(dead) > 200
    contradicted = len(back | called_off | lost)
    assert contradicted <= MOST_CONTRADICTED * len(concluded), figures


def quarters(first: int, last: int) -> Iterator[int]:
    """The last sessions of the quarters between two years, both included, as yyyymmdd."""
    for year in range(first, last + 1):
        for month in (3, 6, 9, 12):
            end = year * 10_000 + month * 100 + 31
            yield max(key for key in CALENDAR.sessions if key <= end)


def cadence_on(date: int, codes: list[str], navs: pd.DataFrame) -> Cadence:
    """How often funds publish, learned from the NAVs before a date."""
    sessions = np.array(sessions_to_learn(CALENDAR, date), dtype=np.int64)
    seen = navs[navs["nav_date"].isin(sessions)].assign(there=True)
    there = seen.pivot(index="code", columns="nav_date", values="there")
    there = there.reindex(index=codes, columns=sessions).notna().to_numpy()
    return learn_cadence(Attendance(codes, ["other"] * len(codes), sessions, there))


@pytest.mark.parametrize(
    ("name", "years", "looks"),
    [("ethanj", (2010, 2025), 9_000), ("yuyanpsy", (2010, 2025), 9_000)],
)
def test_what_each_quarter_says_holds_in_the_histories(histories, name, years, looks):
    """Stops a threshold from fitting one day of 2020 alone: every quarter of sixteen years."""
    navs = histories[name]
    until = int(navs["nav_date"].max())
    dates = {code: part.to_numpy() for code, part in navs.groupby("code")["nav_date"]}
    codes = sorted(dates)
    ends = pd.Series({code: int(days.max()) for code, days in dates.items()})
    # A file is collected over weeks: a fund that reaches its last month goes on after it.
    goes_on = ends[ends >= until - 100]
    judged, wrong = Counter[str](), []
    for date in quarters(*years):
        cadence = cadence_on(date, codes, navs)
        steps = dict(zip(cadence.codes, cadence.usual_step.tolist(), strict=True))
        today = Today(date, CALENDAR.sessions)
        known = {code: dates[code][dates[code] <= date] for code in codes}
        funds = [
            Facts(code, "", "", "other", "listed", int(days.min()), date, int(days.min()),
                  int(days.max()), steps.get(code, 0), 0, 0)
            for code, days in known.items() if len(days)
        ]  # fmt: skip
        for fund, allowed in zip(funds, allowed_silence(funds, cadence, today), strict=True):
            code, state = fund.fund_code, life_of(fund, (), today, allowed)[-1].state
            publishes_later = ends[code] > date
            judged[state] += 1
            if state in DEAD and publishes_later:
                wrong.append((code, date, state))
            if state in ALIVE and not publishes_later and code not in goes_on:
                wrong.append((code, date, state))
    funds = {code for code, *_ in wrong}
    print({"file": name, "funds": len(codes), "looks": dict(judged), "wrong": len(wrong),
           "funds wrong": len(funds), "first": wrong[:20]})  # fmt: skip
    assert judged.total() > looks
    assert len(wrong) <= MOST_CONTRADICTED * judged.total()
    assert len(funds) <= MOST_CONTRADICTED * len(codes)


def test_names_that_changed_have_something_in_common(real_data):
    """Stops companies and exchange-traded funds that change their names from looking like codes
    that are used again: 中融 is 国联 now, and 华安日经225ETF is 日经225ETF华安."""
    before = pd.read_csv(
        real_data / "lists/fund_list_liangchengcheng_2020-10.csv.gz", dtype="str"
    ).set_index("code")["name"]  # fmt: skip
    now = pd.read_csv(real_data / "lists/fund_list_yuyanpsy_2026-05.csv.gz", dtype="str")
    names = pd.DataFrame(
        {"before": before, "now": now.set_index("基金代码")["基金简称"]}
    ).dropna()
    changed = names[names["before"] != names["now"]]
    spells = [
        Spell(20190301, 20200106, "active", ""),
        Spell(20200106, 20200901, "terminated", ""),
        Spell(20200901, None, "active", ""),
    ]
    found = [
        transition([Change(row.Index, 20200820, "name", row.before, row.now, "")], spells)[
            0
        ].what
        for row in changed.itertuples()
    ]
    assert (len(changed), found.count("code_reused")) == (2914, 13)
    assert found.count("transition") == 2914 - 13
