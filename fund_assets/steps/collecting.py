"""Step 2: waves of the market and histories of funds into the landing zone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from fund_assets.calendar import to_key, to_stamp
from fund_assets.nav.events import sort_out
from fund_assets.nav.history import choose_histories, shrunk
from fund_assets.nav.listing import acceptable, described
from fund_assets.nav.observe import Landing, prepare
from fund_assets.sources.base import (
    BannedError,
    FundSource,
    History,
    Payload,
    SourceError,
    TransportError,
    TruncatedError,
    Wave,
)
from fund_assets.warehouse import Warehouse, landing

#: Histories that make one batch: bounds the memory of landing and merging them.
FUNDS_PER_BATCH = 300
#: After these a fund is asked for again: no answer of it arrived.
UNANSWERED = (TransportError, BannedError, TruncatedError)


@dataclass(frozen=True)
class WaveReport:
    """What a wave brought."""

    landing: Landing
    wave: Wave
    is_new: bool


@dataclass
class HistoryReport:
    """What a round of histories brought.

    Attributes:
        failures: fund_code → error, of funds that gave no history.
        refused: fund_code → reason, of histories that lost what is stored (R18).
        fallbacks: why akshare's decoder was needed, of each history where it was.
    """

    asked: int = 0
    rows: int = 0
    batches: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    fallbacks: list[str] = field(default_factory=list)


def collect_wave(
    warehouse: Warehouse, source: FundSource, now: Callable[[], datetime]
) -> WaveReport:
    """Fetch the market's newest two dates and land them; the same answer lands once.

    Raises:
        SourceError: the source failed; nothing landed.
    """
    wave = source.wave()
    collected = now()
    prepared = prepare(
        wave.observations,
        kind="wave",
        source=source.name,
        newest_date=to_key(wave.newest),
        previous_date=to_key(wave.previous),
        collected_at=to_stamp(collected),
        payloads=wave.payloads,
    )
    listed = wave.listing[acceptable(wave.listing)]
    new_funds = described(listed.drop_duplicates("fund_code"), to_key(collected.date()))
    is_new = landing.land(warehouse, prepared, new_funds=_with_all(new_funds, prepared))
    return WaveReport(prepared, wave, is_new)


def collect_histories(
    warehouse: Warehouse,
    source: FundSource,
    now: Callable[[], datetime],
    *,
    limit: int,
    codes: tuple[str, ...] = (),
    missing_on: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> HistoryReport:
    """Fetch the whole histories of funds and land them, some hundred to a batch.

    A fund whose source fails is reported, and asked again another time unless the source
    has answered that there is nothing; the others go on.

    Args:
        limit: at most this many funds, unless they are named.
        codes: exactly these funds; none: those never asked for.
        missing_on: funds with NAVs before this yyyymmdd and none on it, instead.
        progress: called with how many of how many funds are done.
    """
    today = to_key(now().date())
    chosen = choose_histories(
        landing.fund_info(warehouse),
        landing.funds_without(warehouse, missing_on) if missing_on else None,
        today=today,
        limit=limit,
        codes=codes,
    )
    report = HistoryReport(asked=len(chosen))
    spans = landing.stored_spans(warehouse) if chosen else None
    done = 0
    for start in range(0, len(chosen), FUNDS_PER_BATCH):
        group = chosen[start : start + FUNDS_PER_BATCH]
        kept: list[History] = []
        answered: list[str] = []
        for code, history in source.histories([(fund.fund_code, fund.kind) for fund in group]):
            done += 1
            progress(done, len(chosen))
            if not isinstance(history, UNANSWERED):
                answered.append(code)
            if isinstance(history, SourceError):
                report.failures[code] = f"{type(history).__name__}: {history}"
            elif reason := shrunk(history.observations, spans, code):
                report.refused[code] = reason
            else:
                kept.append(history)
        _land_histories(warehouse, source, now(), answered, kept, report)
    return report


def _land_histories(
    warehouse: Warehouse,
    source: FundSource,
    now: datetime,
    asked: list[str],
    kept: list[History],
    report: HistoryReport,
) -> None:
    today = to_key(now.date())
    rows = [history.observations for history in kept if len(history.observations)]
    if not rows:
        with warehouse.transaction(writes=True) as connection:
            landing.mark_asked(connection, asked, today)
        return
    observations = pd.concat(rows, ignore_index=True)
    events = pd.concat([history.events for history in kept], ignore_index=True)
    prepared = prepare(
        observations,
        events,
        kind="history",
        source=source.name,
        newest_date=int(observations["nav_date"].max()),
        previous_date=None,
        collected_at=to_stamp(now),
        payloads=_payloads(kept),
    )
    landing.land(
        warehouse,
        prepared,
        new_funds=_with_all(None, prepared),
        events=sort_out(events).usable,
        asked=asked,
        today=today,
    )
    report.rows += len(observations)
    report.fallbacks += [p.fallback_because for p in _payloads(kept) if p.fallback_because]
    report.batches.append(prepared.batch_id)


def _payloads(histories: list[History]) -> Iterator[Payload]:
    for history in histories:
        yield from history.payloads


def _with_all(listed: pd.DataFrame | None, prepared: Landing) -> pd.DataFrame:
    """Rows of FUND_INFO for every landed fund: one the list lacks is named by its code."""
    today = int(prepared.batch["collected_at"].iloc[0]) // 1_000_000
    codes = pd.Series(prepared.landed["fund_code"].unique(), dtype="str")
    if listed is not None:
        codes = codes[~codes.isin(listed["fund_code"])]
    money = set(prepared.landed.loc[prepared.landed["yield_per_10k"].notna(), "fund_code"])
    unnamed = described(
        pd.DataFrame(
            {
                "fund_code": codes,
                "name": codes,
                "fund_type": ["货币型" if code in money else "" for code in codes],
                "pinyin": "",
            }
        ),
        today,
    )
    return unnamed if listed is None else pd.concat([listed, unnamed], ignore_index=True)
