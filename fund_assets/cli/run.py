"""The commands that run jobs: `run`, `collect`, `validate`, `metrics` and `canary`.

Belongs here: options and what they mean to a job. Does not belong here: running it and
telling of it (`_runs.py`, `_progress.py`).
"""

from datetime import datetime
from typing import Any

import click

from fund_assets.cli._arguments import PAST_DAY
from fund_assets.cli._context import console, known_codes, reading
from fund_assets.language import say


@click.command()
def run() -> None:
    """Collect, validate, merge and measure: the whole evening in one run.

    Running it again is safe: what is known already changes nothing.
    """
    _execute("daily_pipeline")


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
    help="Fetch the histories of funds that have NAVs before this date and none on it.",
)  # fmt: skip
@click.option("--no-wave", is_flag=True, help="Leave out the market's newest two dates.")
def collect(
    codes: tuple[str, ...], history: int | None, missing: datetime | None, no_wave: bool
) -> None:
    """Collect the market into the landing zone, where it waits for `validate`.

    Renews the list of funds, takes the newest two dates of the whole market (a wave), and
    fetches histories.
    """
    from fund_assets.calendar import to_key

    if codes and history is not None:
        raise click.UsageError("--code names the funds: leave --history out")
    if codes and missing:
        raise click.UsageError("--code names the funds: leave --missing out")
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
    _execute("daily_collection", {"ops": {"fund_nav": {"config": config}}})


@click.command()
def validate() -> None:
    """Judge what was collected by the rules and merge what passes.

    A batch that a blocking rule stops changes nothing. The newest wave is judged again next
    time; what a later wave has replaced is not.
    """
    _execute("daily_validation")


@click.command()
@click.argument("fund", metavar="[CODE]", required=False)
def metrics(fund: str | None) -> None:
    """Show the metrics of a fund; without CODE, compute those of every fund.

    CODE is as for `nav`. Computing reads the accepted history and is safe to run again.
    """
    if fund is None:
        _execute("daily_metrics", {"ops": {"fund_metrics": {"config": {"recompute": True}}}})
        return
    from fund_assets.cli.metrics import show_metrics

    show_metrics(fund)


@click.command()
def canary() -> None:
    """See whether the source answers as the evening will need it; nothing is stored."""
    _execute("source_canary")


@click.command()
def weekly() -> None:
    """Do Sunday's work now: old histories anew, scores, walk-forward, upkeep, the report.

    It asks the source for a quarter of the histories, as the schedule does. Running it again
    in the same week is safe.
    """
    reading().close()
    _execute("weekly_full_calc")


def _execute(job: str, run_config: dict[str, Any] | None = None) -> None:
    with console().status(say("starting")):
        from fund_assets.cli._runs import execute

    if not execute(job, run_config or {}):
        click.get_current_context().exit(1)
