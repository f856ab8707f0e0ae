"""What funds say they are measured against: asked for each quarter, read, stored where new.

Belongs here: whom to ask, and what becomes of the answers. Does not belong here: reading a text
(`benchmarks/`), statements (`warehouse/stores/benchmarks.py`).
"""

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from fund_assets.benchmarks import Benchmark, parse_benchmark
from fund_assets.benchmarks.index_names import IndexNames
from fund_assets.benchmarks.parse import PARSER_VERSION
from fund_assets.benchmarks.series import INDEX, Series
from fund_assets.calendar import to_key
from fund_assets.sources.protocol import FundSource
from fund_assets.transport.errors import HeldOffError, SourceError, UnknownFundError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import benchmarks as store

#: A page that was seen less long ago is not asked for again.
QUARTER = timedelta(days=91)
#: So many funds a week, and the whole market is asked once in a quarter.
MOST_A_WEEK = 2_500
#: More than there are.
MOST_FUNDS = 1_000_000
#: So many pages are stored together: a killed run asks for these again.
PAGES_AT_ONCE = 24


@dataclass
class BenchmarkReport:
    """What asking for benchmarks came to.

    Attributes:
        asked: funds that were asked for.
        changed: of them, those whose page says another thing than before, or is new.
        read_again: stored texts that were read by an older parser before.
        failures: fund code → why there was no answer.
        stopped: why not all were asked for; empty when they were.
    """

    asked: int = 0
    changed: int = 0
    read_again: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    stopped: str = ""

    def with_round(self, later: "BenchmarkReport") -> "BenchmarkReport":
        """Both rounds as one."""
        return BenchmarkReport(
            self.asked + later.asked,
            self.changed + later.changed,
            self.read_again + later.read_again,
            {**self.failures, **later.failures},
            later.stopped,
        )


@dataclass(frozen=True)
class CodeReport:
    """What looking for the codes of indices came to.

    Attributes:
        named: names that have got a code.
        without: those that the lists have not, or have more than once.
        failures: list → why it could not be had.
    """

    named: int = 0
    without: tuple[str, ...] = ()
    failures: dict[str, str] = field(default_factory=dict)


def collect_benchmarks(
    warehouse: Warehouse,
    source: FundSource,
    today: date,
    *,
    most: int = MOST_A_WEEK,
    never_seen: bool = False,
    codes: Iterable[str] = (),
    progress: Callable[[int, int], None] = lambda done, asked: None,
) -> BenchmarkReport:
    """Ask for the funds that are due, one after another, stored by the dozen.

    A run that was ended goes on from there when it is run again. A fund without a page is
    stored as one that discloses nothing. While the source refuses us, nobody is asked.

    Args:
        most: funds that are asked for.
        never_seen: only funds that were never asked for.
        codes: exactly these funds, due or not.
        progress: called with (done, asked) after each fund.
    """
    report = BenchmarkReport(read_again=_read_again(warehouse))
    before = 0 if never_seen else to_key(today - QUARTER)
    chosen = list(codes) or store.due(warehouse, before, most)
    _request(warehouse, source, to_key(today), chosen, report, progress)
    return report


def collect_missing(
    warehouse: Warehouse,
    source: FundSource,
    today: date,
    came: Set[str],
    stored: Set[str] = frozenset(),
) -> BenchmarkReport:
    """Ask for the pages that belong to histories, and look for their codes.

    Args:
        came: funds whose history came now: asked for unless seen within a quarter.
        stored: funds that have a history: asked for where they never were.
    """
    never = set(store.due(warehouse, 0, MOST_FUNDS)) & stored
    due = store.due(warehouse, to_key(today - QUARTER), MOST_FUNDS) if came or never else []
    chosen = [code for code in due if code in came or code in never]
    report = BenchmarkReport()
    _request(warehouse, source, to_key(today), chosen, report)
    if report.changed:
        name_codes(warehouse, source)
    return report


def _request(
    warehouse: Warehouse,
    source: FundSource,
    day: int,
    chosen: list[str],
    report: BenchmarkReport,
    progress: Callable[[int, int], None] = lambda done, asked: None,
) -> None:
    pages = []
    for at, code in enumerate(chosen, start=1):
        try:
            told = source.overview(code)
            text, tracked = told.benchmark, told.tracked_index
        except UnknownFundError:
            text = tracked = ""
        except HeldOffError as error:
            report.stopped = str(error)
            break
        except SourceError as error:
            report.failures[code] = f"{type(error).__name__}: {error}"
            report.asked += 1
            continue
        report.asked += 1
        found = parse_benchmark(text, tracked)
        row = _row(code, text, tracked, found) | {"first_seen_on": day, "last_seen_on": day}
        pages.append((row, _parts(code, found)))
        if len(pages) >= PAGES_AT_ONCE:
            report.changed += store.write(warehouse, pages, same_text=False)
            pages = []
        progress(at, len(chosen))
    report.changed += store.write(warehouse, pages, same_text=False)


def name_codes(warehouse: Warehouse, source: FundSource) -> CodeReport:
    """Give the indices that funds name their codes, by the official lists of now."""
    tracked, parts = store.unnamed(warehouse)
    if not tracked and not parts:
        return CodeReport()
    lists = source.index_lists()
    names = IndexNames.of(lists.frames)
    found = {name: names.code_of(name) for name in tracked}
    named = {
        part: names.find(Series(INDEX, part[0], variant=part[1], currency=part[2]))
        for part in parts
    }
    store.write_codes(
        warehouse,
        {name: code for name, code in found.items() if code},
        {part: code for part, code in named.items() if code},
    )
    without = {name for name, code in found.items() if not code}
    without |= {part[0] for part, code in named.items() if not code}
    count = sum(map(bool, [*found.values(), *named.values()]))
    return CodeReport(count, tuple(sorted(without)), lists.failures)


def _read_again(warehouse: Warehouse) -> int:
    """Texts that an older parser has read, read by this one; no page is asked for."""
    rows = store.read_by_others(warehouse, PARSER_VERSION)
    for old in rows:
        code, text, tracked = old["fund_code"], old["benchmark_text"], old["tracked_index"]
        found = parse_benchmark(text, tracked)
        row = {**old, **_row(code, text, tracked, found), "tracked_code": old["tracked_code"]}
        store.write(warehouse, [(row, _parts(code, found))], same_text=True)
    return len(rows)


def _row(code: str, text: str, tracked: str, found: Benchmark) -> dict[str, Any]:
    return {
        "fund_code": code,
        "benchmark_text": text,
        "tracked_index": tracked,
        "tracked_code": "",
        "status": found.status,
        "not_understood": found.not_understood,
        "stated_since": found.since,
        "parser_version": PARSER_VERSION,
    }


def _parts(code: str, found: Benchmark) -> list[dict[str, Any]]:
    return [
        {
            "fund_code": code,
            "part": at,
            "kind": part.kind,
            "series": part.series,
            "weight": part.weight,
            "variant": part.variant,
            "currency": part.currency,
            "index_code": part.code,
            "annual_rate": part.annual_rate,
        }
        for at, part in enumerate(found.components, start=1)
    ]
