"""From akshare's frames to observations, strictly.

Belongs here: akshare's view of the answers that our decoders (`decode_list.py` and its like)
refuse. Every cell akshare returns is text; here it becomes a number, a blank or a defect. Does
not belong here: fetching, or deciding when to fall back (`source.py`).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from fund_assets.calendar import to_key
from fund_assets.safe_text import plain
from fund_assets.sources.eastmoney.akshare_client import Decoded, replay, run
from fund_assets.sources.eastmoney.cells import Defects, event_frame, observations, quote, unite
from fund_assets.sources.eastmoney.decode_history import named_fund
from fund_assets.sources.eastmoney.decode_pages import Page, page_of
from fund_assets.sources.eastmoney.decode_snapshot import Snapshot, check_record
from fund_assets.sources.eastmoney.status_cells import status_frame
from fund_assets.sources.protocol import LISTING_COLUMNS, empty_observations
from fund_assets.transport.errors import EmptyAnswerError, FormatError, WrongFundError
from fund_assets.transport.http_answer import Answer

#: A column of one of the page's two dates, which are of 1990 to 2100.
_DATED = re.compile(r"((?:199[0-9]|20[0-9]{2}|2100)-[0-9]{2}-[0-9]{2})-(.+)")
#: What the money page writes after a fund's name: two links, in the same cell.
_MONEY_LINKS = re.compile(r"\s*基金吧\s*档案\s*$")
_MONEY_NAME_COLUMN = 4
_PAGE_HEADER_ROWS = 2

#: What a page calls a figure → the observation column, and the unit in its cells.
MONEY_FIGURES = {
    "万份收益": ("yield_per_10k", ""),
    "7日年化%": ("yield_7d_pct", "%"),
    "单位净值": ("unit_nav", ""),
}
EXCHANGE_FIGURES = {"单位净值": ("unit_nav", ""), "累计净值": ("acc_nav", "")}


#: Column of a page → a word of its label, wherever a figure or a code is read from it.
_MONEY_LABELS = {
    3: "代码", 5: "万份", 6: "7日", 7: "净值", 8: "万份", 9: "7日", 10: "净值",
}  # fmt: skip
_EXCHANGE_LABELS = {3: "代码", 6: "单位", 7: "累计", 8: "单位", 9: "累计", 11: "增长率"}


def akshare_money_page(answer: Answer) -> Page:
    """The page of money funds as akshare reads it: yields of its two dates."""
    decoded = run("fund_money_fund_daily_em", replay(answer))
    _check_labels(decoded, "the money fund page", _MONEY_LABELS)
    texts = decoded.tables[1].iloc[_PAGE_HEADER_ROWS:, _MONEY_NAME_COLUMN]
    names = [_MONEY_LINKS.sub("", text) if isinstance(text, str) else "" for text in texts]
    return _page(decoded.frame, "the money fund page", names, MONEY_FIGURES, growth=None)


def akshare_exchange_page(answer: Answer) -> Page:
    """The page of exchange-traded funds as akshare reads it: NAVs of its two dates."""
    decoded = run("fund_etf_fund_daily_em", replay(answer))
    _check_labels(decoded, "the exchange page", _EXCHANGE_LABELS)
    names = decoded.frame["基金简称"].to_list()
    return _page(decoded.frame, "the exchange page", names, EXCHANGE_FIGURES, growth="增长率")


def _check_labels(decoded: Decoded, what: str, labels: dict[int, str]) -> None:
    """Refuse a page whose columns mean something else: akshare names them by position."""
    header = list(map(str, decoded.tables[1].iloc[_PAGE_HEADER_ROWS - 1]))
    for at, word in labels.items():
        if at >= len(header) or word not in header[at]:
            raise FormatError(
                f"{what} has the columns {', '.join(header)}: column {at + 1} should be about "
                f"{word}; the source changed it: upgrade akshare, or report it"
            )


def akshare_snapshot(answer: Answer) -> Snapshot:
    """The open-fund snapshot as akshare reads it, held against the payload's own count.

    akshare gives no name to the full fee: it is missing here, and what is stored of it stays.
    """
    frame = run("fund_open_fund_daily_em", replay(answer)).frame
    check_record(answer.body.decode("utf-8", "replace"), len(frame))
    shown = frame["基金简称"].to_list()
    page = _page(frame, "the market snapshot", shown, EXCHANGE_FIGURES, growth="日增长率")
    united, duplicates = unite({"open_funds": page.observations})
    newest, previous = _dates(frame, "the market snapshot", EXCHANGE_FIGURES)
    listing = page.listing.drop_duplicates("fund_code", ignore_index=True)
    names = ("基金代码", "申购状态", "赎回状态", "手续费")
    codes, purchase, redemption, fee = (frame[name].to_list() for name in names)
    statuses = status_frame(codes, purchase, redemption, fee, [""] * len(frame))
    return Snapshot(newest, previous, united, listing, statuses, len(frame), duplicates)


def akshare_list(answer: Answer) -> pd.DataFrame:
    """The fund list as akshare reads it."""
    frame = run("fund_name_em", replay(answer)).frame
    columns = ("基金代码", "基金简称", "基金类型", "拼音缩写")
    return pd.DataFrame(
        {
            name: [plain(cell) if isinstance(cell, str) else "" for cell in frame[column]]
            for name, column in zip(LISTING_COLUMNS, columns, strict=True)
        },
        dtype="str",
    )


def akshare_history(
    answer: Answer, fund_code: str, kind: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A fund's history as akshare reads it: without events, which it does not return."""
    what = f"the history of fund {fund_code}"
    if (found := named_fund(answer.body.decode("utf-8", "replace"))) != fund_code:
        raise WrongFundError(f"requested {what}, the answer names {quote(found)}")
    indicators = (
        {"每万份收益": "yield_per_10k", "7日年化收益率": "yield_7d_pct"}
        if kind == "money"
        else {"单位净值走势": "unit_nav", "累计净值走势": "acc_nav"}
    )
    parts = {}
    for indicator, name in indicators.items():
        frame = run("fund_open_fund_info_em", replay(answer), fund_code, indicator).frame
        parts[indicator] = (
            empty_observations() if frame.empty else _history(frame, fund_code, name, what)
        )
    united, _ = unite(parts)
    if united.empty:
        raise EmptyAnswerError(f"{what} has no date")
    return united.sort_values("nav_date", kind="stable", ignore_index=True), event_frame([])


def _history(frame: pd.DataFrame, fund_code: str, name: str, what: str) -> pd.DataFrame:
    defects = Defects()
    for day in frame["净值日期"]:
        if type(day) is not date or not 1990 <= day.year <= 2100:
            raise FormatError(f"{what}: akshare reads the date {quote(str(day))}")
    figures = {name: frame.iloc[:, 1].to_numpy(float)}
    if "日增长率" in frame:
        figures["growth_pct"] = frame["日增长率"].to_numpy(float)
    keys = np.array([to_key(day) for day in frame["净值日期"]])
    return observations([fund_code] * len(frame), keys, figures, defects)


def _page(
    frame: pd.DataFrame,
    what: str,
    names: Sequence[object],
    figures: dict[str, tuple[str, str]],
    growth: str | None,
) -> Page:
    if frame.empty:
        raise EmptyAnswerError(f"{what} has no fund; try again later")
    days = _dates(frame, what, figures)
    per_day = [
        {
            name: (frame[f"{day}-{label}"].to_list(), unit)
            for label, (name, unit) in figures.items()
        }
        for day in days
    ]
    codes = frame["基金代码"].to_list()
    names = [name if isinstance(name, str) else "" for name in names]
    return page_of(codes, names, days, per_day, frame[growth].to_list() if growth else None)


def _dates(frame: pd.DataFrame, what: str, figures: Mapping[str, object]) -> tuple[date, date]:
    """The two dates in the column names, newer first; every figure must be there at both."""
    dated = [m.groups() for name in frame.columns if (m := _DATED.fullmatch(str(name)))]
    try:
        days = sorted({date.fromisoformat(day) for day, _ in dated}, reverse=True)
    except ValueError:
        days = []
    wanted = sorted((day.isoformat(), label) for day in days for label in figures)
    if len(days) != 2 or sorted(dated) != wanted or "基金代码" not in frame:
        raise FormatError(
            f"{what} has the columns {list(map(str, frame.columns))}, not 基金代码 and "
            f"{', '.join(figures)} at two dates: the source changed it; upgrade akshare"
        )
    return days[0], days[1]
