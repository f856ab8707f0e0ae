"""The commands about the past: `backfill` and `gaps`.

Belongs here: options and what they mean to a job, tables on the terminal. Does not belong
here: fetching (`pipeline/fund_nav.py`), what counts as missing (`nav/cadence.py`).
"""

from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import click

from fund_assets.cli._arguments import KIND, PAST_DAY
from fund_assets.cli._context import console, known_codes, reading
from fund_assets.language import named, say

#: `--stale`: histories that were had so long ago; the weekly runs take a quarter each.
STALE = timedelta(days=28)


@click.command()
@click.option(
    "--codes", multiple=True, metavar="CODE[,CODE...]",
    help="Exactly these funds, also those that were had before.",
)  # fmt: skip
@click.option("--kind", type=KIND, help="Funds of this kind alone, such as mixed or 混合型.")
@click.option(
    "--since", type=PAST_DAY, metavar="DATE",
    help="Also funds that have not been asked for since this date.",
)  # fmt: skip
@click.option("--stale", is_flag=True, help=f"The same, since {STALE.days} days ago.")
def backfill(
    codes: tuple[str, ...], kind: str | None, since: datetime | None, stale: bool
) -> None:
    """Fetch, judge and merge the whole histories of the funds that have none yet.

    One request a fund, at FUND_REQUESTS_PER_SECOND. Ctrl-C, a crash or a ban loses nothing:
    the same command goes on with the next fund. Exit code 1 when it was ended early.
    """
    if codes and (kind or since or stale):
        raise click.UsageError("--codes names the funds: leave --kind, --since, --stale out")
    if since and stale:
        raise click.UsageError("--stale is a --since: leave one of them out")
    from fund_assets.calendar import to_stamp
    from fund_assets.settings import load_settings

    config: dict[str, Any] = {"codes": known_codes(codes, "--codes")}
    if kind:
        config["kind"] = kind
    if since or stale:
        config["since"] = to_stamp(since or load_settings().now() - STALE)
    _execute(config)


@click.command()
@click.option("--all", "every", is_flag=True, help="Also dates that the source lacks too.")
@click.option("--repair", is_flag=True, help="Ask for the histories of these funds now.")
def gaps(every: bool, repair: bool) -> None:
    """Show which funds lack dates of the last sessions, by their own cadence.

    A daily fund lacks each session between two of its NAVs, a weekly one its week; a session
    on which its kind rests is missing to nobody. A money-market fund lacks every calendar day
    whose income no figure of it covers. The sensor `repair_sensor` asks for these funds once
    a day. Dates of which accepted NAVs vanished come first. Exit code 1 when a date is missing
    that the source may still have, or rows vanished.
    """
    from rich.table import Table

    from fund_assets.pipeline.history_gaps import LOOK_BACK, find_gaps
    from fund_assets.schemas.kinds import KINDS
    from fund_assets.settings import load_settings
    from fund_assets.warehouse.stores import calendar_overrides, date_counts

    warehouse, now = reading(), load_settings().now()
    found = find_gaps(warehouse, calendar_overrides.calendar(warehouse, now.date()), now)
    lost = date_counts.losses(warehouse, date_counts.counted_since(now.date()))
    warehouse.close()
    open_still = [gap for gap in found if not gap.absent]
    titles = (
        say("code"), say("kind"), say("missing"), say("dates"), say("asked for"),
        say("the source"),
    )  # fmt: skip
    table = Table(*titles, box=None)
    by_fund = groupby(found if every else open_still, lambda gap: (gap.fund_code, gap.kind))
    for (code, kind), of_fund in by_fund:
        gaps_of = list(of_fund)
        dates = [str(gap.nav_date) for gap in gaps_of]
        shown = ", ".join(dates[:3]) + (f" … {dates[-1]}" if len(dates) > 3 else "")
        asked = gaps_of[0].asked_on
        absent = all(gap.absent for gap in gaps_of)
        state = say("lacks them too") if absent else say("may have them")
        label = named(kind, KINDS[kind].label)
        table.add_row(code, label, str(len(dates)), shown, str(asked or say("never")), state)
    out = console()
    for loss in lost:
        out.print(
            say(
                "{date} has lost accepted NAVs: {before:,} before, {now:,} now; `{repair}` "
                "asks for them", date=loss.nav_date, before=loss.rows_most, now=loss.rows_found,
                repair=loss.repair,
            )
        )  # fmt: skip
    if table.row_count:
        out.print(table)
    codes = list(dict.fromkeys(gap.fund_code for gap in open_still))
    out.print(
        say(
            "{funds:,} funds lack {dates:,} dates of the last {sessions} sessions; of "
            "{absent:,} more the source itself has none.", funds=len(codes),
            dates=len(open_still), sessions=LOOK_BACK, absent=len(found) - len(open_still),
        )
    )  # fmt: skip
    if not open_still:
        click.get_current_context().exit(int(bool(lost)))
    if not repair:
        out.print(
            say("`fund-assets gaps --repair` asks for them; repair_sensor does, once a day.")
        )
        click.get_current_context().exit(1)
    _execute({"codes": codes})


def _execute(config: dict[str, Any]) -> None:
    with console().status(say("starting")):
        from fund_assets.cli._runs import execute
    if not execute("history_backfill", {"ops": {"nav_history": {"config": config}}}):
        click.get_current_context().exit(1)
