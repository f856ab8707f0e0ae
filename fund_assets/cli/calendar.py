"""The commands of the trading calendar: `calendar show`, `set`, `refresh` and `import`.

Belongs here: options, guards on what a person enters, and printing. Does not belong here: the
calendar (`calendar.py`), reading and comparing what is announced (`sources/holiday_notices.py`,
`pipeline/announcements.py`), where entered days are kept
(`warehouse/stores/calendar_overrides.py`).
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import IO, TYPE_CHECKING

import click

from fund_assets.cli._arguments import DAY, Commands, NotThere, OneOf, check_text
from fund_assets.cli._context import console, open_platform, stored_warehouse
from fund_assets.language import later, named, say, translated

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
    """Show the sessions of a YEAR [default: this one], its holidays, and entered days.

    After the last announced day every weekday counts as a session, and is marked provisional.
    """
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.calendar import TradingCalendar, from_key
    from fund_assets.settings import load_settings
    from fund_assets.warehouse.stores import calendar_overrides

    settings = load_settings()
    warehouse = stored_warehouse(settings)
    entered = calendar_overrides.overrides(warehouse) if warehouse else {}
    year = year or settings.now().year
    first, last = date(year, 1, 1), date(year, 12, 31)
    known = TradingCalendar.build(entered, assume_until=last)
    if year > known.known_until.year + 1:
        raise NotThere(
            f"the trading calendar ends on {known.known_until}: choose an earlier year, or "
            "run `fund-assets calendar refresh`"
        )
    announced = min(last, known.known_until)
    titles = (say("month"), say("sessions"), say("closed (Monday to Friday)"))
    table = Table(*titles, title=named(f"{year}", f"{year} 年"), box=None)
    table.columns[1].justify = "right"
    for month in range(1, 13):
        span = [d for d in _every_day(first, last) if d.month == month]
        sessions = [d for d in span if known.is_session(d)]
        closed = [d for d in span if d.weekday() < 5 and d not in sessions]
        provisional = any(map(known.is_provisional, span))
        table.add_row(
            named(f"{month:02}", f"{month} 月"),
            f"{len(sessions)}{say(' (provisional)') if provisional else ''}",
            " ".join(map(_short, closed)),
        )
    terminal = console()
    terminal.print(table)
    if first <= announced:
        total = len(known.between(first, announced))
        terminal.print(
            say(
                "{first} to {last}: {count} sessions; the calendar is known until {known}",
                first=first,
                last=announced,
                count=total,
                known=known.known_until,
            )
        )
    if announced < last:
        terminal.print(
            say(
                "the calendar is unknown from {date} on: every weekday is collected with a "
                "provisional date; run fund-assets calendar refresh, or fund-assets calendar "
                "import with the notices",
                date=max(first, announced + timedelta(days=1)),
            )
        )
    for note, keys in _by_note(
        calendar_overrides.notes(warehouse) if warehouse else {}, year
    ).items():
        if len(keys) == 1:
            words = (
                later("entered: {date} is open")
                if entered[keys[0]]
                else later("entered: {date} is closed")
            )
            words = say(words, date=from_key(keys[0]))
            terminal.print(f"{words}  [dim]{escape(note)}[/]")
            continue
        opened = sum(entered[key] for key in keys)
        words = say(
            "entered: {first} to {last}, {opened} days open, {closed} closed",
            first=from_key(keys[0]), last=from_key(keys[-1]), opened=opened,
            closed=len(keys) - opened,
        )  # fmt: skip
        terminal.print(f"{words}  [dim]{escape(note)}[/]")


@calendar.command("set")
@click.argument("day", metavar="DATE", type=DAY)
@click.argument("state", type=OneOf(["open", "closed"]))
@click.option("--note", required=True, help="Who enters it and why; stored with the day.")
def set_day(day: datetime, state: str, note: str) -> None:
    """Enter whether the exchange trades on DATE, such as 2027-01-04.

    Enter days after the calendar's end one by one, so that none is guessed.
    """
    from fund_assets.calendar import to_key
    from fund_assets.warehouse.stores import calendar_overrides

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
    calendar_overrides.set_overrides(warehouse, {to_key(wanted): state == "open"}, kept)
    words = (
        later("{date} is a session from now on.")
        if state == "open"
        else later("{date} is closed from now on.")
    )
    click.echo(say(words, date=wanted))


@calendar.command()
def refresh() -> None:
    """Add newly announced sessions from every source that has them.

    The sources are Sina, the Shenzhen exchange's page and akshare's list. Each must agree with
    every session known since 2005, have a possible number of days, and agree with the others;
    otherwise nothing is added.
    """
    from fund_assets.calendar import from_key, packaged_end
    from fund_assets.pipeline import announcements
    from fund_assets.settings import SettingsError
    from fund_assets.sources.eastmoney.trading_days import sources
    from fund_assets.warehouse.stores import calendar_overrides

    platform = open_platform()
    if platform.settings.source == "simulated":
        raise SettingsError(
            "the simulated market generates its own days after the calendar's end; nothing "
            "was requested. To refresh the real market's calendar, set FUND_SOURCE=akshare"
        )
    known = _known(platform.warehouse)
    terminal = console()
    with terminal.status(say("fetching the announced sessions…")):
        found = announcements.refresh(sources(platform.settings, packaged_end()), known)
    for name, why in found.failed.items():
        click.echo(say("Not read: {name}: {why}", name=name, why=translated(why)), err=True)
    if found.confirmed:
        click.echo(
            say(
                "Days entered up to {date}: {witnesses} agree.",
                date=known.horizon, witnesses=_and(found.confirmed),
            )
        )  # fmt: skip
    if not found.days:
        click.echo(
            say("Nothing new: no session after {date} is announced yet.", date=known.horizon)
        )
        return
    note = (
        f"announced sessions, from {' and '.join(found.witnesses)}, {platform.now():%Y-%m-%d}"
    )
    calendar_overrides.set_overrides(platform.warehouse, found.days, note)
    opened = [key for key, is_open in found.days.items() if is_open]
    click.echo(
        say(
            "{count} sessions added, {first} to {last}; sources: {witnesses}.",
            count=len(opened), first=from_key(opened[0]), last=from_key(opened[-1]),
            witnesses=_and(found.witnesses),
        )
    )  # fmt: skip
    if len(found.witnesses) == 1:
        click.echo(
            say(
                "Only one source: compare it with the notices, `fund-assets calendar import "
                "FILE`."
            )
        )


@calendar.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.File("rb"))
@click.option(
    "--replace", is_flag=True,
    help="Change days entered before when the notices differ.",
)  # fmt: skip
def import_notices(files: tuple[IO[bytes], ...], replace: bool) -> None:
    """Read the yearly notices on holidays from FILE, or - for standard input.

    A FILE holds one or more notices as they are published, as text or as the saved page:
    国务院办公厅关于…年部分节假日安排的通知, the exchange's 关于…年部分节假日休市安排的通知,
    and notices that change them (延长, 调整). Weekdays, lengths and holidays are checked
    against each other. If both kinds are given, they must agree; the notice must also agree
    with days that are already known. Otherwise nothing is entered.
    """
    from fund_assets.calendar import from_key, to_key
    from fund_assets.pipeline import announcements
    from fund_assets.sources.holiday_notices import ISSUERS, page_text, read_notices
    from fund_assets.warehouse.stores import calendar_overrides

    notices = [
        notice
        for file in files
        for notice in read_notices(page_text(file.read(), _name(file)), _name(file))
    ]
    platform = open_platform()
    entered = calendar_overrides.overrides(platform.warehouse)
    known = _known(platform.warehouse)
    found = announcements.announce(notices, known, entered, replace=replace)
    for year, kinds in found.kinds.items():
        total = sum(
            found.days.get(to_key(day), day <= known.horizon and known.is_session(day))
            for day in _every_day(date(year, 1, 1), date(year, 12, 31))
        )
        witnesses = _and(
            tuple(say("the notice of {issuer}", issuer=say(ISSUERS[kind])) for kind in kinds)
        )
        click.echo(
            say(
                "{year}: {count} sessions, from {witnesses}.",
                year=year, count=total, witnesses=witnesses,
            )
        )  # fmt: skip
        if kinds == ("council",) and year >= platform.now().year:
            words = say("Only one source: import the exchange's notice too, in late December.")
            click.echo(f"  {words}")
    for day in found.advised:
        words = say(
            "{day}: closing is only advised, and it counts as closed; the exchange's notice "
            "decides.",
            day=day,
        )
        click.echo(f"  {words}")
    for day in found.changed:
        words = (
            later("{day} was closed before and is a session from now on.")
            if found.days[to_key(day)]
            else later("{day} was a session before and is closed from now on.")
        )
        click.echo(f"  {say(words, day=day)}")
    if not found.days:
        click.echo(say("Nothing to enter: the calendar already has these days."))
        return
    whose = " and ".join(sorted({ISSUERS[k] for kinds in found.kinds.values() for k in kinds}))
    note = f"notices of {whose}, imported on {platform.now():%Y-%m-%d}"
    calendar_overrides.set_overrides(platform.warehouse, found.days, note)
    keys = sorted(found.days)
    click.echo(
        say(
            "{count} days entered, {first} to {last}.",
            count=len(keys), first=from_key(keys[0]), last=from_key(keys[-1]),
        )
    )  # fmt: skip


def _name(file: IO[bytes]) -> str:
    name = str(getattr(file, "name", "-"))
    return "standard input" if name in ("-", "<stdin>") else name


def _and(names: tuple[str, ...]) -> str:
    return named(" and ", "、").join(names)


def _by_note(notes: Mapping[int, str], year: int) -> dict[str, list[int]]:
    """The entered days of a year, those with the same note together."""
    found: dict[str, list[int]] = {}
    for key, note in sorted(notes.items()):
        if key // 10_000 == year:
            found.setdefault(note, []).append(key)
    return found


def _known(warehouse: "Warehouse | None") -> "TradingCalendar":
    """The calendar without any invented day."""
    from fund_assets.calendar import TradingCalendar
    from fund_assets.warehouse.stores import calendar_overrides

    return TradingCalendar.build(calendar_overrides.overrides(warehouse) if warehouse else None)


def _every_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _short(day: date) -> str:
    return f"{day:%m-%d}" + named(f" ({day:%a})", f"（{WEEKDAYS[day.weekday()]}）")
