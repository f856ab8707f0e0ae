"""The lines of a run while it goes on: one for each asset, and what went wrong.

Belongs here: which of Dagster's events are worth a line. Does not belong here: running
anything, or the words for an asset (its profile).

On a terminal a spinner shows the current step and its last log line; into a pipe go plain
lines without it.
"""

import logging
import time
from collections import deque
from datetime import timedelta
from typing import Self

import dagster as dg
from rich import progress as rich_progress
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fund_assets.language import is_chinese, later, say, speaking, translated
from fund_assets.observability.check_records import check_cases
from fund_assets.observability.run_events import failure_words
from fund_assets.pipeline.nav_history import HistoryReport
from fund_assets.schemas.profile import Figures, rows
from fund_assets.schemas.profiles import PROFILES, funds, missed_histories

log = logging.getLogger(__name__)

GOOD, NOTICE, BAD = "[green]✓[/]", "[yellow]![/]", "[red]✗[/]"
NAME_WIDTH = 14
SHOWN_CASES = 3
#: In a pipe, a step's own lines are told after so many seconds without another line.
QUIET_S = 2.0
#: In a pipe, how far the histories are is told each so many seconds; the pace is that of the
#: last so many funds.
HISTORIES_S, PACED, BAR = 10.0, 200, 20


class Progress(logging.Handler):
    """Listens to the events of one run and writes lines to a console.

    Attributes:
        missed_histories: histories that were asked for and not had.
        errors: checks of severity ERROR that failed.
    """

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console
        self._language = "zh" if is_chinese() else "en"
        self.missed_histories = self.errors = 0
        self._failures: list[tuple[str, str]] = []
        self._started = self._told = time.monotonic()
        self._step = ""
        self._paced: deque[tuple[float, int]] = deque(maxlen=PACED)
        self._spinner = rich_progress.Progress(
            rich_progress.SpinnerColumn(),
            rich_progress.TextColumn("{task.description}"),
            rich_progress.TimeElapsedColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
            disable=not console.is_terminal,
        )
        self._task = self._spinner.add_task("")

    def __enter__(self) -> Self:
        self._spinner.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._spinner.stop()

    def doing(self, words: str) -> None:
        """Show what is being done, on a terminal."""
        room = max(self.console.width - NAME_WIDTH - 14, 20)
        line = " ".join(words.split())
        short = line if len(line) <= room else line[: room - 1] + "…"
        self._spinner.update(
            self._task, description=f"[bold]{escape(self._step)}[/]  {escape(short)}"
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Take one record of Dagster's log, an event or a line, or one of `PROGRESS`.

        What cannot be told is told so: the run that it is about never ends for its words.
        """
        with speaking(self._language):  # threads begin with the default
            try:
                self._take(record)
            except OSError:
                raise  # nobody reads our lines any more
            except Exception as error:
                log.exception("a line of the run could not be shown")
                words = say(
                    "a line could not be shown: {kind}: {error}",
                    kind=type(error).__name__, error=error,
                )  # fmt: skip
                self._line(NOTICE, self._step, escape(words))

    def _take(self, record: logging.LogRecord) -> None:
        if report := getattr(record, "report", None):
            self._histories(report)
            return
        meta = getattr(record, "dagster_meta", {})
        event: dg.DagsterEvent | None = meta.get("dagster_event")
        if event is not None:
            self._event(event)
        elif meta.get("step_key"):
            self._logged(record.levelno, str(meta.get("orig_message", "")))

    def close_run(self, run_id: str, success: bool) -> None:
        """The last line: how it ended, how long it took, where to read more."""
        self._spinner.stop()
        took = time.monotonic() - self._started
        words = (
            later("{run} succeeded in {took:.1f} s")
            if success
            else later("{run} failed after {took:.1f} s")
        )
        words = say(words, run=run_id[:8], took=took)
        self._line(GOOD if success else BAD, say("run"), words)
        for step, words in self._failures:
            self._line(" ", step, escape(translated(words)))
        if not success:
            self._line(
                " ", say("full log"), say("`make dev`, then Runs, {run}", run=run_id[:8])
            )

    def _histories(self, report: HistoryReport) -> None:
        """How far a round of histories is: a bar, the pace of late, and how long it takes."""
        now = time.monotonic()
        self._paced.append((now, report.done))
        (begun, first), left = self._paced[0], report.asked - report.done
        rate = (report.done - first) / (now - begun) if now > begun else 0.0
        filled = round(BAR * report.done / report.asked)
        words = f"{'█' * filled}{'░' * (BAR - filled)} " + say(
            "{done:,} of {funds}, {rate:.1f} per second",
            done=report.done, funds=funds(report.asked), rate=rate,
        )  # fmt: skip
        if rate and left:
            words += say(", {time} left", time=timedelta(seconds=round(left / rate)))
        if report.missed:
            words += say(", {missed:,} without a result", missed=report.missed)
        if self.console.is_terminal:
            self.doing(words)
        elif now - self._told >= HISTORIES_S:
            self._line(" ", self._step, escape(words))

    def _event(self, event: dg.DagsterEvent) -> None:
        kind = event.event_type
        if kind is dg.DagsterEventType.STEP_START:
            self._step = str(event.step_key)
            self.doing("…")
        elif kind is dg.DagsterEventType.ASSET_MATERIALIZATION:
            done = event.step_materialization_data.materialization
            values = {name: value.value for name, value in done.metadata.items()}
            asset = done.asset_key.to_user_string()
            took = f"{values.get('duration_seconds', 0):.1f} s"
            self._line(GOOD, asset, f"{describe(asset, values)} [dim]({took})[/]")
            self.missed_histories += missed_histories(values)
        elif kind is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            if not event.asset_check_evaluation_data.passed:
                self._failed_check(event.asset_check_evaluation_data)
        elif kind is dg.DagsterEventType.STEP_FAILURE:
            self._failures.append((str(event.step_key), failure_words(event.step_failure_data)))

    def _failed_check(self, found: dg.AssetCheckEvaluation) -> None:
        stops = found.severity is dg.AssetCheckSeverity.ERROR
        self.errors += stops
        mark, colour = (BAD, "red") if stops else (NOTICE, "yellow")
        values = {name: value.value for name, value in found.metadata.items()}
        asset = found.asset_key.to_user_string()
        counts = [
            values[name] for name in ("failed", "looked_at") if values.get(name) is not None
        ]
        count = (
            say("{failed:,} of {looked_at:,}", failed=counts[0], looked_at=counts[1])
            if len(counts) == 2
            else "".join(f"{each:,}" for each in counts)
        )
        severity = f"[{colour}]{found.severity.value}[/]"
        self._line(mark, asset, f"{escape(found.check_name)} {severity} {count}".rstrip())
        for case in check_cases(values)[:SHOWN_CASES]:
            self._line(" ", "", f"[dim]{escape(translated(case))}[/]")

    def _logged(self, level: int, message: str) -> None:
        if level >= logging.ERROR:
            return  # Dagster's own words for a failure that its event tells better
        if level >= logging.WARNING:
            self._line(NOTICE, self._step, escape(translated(message)))
        elif self.console.is_terminal:
            self.doing(translated(message))
        elif time.monotonic() - self._told >= QUIET_S:
            self._line(" ", self._step, escape(translated(message)))

    def _line(self, mark: str, name: str, markup: str) -> None:
        """One line into a pipe; on a terminal, wrapped beside its mark and name."""
        self._told = time.monotonic()
        if not self.console.is_terminal:
            self.console.print(f"{mark} {name:<{NAME_WIDTH}} {markup}", soft_wrap=True)
            return
        grid = Table.grid(padding=(0, 1, 0, 0))
        grid.add_column()
        grid.add_column(min_width=NAME_WIDTH)
        grid.add_column(overflow="fold")
        grid.add_row(mark, name, markup)
        self.console.print(grid)


def describe(asset: str, values: Figures) -> str:
    """What a materialization did, in words, from the figures of its metadata."""
    profile = PROFILES.get(asset)
    return profile.words(values) if profile else rows(values)
