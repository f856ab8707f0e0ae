"""The command `collect`: the market into the landing zone.

Belongs here: options and what they mean to the job. Does not belong here: running it
(`_jobs.py`), collecting (`pipeline/fund_nav.py`, `pipeline/nav_history.py`).
"""

from datetime import datetime
from typing import Any

import click

from fund_assets.cli._arguments import PAST_DAY
from fund_assets.cli._funds import known_codes
from fund_assets.cli._jobs import run_job


@click.command()
@click.option(
    "--code", "codes", multiple=True, metavar="CODE",
    help="Fetch the whole history of this fund, even if it was fetched before. Repeatable.",
)  # fmt: skip
@click.option(
    "--history", "history", type=click.IntRange(min=0), metavar="N",
    help="Fetch the histories of at most N funds that have none yet "
    "[default: FUND_HISTORY_FUNDS_PER_RUN].",
)  # fmt: skip
@click.option(
    "--missing", type=PAST_DAY, metavar="DATE",
    help="Fetch the histories of funds that have NAVs before this date but not on it.",
)  # fmt: skip
@click.option("--no-wave", is_flag=True, help="Skip the market's newest two dates.")
def collect(
    codes: tuple[str, ...], history: int | None, missing: datetime | None, no_wave: bool
) -> None:
    """Collect the market into the landing zone, where it waits for `validate`.

    Updates the list of funds, collects the newest two dates of the whole market (a wave), and
    fetches histories.
    """
    from fund_assets.calendar import to_key

    if codes and history is not None:
        raise click.UsageError("--code already selects the funds: remove --history")
    if codes and missing:
        raise click.UsageError("--code already selects the funds: remove --missing")
    if no_wave and not codes and history == 0:
        raise click.UsageError("--no-wave --history 0 leaves nothing to collect")
    config: dict[str, Any] = {
        "wave": not no_wave,
        "history_codes": known_codes(codes, "--code"),
    }
    if history is not None:
        config["history_funds"] = history
    if missing:
        config["missing_on"] = to_key(missing)
    run_job("daily_collection", {"ops": {"fund_nav": {"config": config}}})
