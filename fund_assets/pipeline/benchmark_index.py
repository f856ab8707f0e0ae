"""The closes of the indices that funds are measured against.

Belongs here: which indices are needed, which of them are due, and asking for these. Does not
belong here: which fund has which benchmark (`benchmarks/yardsticks.py`), who has the closes of
an index (`sources/`).
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from fund_assets.benchmarks.quotes import currency_of, exchange
from fund_assets.benchmarks.yardsticks import codes_needed
from fund_assets.calendar import from_key, to_key
from fund_assets.schemas.kinds import INDICES
from fund_assets.sources.protocol import FundSource
from fund_assets.transport.errors import HeldOffError, SourceError, UnknownIndexError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import benchmarks as store

#: A newest close this many days older than the newest NAV date counts as missing.
OLDEST_CLOSE_DAYS = 5
#: Closes are asked for again from so many days before the newest one: for corrections.
AGAIN_DAYS = 30


@dataclass(frozen=True)
class IndexReport:
    """What was had of the indices.

    Attributes:
        asked: indices that were asked for.
        rows: closes in all answers; rows_written: those that are new or differ.
        failures: index code → why there was no answer.
        newest: index of a type → newest stored date, yyyymmdd; None without any close.
        without_source: codes that funds need and no source has.
        stopped: why a provider was not asked; empty when all were.
    """

    asked: int = 0
    rows: int = 0
    rows_written: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    newest: dict[str, int | None] = field(default_factory=dict)
    without_source: tuple[str, ...] = ()
    stopped: str = ""


def collect_indices(warehouse: Warehouse, source: FundSource, due: date) -> IndexReport:
    """Ask for the indices that lack the session that is due, the types' own always.

    One that fails leaves what is stored as it is. A provider that refuses us is not asked.

    Args:
        due: the session whose closes are to be there.
    """
    failures: dict[str, str] = {}
    without = []
    needed = indices_needed(warehouse)
    newest = store.newest_closes(warehouse, needed)
    asked = rows = written = 0
    stopped = ""
    for code in needed:
        last = newest[code]
        if code not in INDICES and last is not None and last >= to_key(due):
            continue
        since = None if last is None else to_key(from_key(last) - timedelta(days=AGAIN_DAYS))
        asked += 1
        try:
            closes = source.index_history(code, since)
        except UnknownIndexError:
            without.append(code)
            asked -= 1
            continue
        except SourceError as error:
            if isinstance(error, HeldOffError):  # of one provider: others may answer
                stopped = stopped or str(error)
                asked -= 1
            if code in INDICES or not isinstance(error, HeldOffError):
                failures[code] = f"{type(error).__name__}: {error}"
            continue
        rows += len(closes)
        written += store.write_closes(warehouse, closes.assign(index_code=code))
    return IndexReport(
        asked,
        rows,
        written,
        failures,
        store.newest_closes(warehouse, INDICES),
        tuple(without),
        stopped,
    )


def indices_needed(warehouse: Warehouse) -> list[str]:
    """Codes of the closes that some fund needs: first those of types, then by code."""
    found = {
        code
        for page in set(store.read_statements(warehouse).values())
        for statement in page
        for code in codes_needed(statement)
    }
    found |= {
        exchange(currency_of(code)) for code in INDICES if currency_of(code) not in ("", "CNY")
    }
    return [*INDICES, *sorted(found - set(INDICES))]
