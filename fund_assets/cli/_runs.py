"""Running a job of the project in this process, on the project's Dagster instance.

Belongs here: execution, and keeping everything but our own lines off the terminal. Does not
belong here: the lines themselves (`_progress.py`), or what jobs there are.

The job is the one of `definitions.py` with another console logger: the same snapshot, so
the Dagster UI shows such a run as any other and can run it again.
"""

import io
import logging
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, TextIO

import dagster as dg
from rich.console import Console

from fund_assets.cli._context import open_platform, quiet, where
from fund_assets.cli._progress import Progress
from fund_assets.instance.storage import execute_job, project_instance
from fund_assets.language import say
from fund_assets.pipeline.nav_history import PROGRESS

#: Outside the loggers that dagster.yaml hands back to Dagster: its events are told here.
EVENTS = logging.getLogger("fund-assets run")


_TO_PROGRESS = dg.LoggerDefinition(
    lambda context: EVENTS,
    config_schema=dg.colored_console_logger.config_schema,
    description=dg.colored_console_logger.description,
)


@cache  # Dagster asks for it four times in a run
def define_job(name: str) -> dg.JobDefinition:
    """The job of the project, its console lines handed to `EVENTS`."""
    from fund_assets.definitions import defs

    told = dg.Definitions.merge(defs, dg.Definitions(loggers={"console": _TO_PROGRESS}))
    return told.resolve_job_def(name)


def execute(
    job: str, run_config: dict[str, Any], tags: Mapping[str, str] | None = None
) -> bool:
    """Run a job and tell of it on standard output.

    Args:
        tags: of the run, such as the partitions it is about.

    Returns:
        Whether it succeeded and, when it was asked for the histories of named funds, had
        all of them; of the canary, whether it found nothing.

    Raises:
        SettingsError: a setting is wrong; no run was made.
    """
    with quiet():
        platform = open_platform()
        platform.warehouse.close()
        with project_instance() as instance, _own_terminal() as terminal:
            console = Console(file=terminal, highlight=False)
            console.print(f"{job}: {where(platform.settings)}", style="dim", soft_wrap=True)
            with Progress(console) as progress:
                for logger, level in ((EVENTS, logging.DEBUG), (PROGRESS, logging.INFO)):
                    logger.handlers = [progress]
                    logger.propagate = False
                    logger.setLevel(level)
                progress.doing(say("starting"))
                result = execute_job(
                    dg.build_reconstructable_job(__name__, "define_job", (job,)),
                    instance,
                    run_config={**run_config, "loggers": {"console": {}}},
                    tags=tags,
                )
                progress.close_run(result.run_id, result.success)
    if job == "source_canary":
        return result.success and not progress.errors
    configs = [op.get("config", {}) for op in run_config.get("ops", {}).values()]
    named = any(config.get("history_codes") or config.get("codes") for config in configs)
    return result.success and not (named and progress.missed_histories)


@contextmanager
def _own_terminal() -> Iterator[TextIO]:
    """Standard output for our lines alone; what steps print goes to Dagster's log files.

    Dagster captures the descriptors 1 and 2 into files, and copies them to where they led
    before: to nowhere, for as long as this lasts.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        ours = os.dup(sys.stdout.fileno())
    except (io.UnsupportedOperation, OSError):  # replaced by a program that calls us
        yield sys.stdout
        return
    saved = [(stream.fileno(), os.dup(stream.fileno())) for stream in (sys.stdout, sys.stderr)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for fd, _ in saved:
            os.dup2(nowhere, fd)
        with os.fdopen(ours, "w", encoding=sys.stdout.encoding, errors="replace") as terminal:
            yield terminal
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for fd, copy in saved:
            os.dup2(copy, fd)
            os.close(copy)
        os.close(nowhere)
