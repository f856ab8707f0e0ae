"""The command `gaps`: which funds lack which dates.

Belongs here: the table on the terminal, and asking for what is missing. Does not belong here:
what counts as missing (`nav/cadence.py`, `pipeline/history_gaps.py`).
"""

from itertools import groupby

import click

from fund_assets.cli._context import console, reading
from fund_assets.cli._jobs import run_job
from fund_assets.language import named, say


@click.command()
@click.option("--all", "every", is_flag=True, help="Also dates that are missing at the source.")
@click.option("--repair", is_flag=True, help="Fetch the histories of these funds now.")
def gaps(every: bool, repair: bool) -> None:
    """Show which funds lack dates of the last sessions, by how often each publishes.

    A daily fund lacks each session between two of its NAVs, a weekly one its week; a session on
    which its kind does not publish is not missing. A money-market fund lacks every calendar day
    whose income none of its figures covers. The sensor `repair_sensor` requests these funds
    once a day. Dates that lost accepted NAVs come first. Exit code 1 when a date is missing
    that the source may still have, or rows were lost.
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
        say("code"), say("kind"), say("missing"), say("dates"), say("requested"),
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
        state = say("also has none") if absent else say("may have them")
        label = named(kind, KINDS[kind].label)
        table.add_row(code, label, str(len(dates)), shown, str(asked or say("never")), state)
    out = console()
    for loss in lost:
        out.print(
            say(
                "{date} has lost accepted NAVs: {before:,} before, {now:,} now; `{repair}` "
                "fetches them", date=loss.nav_date, before=loss.rows_most, now=loss.rows_found,
                repair=loss.repair,
            )
        )  # fmt: skip
    if table.row_count:
        out.print(table)
    codes = list(dict.fromkeys(gap.fund_code for gap in open_still))
    out.print(
        say(
            "{funds:,} funds lack {dates:,} dates of the last {sessions} sessions; {absent:,} "
            "more are missing at the source too.", funds=len(codes),
            dates=len(open_still), sessions=LOOK_BACK, absent=len(found) - len(open_still),
        )
    )  # fmt: skip
    if not open_still:
        click.get_current_context().exit(int(bool(lost)))
    if not repair:
        out.print(
            say(
                "`fund-assets gaps --repair` fetches them now; repair_sensor fetches them "
                "once a day."
            )
        )
        click.get_current_context().exit(1)
    run_job("history_backfill", {"ops": {"nav_history": {"config": {"codes": codes}}}})
