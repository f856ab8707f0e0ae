"""What every source of the market offers, and the errors it may raise.

Belongs here: the `FundSource` protocol, the shapes it returns and the typed errors. Does
not belong here: how any source gets its data.

Observations are frames with the columns of `OBSERVATION_COLUMNS`: `fund_code` (str, as the
source writes it, perhaps invalid), `nav_date` (int32 yyyymmdd), `unit_nav`, `acc_nav`,
`growth_pct`, `yield_per_10k`, `yield_7d_pct` (float64, NaN where the cell is empty) and
`defect` (str: empty, or the field and the text of a cell that is no number). A row whose
five figures are all NaN and whose defect is empty is not yet published.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from fund_assets.plain import plain
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.sources.tally import RequestCount

if TYPE_CHECKING:  # a command that only asks whether the source answers waits for none of it
    import pandas as pd

OBSERVATION_COLUMNS = ["fund_code", "nav_date", *OBSERVED_NAMES, "defect"]
LISTING_COLUMNS = ["fund_code", "name", "fund_type", "pinyin"]
EVENT_COLUMNS = ["fund_code", "ex_date", "kind", "value", "text"]


class SourceError(RuntimeError):
    """The source did not give what was asked for; the message says what and what to do.

    Of what it quotes from an answer, nothing can act on a terminal or a log.
    """

    def __init__(self, message: str) -> None:
        super().__init__(plain(message))


class TransportError(SourceError):
    """No whole answer arrived: refused, reset, timed out, cut short, 4xx or 5xx."""


class StatusError(TransportError):
    """The server answered with a status that is no success."""

    def __init__(self, message: str, status: int, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class DeadlineError(TransportError):
    """The call's time is over; it is not tried again."""


class UnreachedError(TransportError):
    """There was no connection to the server at all."""


class BannedError(SourceError):
    """The source answered with a ban, login or captcha page instead of data."""


class HeldOffError(BannedError):
    """Nothing was asked: the source refuses us, or cannot be reached, until a later time."""


class ArchiveError(SourceError):
    """The answer came and cannot be kept on this machine."""


class DefectError(SourceError):
    """Something of ours broke over an answer; the log has the traceback."""


class EmptyAnswerError(SourceError):
    """The answer is well formed but holds nothing."""


class TruncatedError(SourceError):
    """The answer holds fewer rows than it says it should, or ends in the middle."""


class FormatError(SourceError):
    """The answer's columns or shape are not the ones this version knows."""


class WrongFundError(SourceError):
    """The answer is another fund's."""


class TooLargeError(SourceError):
    """The answer is larger than the limit."""


class UnknownFundError(SourceError):
    """The source has no such fund."""


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
    """

    newest: date
    previous: date
    observations: pd.DataFrame
    listing: pd.DataFrame
    payloads: tuple[Payload, ...]
    duplicates: int = 0


@dataclass(frozen=True)
class History:
    """One fund's whole history: observations (as above) and events (`EVENT_COLUMNS`)."""

    fund_code: str
    observations: pd.DataFrame
    events: pd.DataFrame
    payloads: tuple[Payload, ...] = field(default=())


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

    def index_history(self, index_code: str) -> pd.DataFrame:
        """Every close of an index: nav_date (int32 yyyymmdd, ascending), close (float64)."""
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
