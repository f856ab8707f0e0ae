"""The simulated market as a source: the embedded default, and the ground truth of tests.

Belongs here: frames, payloads, errors and the clock. Does not belong here: the model
(`sources/simulated/`), which holds no state, so what is answered at a moment never depends on
what was asked before, and the figures of a fund and date stay as they are for ever, but for
the few that the market itself publishes wrongly and corrects on the next session.

Names of managers are invented; a likeness to a real fund is chance.

How far back histories go: a fund's own beginning lies on a fixed day, long ago for most.
`history` starts on 1 January of the year that the clock shows `years` before now, or at the
fund's beginning when that is later. So it gives `years` to one year more, and only a clock
that crosses into another year shortens it at the old end.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import TradingCalendar, from_key
from fund_assets.nav.managers import Term, term_return
from fund_assets.settings import SHANGHAI, Settings
from fund_assets.sources.closes import closes_since
from fund_assets.sources.protocol import (
    History,
    IndexLists,
    Listing,
    ManagerPage,
    MarketEvents,
    Overview,
    Purchases,
    Wave,
)
from fund_assets.sources.simulated.breeds import BREEDS
from fund_assets.sources.simulated.frames import (
    event_frame,
    listing_frame,
    market_events,
    observation_frame,
    payload,
    texts,
    types_of,
)
from fund_assets.sources.simulated.indices import index_history
from fund_assets.sources.simulated.market import FIELDS, Market, Rows, Series
from fund_assets.sources.simulated.overviews import index_lists, overview
from fund_assets.sources.simulated.people import id_of, name_of, terms_of
from fund_assets.sources.simulated.reports import reports_of
from fund_assets.sources.simulated.statements import Statements
from fund_assets.sources.simulated.statuses import WORDS, purchase_frame, status_frame
from fund_assets.sources.simulated.timeline import NEVER, ORIGIN, Timeline
from fund_assets.transport.errors import EmptyAnswerError, SourceError, UnknownFundError
from fund_assets.transport.request_counts import RequestCount

_BATCH = 64


@dataclass(frozen=True)
class Truth:
    """What really happened to a share class over the days that `history` covers.

    Attributes:
        fund_code, kind: as listed.
        portfolio: the same for all share classes of one portfolio.
        inception: day of the first NAV ever, perhaps before the history's first day.
        index: frame of nav_date (int32 yyyymmdd) and total_return_index (float64), 1 on the
            first day and then Π(1 + R) with R = (U·S + D)/U₋₁ − 1 of the published, right
            figures; for money funds Π(1 + income/10,000).
        events: frame with `EVENT_COLUMNS`.
        corrections: frame of nav_date, first_unit_nav, unit_nav and corrected_at
            (yyyymmddhhmmss): NAVs first published wrongly, up to the clock, as far as the
            calendar knows the session that corrects them.
    """

    fund_code: str
    kind: str
    portfolio: int
    inception: date
    index: pd.DataFrame
    events: pd.DataFrame
    corrections: pd.DataFrame


class SimulatedSource:
    """A market that is made up; see `sources.base.FundSource`.

    Attributes:
        market: the model, for tests that look behind what is published.
    """

    name = "simulated"

    def __init__(
        self,
        n_funds: int,
        years: float,
        seed: int,
        calendar: TradingCalendar,
        now: Callable[[], datetime],
    ) -> None:
        self._years, self._calendar, self._now = years, calendar, now
        self.market = Market(n_funds, seed, calendar)
        self._statements = Statements(self.market)

    @classmethod
    def from_settings(cls, settings: Settings, calendar: TradingCalendar) -> "SimulatedSource":
        """The market that the settings describe, at the settings' clock."""
        return cls(
            settings.sim_funds, settings.sim_years, settings.sim_seed, calendar, settings.now
        )

    def _minute(self) -> int:
        now = self._now()
        today = now.astimezone(SHANGHAI).date()
        self._calendar.is_session(today)  # refuses a day beyond the horizon
        minute = Timeline.minute(now)
        if minute < 0:
            raise SourceError(f"the simulated market begins on {ORIGIN}, the clock says {now}")
        return minute

    def _first_day(self, minute: int) -> int:
        back = ORIGIN + timedelta(minute // 1440 - round(self._years * 365.25))
        return max(Timeline.index(date(back.year, 1, 1)), 0)

    def fund_list(self) -> Listing:
        """Every share class the market lists now; funds being raised have no type yet."""
        market, today = self.market, self._minute() // 1440
        funds = market.listed(today)
        raised = market.raised(funds, today)
        types = types_of(market, funds)
        frame = listing_frame(
            market,
            funds,
            [text if known else "" for text, known in zip(types, raised, strict=True)],
        )
        return Listing(frame, (payload("fund_list", len(frame), *texts(frame)),))

    def wave(self) -> Wave:
        """The newest two dates of the whole market: three pages."""
        market, minute = self.market, self._minute()
        newest, previous = market.header(minute)
        if previous < 0:
            raise EmptyAnswerError(f"the simulated market begins on {ORIGIN}: no NAV yet")
        pages = {
            "open_funds": market.snapshot("open", minute),
            "money_funds": market.money_snapshot(minute),
            "exchange_funds": market.snapshot("exchange", minute),
        }
        open_funds = pages["open_funds"].fund[: len(pages["open_funds"].fund) // 2]
        statuses = status_frame(market, open_funds, newest)
        observations, listings, payloads = [], [], []
        for endpoint, rows in pages.items():
            frame = observation_frame(market, rows)
            funds = rows.fund[: len(rows.fund) // 2]
            typed = endpoint == "exchange_funds"
            listing = listing_frame(
                market, funds, types_of(market, funds) if typed else [""] * len(funds)
            )
            observations.append(frame)
            listings.append(listing)
            figures = (rows.day, *rows.values.values())
            told = texts(statuses[WORDS]) if endpoint == "open_funds" else ()
            payloads.append(payload(endpoint, len(funds), *texts(listing), *figures, *told))
        return Wave(
            newest=self._date(newest),
            previous=self._date(previous),
            observations=pd.concat(observations, ignore_index=True),
            listing=pd.concat(listings, ignore_index=True),
            payloads=tuple(payloads),
            statuses=statuses,
        )

    def purchases(self) -> Purchases:
        """The list of purchases of the whole market."""
        market, minute = self.market, self._minute()
        newest, previous = market.header(minute)
        if previous < 0:
            raise EmptyAnswerError(f"the simulated market begins on {ORIGIN}: no list yet")
        frame = purchase_frame(market, market.on_pages(minute), newest)
        figures = frame[["fee", "least_amount", "daily_limit"]].to_numpy()
        answer = payload(
            "purchase_list", len(frame), *texts(frame[["fund_code", *WORDS]]), figures
        )
        return Purchases(frame, (answer,))

    def history(self, fund_code: str, *, kind: str) -> History:
        """One fund's history as published now; `kind` is not needed here."""
        ((_, answer),) = self.histories([(fund_code, kind)])
        if isinstance(answer, SourceError):
            raise answer
        return answer

    def histories(
        self, funds: Iterable[tuple[str, str]], *, keep: bool = False
    ) -> Generator[tuple[str, History | SourceError], None, None]:
        """Histories in the order asked for, an error standing for a fund that has none."""
        codes = (code for code, _ in funds)
        while batch := list(islice(codes, _BATCH)):
            minute = self._minute()
            found = {code: self._find(code, minute) for code in batch}
            answers: dict[str, History | SourceError] = {}
            known = []
            for code, fund in found.items():
                if isinstance(fund, SourceError):
                    answers[code] = fund
                else:
                    known.append(fund)
            for history in self._histories(np.array(known, dtype=np.int64), minute):
                answers[history.fund_code] = history
            for code in batch:
                yield code, answers[code]

    def kept(self) -> dict[str, str]:
        """Nothing: histories are computed."""
        return {}

    def forget(self, fund_codes: Iterable[str]) -> None:
        """Nothing is at hand."""

    def stopped_until(self) -> datetime | None:
        """None: it may always be asked."""
        return None

    def stopped_because(self) -> str:
        """Nothing: this market holds nobody off."""
        return ""

    def _find(self, code: str, minute: int) -> int | UnknownFundError:
        fund = self.market.index.get(code)
        universe = self.market.universe
        if fund is None or universe.listed[universe.portfolio[fund]] > minute // 1440:
            return UnknownFundError(f"the simulated market has no fund {code!r}")
        if universe.back_end[fund]:
            return UnknownFundError(
                f"{code} {universe.name[fund]} is listed for its fees only: it has no NAV "
                "page, its front-end share class has one"
            )
        return fund

    def _histories(self, funds: NDArray[np.int64], minute: int) -> Iterator[History]:
        """One frame for the batch, of which every history is a piece."""
        market, first = self.market, self._first_day(minute)
        is_money = market.page[funds] == "money"
        cash, others = funds[is_money], funds[~is_money]
        money = list(market.money_histories(cash, first, minute))
        series = list(market.nav_histories(others, first, minute))
        money_days = [day for day, _, _ in money]
        nav_days = [one.day for one in series]
        events, counts = event_frame(market, others.tolist(), series)
        counts = [0] * len(cash) + counts
        order = np.concatenate([cash, others])
        lengths = [len(day) for day in (*money_days, *nav_days)]
        n_cash = sum(lengths[: len(cash)])
        n_others = sum(lengths) - n_cash
        columns = (
            *(
                _stack([np.full(n_cash, np.nan), *(getattr(one, name) for one in series)])
                for name in ("unit", "accumulated", "growth_pct")
            ),
            _stack([*(income for _, income, _ in money), np.full(n_others, np.nan)]),
            _stack([*(week for _, _, week in money), np.full(n_others, np.nan)]),
        )
        days = np.concatenate([np.empty(0, np.int64), *money_days, *nav_days])
        rows = Rows(np.repeat(order, lengths), days, dict(zip(FIELDS, columns, strict=True)))
        frame = observation_frame(market, rows)
        start = event_start = 0
        said = reports_of(market, order, minute // 1440)
        returns = [income / 1e4 for _, income, _ in money] + [_steps(one) for one in series]
        for fund, length, n_events, reports, grown in zip(
            order.tolist(), lengths, counts, said, returns, strict=True
        ):
            piece = slice(start, start + length)
            told = events.iloc[event_start : event_start + n_events].reset_index(drop=True)
            start, event_start = piece.stop, event_start + n_events
            code = market.universe.code[fund]
            parts = (code, days[piece], *(column[piece] for column in columns))
            words = texts(told[["kind", "text"]]) if n_events else ()
            yield History(
                fund_code=code,
                observations=frame.iloc[piece].reset_index(drop=True),
                events=told,
                payloads=(payload("fund_history", length, *parts, *words),),
                reports=reports,
                statements=self._statements.of(fund, days[piece], grown),
            )

    def events(self, year: int) -> MarketEvents:
        """The true events of every fund with a NAV page that went ex in a year until today."""
        frame = market_events(self.market, year, self._minute() // 1440)
        words = texts(frame[["fund_code", "kind", "text"]])
        answer = payload("event_lists", len(frame), *words, frame["ex_date"].to_numpy())
        return MarketEvents(year, frame, (answer,))

    def index_history(self, index_code: str, since: int | None = None) -> pd.DataFrame:
        """The closes of an index, as `FundSource` says."""
        market, minute = self.market, self._minute()
        first = self._first_day(minute)
        if since is not None:
            first = max(first, Timeline.index(from_key(since)))
        found = index_history(market, index_code, first, minute)
        return closes_since(found, index_code, since)

    def overview(self, fund_code: str) -> Overview:
        """What a share class says it is measured against."""
        minute = self._minute()
        fund = self._find(fund_code, minute)
        if isinstance(fund, UnknownFundError):
            raise fund
        return overview(self.market, fund)

    def managers(self, fund_code: str) -> ManagerPage:
        """Who has managed a share class since when, with its returns since it began."""
        minute = self._minute()
        fund = self._find(fund_code, minute)
        if isinstance(fund, UnknownFundError):
            raise fund
        keys = self.market.timeline.keys
        day, index, _ = self._index(fund, 0, minute)
        dates, values = keys[day].tolist(), index.tolist()
        terms = []
        for one in terms_of(
            self.market, int(self.market.universe.portfolio[fund]), minute // 1440
        ):
            since, running = int(keys[one.since]), one.until < 0
            until = None if running else int(keys[one.until])
            gained = term_return(dates, values, since, until)
            terms.append(
                Term(
                    since,
                    until,
                    {id_of(person): name_of(person) for person in one.people},
                    (minute // 1440 if running else one.until) - one.since,
                    None if gained is None else round(gained, 4),
                )
            )
        words = (text for term in terms for text in (*term.managers, *term.managers.values()))
        answer = payload("managers", len(terms), fund_code, *words)
        return ManagerPage(fund_code, tuple(terms), (answer,))

    def index_lists(self) -> IndexLists:
        """The indices that funds of this market name, one left out."""
        return IndexLists(index_lists(self.market))

    def take_requests(self) -> list[RequestCount]:
        """None are made: this market is computed here."""
        return []

    def truth(self, fund_code: str) -> Truth:
        """What a perfect pipeline would find out about a share class by now."""
        minute = self._minute()
        fund = self._find(fund_code, minute)
        if isinstance(fund, UnknownFundError):
            raise fund
        market, universe = self.market, self.market.universe
        events, _ = event_frame(market, [], [])
        corrections = _no_corrections()
        day, index, series = self._index(fund, self._first_day(minute), minute)
        if series is not None:
            events, _ = event_frame(market, [fund], [series])
            corrections = self._corrections(np.array([fund]), series)
        frame = pd.DataFrame(
            {"nav_date": market.timeline.keys[day], "total_return_index": index}
        )
        portfolio = int(universe.portfolio[fund])
        return Truth(
            fund_code=fund_code,
            kind=BREEDS[universe.breed[portfolio]].kind,
            portfolio=portfolio,
            inception=self._date(int(universe.inception[portfolio])),
            index=frame,
            events=events,
            corrections=corrections,
        )

    def _index(
        self, fund: int, first: int, minute: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], Series | None]:
        """Days, the true total-return index on them, and the NAVs; None of a money fund."""
        market, one = self.market, np.array([fund])
        series = None
        if market.page[fund] == "money":
            ((day, income, _),) = market.money_histories(one, first, minute)
            returns = income / 1e4
        else:
            (series,) = market.nav_histories(one, first, minute, corrected=True)
            day, returns = series.day, _steps(series)
        returns[:1] = 0.0
        return day, (1 + returns).cumprod(), series

    def _corrections(self, fund: NDArray[np.int64], series: Series) -> pd.DataFrame:
        market, keys = self.market, self.market.timeline.keys
        error = market.schedule.error(fund, series.day)
        known = market.schedule.corrected_at(series.day) < NEVER * 1440
        wrong = np.flatnonzero((error != 0) & known)
        seen = market.quoter.at(fund, series.day[wrong], error[wrong]).unit
        minute = market.schedule.corrected_at(series.day[wrong])
        frame = pd.DataFrame(
            {
                "nav_date": keys[series.day[wrong]],
                "first_unit_nav": seen,
                "unit_nav": series.unit[wrong],
                "corrected_at": keys[minute // 1440].astype(np.int64) * 1_000_000
                + minute % 1440 // 60 * 10_000
                + minute % 60 * 100,
            }
        )
        return frame[frame["first_unit_nav"] != frame["unit_nav"]].reset_index(drop=True)

    def _date(self, day: int) -> date:
        return from_key(self.market.timeline.keys[day])


def _steps(series: Series) -> NDArray[np.float64]:
    """The return of each step by NAV and events; NaN on the first day."""
    base = np.append(np.nan, series.unit[:-1])[: len(series.unit)]
    returns: NDArray[np.float64] = (series.unit * series.split + series.dividend) / base - 1
    return returns


def _stack(arrays: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate(arrays) if arrays else np.empty(0)


def _no_corrections() -> pd.DataFrame:
    types = {
        "nav_date": "int32",
        "first_unit_nav": "float64",
        "unit_nav": "float64",
        "corrected_at": "int64",
    }
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in types.items()})
