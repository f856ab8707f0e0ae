"""The command `collect`: the market into the landing zone.

Belongs here: options and what they mean to the job. Does not belong here: running it
(`_jobs.py`), collecting (`pipeline/fund_nav.py`, `pipeline/nav_history.py`).
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from fund_assets.cli._arguments import PAST_DAY, NotThere
from fund_assets.cli._context import open_platform
from fund_assets.cli._funds import any_codes
from fund_assets.cli._jobs import run_job
from fund_assets.language import say


@click.command()
@click.option(
    "--code", "codes", multiple=True, metavar="CODE",
    help="Fetch the whole history of this fund, even if it was fetched before. Repeatable.",
)  # fmt: skip
@click.option(
    "--codes-from", "codes_from", metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Store this list of a past date and fetch the histories of its codes that are in no "
    "list: codes, or a CSV with the headings code, name and type.",
)  # fmt: skip
@click.option(
    "--list-date", type=PAST_DAY, metavar="DATE", help="The date of the list of --codes-from."
)
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
    codes: tuple[str, ...],
    codes_from: Path | None,
    list_date: datetime | None,
    history: int | None,
    missing: datetime | None,
    no_wave: bool,
) -> None:
    """Collect the market into the landing zone, where it waits for `validate`.

    Updates the list of funds, collects the newest two dates of the whole market (a wave), and
    fetches histories. --code also takes a code that is in no list: a history may still answer
    for a fund that has ended. --codes-from takes a list of a past year, so that the funds which
    ended since then are no longer missing.
    """
    from fund_assets.calendar import to_key

    if codes and history is not None:
        raise click.UsageError("--code already selects the funds: remove --history")
    if codes and missing:
        raise click.UsageError("--code already selects the funds: remove --missing")
    if no_wave and not codes and history == 0:
        raise click.UsageError("--no-wave --history 0 leaves nothing to collect")
    if (codes_from is None) != (list_date is None):
        raise click.UsageError("--codes-from and --list-date belong together")
    if codes_from and (codes or missing):
        raise click.UsageError(
            "--codes-from already selects the funds: remove --code and --missing"
        )
    chosen = any_codes(codes)
    config: dict[str, Any] = {"wave": not no_wave}
    if codes_from and list_date:
        chosen = _store(codes_from, to_key(list_date), history)
        if not chosen:
            config["history_funds"] = 0
    config["history_codes"] = chosen
    if history is not None and not codes_from:
        config["history_funds"] = history
    if missing:
        config["missing_on"] = to_key(missing)
    run_job("daily_collection", {"ops": {"fund_nav": {"config": config}}})


def _store(path: Path, list_date: int, most: int | None) -> list[str]:
    """Store a list of a past date; its codes that wait for their histories, at most so many."""
    from fund_assets.calendar import from_key, to_stamp
    from fund_assets.nav.past_lists import PastListError, read_past_list
    from fund_assets.warehouse.queries import nav as nav_queries
    from fund_assets.warehouse.stores import landing, past_lists

    platform = open_platform()
    try:
        text = path.read_text(encoding="utf-8-sig")
        rows = read_past_list(text, list_date, to_stamp(platform.now()))
    except (OSError, UnicodeDecodeError, PastListError) as error:
        raise NotThere(f"--codes-from {path}: {error}") from error
    if not nav_queries.codes(platform.warehouse):
        raise NotThere("no funds yet: run `fund-assets run` first")
    past_lists.write_past_list(platform.warehouse, rows)
    unlisted = past_lists.unlisted(platform.warehouse)["fund_code"]
    progress = landing.history_progress(platform.warehouse)
    answered = progress.loc[progress["state"] != "failed", "fund_code"]
    waiting = unlisted[unlisted.isin(rows["fund_code"]) & ~unlisted.isin(answered)]
    click.echo(
        say(
            "list of {date}: {count:,} codes stored, {waiting:,} of them are in no list of the "
            "market and were not requested before",
            date=from_key(list_date), count=len(rows), waiting=len(waiting),
        )
    )  # fmt: skip
    return [str(code) for code in waiting.head(len(waiting) if most is None else most)]
