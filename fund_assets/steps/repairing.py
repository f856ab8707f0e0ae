"""Finding what single funds lack, and which of them to ask for again.

Belongs here: missing dates, and held values that a history can settle, beside what the source
has answered since. Does not belong here:
which dates are missing (`nav/cadence.py`), fetching (`collecting.py`).
"""

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import TradingCalendar, from_key, from_stamp, to_key
from fund_assets.nav.cadence import missing_dates, missing_income
from fund_assets.warehouse import Warehouse, facts, landing, quarantine

#: So many hours of a day's quiet ones may go into asking for missing dates.
REPAIR_HOURS = 4
#: Gaps are looked for among so many sessions.
LOOK_BACK = 60
#: A history that landed so long after a date and lacks it: the source has none of it.
SETTLED = timedelta(days=5)
#: A date of which the source showed something wrong is asked for again until so long after it.
PATIENCE = timedelta(days=30)


def find_gaps(warehouse: Warehouse, calendar: TradingCalendar, now: datetime) -> pd.DataFrame:
    """The dates of the last sessions that listed funds lack by their own cadence.

    Of the newest that is due, those that the page shows and that wait as not yet its own.

    Returns:
        fund_code, kind, nav_date, asked_on (yyyymmdd, 0 for never) and `absent`: whether the
        source's own history, had long enough after the date, lacks it too. Where it showed
        a value that witnesses rejected, it is long enough after that: the right one may come.
    """
    due = calendar.due(now)
    since = to_key(calendar.before(due, LOOK_BACK))
    kinds = landing.listed_kinds(warehouse)
    dates = landing.dates_since(warehouse, since, kinds)
    income = landing.income_since(warehouse, since, kinds)
    earning = dates["fund_code"].isin(income["fund_code"].unique())
    gaps = pd.concat(
        [
            missing_dates(
                dates[~earning],
                calendar,
                since,
                to_key(due),
                unseen=_unseen(warehouse, calendar, since, due),
            ),
            missing_income(income, calendar, to_key(due)),
            _not_yet(warehouse, kinds, to_key(due)),
        ],
        ignore_index=True,
    )
    gaps = gaps.drop_duplicates(["fund_code", "nav_date"])
    gaps = gaps.sort_values(["fund_code", "nav_date"], ignore_index=True)
    progress = landing.history_progress(warehouse).set_index("fund_code")
    of_fund = progress.reindex(gaps["fund_code"])
    stored_on = _day_of(of_fund["stored_at"], now)
    refuted = quarantine.refuted_dates(warehouse, since).set_index(["fund_code", "nav_date"])
    shown_at = refuted["shown_at"].to_dict()
    settled = [
        to_key(_told_until(int(date), shown_at.get((code, date))))
        for code, date in zip(gaps["fund_code"], gaps["nav_date"], strict=True)
    ]
    return gaps.assign(
        asked_on=of_fund["asked_at"].fillna(0).to_numpy("int64") // 1_000_000,
        absent=stored_on >= settled,
    )


def _not_yet(warehouse: Warehouse, kinds: pd.Series, due: int) -> pd.DataFrame:
    """Listed funds whose NAV of the newest due date stands there as if of the date before.

    The page alone cannot tell whether they stood still; their histories can.
    """
    codes = [code for code in landing.not_yet(warehouse, due) if code in kinds.index]
    return pd.DataFrame(
        {"fund_code": codes, "kind": kinds.reindex(codes).to_numpy(), "nav_date": due}
    )


def _day_of(stamps: pd.Series, now: datetime) -> NDArray[np.int64]:
    """Yyyymmdd of each time; 0 where there is none, or one to come: a clock was wrong."""
    days = stamps.fillna(0).to_numpy("int64") // 1_000_000
    return np.where(days > to_key(now.date()), 0, days)


def _told_until(nav_date: int, refuted_at: int | None) -> date:
    """The day from which on a history that lacks a date says that there is no NAV of it."""
    day = from_key(nav_date)
    if refuted_at is None:
        return day + SETTLED
    shown = from_stamp(int(refuted_at)).date()
    return max(day + SETTLED, min(shown + SETTLED, day + PATIENCE))


def _unseen(
    warehouse: Warehouse, calendar: TradingCalendar, since: int, due: date
) -> list[int]:
    """Sessions since the first wave of which none was accepted: the machine was off."""
    first = facts.first_wave(warehouse)
    if first is None:
        return []
    sessions = map(to_key, calendar.between(from_key(max(since, first)), due))
    return sorted(set(sessions) - facts.waves_since(warehouse, since))


def to_ask(gaps: pd.DataFrame, today: int, limit: int) -> list[str]:
    """The funds to ask for again: each once a day, while the source may still have the date."""
    due = gaps[~gaps["absent"] & (gaps["asked_on"] != today)]
    codes: list[str] = due["fund_code"].drop_duplicates().head(limit).to_list()
    return codes


def most_to_ask(requests_per_second: float, at_least: int) -> int:
    """How many funds a day's repair asks for: enough for a weekend lost by all of them."""
    return max(at_least, int(requests_per_second * REPAIR_HOURS * 3600))


def to_settle(warehouse: Warehouse, now: datetime) -> list[str]:
    """Funds with held values: their histories, another witness, settle them.

    Each once a day, until a history that landed long enough after the newest of them has said
    nothing of it.
    """
    held = quarantine.funds_held(warehouse)
    if held.empty:
        return []
    progress = landing.history_progress(warehouse).set_index("fund_code")
    of_fund = progress.reindex(held["fund_code"])
    asked_on = of_fund["asked_at"].fillna(0).to_numpy("int64") // 1_000_000
    stored_on = _day_of(of_fund["stored_at"], now)
    settled = np.array(
        [to_key(from_stamp(int(stamp)).date() + SETTLED) for stamp in held["held_at"]]
    )
    due = (asked_on != to_key(now.date())) & (stored_on < settled)
    codes: list[str] = held.loc[due, "fund_code"].to_list()
    return codes
