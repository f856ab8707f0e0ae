"""What every source of the market offers.

Belongs here: the `FundSource` protocol and the shapes it returns. Does not belong here: how any
source gets its data, what may go wrong (`transport/errors.py`).

Observations are frames with the columns of `OBSERVATION_COLUMNS`: `fund_code` (str, as the
source writes it, perhaps invalid), `nav_date` (int32 yyyymmdd), `unit_nav`, `acc_nav`,
`growth_pct`, `yield_per_10k`, `yield_7d_pct` (float64, NaN where the cell is empty) and
`defect` (str: empty, or the field and the text of a cell that is not a number). A row whose
five figures are all NaN and whose defect is empty is not yet published.

Statuses are frames with the columns of `STATUS_COLUMNS`, one row per share class: the source's
words for purchases and redemptions (str, empty where a cell is), the discounted and the full
purchase fee (float64 fractions, NaN where the answer does not tell it) and `defect` as above. A
row with a defect and without words tells nothing.

Purchases are frames with the columns of `PURCHASE_COLUMNS`, one row per share class: words,
the discounted fee and `defect` as above, `least_amount` and `daily_limit` (float64 yuan; NaN
where the cell is empty, inf where there is no limit, 0 where the list states no amount) and
`next_open_date` (Int32 yyyymmdd, NA where there is none).
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from fund_assets.nav.managers import Term
from fund_assets.nav.reports import Reports
from fund_assets.nav.statements import SourceStatements
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.transport.errors import SourceError
from fund_assets.transport.request_counts import RequestCount

if TYPE_CHECKING:  # a command that only asks whether the source answers waits for none of it
    import pandas as pd

OBSERVATION_COLUMNS = ["fund_code", "nav_date", *OBSERVED_NAMES, "defect"]
LISTING_COLUMNS = ["fund_code", "name", "fund_type", "pinyin"]
STATUS_COLUMNS = ["fund_code", "purchase_word", "redemption_word", "fee", "full_fee", "defect"]
PURCHASE_COLUMNS = [
    "fund_code",
    "purchase_word",
    "redemption_word",
    "fee",
    "least_amount",
    "daily_limit",
    "next_open_date",
    "defect",
]
EVENT_COLUMNS = ["fund_code", "ex_date", "kind", "value", "text"]


@dataclass(frozen=True)
class Payload:
    """Where some data came from: kept with the batch as provenance.

    Attributes:
        endpoint: short stable name, such as `open_funds`.
        sha256: of the answer's bytes; of the content for the simulated market.
        size: bytes of the answer.
        rows: rows it held.
        decoder: `own` or `akshare`.
        fallback_because: why `own` refused it when `akshare` decoded it, else empty.
    """

    endpoint: str
    sha256: str
    size: int
    rows: int
    decoder: str = "own"
    fallback_because: str = ""


@dataclass(frozen=True)
class Listing:
    """The market's list of share classes: a frame with `LISTING_COLUMNS`, all str."""

    frame: pd.DataFrame
    payloads: tuple[Payload, ...]


@dataclass(frozen=True)
class Wave:
    """The whole market at its newest two dates.

    Attributes:
        newest, previous: the two dates of the snapshot's header.
        observations: one row per fund and date, frame with `OBSERVATION_COLUMNS`. Money and
            exchange-traded funds carry their own page's dates, which may differ.
        listing: names seen in it, frame with `LISTING_COLUMNS`; `fund_type` is empty where
            the page has none.
        duplicates: rows dropped because the same fund, date and values stood in it twice.
        statuses: of the open funds, frame with `STATUS_COLUMNS`; None: the source has none.
    """

    newest: date
    previous: date
    observations: pd.DataFrame
    listing: pd.DataFrame
    payloads: tuple[Payload, ...]
    duplicates: int = 0
    statuses: pd.DataFrame | None = None


@dataclass(frozen=True)
class Purchases:
    """The market's list of purchases: can a class be bought, from and up to which amount.

    Attributes:
        frame: every class that has a NAV page, frame with `PURCHASE_COLUMNS`.
    """

    frame: pd.DataFrame
    payloads: tuple[Payload, ...] = ()


@dataclass(frozen=True)
class History:
    """One fund's whole history: observations (as above) and events (`EVENT_COLUMNS`).

    Attributes:
        statements: what it states of return, rank and score.
        reports: what its answer says of size, holders, portfolio and managers.
    """

    fund_code: str
    observations: pd.DataFrame
    events: pd.DataFrame
    payloads: tuple[Payload, ...] = field(default=())
    reports: Reports = field(default=Reports())
    statements: SourceStatements = field(default_factory=SourceStatements)


@dataclass(frozen=True)
class Overview:
    """What a fund's page says of it.

    Attributes:
        fund_code: six digits.
        benchmark: 业绩比较基准 as it stands there, also where it says that there is none.
        tracked_index: 跟踪标的, the name of an index; empty where it tracks none.
    """

    fund_code: str
    benchmark: str
    tracked_index: str
    payloads: tuple[Payload, ...] = field(default=())


@dataclass(frozen=True)
class ManagerPage:
    """Every term of a fund's managers, the newest first."""

    fund_code: str
    terms: tuple[Term, ...]
    payloads: tuple[Payload, ...] = field(default=())


@dataclass(frozen=True)
class IndexLists:
    """The lists of indices that could be had.

    Attributes:
        frames: each as one of akshare's functions returns it; see `benchmarks.index_names`.
        failures: list → why it could not be had.
    """

    frames: tuple[pd.DataFrame, ...]
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MarketEvents:
    """The dividends and splits of the whole market that go ex in one year.

    Attributes:
        frame: columns of `EVENT_COLUMNS`, one row per fund, ex-date and kind; `value` is NaN
            where the list does not tell it yet.
        unreadable: rows that are no event, in words.
        moved: lists with events on two pages each time they were read, in words: the pages
            moved under the reader, so that others may be missing.
    """

    year: int
    frame: pd.DataFrame
    payloads: tuple[Payload, ...]
    unreadable: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()


class FundSource(Protocol):
    """A market."""

    #: `simulated` or `eastmoney`; a warehouse belongs to one source for ever.
    name: str

    def fund_list(self) -> Listing:
        """Every share class the market lists now."""
        ...

    def wave(self) -> Wave:
        """The newest two dates of the whole market, in at most three requests."""
        ...

    def purchases(self) -> Purchases:
        """The list of purchases of the whole market, in one request for each 10,000 classes."""
        ...

    def history(self, fund_code: str, *, kind: str) -> History:
        """One fund's whole history; `kind` as in `schemas.kinds` (money funds differ)."""
        ...

    def histories(
        self, funds: Iterable[tuple[str, str]], *, keep: bool = False
    ) -> Generator[tuple[str, History | SourceError], None, None]:
        """Histories of many (fund_code, kind), an error standing for a fund that failed.

        Args:
            keep: what is answered stays at hand until `forget`: asked for again before that,
                also by another process of this machine, it costs no request.
        """
        ...

    def kept(self) -> dict[str, str]:
        """Fund code → what was answered (a sha256, or `status 404`), of histories at hand."""
        ...

    def forget(self, fund_codes: Iterable[str]) -> None:
        """The histories of these funds are stored: they need not stay at hand."""
        ...

    def stopped_until(self) -> datetime | None:
        """Until when no history is to be asked for, in Asia/Shanghai; None: now is well."""
        ...

    def stopped_because(self) -> str:
        """The same in words, with the reason; empty: now is well."""
        ...

    def events(self, year: int) -> MarketEvents:
        """Every dividend and split of the market that goes ex in a year."""
        ...

    def index_history(self, index_code: str, since: int | None = None) -> pd.DataFrame:
        """The closes of an index: nav_date (int32 yyyymmdd, ascending), close (float64).

        Args:
            index_code: an official code (000300, H00300 for its total return, 399006, SPX);
                of ChinaBond, what `benchmarks.index_names` finds, a blank and the variant
                (`中债-综合指数 wealth`, `中债-新综合指数(1-3年) full_price`);
                of gold, the contract (`Au99.99`); of a currency, the pair (`USDCNY`: yuan
                for one dollar).
            since: first day, yyyymmdd, itself included; None: every close. Less is asked of
                the providers that can be asked for days. With the newest day that is stored
                an answer is never empty, and a close that was corrected shows.

        Raises:
            UnknownIndexError: no provider has such a code.
            EmptyAnswerError: there is no close since then.
        """
        ...

    def overview(self, fund_code: str) -> Overview:
        """What a share class says it is measured against, in one request."""
        ...

    def managers(self, fund_code: str) -> ManagerPage:
        """Who has managed a share class since when, in one request."""
        ...

    def index_lists(self) -> IndexLists:
        """Codes and names of indices, as far as they can be had."""
        ...

    def take_requests(self) -> list[RequestCount]:
        """The requests since the last call of this, by endpoint and how they ended."""
        ...


def empty_observations() -> pd.DataFrame:
    """An observation frame without rows."""
    import pandas as pd

    types = {"fund_code": "str", "nav_date": "int32", "defect": "str"}
    return pd.DataFrame(
        {name: pd.Series(dtype=types.get(name, "float64")) for name in OBSERVATION_COLUMNS}
    )
