"""The commands `report weekly` and `report walk-forward`.

Belongs here: options and writing. Does not belong here: facts and pages.
"""

from datetime import datetime, timedelta
from pathlib import Path

import click

from fund_assets.cli._arguments import Commands, Failed, NotThere
from fund_assets.cli._context import console, open_platform, quiet, reading
from fund_assets.labels import WALK_VERDICTS
from fund_assets.language import say


@click.group(cls=Commands)
def report() -> None:
    """Write or open the reports: self-contained HTML files."""


@report.command()
@click.option("--week", metavar="WEEK", help="ISO week, such as 2026-W47 [default: of today].")
@click.option("--open", "open_it", is_flag=True, help="Open it in the browser.")
@click.option(
    "--mail", is_flag=True, help="Send it to FUND_ALERT_MAIL_TO, even if sent before."
)
def weekly(week: str | None, open_it: bool, mail: bool) -> None:
    """Write the report of a week from stored data, and print its path."""
    from fund_assets.calendar import from_key, iso_week, to_key, week_start
    from fund_assets.schemas.table import DATE_LIMITS
    from fund_assets.settings import load_settings
    from fund_assets.warehouse.queries.weekly import newest_date

    if week:
        try:
            week_start(week)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--week") from error
    if mail and not load_settings().alert_recipients:
        raise NotThere("--mail needs FUND_ALERT_MAIL_TO: see .env.example, or remove --mail")
    warehouse = reading()
    chosen = week or iso_week(load_settings().now().date())
    first, last = (to_key(week_start(chosen) + timedelta(days)) for days in (0, 6))
    if newest_date(warehouse, first, last) is None:
        newest = newest_date(warehouse, *DATE_LIMITS)
        raise NotThere(
            f"no NAVs of {chosen}: "
            + (
                f"the newest are of {iso_week(from_key(newest))}"
                if newest
                else "run `fund-assets run` first"
            )
        )
    warehouse.close()
    with quiet():
        from fund_assets.instance.storage import project_instance
        from fund_assets.observability.alerts.weekly_mail import mail_report
        from fund_assets.observability.operations import operations
        from fund_assets.pipeline.weekly_report import write_weekly
        from fund_assets.settings import SHANGHAI

        platform = open_platform()
        with project_instance() as instance:
            ran = operations(platform, instance, datetime.now(SHANGHAI))
        written = write_weekly(platform.warehouse, platform.settings, chosen, ran)
        click.echo(f"{written.path}  {say('{size:,} bytes', size=written.size)}")
        if mail:
            failure = mail_report(platform, written.facts, written.path, again=True)
            if failure:
                raise Failed(f"the mail was not accepted: {failure}")
            click.echo(say("mailed"))
    _show(written.path, open_it=open_it)


@report.command("walk-forward")
@click.option(
    "--screen", "screens", multiple=True, metavar="CONDITIONS",
    help='Walk this screen, such as "window=1y sharpe_ratio>1". Repeatable.',
)  # fmt: skip
@click.option("--open", "open_it", is_flag=True, help="Open it in the browser.")
def walk_forward(screens: tuple[str, ...], open_it: bool) -> None:
    """Print the path of the page that shows how past screens performed next.

    With --screen, compute how your own screens performed at the last quarter ends, and write a
    page of these. Each screen that you try is stored and counts in the correction for luck.
    """
    from fund_assets.report.files import walk_forward_file
    from fund_assets.settings import load_settings

    if screens:
        page = _walk(screens)
    else:
        page = walk_forward_file(load_settings())
        if not page.exists():
            raise NotThere(f"{page} does not exist yet: run `fund-assets weekly` first")
    click.echo(str(page))
    _show(page, open_it=open_it)


def _walk(screens: tuple[str, ...]) -> Path:
    """Walk a user's screens, print what may be said of each, and write their page."""
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.metrics.screen import ScreenError
    from fund_assets.metrics.walk_forward import LUCK, MIN_QUARTERS, WalkError
    from fund_assets.pipeline.walk_forward import walk_screens, write_walked_screens

    texts = tuple(dict.fromkeys(" ".join(text.split()) for text in screens))
    platform = open_platform()
    settings, now = platform.settings, platform.now()
    try:
        walk = walk_screens(platform.warehouse, texts, settings.risk_free_rate, now)
    except (ScreenError, WalkError) as error:
        raise NotThere(str(error)) from error
    if not walk.rows:
        raise NotThere("no quarter in which a screen had picks: there is no result")
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(say("screen"))
    table.add_column(say("conclusion"))
    for title in (
        say("quarters"), say("mean excess"), say("95 % interval"), say("chance of luck"),
        say("picks"),
    ):  # fmt: skip
        table.add_column(title, justify="right")
    for row in walk.sums:
        table.add_row(
            escape(row["screen"]), say(WALK_VERDICTS[row["verdict"]]), str(row["quarters"]),
            f"{row['excess']:+.2%}", f"{row['low']:+.2%} … {row['high']:+.2%}",
            f"{row['corrected']:.1%}", f"{row['picks']:,}",
        )  # fmt: skip
    terminal = console()
    terminal.print(table, soft_wrap=not terminal.is_terminal)
    terminal.print(
        say(
            "Excess: return of the picks less that of their group in the next quarter, bought "
            "at the next NAV. {tried} screens were tried on this data; chances of luck are "
            "corrected for that (Holm). A verdict needs {least} quarters and a chance of at "
            "most {luck:.0%}.", tried=walk.tried, least=MIN_QUARTERS, luck=LUCK,
        )
    )  # fmt: skip
    return write_walked_screens(settings, walk, now)


def _show(page: Path, *, open_it: bool) -> None:
    if open_it:
        click.launch(page.as_uri())
