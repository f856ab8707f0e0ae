"""The command `validate`: judging what was collected.

Belongs here: which job it is. Does not belong here: running it (`_jobs.py`), judging
(`pipeline/validated_nav.py`).
"""

import click

from fund_assets.cli._jobs import run_job


@click.command()
def validate() -> None:
    """Validate the collected data by the rules and merge what passes.

    A batch that a blocking rule stops changes nothing. The newest wave is validated again next
    time; a wave replaced by a later one is not.
    """
    run_job("daily_validation")
