"""Step 1b: the market's lists of dividends and splits into fund_events."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from fund_assets.calendar import to_key, to_stamp
from fund_assets.nav.events import RULES, SHRINK, possible, sort_out, unusual
from fund_assets.nav.observe import prepare, quarantine_rows
from fund_assets.nav.rules import Verdict, judge
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.sources.base import (
    FundSource,
    MarketEvents,
    Payload,
    SourceError,
    empty_observations,
)
from fund_assets.warehouse import Warehouse, events, landing

#: Calendar days after which an event should have a NAV on or after its ex-date.
NAV_DUE_DAYS = 30


@dataclass
class EventsReport:
    """What refreshing the lists brought.

    Attributes:
        asked: whether the source was asked; it is once a day.
        lists: year's lists that were asked for.
        failure: why the lists could not be had; the stored events stay in use.
        refused: lists that lost events (R18), in words; nothing of them is stored.
        unreadable: rows of the lists that are no event, in words.
        moved: lists whose pages moved while they were read, in words; they are used.
        untold: events whose value is not told yet.
        batch_id: of what landed, empty without anything new.
        verdicts: of the rules on events.
    """

    asked: bool = True
    lists: int = 0
    listed: int = 0
    failure: str = ""
    refused: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    untold: int = 0
    impossible: list[str] = field(default_factory=list)
    batch_id: str = ""
    verdicts: tuple[Verdict, ...] = ()


def refresh_events(
    warehouse: Warehouse,
    source: FundSource,
    now: Callable[[], datetime],
    *,
    even_if_asked: bool = False,
) -> EventsReport:
    """Fetch the lists of this year and the last, and land what they tell.

    The lists have a page for each hundred events, so they are asked for once a day. A list
    that is shorter than what is stored from it is asked for again, and refused as a whole
    when it stays so. When the source fails, the stored events stay in use and the report says
    so; the caller must show it.

    Args:
        even_if_asked: ask although they were had today.
    """
    report = EventsReport()
    today = to_key(now().date())
    if not even_if_asked and events.asked_on(warehouse) == today:
        report.asked = False
    else:
        _fetch(warehouse, source, now, report)
    since = (today // 10_000 - 1) * 10_000
    due = to_key(now().date() - timedelta(days=NAV_DUE_DAYS))
    stored = events.recorded_since(warehouse, since, due)
    report.verdicts = tuple(judge(RULES, stored.assign(possible=possible(stored))))
    return report


def _fetch(
    warehouse: Warehouse,
    source: FundSource,
    now: Callable[[], datetime],
    report: EventsReport,
) -> None:
    this_year = now().year
    years = (this_year - 1, this_year)
    report.lists = len(years)
    kept: list[MarketEvents] = []
    try:
        for year in years:
            stored = events.listed_counts(warehouse, year)
            told = whole(source, year, stored)
            report.listed += len(told.frame)
            report.unreadable += told.unreadable
            report.moved += told.moved
            if shrunk := shrinkage(told, stored):
                report.refused += shrunk
            else:
                kept.append(told)
    except SourceError as error:
        report.failure = f"{type(error).__name__}: {error}"
        return
    if kept:
        _land(warehouse, source.name, kept, now(), report)
    events.set_asked_on(warehouse, to_key(now().date()))


def whole(source: FundSource, year: int, stored: dict[str, int]) -> MarketEvents:
    """A year's lists; what came short is asked for once more, and the longer answer counts."""
    told = source.events(year)
    if shrinkage(told, stored):
        with suppress(SourceError):
            again = source.events(year)
            told = max(told, again, key=lambda one: len(one.frame))
    return told


def shrinkage(told: MarketEvents, stored: dict[str, int]) -> list[str]:
    """Why a year's list may not be used (R18), in words; empty when it may.

    Args:
        stored: kind → events of the year that are stored from its list.
    """
    listed = told.frame["kind"].value_counts()
    facts = pd.DataFrame(
        {
            "year": told.year,
            "kind": ["dividend", "split"],
            "listed": [int(listed.get(kind, 0)) for kind in ("dividend", "split")],
            "stored": [stored.get(kind, 0) for kind in ("dividend", "split")],
        }
    )
    (verdict,) = judge([SHRINK], facts)
    return list(verdict.cases)


def _land(
    warehouse: Warehouse,
    source: str,
    kept: list[MarketEvents],
    now: datetime,
    report: EventsReport,
) -> None:
    frame = pd.concat([told.frame for told in kept], ignore_index=True)
    doubtful = frame.loc[unusual(frame) & possible(frame), "fund_code"].unique()
    parts = sort_out(frame, events.navs_of(warehouse, doubtful))
    proven = parts.usable[unusual(parts.usable)]
    report.untold = len(parts.untold)
    report.impossible = parts.impossible["reason"].to_list()
    told = pd.concat([parts.usable, parts.impossible[frame.columns]], ignore_index=True)
    if told.empty:
        return
    payloads: list[Payload] = [payload for one in kept for payload in one.payloads]
    prepared = prepare(
        empty_observations(),
        told,
        kind="events",
        source=source,
        newest_date=int(told["ex_date"].max()),
        previous_date=None,
        collected_at=to_stamp(now),
        payloads=payloads,
        # What has been proven since the same list was had makes another batch of it.
        labels=[f"proven {row.fund_code} {row.ex_date}" for row in proven.itertuples()],
    )
    held = parts.impossible.rename(columns={"ex_date": "nav_date"})
    held = held.assign(
        fund_code=held["fund_code"].str.slice(0, 64), **dict.fromkeys(OBSERVED_NAMES, np.nan)
    )
    refused = quarantine_rows(
        held, prepared.batch_id, int(prepared.batch["collected_at"].iloc[0])
    )
    prepared = replace(prepared, refused=refused)
    if landing.land(warehouse, prepared, events=parts.usable):
        report.batch_id = prepared.batch_id
