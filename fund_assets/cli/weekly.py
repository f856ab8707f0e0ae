"""The command `weekly`: Sunday's work now.

Belongs here: which job it is, and whether it can begin. Does not belong here: running it
(`_jobs.py`), the report alone (`report.py`).
"""

import click

from fund_assets.cli._context import reading
from fund_assets.cli._jobs import run_job


@click.command()
def weekly() -> None:
    """Run Sunday's job now: old histories again, scores, walk-forward, upkeep, the report.

    It requests a quarter of the histories from the source, as the schedule does. Running it
    again in the same week is safe.
    """
    reading().close()
    run_job("weekly_full_calc")
