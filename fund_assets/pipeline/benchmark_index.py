"""The closes of the benchmark indices: asked for whole every time, stored where they differ."""

from dataclasses import dataclass, field

from fund_assets.schemas.kinds import INDICES
from fund_assets.sources.protocol import FundSource
from fund_assets.transport.errors import SourceError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import metrics as metrics_store

#: A newest close this many days older than the newest NAV date counts as missing.
OLDEST_CLOSE_DAYS = 5


@dataclass(frozen=True)
class IndexReport:
    """What was had of the indices.

    Attributes:
        rows: closes in all answers; rows_written: those that are new or differ.
        failures: index code → why there was no answer.
        newest: index code → newest stored date, yyyymmdd; None without any close.
    """

    rows: int = 0
    rows_written: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    newest: dict[str, int | None] = field(default_factory=dict)


def collect_indices(warehouse: Warehouse, source: FundSource) -> IndexReport:
    """Ask for every index; one that fails leaves what is stored as it is."""
    rows = written = 0
    failures = {}
    for code in INDICES:
        try:
            closes = source.index_history(code)
        except SourceError as error:
            failures[code] = f"{type(error).__name__}: {error}"
            continue
        rows += len(closes)
        written += metrics_store.write_closes(warehouse, closes.assign(index_code=code))
    return IndexReport(rows, written, failures, metrics_store.newest_closes(warehouse, INDICES))
