"""The market as a played year shows it: true answers, and faults laid over them.

Belongs here: a source whose clock is moved by hand, and remembering what it has shown. Does
not belong here: what goes wrong and when (`wrongs.py`), what is true (`market_truth.py`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.sources.protocol import (
    History,
    IndexLists,
    Listing,
    ManagerPage,
    MarketEvents,
    Overview,
    Payload,
    Purchases,
    Wave,
)
from fund_assets.sources.simulated.market import FIELDS
from fund_assets.sources.simulated.timeline import Timeline
from fund_assets.transport.errors import SourceError, UnknownFundError
from fund_assets.transport.request_counts import RequestCount
from fund_assets_tests.reliability.market_truth import (
    INCOME,
    Reuse,
    Truth,
    alike,
    columns,
    day_of,
)
from fund_assets_tests.reliability.wrongs import Wrong

NEVER = np.iinfo(np.int64).max
#: Histories that the market computes together.
BATCH = 64


@dataclass
class Clock:
    """The time of a play, which a source and a warehouse share."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now

    @property
    def minute(self) -> int:
        """Minutes since the start of the timeline."""
        return Timeline.minute(self.now)


class FaultySource:
    """See `sources.base.FundSource`.

    Attributes:
        shown_at: when each final figure was first answered truly, in minutes; NEVER before.
        histories_asked: how often a history was asked for.
    """

    name = "simulated"

    def __init__(self, truth: Truth, wrongs: list[Wrong], clock: Clock) -> None:
        self.truth, self.wrongs, self.clock = truth, wrongs, clock
        self.market = truth.source
        self.shown_at = np.full(truth.final.shape, NEVER)
        self.histories_asked = 0
        self._first_day = clock.minute // 1440
        self._appears = {reuse.of: reuse for reuse in truth.reuses}

    def fund_list(self) -> Listing:
        listing = self.market.fund_list()
        frame = self._renamed(self._there(listing.frame))
        if self.clock.minute // 1440 <= self._first_day:
            past = pd.DataFrame([reuse.listed for reuse in self.truth.reuses])
            frame = pd.concat([frame, past.astype("str")]) if len(past) else frame
        return replace(listing, frame=frame.reset_index(drop=True))

    def wave(self) -> Wave:
        wave, minute = self.market.wave(), self.clock.minute
        seen = self._amended(self._renamed(self._there(wave.observations)), minute)
        for wrong in self._active(minute):
            if wrong.page:
                seen = wrong.page(seen, minute)
        self._note(seen, minute)
        listing = self._renamed(self._there(wave.listing))
        return replace(
            wave,
            observations=seen.reset_index(drop=True),
            listing=listing,
            payloads=tuple(_digest(one, seen) for one in wave.payloads),
        )

    def purchases(self) -> Purchases:
        listed = self.market.purchases()
        return replace(listed, frame=self._there(listed.frame).reset_index(drop=True))

    def histories(
        self, funds: Iterable[tuple[str, str]], *, keep: bool = False
    ) -> Iterator[tuple[str, History | SourceError]]:
        asked = iter(funds)
        while batch := list(islice(asked, BATCH)):
            self.histories_asked += len(batch)
            yield from self._histories(batch)

    def history(self, fund_code: str, *, kind: str) -> History:
        ((_, answer),) = self._histories([(fund_code, kind)])
        if isinstance(answer, SourceError):
            raise answer
        return answer

    def _histories(
        self, funds: list[tuple[str, str]]
    ) -> Iterator[tuple[str, History | SourceError]]:
        minute = self.clock.minute
        told: dict[str, History | SourceError] = {}
        asked: dict[str, str] = {}
        for code, _ in funds:
            reuse = next((r for r in self.truth.reuses if r.code == code), None)
            fund = self.truth.place.get(code)
            if reuse and minute < reuse.since * 1440:
                told[code] = reuse.past
            elif fund is not None and self.truth.vanished[fund] * 1440 <= minute:
                told[code] = UnknownFundError(f"the simulated market has fund {code} no more")
            else:
                asked[reuse.of if reuse else code] = code
        for own, answer in self.market.histories([(own, "") for own in asked]):
            code = asked[own]
            told[code] = answer if isinstance(answer, SourceError) else self._seen(code, answer)
        return ((code, told[code]) for code, _ in funds)

    def _seen(self, code: str, answer: History) -> History:
        """A history as the play shows it."""
        minute = self.clock.minute
        seen = self._amended(self._renamed(answer.observations), minute)
        for wrong in self._active(minute):
            if wrong.history and code in wrong.codes:
                seen = wrong.history(seen, minute)
        self._note(seen, minute)
        return replace(
            answer,
            fund_code=code,
            observations=seen,
            events=self._renamed(answer.events),
            payloads=tuple(_digest(one, seen) for one in answer.payloads),
        )

    def events(self, year: int) -> MarketEvents:
        told = self.market.events(year)
        return replace(told, frame=self._renamed(self._there(told.frame)))

    def index_history(self, index_code: str, since: int | None = None) -> pd.DataFrame:
        return self.market.index_history(index_code, since)

    def index_lists(self) -> IndexLists:
        return self.market.index_lists()

    def overview(self, fund_code: str) -> Overview:
        return self.market.overview(fund_code)

    def managers(self, fund_code: str) -> ManagerPage:
        return self.market.managers(fund_code)

    def kept(self) -> dict[str, str]:
        return self.market.kept()

    def forget(self, fund_codes: Iterable[str]) -> None:
        self.market.forget(fund_codes)

    def stopped_until(self) -> datetime | None:
        return self.market.stopped_until()

    def stopped_because(self) -> str:
        return self.market.stopped_because()

    def take_requests(self) -> list[RequestCount]:
        return self.market.take_requests()

    def _active(self, minute: int) -> Iterator[Wrong]:
        return (wrong for wrong in self.wrongs if wrong.begins <= minute < wrong.ends)

    def _there(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Of the funds that the market has now."""
        day = self.clock.minute // 1440
        fund = frame["fund_code"].map(self.truth.place).to_numpy(dtype=np.int64)
        there = self.truth.vanished[fund] > day
        for code, reuse in self._appears.items():
            if day < reuse.since:
                there &= (frame["fund_code"] != code).to_numpy()
        return frame[there].reset_index(drop=True)

    def _renamed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """New funds under the code of an old one, from their first day on."""
        if not frame["fund_code"].isin(self._appears).any():
            return frame
        date = "nav_date" if "nav_date" in frame else "ex_date"
        for code, reuse in self._appears.items():
            mine = frame["fund_code"] == code
            if date in frame:
                days = day_of(frame[date])
                frame = frame[~mine | (days >= reuse.since)]
                mine = frame["fund_code"] == code
                if "growth_pct" in frame:
                    first = mine & (day_of(frame[date]) <= self._first_nav(reuse))
                    frame = frame.assign(growth_pct=frame["growth_pct"].mask(first))
            frame = frame.assign(fund_code=frame["fund_code"].mask(mine, reuse.code))
        return frame.reset_index(drop=True)

    def _first_nav(self, reuse: Reuse) -> int:
        return int(self.truth.nav_days(self.truth.place[reuse.code])[0]) + self.truth.first

    def _amended(self, seen: pd.DataFrame, minute: int) -> pd.DataFrame:
        """With the official figures where the play's market is another than the simulated."""
        rows, fund, day = self.truth.at(seen)
        mine = self.truth.amended[fund, day]
        rows, fund, day = rows[mine], fund[mine], day[mine]
        if not len(rows):
            return seen
        values = columns(seen)
        official = np.where(
            (self.truth.until[fund, day] > minute)[:, None],
            self.truth.earlier[fund, day],
            self.truth.final[fund, day],
        )
        there = ~np.isnan(values[rows])
        values[rows] = np.where(there, official, values[rows])
        return with_columns(seen, values)

    def _note(self, seen: pd.DataFrame, minute: int) -> None:
        """What an answer shows truly, by what is official for good."""
        rows, fund, day = self.truth.at(seen)
        settled = self.truth.until[fund, day] <= minute
        rows, fund, day = rows[settled], fund[settled], day[settled]
        right = alike(columns(seen)[rows], self.truth.final[fund, day])
        # An income stands beside its yield: one of them alone is not the right row.
        right[:, INCOME:] &= right[:, INCOME:].all(axis=1, keepdims=True)
        before = self.shown_at[fund, day]
        self.shown_at[fund, day] = np.where(right, np.minimum(before, minute), before)


def with_columns(frame: pd.DataFrame, values: NDArray[np.float64]) -> pd.DataFrame:
    """`frame` with other figures."""
    return frame.assign(**{name: values[:, at] for at, name in enumerate(FIELDS)})


def _digest(payload: Payload, seen: pd.DataFrame) -> Payload:
    """A payload whose digest is that of the altered answer."""
    content = sha256(columns(seen).tobytes() + payload.sha256.encode())
    return replace(payload, sha256=content.hexdigest())
