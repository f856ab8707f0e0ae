"""The exchange's sessions from every source that publishes them ahead.

Belongs here: fetching and reading them: Sina through akshare, the Shenzhen exchange's own
calendar page, whose days are Shanghai's, and the list inside akshare. Does not belong here:
whether they can be trusted (`calendar.check_refresh`): a cut answer of Sina decodes to wrong
days without an error.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from importlib.resources import files

from fund_assets.calendar import read_day, to_key
from fund_assets.settings import Settings
from fund_assets.sources.eastmoney.akshare_client import run
from fund_assets.transport.errors import FormatError, TruncatedError
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.http_answer import Answer

#: The whole of the encoded days, its closing quote included: a cut answer has none.
_WHOLE = re.compile(rb'="[A-Za-z0-9+/]+"')


def announced_sessions(settings: Settings) -> list[int]:
    """Every session since 1990 that Sina knows, ascending yyyymmdd.

    Raises:
        SourceError: no answer, a cut one, or one that akshare cannot read.
    """
    gateway = Gateway.from_settings(settings)

    def fetch(
        url: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None
    ) -> Answer:
        answer = gateway.fetch("trading_days", url, params, headers)
        if not _WHOLE.search(answer.body):
            raise TruncatedError(
                f"trading_days: the answer of {url} has no complete list of sessions, "
                f"{len(answer.body):,} bytes; try again later"
            )
        return answer

    frame = run("tool_trade_date_hist_sina", fetch).frame
    return sorted({to_key(day) for day in frame["trade_date"]})


_SZSE = "https://www.szse.cn/api/report/exchange/onepersistenthour/monthList"
_SZSE_HEADERS = {
    "Referer": "https://www.szse.cn/aboutus/calendar/",
    "Accept": "application/json",
}


def shenzhen_sessions(settings: Settings, known_until: date) -> list[int]:
    """The sessions on the Shenzhen exchange's page, from the last known December on.

    Args:
        known_until: the last day of the year that is known for certain. The page is asked for
            its December, so that it can be compared, and for the year after it.

    Returns:
        Ascending yyyymmdd; of December alone while the next year is not announced there.

    Raises:
        SourceError: no answer, or one in another form.
    """
    gateway = Gateway.from_settings(settings)
    sessions = _month(gateway, known_until.year, 12)
    year = known_until.year + 1
    january = _month(gateway, year, 1)
    if not january or to_key(date(year, 1, 1)) in january:
        return sessions  # an empty page, or weekdays without holidays: nothing is announced
    sessions += january
    for month in range(2, 13):
        found = _month(gateway, year, month)
        if not found:
            raise FormatError(
                f"szse_calendar: the page has no days of {year}-{month:02d}, but of January: "
                "it is being filled; try again later"
            )
        sessions += found
    return sessions


def _month(gateway: Gateway, year: int, month: int) -> list[int]:
    """The sessions of a month; none when the page has no days of it."""
    named = f"{year}-{month:02d}"
    answer = gateway.fetch("szse_calendar", _SZSE, {"month": named}, _SZSE_HEADERS)
    try:
        rows = json.loads(answer.body)["data"] or []
        days = {read_day(str(row["jyrq"])): str(row["jybz"]) for row in rows}
    except (ValueError, KeyError, TypeError) as error:
        raise FormatError(
            f"szse_calendar: the answer for {named} is not a list of days "
            f"({type(error).__name__}: {str(error)[:100]}); the page may have changed its "
            "format"
        ) from error
    if not days:
        return []
    first = date(year, month, 1)
    after = (first + timedelta(days=31)).replace(day=1)
    wanted = {to_key(first + timedelta(days=n)) for n in range((after - first).days)}
    if set(days) != wanted or not set(days.values()) <= {"0", "1"}:
        raise FormatError(
            f"szse_calendar: the answer for {named} has {len(days)} days with the states "
            f"{sorted(set(days.values()))}, expected are its {len(wanted)} days with 0 or 1"
        )
    return sorted(day for day, state in days.items() if state == "1")


def packaged_with_akshare() -> list[int]:
    """The sessions in the list inside akshare: it grows with an upgrade.

    Raises:
        FormatError: the installed akshare has no such list.
    """
    try:
        text = files("akshare").joinpath("file_fold", "calendar.json").read_text()
        return sorted(read_day(str(day)) for day in json.loads(text))
    except (OSError, ValueError, TypeError) as error:
        raise FormatError(f"akshare's calendar.json cannot be read: {error}") from error


def sources(settings: Settings, known_until: date) -> dict[str, Callable[[], list[int]]]:
    """Every source of sessions: its name → what fetches them, ascending yyyymmdd."""
    return {
        "Sina": lambda: announced_sessions(settings),
        "the Shenzhen exchange": lambda: shenzhen_sessions(settings, known_until),
        "akshare's own list": packaged_with_akshare,
    }
