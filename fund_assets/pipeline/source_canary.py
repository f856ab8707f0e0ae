"""Before the evening: does the source still answer in the way the collection needs?

Belongs here: asking each endpoint for a little, and holding the answers against what is
stored. Does not belong here: storing anything, the rules (`nav/rules.py`), how it is shown
(`checks/canary.py`).

It asks for the list, a wave, one index, and the histories of 20 funds; of each kind of fund
it looks at 20. The lists of events are asked for once a day by their own step, a request for
each hundred events, and are left to that step's checks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import pandas as pd

from fund_assets.calendar import TradingCalendar, from_key, to_key
from fund_assets.pipeline.benchmark_index import OLDEST_CLOSE_DAYS
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.kinds import INDICES
from fund_assets.sources.protocol import FundSource, Payload
from fund_assets.transport.errors import SourceError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import status as status_queries

SAMPLE = 20
#: An endpoint that holds fewer rows than this share of before is capped or cut.
LEAST_OF_BEFORE = 0.97
#: More of a sample than this share may not be missing or other than stored: single funds
#: are corrected, renamed or liquidated on any day.
MOST_ODD = 0.2
#: Growth is published with a date's first sight only.
FIGURES = [name for name in OBSERVED_NAMES if name != "growth_pct"]


@dataclass
class CanaryReport:
    """What the source answered.

    Attributes:
        rows: endpoint → rows of its answer; those that gave none are not in it.
        looked_at: funds whose figures were held against the accepted ones.
        findings: what is wrong, in words; empty when the evening may come.
    """

    rows: dict[str, int] = field(default_factory=dict)
    looked_at: int = 0
    findings: list[str] = field(default_factory=list)


def look(
    warehouse: Warehouse, source: FundSource, calendar: TradingCalendar, now: datetime
) -> CanaryReport:
    """Ask the source and compare. Before anything is accepted there is nothing to compare."""
    stored_on = status_queries.newest_published(warehouse) or 0
    stored = status_queries.accepted_on(warehouse, stored_on)
    canary = _Canary(source, stored_on, stored, calendar.before(now.date()), now.date())
    for part in (
        canary.list(),
        canary.wave(status_queries.rows_of_newest_wave(warehouse)),
        canary.histories(),
        canary.index(),
    ):
        try:
            canary.report.findings += part
        except SourceError as error:
            canary.report.findings.append(f"{type(error).__name__}: {error}")
    return canary.report


class _Canary:
    """The questions of one day; each yields what is wrong with its answer.

    Args:
        stored_on: newest published date, yyyymmdd; 0 before there is one.
        stored: the accepted figures of that date, with the kind of each fund.
        due: the session before today, which every answer must know.
    """

    def __init__(
        self, source: FundSource, stored_on: int, stored: pd.DataFrame, due: date, today: date
    ) -> None:
        self.report = CanaryReport()
        self._source, self._stored, self._stored_on = source, stored, stored_on
        self._due, self._today = due, today
        mixed = stored.sample(frac=1, random_state=to_key(today))  # other funds every day
        self._sample = mixed.groupby("kind").head(SAMPLE)

    def list(self) -> Iterator[str]:
        listing = self._source.fund_list()
        self.report.rows["fund_list"] = len(listing.frame)
        yield from _fallbacks(listing.payloads)
        codes = self._stored["fund_code"]
        missing = codes[~codes.isin(listing.frame["fund_code"])]
        if len(missing) > (1 - LEAST_OF_BEFORE) * len(codes):
            yield (
                f"fund_list: {len(missing):,} of {len(codes):,} funds with a NAV are not in "
                f"it, such as {missing.iloc[0]}; it holds {len(listing.frame):,} rows"
            )

    def wave(self, rows_before: dict[str, int]) -> Iterator[str]:
        wave = self._source.wave()
        self.report.rows |= {payload.endpoint: payload.rows for payload in wave.payloads}
        yield from _fallbacks(wave.payloads)
        for endpoint, before in rows_before.items():
            found = self.report.rows.get(endpoint, 0)
            if found < LEAST_OF_BEFORE * before:
                yield (
                    f"{endpoint}: {found:,} rows, {before:,} in the wave before: the source "
                    "limits its answer, or funds were removed"
                )
        if not self._due <= wave.newest <= self._today:
            yield (
                f"open_funds: its newest date is {wave.newest}, {self._due} or {self._today} "
                "is due"
            )
        if to_key(wave.newest) >= self._stored_on >= to_key(wave.previous):
            for kind, sample in self._sample.groupby("kind"):
                yield from self._odd(f"wave, {kind} funds", sample, wave.observations)

    def histories(self) -> Iterator[str]:
        """Those of funds of every kind, as many of each as there is room."""
        turn = self._sample.groupby("kind").cumcount()
        in_turn = self._sample.assign(turn=turn).sort_values(["turn", "kind"])
        chosen = in_turn.head(SAMPLE).set_index("fund_code", drop=False)
        failures, answered, seen = [], [], []
        for code, answer in self._source.histories(chosen["kind"].items()):
            if isinstance(answer, SourceError):
                failures.append(f"{type(answer).__name__}: {answer}")
            else:
                answered.append(code)
                seen.append(answer.observations)
                yield from _fallbacks(answer.payloads)
        if len(failures) > max(MOST_ODD * len(chosen), 1):
            yield f"history: {len(failures)} of {len(chosen)} failed, first: {failures[0]}"
        if answered:
            rows = pd.concat(seen, ignore_index=True)
            self.report.rows["history"] = len(rows)
            yield from self._odd("history", chosen.loc[answered], rows)

    def index(self) -> Iterator[str]:
        code = next(iter(INDICES))
        closes = self._source.index_history(code)
        self.report.rows["index"] = len(closes)
        newest = from_key(closes["nav_date"].iloc[-1])
        if newest < self._due - timedelta(days=OLDEST_CLOSE_DAYS):
            yield f"index {code}: its newest close is of {newest}, {self._due} is due"

    def _odd(self, where: str, sample: pd.DataFrame, seen: pd.DataFrame) -> Iterator[str]:
        """Whether too much of a sample is missing, or has other figures than are stored."""
        self.report.looked_at += len(sample)
        of_day = seen[seen["nav_date"] == self._stored_on]
        both = sample.reset_index(drop=True).merge(
            of_day, on="fund_code", how="left", suffixes=("", "_seen")
        )
        odd = {}
        for row in both.to_dict("records"):
            for name in FIGURES:
                known, found = row[name], row[f"{name}_seen"]
                if pd.notna(known) and known != found:
                    odd[row["fund_code"]] = (
                        f"{name} {known:g} is stored, {found:g} was received"
                    )
                    break
        if len(odd) > max(MOST_ODD * len(sample), 1):
            code, words = next(iter(odd.items()))
            yield (
                f"{where}: {len(odd)} of {len(sample)} lack or differ from what is stored of "
                f"{from_key(self._stored_on)}, such as {code}: {words}"
            )


def _fallbacks(payloads: tuple[Payload, ...]) -> Iterator[str]:
    for payload in payloads:
        if payload.fallback_because:
            yield f"{payload.endpoint}: its form changed: {payload.fallback_because}"
