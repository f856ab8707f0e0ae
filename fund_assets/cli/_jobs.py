"""Starting a job of the project from a command, and ending as the job ends.

Belongs here: what stands on the terminal while Dagster is loaded, and the exit code. Does not
belong here: the run itself and its lines (`_runs.py`, `_progress.py`), which load Dagster.
"""

from typing import Any

import click

from fund_assets.cli._context import console
from fund_assets.language import say


def run_job(job: str, run_config: dict[str, Any] | None = None) -> None:
    """Run a job and tell of it; the command ends with 1 when it did not go well."""
    with console().status(say("starting")):
        from fund_assets.cli._runs import execute

    if not execute(job, run_config or {}):
        click.get_current_context().exit(1)
