"""The command `run`: the whole evening.

Belongs here: which job it is. Does not belong here: running it (`_jobs.py`).
"""

import click

from fund_assets.cli._jobs import run_job


@click.command()
def run() -> None:
    """Collect, validate, merge and compute metrics: the whole evening in one run.

    Running it again is safe: known data changes nothing.
    """
    run_job("daily_pipeline")
