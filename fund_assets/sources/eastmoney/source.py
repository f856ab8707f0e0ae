"""The real market: eastmoney (天天基金网) as a `FundSource`.

Belongs here: which decoder reads which answer, and the fall back from our decoder to akshare's
on the same bytes. Does not belong here: which addresses there are (`addresses.py`), the network
(`transport/gateway.py`), the forms of the answers (`decode_list.py` and its like,
`akshare_tables.py`).
"""

import re
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from itertools import islice
from typing import TypeVar

import pandas as pd

from fund_assets.settings import Settings
from fund_assets.sources.eastmoney import (
    akshare_tables,
    decode_events,
    decode_pages,
    decode_purchases,
)
from fund_assets.sources.eastmoney.addresses import (
    EVENTS_ORDER,
    EVENTS_URL,
    EXCHANGE_URL,
    FUND_LIST_URL,
    HEADERS,
    HISTORY_URL,
    HOST,
    MONEY_URL,
    OPEN_FUNDS_PARAMS,
    OPEN_FUNDS_URL,
    PURCHASES_A_PAGE,
    PURCHASES_PARAMS,
)
from fund_assets.sources.eastmoney.cells import unite
from fund_assets.sources.eastmoney.decode_history import decode_history
from fund_assets.sources.eastmoney.decode_list import decode_list
from fund_assets.sources.eastmoney.decode_reports import decode_reports
from fund_assets.sources.eastmoney.decode_snapshot import decode_snapshot
from fund_assets.sources.eastmoney.decode_statements import decode_statements
from fund_assets.sources.eastmoney.index_lists import index_lists
from fund_assets.sources.eastmoney.indices import index_history
from fund_assets.sources.eastmoney.manager_page import manager_page
from fund_assets.sources.eastmoney.overview import overview
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
from fund_assets.transport.defects import boundary
from fund_assets.transport.errors import (
    FormatError,
    SourceError,
    StatusError,
    TruncatedError,
    UnknownFundError,
)
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.http_answer import Answer
from fund_assets.transport.rate_limit import FUNDS, in_words, moment
from fund_assets.transport.request import OneFund
from fund_assets.transport.request_counts import RequestCount

#: So often a list is read whose pages move under the reader.
READINGS = 3
HISTORY = "history"
#: So many histories for each worker are on their way while others are dealt with.
AHEAD = 8
_T = TypeVar("_T")


class EastmoneySource:
    """eastmoney through a gateway; safe to use from many threads.

    Args:
        gateway: owns every request.
        workers: histories fetched at the same time; the gateway's rate limit holds for all
            of them together.
        javascript: whether a history that our decoder refuses may be run as the script that
            it is, in a closed child process; what akshare cannot read of one fund is not run
            for the others.
    """

    name = "eastmoney"

    def __init__(self, gateway: Gateway, *, workers: int = 3, javascript: bool = False) -> None:
        self._gateway = gateway
        self._workers = workers
        self._javascript = javascript
        self._beyond_akshare: dict[str, str] = {}

    @classmethod
    def from_settings(cls, settings: Settings) -> "EastmoneySource":
        """The source with the limits of the settings."""
        return cls(Gateway.from_settings(settings), javascript=settings.remote_javascript)

    def fund_list(self) -> Listing:
        """Every share class the market lists now, with its type, in one request."""
        answer = self._gateway.fetch("fund_list", FUND_LIST_URL, headers=HEADERS, form="script")
        frame, because = _read(
            lambda: decode_list(answer.body),
            lambda _: akshare_tables.akshare_list(answer),
        )
        return Listing(frame, (_payload(answer, len(frame), because),))

    def wave(self) -> Wave:
        """The newest two dates of the whole market, in three requests.

        Open funds, money funds and exchange-traded funds have a page each, with dates of
        its own. A fund on two pages is one row: see `cells.unite`. Raw answers past their
        retention are deleted on the way.
        """
        answer = self._gateway.fetch(
            "open_funds", OPEN_FUNDS_URL, OPEN_FUNDS_PARAMS, HEADERS, form="script"
        )
        market, because = _read(
            lambda: decode_snapshot(answer.body),
            lambda _: akshare_tables.akshare_snapshot(answer),
        )
        money_payload, money = self._page(
            "money_funds", MONEY_URL, decode_pages.MONEY, akshare_tables.akshare_money_page
        )
        exchange_payload, exchange = self._page(
            "exchange_funds",
            EXCHANGE_URL,
            decode_pages.EXCHANGE,
            akshare_tables.akshare_exchange_page,
        )
        observations, _ = unite(
            {
                "open_funds": market.observations,
                "money_funds": money.observations,
                "exchange_funds": exchange.observations,
            }
        )
        self._gateway.prune()
        listing = pd.concat(
            [market.listing, exchange.listing, money.listing], ignore_index=True
        )
        return Wave(
            newest=market.newest,
            previous=market.previous,
            observations=observations,
            listing=listing.drop_duplicates("fund_code", ignore_index=True),
            payloads=(
                _payload(answer, market.rows, because),
                money_payload,
                exchange_payload,
            ),
            duplicates=market.duplicates,
            statuses=market.statuses,
        )

    def purchases(self) -> Purchases:
        """The list of purchases of the whole market: three requests for 27,700 classes.

        Pages are requested one after another. When they are not one list, because classes were
        added or removed meanwhile, they are read again.

        Raises:
            TruncatedError: they were no list each of READINGS times.
        """
        for _ in range(READINGS):
            pages, payloads, why = self._purchase_pages()
            if not why:
                rows = [row for page in pages for row in page.rows]
                return Purchases(decode_purchases.purchase_frame(rows), payloads)
        raise TruncatedError(
            f"the list of purchases, read {READINGS} times: {why}; it is not used, try again "
            "later"
        )

    def _purchase_pages(
        self,
    ) -> tuple[list[decode_purchases.PurchasePage], tuple[Payload, ...], str]:
        """All pages in their order, and why they are not one list, if so."""
        pages: list[decode_purchases.PurchasePage] = []
        payloads: list[Payload] = []
        last = 1
        while len(pages) < last:
            number = len(pages) + 1
            answer = self._gateway.fetch(
                "purchase_list",
                OPEN_FUNDS_URL,
                {**PURCHASES_PARAMS, "page": f"{number},{PURCHASES_A_PAGE}"},
                HEADERS,
                form="script",
            )
            with boundary(f"page {number} of the list of purchases"):
                pages.append(decode_purchases.decode_purchases(answer.body, number))
            payloads.append(_payload(answer, len(pages[-1].rows)))
            last = -(-pages[0].record // PURCHASES_A_PAGE)
            if why := decode_purchases.drift(pages, PURCHASES_A_PAGE):
                return pages, tuple(payloads), why
        return pages, tuple(payloads), ""

    def history(self, fund_code: str, *, kind: str, keep: bool = False) -> History:
        """One fund's whole history, in one request.

        Args:
            fund_code: six digits.
            kind: `money` asks akshare for yields should our decoder refuse the answer; our
                own decoder reads what the answer holds.
            keep: as in `histories`.

        Raises:
            UnknownFundError: the source has no page for it.
        """
        if not re.fullmatch(r"[0-9]{6}", fund_code):
            raise UnknownFundError(f"{fund_code[:40]!r} is not a fund code: write six digits")
        with boundary(f"the history of fund {fund_code}"):
            return self._history(fund_code, kind, keep)

    def _history(self, fund_code: str, kind: str, keep: bool) -> History:
        try:
            answer = self._gateway.fetch(
                HISTORY,
                HISTORY_URL.format(fund_code=fund_code),
                headers=HEADERS,
                form="script",
                about=OneFund(fund_code, keep),
            )
        except StatusError as error:
            if error.status == 404:
                raise UnknownFundError(
                    f"{HOST} has no fund {fund_code}: it may be liquidated, or a 后端 code "
                    "without a separate page"
                ) from error
            raise
        (observations, events), because = _read(
            lambda: decode_history(answer.body, fund_code),
            lambda refusal: self._history_by_akshare(answer, fund_code, kind, refusal),
        )
        if because:
            because += "; akshare returns no dividend or split texts: this fund's are missing"
        payload = _payload(answer, len(observations), because)
        reports = decode_reports(answer.body, fund_code)
        newest = int(observations["nav_date"].max())
        statements = decode_statements(answer.body, fund_code, newest)
        return History(fund_code, observations, events, (payload,), reports, statements)

    def _history_by_akshare(
        self, answer: Answer, fund_code: str, kind: str, refusal: FormatError
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        if not self._javascript:
            raise FormatError(
                "histories are scripts, and FUND_REMOTE_JAVASCRIPT does not allow running them"
            )
        sort = f"{kind}: {_kind_of(refusal)}"
        if sort in self._beyond_akshare:
            raise FormatError(f"not tried again: {self._beyond_akshare[sort]}")
        try:
            return akshare_tables.akshare_history(answer, fund_code, kind)
        except FormatError as error:
            self._beyond_akshare[sort] = str(error)
            raise

    def histories(
        self, funds: Iterable[tuple[str, str]], *, keep: bool = False
    ) -> Generator[tuple[str, History | SourceError], None, None]:
        """Histories in the order of `funds`, some at a time, few of them in memory."""
        pending: deque[tuple[str, Future[History]]] = deque()
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="history")
        todo = iter(funds)

        def submit(count: int) -> None:
            for code, kind in islice(todo, count):
                pending.append((code, pool.submit(self.history, code, kind=kind, keep=keep)))

        try:
            submit(AHEAD * self._workers)
            while pending:
                code, future = pending.popleft()
                try:
                    result: History | SourceError = future.result()
                except SourceError as error:
                    result = error
                submit(1)
                yield code, result
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def kept(self) -> dict[str, str]:
        """Histories at hand: fund code → the answer's sha256, or `status 404`."""
        return self._gateway.archive.kept(HISTORY) if self._gateway.archive else {}

    def forget(self, fund_codes: Iterable[str]) -> None:
        """The histories of these funds are stored: they need not stay at hand."""
        if self._gateway.archive:
            self._gateway.archive.forget(HISTORY, fund_codes)

    def stopped_until(self) -> datetime | None:
        """Until when no history is to be asked for; None: now is well."""
        found = self._gateway.rate_limit.refusal(HOST, FUNDS)
        return moment(found.until) if found else None

    def stopped_because(self) -> str:
        """The same in words, with the reason; empty: now is well."""
        found = self._gateway.rate_limit.refusal(HOST, FUNDS)
        return in_words(HOST, found) if found else ""

    def events(self, year: int) -> MarketEvents:
        """Every dividend and split of the market in a year: a request for each 100 of them.

        Pages are asked for one after another, and what is listed meanwhile moves them: a row
        stands on two pages then, or on none. So the first page and the last are asked for
        twice, around all others, and a list whose pages moved is read again. Rows that stand
        on two pages every time are used once, and `moved` tells of them.

        Raises:
            TruncatedError: the pages of a list moved each of READINGS times.
        """
        rows, unreadable, payloads, moved = [], [], [], []
        for endpoint in decode_events.LISTS:
            for _ in range(READINGS):
                found, answers, why = self._event_list(endpoint, year)
                repeated = "" if why else decode_events.repeated(found)
                if not (why or repeated):
                    break
            if why:
                raise TruncatedError(
                    f"{endpoint} of {year}, read {READINGS} times: {why}; it is not used, try "
                    "again later"
                )
            if repeated:
                moved.append(f"{endpoint} of {year}, read {READINGS} times: {repeated}")
            rows += [row for page in found for row in page.rows]
            unreadable += [text for page in found for text in page.unreadable]
            payloads += answers
        frame = decode_events.market_frame(rows)
        return MarketEvents(year, frame, tuple(payloads), tuple(unreadable), tuple(moved))

    def _event_list(
        self, endpoint: str, year: int
    ) -> tuple[list[decode_events.EventPage], list[Payload], str]:
        """All pages of a list in their order, and in what the pages moved meanwhile, if so."""
        payloads: dict[int, Payload] = {}

        def read(page: int) -> decode_events.EventPage:
            params = {
                "dt": decode_events.LISTS[endpoint][1],
                "page": str(page),
                **EVENTS_ORDER[endpoint],
                "gs": "",
                "ftype": "",
                "year": str(year),
            }
            answer = self._gateway.fetch(endpoint, EVENTS_URL, params, HEADERS, form="script")
            with boundary(f"page {page} of {endpoint} of {year}"):
                found = decode_events.decode_events(answer.body, endpoint, year, page)
            payloads.setdefault(page, _payload(answer, len(found.rows)))
            return found

        first = read(1)
        last, found = first.pages, {1: first}
        again = [] if last == 1 else [1] if last == 2 else [last, 1]
        why = ""
        for number in [*([last] if last > 1 else []), *range(2, last), *again]:
            page = read(number)
            before = found.setdefault(number, page)
            if page.pages != last:
                why = f"it had {last} pages, its page {number} says {page.pages}"
            elif not page.like(before):
                why = f"its page {number} changed while others were read"
            if why:
                break
        order = sorted(found)
        return [found[n] for n in order], [payloads[n] for n in order], why

    def index_history(self, index_code: str, since: int | None = None) -> pd.DataFrame:
        """The closes of an index, as `FundSource` says, from the provider that has it."""
        with boundary(f"the closes of index {index_code}"):
            return index_history(self._gateway, index_code, since)

    def overview(self, fund_code: str) -> Overview:
        """What a fund says it is measured against, in one request."""
        with boundary(f"the facts of fund {fund_code}"):
            return overview(self._gateway, fund_code)

    def managers(self, fund_code: str) -> ManagerPage:
        """Who has managed a fund since when, in one request."""
        with boundary(f"the managers of fund {fund_code}"):
            return manager_page(self._gateway, fund_code)

    def index_lists(self) -> IndexLists:
        """The official lists of indices, in two requests."""
        with boundary("the lists of indices"):
            return index_lists(self._gateway)

    def take_requests(self) -> list[RequestCount]:
        """The requests since the last call of this, by endpoint and how they ended."""
        return self._gateway.request_counter.take()

    def _page(
        self,
        endpoint: str,
        url: str,
        form: decode_pages.PageForm,
        akshare: Callable[[Answer], decode_pages.Page],
    ) -> tuple[Payload, decode_pages.Page]:
        answer = self._gateway.fetch(
            endpoint, url, headers=HEADERS, form="html", check=decode_pages.check_page
        )
        page, because = _read(
            lambda: decode_pages.decode_page(answer.body, form), lambda _: akshare(answer)
        )
        return _payload(answer, page.rows, because), page


def _kind_of(refusal: FormatError) -> str:
    """A refusal without whose it is and what it quotes."""
    return re.sub(r"[0-9]+|'[^']*'|\"[^\"]*\"", "…", str(refusal))


def _read(own: Callable[[], _T], akshare: Callable[[FormatError], _T]) -> tuple[_T, str]:
    """Decode with ours, else with akshare's; the text says why when it was akshare's."""
    try:
        with boundary("the answer"):
            return own(), ""
    except FormatError as refusal:
        try:
            return akshare(refusal), str(refusal)
        except SourceError as second:
            refusal.add_note(f"akshare could not read it either: {second}")
            raise refusal from second


def _payload(answer: Answer, rows: int, because: str = "") -> Payload:
    return Payload(
        endpoint=answer.endpoint,
        sha256=answer.sha256,
        size=len(answer.body),
        rows=rows,
        decoder="akshare" if because else "own",
        fallback_because=because,
    )
