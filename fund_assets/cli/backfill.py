"""The command `backfill`: the histories of the past.

Belongs here: options and what they mean to the job. Does not belong here: running it
(`_jobs.py`), fetching (`pipeline/nav_history.py`).
"""

from datetime import datetime, timedelta
from typing import Any

import click

from fund_assets.cli._arguments import KIND, PAST_DAY
from fund_assets.cli._funds import known_codes
from fund_assets.cli._jobs import run_job

#: `--stale`: histories that were had so long ago; the weekly runs take a quarter each.
STALE = timedelta(days=28)


@click.command()
@click.option(
    "--codes", multiple=True, metavar="CODE[,CODE...]",
    help="Only these funds, also those fetched before.",
)  # fmt: skip
@click.option("--kind", type=KIND, help="Only funds of this kind, such as mixed or 混合型.")
@click.option(
    "--since", type=PAST_DAY, metavar="DATE",
    help="Also funds last requested before this date.",
)  # fmt: skip
@click.option(
    "--stale", is_flag=True, help=f"The same, with the date of {STALE.days} days ago."
)
def backfill(
    codes: tuple[str, ...], kind: str | None, since: datetime | None, stale: bool
) -> None:
    """Fetch, validate and merge the whole histories of the funds that have none yet.

    One request per fund, at FUND_REQUESTS_PER_SECOND. Ctrl-C, a crash or a ban loses nothing:
    the same command continues with the next fund. Exit code 1 when it stopped early.
    """
    if codes and (kind or since or stale):
        raise click.UsageError(
            "--codes already selects the funds: remove --kind, --since, --stale"
        )
    if since and stale:
        raise click.UsageError("--stale sets --since too: remove one of them")
    from fund_assets.calendar import to_stamp
    from fund_assets.settings import load_settings

    config: dict[str, Any] = {"codes": known_codes(codes, "--codes")}
    if kind:
        config["kind"] = kind
    if since or stale:
        config["since"] = to_stamp(since or load_settings().now() - STALE)
    run_job("history_backfill", {"ops": {"nav_history": {"config": config}}})
