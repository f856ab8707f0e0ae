"""Step 1b: the market's lists of dividends and splits into fund_events.

A list that came short is refused and waits as a held batch (`warehouse/stores/event_lists.py`).
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from fund_assets.calendar import to_key, to_stamp
from fund_assets.nav.events import (
    KEY,
    RULES,
    SHRINK,
    Sorted,
    is_lasting,
    lost,
    possible,
    sort_out,
    unusual,
)
from fund_assets.nav.landing_rows import Landing, Origin, prepare, quarantine_rows
from fund_assets.nav.rules import Verdict, judge, valid_codes
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.sources.protocol import FundSource, MarketEvents, Payload, empty_observations
from fund_assets.transport.errors import SourceError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import status as stored_facts
from fund_assets.warehouse.stores import event_lists, events, landing

#: Calendar days after which an event should have a NAV on or after its ex-date.
NAV_DUE_DAYS = 30


@dataclass
class EventsReport:
    """What refreshing the lists brought.

    Attributes:
        asked: whether the source was asked; it is once a day.
        lists: year's lists that were asked for.
        failure: why the lists could not be had; the stored events stay in use.
        refused: lists that lost events (R18), in words; they wait as held batches.
        withdrawn: events that a list lacked on so many days that it is used without them, in
            words.
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
    withdrawn: list[str] = field(default_factory=list)
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
    that is shorter than what is stored from it is asked for again. When it stays so it is
    refused as a whole and waits as a held batch, until a later list is as long again, the
    third day in a row lacks the same events, or a person accepts it. When the source fails,
    the stored events stay in use and the report says so; the caller must show it.

    Args:
        even_if_asked: ask although they were had today.
    """
    report = EventsReport()
    today = to_key(now().date())
    if not even_if_asked and stored_facts.lists_asked_on(warehouse) == today:
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
                _refuse(warehouse, source.name, told, shrunk, now(), report)
            else:
                kept.append(told)
                words = f"the list of {year} is as long again"
                event_lists.let_go(warehouse, year, to_stamp(now()), words)
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


def _refuse(
    warehouse: Warehouse,
    source: str,
    told: MarketEvents,
    words: list[str],
    now: datetime,
    report: EventsReport,
) -> None:
    """Keep a list that came short as a held batch, or use it where it is right by itself."""
    stored = event_lists.told_by_list(warehouse, told.year)
    listed = told.frame[valid_codes(told.frame["fund_code"])].drop_duplicates(KEY, keep="last")
    before = event_lists.refused(warehouse, told.year)
    for one in before:
        if one.rejected and _same(one.frame, listed):
            report.refused += [f"{text}; batch {one.batch_id}, rejected" for text in words]
            return
    today = to_key(now.date())
    days = {one.day: one.frame for one in reversed(before)
            if not one.rejected and one.day < today}  # fmt: skip
    lasting = is_lasting(stored, listed, [days[day] for day in sorted(days, reverse=True)])
    parts = _sorted_out(warehouse, told.frame)
    last = told.frame["ex_date"].max() if len(told.frame) else told.year * 10_000 + 101
    prepared = _prepared(
        source,
        parts,
        told.payloads,
        now,
        newest_date=min(int(last), told.year * 10_000 + 1231),
        labels=[f"was too short on {today}"],
    )
    usable = pd.MultiIndex.from_frame(parts.usable[KEY])
    values = listed["value"].where(pd.MultiIndex.from_frame(listed[KEY]).isin(usable))
    event_lists.keep(
        warehouse,
        prepared,
        listed.assign(value=values),
        state="landed" if lasting else "held",
        because=f"{SHRINK.id}: {', '.join(words)}. Cleared by {SHRINK.lifts}",
    )
    if lasting:
        report.withdrawn += [
            f"{row.fund_code} {row.ex_date}: {row.kind} of {row.list_value:g}, for the list of "
            f"{told.year} lacks it on the third day"
            for row in lost(stored, listed).itertuples()
        ]
    else:
        report.refused += [f"{text}; held as batch {prepared.batch_id}" for text in words]


def _same(kept: pd.DataFrame, listed: pd.DataFrame) -> bool:
    """Whether a list tells the events of one that was kept."""
    ours, theirs = (pd.MultiIndex.from_frame(one[KEY]) for one in (kept, listed))
    return len(ours) == len(theirs) and bool(ours.isin(theirs).all())


def _land(
    warehouse: Warehouse,
    source: str,
    kept: list[MarketEvents],
    now: datetime,
    report: EventsReport,
) -> None:
    parts = _sorted_out(warehouse, pd.concat([told.frame for told in kept], ignore_index=True))
    proven = parts.usable[unusual(parts.usable)]
    report.untold = len(parts.untold)
    report.impossible = parts.impossible["reason"].to_list()
    told = pd.concat([parts.usable[KEY], parts.impossible[KEY]], ignore_index=True)
    if told.empty:
        return
    prepared = _prepared(
        source,
        parts,
        [payload for one in kept for payload in one.payloads],
        now,
        newest_date=int(told["ex_date"].max()),
        # What has been proven since the same list was had makes another batch of it.
        labels=[f"proven {row.fund_code} {row.ex_date}" for row in proven.itertuples()],
    )
    if landing.land(warehouse, prepared, events=parts.usable):
        report.batch_id = prepared.batch_id


def _sorted_out(warehouse: Warehouse, frame: pd.DataFrame) -> Sorted:
    doubtful = frame.loc[unusual(frame) & possible(frame), "fund_code"].unique()
    return sort_out(frame, events.navs_of(warehouse, doubtful))


def _prepared(
    source: str,
    parts: Sorted,
    payloads: Sequence[Payload],
    now: datetime,
    *,
    newest_date: int,
    labels: list[str],
) -> Landing:
    """A batch of events; those that are impossible are what it refuses."""
    columns = parts.usable.columns
    told = pd.concat([parts.usable, parts.impossible[columns]], ignore_index=True)
    prepared = prepare(
        empty_observations(),
        told,
        origin=Origin(
            kind="events",
            source=source,
            newest_date=newest_date,
            previous_date=None,
            collected_at=to_stamp(now),
        ),
        payloads=payloads,
        labels=labels,
    )
    held = parts.impossible.rename(columns={"ex_date": "nav_date"})
    held = held.assign(
        fund_code=held["fund_code"].str.slice(0, 64), **dict.fromkeys(OBSERVED_NAMES, np.nan)
    )
    refused = quarantine_rows(
        held, prepared.batch_id, int(prepared.batch["collected_at"].iloc[0])
    )
    return replace(prepared, refused=refused)
