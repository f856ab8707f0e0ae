"""Whole histories of funds into the landing zone, some hundred to a batch.

Belongs here: a round of histories, waiting for a source that refuses us, and how far each fund
is. Does not belong here: choosing funds (`nav/history.py`), the week's quarter
(`history_refetch.py`), judging what has landed (`validated_nav.py`).
"""

import gc
import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from time import monotonic, sleep

import pandas as pd

from fund_assets.calendar import to_key, to_stamp
from fund_assets.nav.events import sort_out
from fund_assets.nav.history import (
    HistoryCandidate,
    HistoryChoice,
    bucket_of,
    choose_histories,
    shrunk,
)
from fund_assets.nav.landing_rows import Landing, Origin, prepare
from fund_assets.nav.reports import doubts
from fund_assets.pipeline.fund_benchmark import (
    MOST_FUNDS,
    BenchmarkReport,
    collect_missing,
)
from fund_assets.pipeline.fund_info import not_listed
from fund_assets.pipeline.fund_manager_term import ManagerReport, collect_terms
from fund_assets.schemas.fund_types import kind_of
from fund_assets.schemas.tables import HISTORY_PROGRESS
from fund_assets.settings import SHANGHAI
from fund_assets.sources.protocol import FundSource, History, Payload
from fund_assets.transport.errors import (
    ArchiveError,
    BannedError,
    DefectError,
    EmptyAnswerError,
    HeldOffError,
    SourceError,
    TransportError,
    TruncatedError,
    UnknownFundError,
)
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import landing, past_lists
from fund_assets.warehouse.stores.reports import ReportWrite
from fund_assets.warehouse.stores.statements import StatementWrite

#: For who shows progress in this process. Outside the loggers that dagster.yaml hands to
#: Dagster: a record for each of 26,000 funds is nothing for its event log.
PROGRESS = logging.getLogger("fund-assets histories")
#: Histories that make one batch, fewer when they are long: so much memory does it take to land
#: and merge them.
FUNDS_PER_BATCH, ROWS_PER_BATCH = 100, 150_000
#: After these a fund is asked for again: no answer of it arrived.
UNANSWERED = (TransportError, BannedError, TruncatedError, ArchiveError)
#: After these the source has no history of the fund.
NOTHING = (EmptyAnswerError, UnknownFundError)
#: So often who waits looks whether the source may be asked again.
LOOK_S = 5.0
#: So many answers in a row that cannot be kept, and no more is asked for.
UNKEPT_TO_STOP = 5
#: Fund code → its history, why there is none, or why it is refused, in words.
Answers = dict[str, History | SourceError | str]


@dataclass
class HistoryReport:
    """What a round of histories brought.

    Attributes:
        asked: funds that were to be asked for; done: those dealt with.
        failures: fund_code → error, of funds that gave no history.
        refused: fund_code → reason, of histories that lost what is stored (R18).
        fallbacks: why akshare's decoder was needed, of each history where it was.
        unknown: what histories hold and nothing is declared of → the funds, in their order.
        reports: what is odd in what they say of size, holders and allocation, and of return,
            rank and score, in words.
        defects: what broke in our own code, of each history where something did.
        stopped: why the round ended early, and when to try again; empty when it did not.
        until: when to try again; None: it did not end early, or trying again helps nothing.
        dealt_with: the funds that need not be asked for again.
        pages: the benchmarks of these funds, as far as they were due.
        managers: the terms of their managers, as far as their pages were owed.
    """

    asked: int = 0
    done: int = 0
    rows: int = 0
    batches: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    fallbacks: list[str] = field(default_factory=list)
    unknown: dict[str, list[str]] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)
    stopped: str = ""
    until: datetime | None = None
    dealt_with: set[str] = field(default_factory=set)
    pages: BenchmarkReport = field(default_factory=BenchmarkReport)
    managers: ManagerReport = field(default_factory=ManagerReport)

    def with_round(self, later: "HistoryReport") -> "HistoryReport":
        """Both rounds as one: what came in the later one is not missed any more."""
        came = later.dealt_with - set(later.failures) - set(later.refused)
        old = {code: why for code, why in self.failures.items() if code not in came}
        done = len(self.dealt_with | later.dealt_with | set(old) | set(later.failures))
        return HistoryReport(
            asked=self.asked or later.asked,
            done=done,
            rows=self.rows + later.rows,
            batches=self.batches + later.batches,
            failures={**old, **later.failures},
            refused={**self.refused, **later.refused},
            fallbacks=self.fallbacks + later.fallbacks,
            unknown={
                name: self.unknown.get(name, []) + later.unknown.get(name, [])
                for name in self.unknown | later.unknown
            },
            reports=self.reports + later.reports,
            defects=self.defects + later.defects,
            stopped=later.stopped,
            until=later.until,
            dealt_with=self.dealt_with | later.dealt_with,
            pages=self.pages.with_round(later.pages),
            managers=self.managers.with_round(later.managers),
        )

    @property
    def missed(self) -> int:
        """Funds that were asked for and whose history did not land."""
        return len(self.failures) + len(self.refused)


def collect_histories(
    warehouse: Warehouse,
    source: FundSource,
    now: Callable[[], datetime],
    choice: HistoryChoice,
    *,
    pages: bool = True,
    landed: Callable[[Landing], None] = lambda batch: None,
    progress: Callable[[HistoryReport], None] = lambda report: None,
) -> HistoryReport:
    """Fetch the whole histories of funds and land them, some hundred to a batch.

    A fund whose source fails is reported, and asked again another time unless the source has
    answered that there is nothing; the others go on. What has been answered is kept at hand
    until it has landed: a round that was ended by whatever means goes on with the next fund,
    and makes the same batches. As soon as the source refuses us
    (`transport/circuit_breaker.py`) nothing more is asked for. With a history comes what the
    fund says it is measured against, unless that was seen within a quarter, and who has managed
    it since when, where that is owed.

    Args:
        pages: whether the pages with the funds' benchmarks and managers are asked for too.
        landed: called with each batch after it has landed.
        progress: called after each fund.
    """
    report = HistoryReport()
    waiting = past_lists.unlisted(warehouse)
    chosen = _chosen(warehouse, choice, to_key(now().date()), waiting)
    report.asked = len(chosen)
    if chosen and (because := source.stopped_because()):
        _stop(report, source, because)
        return report
    progressed = landing.history_progress(warehouse).set_index("fund_code")
    _forget_landed(source, progressed)
    before = _Before(progressed, waiting)
    answers: Answers = {}
    unkept = 0
    asked = [(fund.fund_code, fund.kind) for fund in chosen]
    with _at_rest(), closing(source.histories(asked, keep=True)) as histories:
        for code, answer in histories:
            if isinstance(answer, HeldOffError):
                _stop(report, source, source.stopped_because() or str(answer))
                break
            answers[code] = answer
            report.done += 1
            if isinstance(answer, SourceError):
                report.failures[code] = f"{type(answer).__name__}: {answer}"
            if isinstance(answer, DefectError):
                report.defects.append(str(answer))
            if not isinstance(answer, UNANSWERED):
                report.dealt_with.add(code)
            progress(report)
            unkept = unkept + 1 if isinstance(answer, ArchiveError) else 0
            if unkept >= UNKEPT_TO_STOP:
                report.stopped = f"{answer}. No more requests"
                break
            if _is_full(answers):
                _land_histories(warehouse, source, now(), answers, before, report, landed)
                answers = {}
    if answers:
        _land_histories(warehouse, source, now(), answers, before, report, landed)
    return _with_pages(warehouse, source, now, choice, report) if pages else report


def _with_pages(
    warehouse: Warehouse,
    source: FundSource,
    now: Callable[[], datetime],
    choice: HistoryChoice,
    report: HistoryReport,
) -> HistoryReport:
    """The report with the funds' benchmarks and managers, unless it ended early.

    Where no funds were named, those count too whose history came in a round that was killed.
    """
    if not report.stopped:
        came = report.dealt_with - set(report.failures)
        known: set[str] = set() if choice.codes else landing.with_history(warehouse)
        stored = {code for code in known if bucket_of(code) in choice.buckets}
        report.pages = collect_missing(warehouse, source, now().date(), came, stored)
        if not report.pages.stopped:
            report.managers = collect_terms(
                warehouse, source, now(), most=MOST_FUNDS, of=came | stored
            )
    return report


@dataclass(frozen=True)
class RetryWindow:
    """For how long a source that refuses us is tried again.

    Attributes:
        seconds: so long it goes on at most, waiting included.
        notify: called with why it waits, before it does.
    """

    seconds: float
    notify: Callable[[str], None] = lambda words: None


def collect_with_retries(
    warehouse: Warehouse,
    source: FundSource,
    now: Callable[[], datetime],
    choice: HistoryChoice,
    *,
    window: RetryWindow,
    landed: Callable[[Landing], None] = lambda batch: None,
    progress: Callable[[HistoryReport], None] = lambda report: None,
) -> HistoryReport:
    """The same, but going on by itself when a source that refuses us answers again.

    Returns:
        The report of all rounds; `stopped` when the source refuses us for longer than that.
    """
    begun = monotonic()
    whole = HistoryReport()
    while True:
        report = collect_histories(
            warehouse, source, now, choice, landed=landed, progress=progress
        )
        whole = whole.with_round(report)
        if not report.stopped or report.until is None:
            return whole
        left = window.seconds - (monotonic() - begun)
        if (report.until - datetime.now(SHANGHAI)).total_seconds() > left:
            return whole
        window.notify(f"{report.stopped}. Waiting for it")
        while source.stopped_until() and monotonic() - begun < window.seconds:
            sleep(LOOK_S)
        if choice.codes:
            choice = replace(
                choice, codes=tuple(c for c in choice.codes if c not in whole.dealt_with)
            )
            if not choice.codes:
                return replace(whole, stopped="", until=None)


@contextmanager
def _at_rest() -> Iterator[None]:
    """The garbage collector leaves alone what is there before the block.

    It would look through all loaded modules again and again while histories are decoded, an
    eighth of the time.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@dataclass(frozen=True)
class _Before:
    """What was stored when a round began.

    Attributes:
        progress: rows of HISTORY_PROGRESS by fund_code.
        unlisted: classes that are in no list of the market (`stores.past_lists.unlisted`).
    """

    progress: pd.DataFrame
    unlisted: pd.DataFrame


def _is_full(answers: Answers) -> bool:
    rows = sum(len(a.observations) for a in answers.values() if isinstance(a, History))
    return len(answers) >= FUNDS_PER_BATCH or rows >= ROWS_PER_BATCH


def _chosen(
    warehouse: Warehouse, choice: HistoryChoice, today: int, waiting: pd.DataFrame
) -> list[HistoryCandidate]:
    missing = frozenset[str]()
    if choice.missing_on is not None:
        missing = landing.funds_without(warehouse, choice.missing_on)
    kinds = map(kind_of, waiting["fund_type"], waiting["name"])
    return choose_histories(
        landing.fund_info(warehouse),
        landing.history_progress(warehouse),
        missing,
        choice,
        today=today,
        unlisted=dict(zip(waiting["fund_code"], kinds, strict=True)),
    )


def _forget_landed(source: FundSource, before: pd.DataFrame) -> None:
    """A round that ended between landing and forgetting left some at hand."""
    answers = before["answer"].to_dict()
    source.forget([code for code, said in source.kept().items() if answers.get(code) == said])


def _stop(report: HistoryReport, source: FundSource, because: str) -> None:
    report.until = source.stopped_until()
    report.stopped = (
        f"{because}. No requests before that; what was answered is stored, and the same "
        "command continues from there"
    )


def _land_histories(
    warehouse: Warehouse,
    source: FundSource,
    now: datetime,
    answers: Answers,
    before: _Before,
    report: HistoryReport,
    landed: Callable[[Landing], None],
) -> None:
    """Some hundred answers as one batch, and how far each fund is, in one transaction."""
    spans = landing.stored_spans(warehouse, list(answers))
    for code, answer in answers.items():
        if isinstance(answer, History) and (reason := shrunk(answer.observations, spans, code)):
            report.refused[code] = answers[code] = reason
    kept = [answer for answer in answers.values() if isinstance(answer, History)]
    rows = _progress_rows(answers, before.progress, source.kept(), to_stamp(now))
    observations = [history.observations for history in kept if len(history.observations)]
    if not observations:
        landing.write_progress(warehouse, rows)
        source.forget(answers)
        return
    together = pd.concat(observations, ignore_index=True)
    events = pd.concat([history.events for history in kept], ignore_index=True)
    prepared = prepare(
        together,
        events,
        origin=Origin(
            kind="history",
            source=source.name,
            newest_date=int(together["nav_date"].max()),
            previous_date=None,
            collected_at=to_stamp(now),
        ),
        payloads=_payloads(kept),
    )
    reports = ReportWrite(
        {history.fund_code: history.reports.statements for history in kept}, to_stamp(now)
    )
    statements = StatementWrite({one.fund_code: one.statements for one in kept}, to_stamp(now))
    landing.land(
        warehouse,
        prepared,
        new_funds=not_listed(prepared, before.unlisted),
        events=sort_out(events, together).usable,
        progress=rows,
        more=(reports, statements),
    )
    source.forget(answers)
    report.rows += len(together)
    report.fallbacks += [p.fallback_because for p in _payloads(kept) if p.fallback_because]
    _tell_reports(report, kept)
    report.reports += reports.taken_back
    report.batches.append(prepared.batch_id)
    landed(prepared)


def _tell_reports(report: HistoryReport, histories: list[History]) -> None:
    """What is odd in what histories say beyond NAV."""
    for history in histories:
        said = history.reports
        report.reports += [*said.refused, *doubts(history.fund_code, said.statements)]
        report.reports += history.statements.refused
        for name in (*said.unknown, *history.statements.unknown):
            report.unknown.setdefault(name, []).append(history.fund_code)


def _progress_rows(
    answers: Answers,
    before: pd.DataFrame,
    kept: dict[str, str],
    now: int,
) -> pd.DataFrame:
    """Rows of HISTORY_PROGRESS: what is known of these funds now."""
    rows = []
    for code, answer in answers.items():
        row = {"fund_code": code, "asked_at": now, "answer": kept.get(code, "")}
        if isinstance(answer, History):
            dates = answer.observations["nav_date"]
            row |= {
                "state": "stored",
                "stored_at": now,
                "last_nav_date": dates.max() if len(dates) else None,
                "nav_dates": len(dates),
                "attempts": 0,
                "last_error": "",
            }
        else:
            known = code in before.index
            row |= {
                name: before.at[code, name] if known else None
                for name in ("stored_at", "last_nav_date", "nav_dates")
            } | {
                "state": _state(answer),
                "attempts": (int(before.at[code, "attempts"]) if known else 0) + 1,
                "last_error": (
                    answer if isinstance(answer, str) else f"{type(answer).__name__}: {answer}"
                )[:600],
            }
        rows.append(row)
    return HISTORY_PROGRESS.conform(pd.DataFrame(rows))


def _state(answer: SourceError | str) -> str:
    if isinstance(answer, UNANSWERED):
        return "failed"
    return "nothing" if isinstance(answer, NOTHING) else "refused"


def _payloads(histories: list[History]) -> Iterator[Payload]:
    for history in histories:
        yield from history.payloads
