"""The command `canary`: whether the source answers as the evening will need it.

Belongs here: which job it is. Does not belong here: running it (`_jobs.py`), asking
(`pipeline/source_canary.py`).
"""

import click

from fund_assets.cli._jobs import run_job


@click.command()
def canary() -> None:
    """Check whether the source answers as the evening run needs it; nothing is stored."""
    run_job("source_canary")
