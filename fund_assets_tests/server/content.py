"""What a market server serves: any `FundSource`, or recorded and built real payloads.

A content object answers (host, path, query) with a `Reply`, or None for 404. Only the three
pages, the list and the histories that eastmoney's source uses exist.
"""

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from math import inf
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl

import pandas as pd

from fund_assets.calendar import from_key, to_key
from fund_assets.schemas.fund_types import kind_of
from fund_assets.sources.eastmoney.cells import event_frame
from fund_assets.sources.eastmoney.decode_history import read_events
from fund_assets.sources.protocol import FundSource, Wave
from fund_assets.transport.errors import UnknownFundError
from fund_assets_tests.server import wire
from fund_assets_tests.server.index_closes import index_answer, index_key

HOST = "fund.eastmoney.com"
PATHS = {
    "/Data/Fund_JJJZ_Data.aspx": "open_funds",
    "/HBJJ_pjsyl.html": "money_funds",
    "/cnjy_dwjz.html": "exchange_funds",
    "/js/fundcode_search.js": "fund_list",
}
#: The pages of single funds.
OVERVIEW_HOST = "fundf10.eastmoney.com"
FUND_PAGES = {"/jbgk_": "overview", "/jjjl_": "managers"}
#: Lists of indices: address → endpoint.
INDEX_LISTS = {
    ("www.csindex.com.cn", "/csindex-home/exportExcel/indexAll/CH"): "index_list",
    ("www.cnindex.com.cn", "/index/indexList"): "szse_index_list",
}
EVENTS_PATH = "/Data/funddataIndex_Interface.aspx"
#: Rows that the source puts on a page of the list of purchases, whatever it is asked for.
MOST_PURCHASES = 15_000
#: Events on a page of the lists.
EVENTS_A_PAGE = 100
#: How codes of exchange-traded funds begin.
ON_EXCHANGE = (
    "159",
    "510",
    "511",
    "512",
    "513",
    "515",
    "516",
    "517",
    "518",
    "561",
    "562",
    "563",
    "588",
    "589",
)


@dataclass(frozen=True)
class Reply:
    """Bytes and their Content-Type; eastmoney names a charset for pages only."""

    body: bytes
    content_type: str = "application/javascript"


class Content(Protocol):
    """What a server serves."""

    def reply(self, endpoint: str, fund_code: str) -> Reply | None:
        """The bytes of an endpoint (see `endpoint_of`), None for 404."""
        ...


def endpoint_of(host: str, path: str, query: str = "", form: str = "") -> tuple[str, str]:
    """(endpoint, fund code) of an address; an empty endpoint where there is nothing.

    For the lists of events, "year/page" stands; for the list of purchases, "page,rows" stands in place of the fund code; for an index, its
    key in `index_closes`.

    Args:
        form: the fields of a form that were sent.
    """
    if key := index_key(host, path, query, form):
        return "index_history", key
    if (host, path) in INDEX_LISTS:
        return INDEX_LISTS[host, path], ""
    for begins, endpoint in FUND_PAGES.items() if host == OVERVIEW_HOST else ():
        if path.startswith(begins) and path.endswith(".html"):
            return endpoint, path.removeprefix(begins).removesuffix(".html")
    if host != HOST:
        return "", ""
    if path in PATHS:
        asked = dict(parse_qsl(query, keep_blank_values=True))
        if asked.get("t") == "8":
            return "purchase_list", asked.get("page", "")
        return PATHS[path], ""
    if path == EVENTS_PATH:
        asked = dict(parse_qsl(query, keep_blank_values=True))
        endpoint = {"8": "dividend_list", "9": "split_list"}.get(asked.get("dt", ""), "")
        return endpoint, f"{asked.get('year', '')}/{asked.get('page', '')}"
    if path.startswith("/pingzhongdata/") and path.endswith(".js"):
        return "history", path.removeprefix("/pingzhongdata/").removesuffix(".js")
    return "", ""


def page_of(fund_code: str, name: str, fund_type: str) -> str:
    """On which of the three pages a share class stands."""
    if kind_of(fund_type, name) == "money" and "浮动净值" not in fund_type:
        return "money_funds"
    return "exchange_funds" if fund_code.startswith(ON_EXCHANGE) else "open_funds"


def content_from_source(source: FundSource) -> "SourceContent":
    """Serve a source's market as eastmoney would; each answer is made when asked for."""
    return SourceContent(source)


class SourceContent:
    """A `FundSource` in eastmoney's wire formats; a clock that moves shows at once."""

    def __init__(
        self, source: FundSource, page: Callable[[str, str, str], str] = page_of
    ) -> None:
        self._source = source
        self._page_of = page

    def reply(self, endpoint: str, fund_code: str) -> Reply | None:
        if endpoint == "history":
            return self._history(fund_code)
        if endpoint == "index_list":
            rows = self._source.index_lists().frames[0].itertuples(index=False, name=None)
            return Reply(wire.index_list(rows), "application/vnd.ms-excel")
        if endpoint == "szse_index_list":
            listed = wire.szse_index_list([("399330", "深证100")])
            return Reply(listed, "application/json")
        if endpoint == "overview":
            return self._overview(fund_code)
        if endpoint == "managers":
            return self._managers(fund_code)
        if endpoint in ("dividend_list", "split_list"):
            year, page = map(int, fund_code.split("/"))
            kind = endpoint.removesuffix("_list")
            return event_page(self._source.events(year).frame, kind, page)
        if endpoint == "purchase_list":
            return purchase_page(self._purchase_rows(), fund_code)
        if endpoint == "index_history":
            return Reply(*index_answer(self._source, fund_code))
        if endpoint == "fund_list":
            frame = self._source.fund_list().frame
            return Reply(wire.fund_list(frame.itertuples(index=False, name=None)))
        return self._page(endpoint)

    @cached_property
    def _types(self) -> dict[str, tuple[str, str, str]]:
        frame = self._source.fund_list().frame
        return {code: rest for code, *rest in frame.itertuples(index=False, name=None)}

    def _page(self, endpoint: str) -> Reply:
        wave = self._source.wave()
        names = {code: rest for code, *rest in wave.listing.itertuples(index=False, name=None)}
        described = {**names, **self._types}
        seen = wave.observations
        pages = {
            code: self._page_of(code, *described.get(code, ("", "", ""))[:2])
            for code in dict.fromkeys(seen["fund_code"])
        }
        seen = seen[seen["fund_code"].map(pages) == endpoint]
        if endpoint == "open_funds":
            days = (wave.newest, wave.previous)
        else:
            days = _two_days(seen, wave.newest)
        if odd := set(seen["nav_date"]) - set(map(to_key, days)):
            raise ValueError(f"{endpoint} has dates {sorted(odd)} besides its two, {days}")
        cells = {day: _by_code(seen, day) for day in days}
        codes = list(dict.fromkeys(seen["fund_code"]))
        if endpoint == "open_funds":
            return _open_page(days, codes, cells, described, _statuses(wave))
        return {
            "money_funds": _money_page,
            "exchange_funds": _exchange_page,
        }[endpoint](days, codes, cells, described)

    def _purchase_rows(self) -> list[list[str]]:
        """The list of purchases in cells."""
        rows = []
        for row in self._source.purchases().frame.itertuples(index=False):
            name, fund_type, _ = self._types.get(row.fund_code, ("", "", ""))
            opens = "" if pd.isna(row.next_open_date) else str(from_key(row.next_open_date))
            rows.append(
                wire.purchase_row(
                    row.fund_code, name, fund_type, row.purchase_word, row.redemption_word,
                    opens, wire.figure(row.least_amount, 0),
                    "100000000000" if row.daily_limit == inf else wire.figure(row.daily_limit, 0),
                    wire.figure(round(100 * row.fee, 6), 2, unit="%"),
                )
            )  # fmt: skip
        return rows

    def _overview(self, fund_code: str) -> Reply | None:
        name, fund_type, _ = self._types.get(fund_code, ("", "", ""))
        try:
            got = self._source.overview(fund_code)
        except UnknownFundError:
            return None
        body = wire.overview(fund_code, name, fund_type, got.benchmark, got.tracked_index)
        return Reply(body, "text/html; charset=utf-8")

    def _managers(self, fund_code: str) -> Reply | None:
        name, *_ = self._types.get(fund_code, ("", "", ""))
        try:
            got = self._source.managers(fund_code)
        except UnknownFundError:
            return None
        body = wire.manager_page(fund_code, name, got.terms)
        return Reply(body, "text/html; charset=utf-8")

    def _history(self, fund_code: str) -> Reply | None:
        name, fund_type, _ = self._types.get(fund_code, ("", "", ""))
        try:
            got = self._source.history(fund_code, kind=kind_of(fund_type, name))
        except UnknownFundError:
            return None
        frame = got.observations
        keys = frame["nav_date"].to_list()
        reports = wire.reports(got.reports) | wire.statements(got.statements)
        if frame["yield_per_10k"].notna().any():
            per_10k, week = frame["yield_per_10k"].to_list(), frame["yield_7d_pct"].to_list()
            return Reply(wire.money_history(fund_code, name, keys, per_10k, week, **reports))
        events: dict[int, str] = {}
        for row in got.events.itertuples(index=False):
            events[row.ex_date] = events.get(row.ex_date, "") + event_text(row.kind, row.value)
        acc = frame["acc_nav"].astype(object).where(frame["acc_nav"].notna(), None).to_list()
        growth = ["" if g != g else g for g in frame["growth_pct"]]
        unit = frame["unit_nav"].to_list()
        return Reply(wire.history(fund_code, name, keys, unit, acc, growth, events, **reports))


def event_page(frame: pd.DataFrame, kind: str, page: int) -> Reply:
    """One page of the events of a year (`EVENT_COLUMNS`), of one kind."""
    rows = []
    for code, ex_date, _, value, _ in frame[frame["kind"] == kind].itertuples(index=False):
        day = str(from_key(ex_date))
        told = wire.figure(value, 4, blank="--")
        rows.append(
            [code, "某基金", day, day, told, day, "1"]
            if kind == "dividend"
            else [code, "某基金", day, "份额折算", told, ""]
        )
    pages = max(-(-len(rows) // EVENTS_A_PAGE), 1)
    shown = rows[(page - 1) * EVENTS_A_PAGE : page * EVENTS_A_PAGE]
    return Reply(wire.event_list(kind, shown, page=page, pages=pages, size=EVENTS_A_PAGE))


def purchase_page(rows: list[list[str]], asked: str) -> Reply:
    """One page of the list of purchases; `asked` is its number and how many rows it may have."""
    page, size = (int(part) for part in asked.split(","))
    size = min(size, MOST_PURCHASES)
    shown = rows[(page - 1) * size : page * size]
    return Reply(wire.purchase_list(shown, page=page, size=size, record=len(rows)))


def event_text(kind: str, value: float) -> str:
    """An event in the words of unitMoney."""
    if kind == "dividend":
        return f"分红：每份派现金{value!r}元"
    return f"拆分：每份基金份额折算{value!r}份"


def _two_days(seen: pd.DataFrame, newest: date) -> tuple[date, date]:
    days = sorted(map(from_key, seen["nav_date"].unique()), reverse=True) or [newest]
    return days[0], days[1] if len(days) > 1 else days[0] - timedelta(days=1)


def _by_code(seen: pd.DataFrame, day: date) -> dict[str, tuple[float, ...]]:
    rows = seen[seen["nav_date"] == to_key(day)]
    columns = [
        "fund_code",
        "unit_nav",
        "acc_nav",
        "growth_pct",
        "yield_per_10k",
        "yield_7d_pct",
    ]
    return {code: rest for code, *rest in rows[columns].itertuples(index=False, name=None)}


_NONE = (float("nan"),) * 5


def _statuses(wave: Wave) -> dict[str, list[str]]:
    """The cells of status and fee of each fund; a source without has none."""
    if wave.statuses is None:
        return {}
    return {
        code: wire.status_cells(
            purchase,
            redemption,
            wire.figure(round(100 * fee, 6), 2, unit="%"),
            wire.figure(round(100 * full_fee, 6), 2, unit="%"),
        )
        for code, purchase, redemption, fee, full_fee, _ in wave.statuses.itertuples(
            index=False, name=None
        )
    }


def _open_page(days, codes, cells, described, statuses) -> Reply:
    rows = []
    for code in codes:
        name, _, pinyin = described.get(code, ("", "", ""))
        (u0, a0, g, *_), (u1, a1, *_) = (cells[day].get(code, _NONE) for day in days)
        step = wire.figure(round(u0 - u1, 4), 4)
        navs = [wire.figure(value, 4) for value in (u0, a0, u1, a1)]
        told = statuses.get(code, ())
        rows.append((code, name, pinyin, *navs, step, wire.figure(g, 2), *told))
    return Reply(wire.snapshot(days, rows))


def _money_page(days, codes, cells, described) -> Reply:
    rows = []
    for code in codes:
        texts = []
        for day in days:
            unit, _, _, per_10k, week = cells[day].get(code, _NONE)
            texts.append(wire.figure(per_10k, 4, blank="---"))
            texts.append(wire.figure(week, 4, unit="%", blank="---"))
            texts.append(wire.figure(unit, 4, blank="---"))
        rows.append((code, described.get(code, ("",))[0], *texts))
    return Reply(wire.money_page(days, rows), "text/html; charset=gb2312")


def _exchange_page(days, codes, cells, described) -> Reply:
    rows = []
    for code in codes:
        name, kind, _ = described.get(code, ("", "", ""))
        (u0, a0, g, *_), (u1, a1, *_) = (cells[day].get(code, _NONE) for day in days)
        navs = [wire.figure(value, 4, blank="---") for value in (u0, a0, u1, a1)]
        rows.append((code, name, kind, *navs, wire.figure(g, 2, unit="%", blank="---")))
    return Reply(wire.exchange_page(days, rows), "text/html; charset=gb2312")


class RealContent:
    """The real market of September 2020: recorded figures, texts as they were shown.

    The snapshot is the panel of 10,120 funds at `days`, the money page the money panel, the
    exchange page the panel's exchange-traded funds (which stand in the snapshot as well),
    the list that of May 2026 as far as its funds were there, with those that were gone by then:
    a list of today beside a page of 2020 would be a page that lacks half of its market. Histories
    are the 60 built payloads and the recorded one of 161725.
    """

    def __init__(
        self,
        real_data: Path,
        days: tuple[date, date] = (date(2020, 9, 25), date(2020, 9, 24)),
        money_days: tuple[date, date] = (date(2020, 9, 25), date(2020, 9, 24)),
    ) -> None:
        self.real_data = real_data
        self.days = days
        self.money_days = money_days

    @cached_property
    def histories(self) -> dict[str, Path]:
        """Fund code → file of its payload."""
        built = (self.real_data / "pingzhongdata_built").glob("*.js.gz")
        files = {path.name[:6]: path for path in built}
        recorded = self.real_data / "raw_payloads" / "pingzhongdata_161725_2026-02-27.js.gz"
        return {**files, "161725": recorded}

    @cached_property
    def listing(self) -> pd.DataFrame:
        """Columns fund_code, name, fund_type, pinyin."""
        lists = self.real_data / "lists"
        now = pd.read_csv(
            lists / "fund_list_yuyanpsy_2026-05.csv.gz", dtype=str, keep_default_na=False
        ).iloc[:, [0, 2, 3, 1]]
        then = pd.read_parquet(lists / "lcc_fund_index_2020-10.parquet")
        then = then[["code", "name", "type"]].dropna().assign(pinyin="")
        columns = ["fund_code", "name", "fund_type", "pinyin"]
        both = pd.concat([now.set_axis(columns, axis=1), then.set_axis(columns, axis=1)])
        there = {*then["code"], *self.panel.index, *self.money_panel.index, *self.histories}
        both = both[both["fund_code"].isin(there)].drop_duplicates("fund_code")
        return both.sort_values("fund_code", ignore_index=True)

    @cached_property
    def events(self) -> pd.DataFrame:
        """The recorded dividends and splits, columns of `EVENT_COLUMNS`."""
        told = pd.read_parquet(self.real_data / "other" / "lcc_dividends_splits.parquet")
        rows = [
            (code, int(day.replace("-", "")), kind, value, text)
            for code, day, text in told.itertuples(index=False)
            for kind, value in read_events(text)
        ]
        return event_frame(rows)

    @cached_property
    def panel(self) -> pd.DataFrame:
        """One row a fund: unit, acc, growth of both days as texts, empty where not shown."""
        panel = pd.read_parquet(self.real_data / "snapshots/lcc_2020-09_panel_nav.parquet")
        return _wide(panel, self.days, ["unit_nav", "acc_nav", "growth"], "")

    @cached_property
    def money_panel(self) -> pd.DataFrame:
        """One row a money fund: wan_yield and seven_day of both days as texts."""
        panel = pd.read_parquet(self.real_data / "snapshots/lcc_2020-10-early_money.parquet")
        return _wide(panel, self.money_days, ["wan_yield", "seven_day"], "---")

    def reply(self, endpoint: str, fund_code: str) -> Reply | None:
        if endpoint in ("dividend_list", "split_list"):
            kind = endpoint.removesuffix("_list")
            year, page = map(int, fund_code.split("/"))
            of_year = self.events["ex_date"] // 10_000 == year
            return event_page(self.events[of_year], kind, page)
        if endpoint in ("index_history", "overview", "managers"):
            return None
        if endpoint == "purchase_list":
            rows = [
                wire.purchase_row(row.fund_code, row.name, row.fund_type)
                for row in self.listing.itertuples(index=False)
            ]
            return purchase_page(rows, fund_code)
        if endpoint == "history":
            path = self.histories.get(fund_code)
            return Reply(gzip.decompress(path.read_bytes())) if path else None
        return self._made[endpoint] if endpoint in self._made else self._make(endpoint)

    @cached_property
    def _made(self) -> dict[str, Reply]:
        return {}

    def _make(self, endpoint: str) -> Reply:
        names = self.listing.set_index("fund_code")
        described = {
            code: (row.name, row.fund_type, row.pinyin)
            for code, row in zip(names.index, self.listing.itertuples(index=False), strict=True)
        }
        if endpoint == "fund_list":
            made = Reply(wire.fund_list(self.listing.itertuples(index=False, name=None)))
        elif endpoint == "money_funds":
            rows = [
                (code, described.get(code, ("",))[0], y0, w0, "---", y1, w1, "---")
                for code, y0, w0, y1, w1 in self.money_panel.itertuples(name=None)
            ]
            made = Reply(wire.money_page(self.money_days, rows), "text/html; charset=gb2312")
        elif endpoint == "exchange_funds":
            rows = [
                (code, *described[code][:2], *(t or "---" for t in (u0, a0, u1, a1, g0)))
                for code, u0, a0, g0, u1, a1, _ in self.panel.itertuples(name=None)
                if code.startswith(ON_EXCHANGE) and code in described
            ]
            made = Reply(wire.exchange_page(self.days, rows), "text/html; charset=gb2312")
        else:
            rows = []
            for code, u0, a0, g0, u1, a1, _ in self.panel.itertuples(name=None):
                name, _, pinyin = described.get(code, ("", "", ""))
                step = wire.figure(round(float(u0) - float(u1), 4), 4) if u0 and u1 else ""
                rows.append((code, name, pinyin, u0, a0, u1, a1, step, g0.removesuffix("%")))
            made = Reply(wire.snapshot(self.days, rows))
        self._made[endpoint] = made
        return made


def _wide(
    panel: pd.DataFrame, days: tuple[date, date], columns: list[str], blank: str
) -> pd.DataFrame:
    """Long texts → one row a fund, the columns of the newer day first."""
    wide = panel[["code"]].drop_duplicates().set_index("code").sort_index()
    for number, day in enumerate(days):
        shown = panel[panel["date"] == day.isoformat()].set_index("code")[columns]
        wide = wide.join(shown.add_suffix(str(number)))
    return wide.fillna(blank)
