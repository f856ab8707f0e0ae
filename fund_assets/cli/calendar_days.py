"""The commands of the trading calendar: `calendar show`, `set` and `refresh`.

Belongs here: options, guards on what a person enters, and printing. Does not belong here:
the calendar (`calendar.py`), where entered days are kept (`warehouse/days.py`).
"""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from fund_assets.cli.asking import DAY, Commands, NotThere, OneOf, check_text
from fund_assets.cli.opening import console, open_platform, stored_warehouse

if TYPE_CHECKING:
    from fund_assets.calendar import TradingCalendar
    from fund_assets.warehouse import Warehouse

WEEKDAYS = "一二三四五六日"


@click.group(cls=Commands)
def calendar() -> None:
    """Show, correct or extend the exchange's trading calendar."""


@calendar.command()
@click.argument("year", type=click.IntRange(1990, 2100), required=False)
def show(year: int | None) -> None:
    """Show the sessions of a YEAR [default: this one], its holidays, and entered days."""
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.calendar import from_key
    from fund_assets.settings import load_settings
    from fund_assets.warehouse import days

    settings = load_settings()
    warehouse = stored_warehouse(settings)
    entered = days.overrides(warehouse) if warehouse else {}
    known = _known(warehouse)
    year = year or settings.now().year
    first, last = date(year, 1, 1), min(date(year, 12, 31), known.horizon)
    if first > known.horizon:
        raise NotThere(
            f"the trading calendar ends on {known.horizon}: name an earlier year, or run "
            "`fund-assets calendar refresh`"
        )
    table = Table("月份", "交易日", "休市（周一至周五）", title=f"{year} 年", box=None)
    table.columns[1].justify = "right"
    total = 0
    for month in range(1, 13):
        span = [d for d in _every_day(first, last) if d.month == month]
        sessions = [d for d in span if known.is_session(d)]
        closed = [d for d in span if d.weekday() < 5 and d not in sessions]
        total += len(sessions)
        if span:
            table.add_row(f"{month} 月", str(len(sessions)), " ".join(map(_short, closed)))
    terminal = console()
    terminal.print(table)
    terminal.print(f"{first} 至 {last} 共 {total} 个交易日；日历已知至 {known.horizon}")
    notes = days.notes(warehouse) if warehouse else {}
    for key, note in notes.items():
        if key // 10_000 == year:
            state = "开市" if entered[key] else "休市"
            terminal.print(f"人工录入 {from_key(key)} {state}  [dim]{escape(note)}[/]")


@calendar.command("set")
@click.argument("day", metavar="DATE", type=DAY)
@click.argument("state", type=OneOf(["open", "closed"]))
@click.option("--note", required=True, help="Who enters it and why; kept with the day.")
def set_day(day: datetime, state: str, note: str) -> None:
    """Enter whether the exchange trades on DATE, such as 2027-01-04.

    Days after the calendar's end are entered one after the other, so that none is guessed.
    """
    from fund_assets.calendar import to_key
    from fund_assets.warehouse import days

    wanted = day.date()
    if state == "open" and wanted.weekday() >= 5:
        raise click.BadParameter(
            f"{wanted} is a weekend: the exchange never trades then, not on make-up "
            "working days either", param_hint="DATE",
        )  # fmt: skip
    kept = check_text(note, "--note", 200)
    warehouse = open_platform().warehouse
    known = _known(warehouse)
    skipped = [d for d in _every_day(known.horizon + timedelta(days=1), wanted) if d != wanted]
    if weekdays := [d for d in skipped if d.weekday() < 5]:
        raise click.BadParameter(
            f"the calendar ends on {known.horizon}, so the weekdays before {wanted} are not "
            f"known: enter {weekdays[0]} first, or run `fund-assets calendar refresh`",
            param_hint="DATE",
        )
    days.set_overrides(warehouse, {to_key(wanted): state == "open"}, kept)
    click.echo(f"{wanted} is {'a session' if state == 'open' else 'closed'} from now on.")


@calendar.command()
def refresh() -> None:
    """Take over newly announced sessions from Sina, if they can be trusted.

    They must agree with every session known since 2005 and be possible in number.
    """
    from fund_assets.calendar import check_refresh, from_key, to_key
    from fund_assets.settings import SettingsError
    from fund_assets.sources.trading_days import announced_sessions
    from fund_assets.warehouse import days

    platform = open_platform()
    if platform.settings.source == "simulated":
        raise SettingsError(
            "the simulated market makes up its own days after the calendar's end; nothing was "
            "asked for. Set FUND_SOURCE=akshare to refresh the real market's calendar"
        )
    known = _known(platform.warehouse)
    terminal = console()
    with terminal.status("asking finance.sina.com.cn for the announced sessions…"):
        added = check_refresh(announced_sessions(platform.settings), known)
    if not added:
        click.echo(f"Nothing new: no session after {known.horizon} is announced yet.")
        return
    # The year's last day closes it: what is not a session up to there is known to be closed.
    entered = {to_key(date(added[-1] // 10_000, 12, 31)): False} | dict.fromkeys(added, True)
    note = f"announced sessions, taken over from Sina on {platform.now():%Y-%m-%d}"
    days.set_overrides(platform.warehouse, entered, note)
    click.echo(
        f"{len(added)} sessions taken over, from {from_key(added[0])} to {from_key(added[-1])}."
    )


def _known(warehouse: "Warehouse | None") -> "TradingCalendar":
    """The calendar without any invented day."""
    from fund_assets.calendar import TradingCalendar
    from fund_assets.warehouse import days

    return TradingCalendar.build(days.overrides(warehouse) if warehouse else None)


def _every_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _short(day: date) -> str:
    return f"{day:%m-%d}（{WEEKDAYS[day.weekday()]}）"
