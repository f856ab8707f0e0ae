"""The commands of alerts: `alert list`, `test`, `silence`, `unsilence` and `resend`.

Belongs here: options and printing. Does not belong here: alerts (`observability/alerts/`).
"""

import re
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from fund_assets.cli._arguments import Commands, NotThere, check_text, nearest
from fund_assets.cli._context import console, open_platform, present_status, reading
from fund_assets.language import named, say

if TYPE_CHECKING:
    from rich.console import Console

    from fund_assets.observability.alerts.lifecycle import State
    from fund_assets.observability.status import Status
    from fund_assets.warehouse import Warehouse

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
LONGEST = timedelta(days=90)
SHOWN = 50


@click.group(cls=Commands)
def alert() -> None:
    """Show, test, silence and resend alerts. docs/alerts.md describes them."""


@alert.command("list")
@click.option("--all", "everything", is_flag=True, help="Also show alerts that are over.")
def list_alerts(everything: bool) -> None:
    """Show active alerts, their silences, and messages that were not sent.

    The last line is the verdict of the dashboard, from current facts. Exits with 1 when that is
    not healthy.
    """
    from rich.markup import escape

    from fund_assets.observability.alerts.state import state_of
    from fund_assets.observability.findings import VERDICTS
    from fund_assets.warehouse.stores import alerts

    warehouse = reading()
    states = [state_of(row) for row in alerts.states(warehouse)]
    platform = present_status()
    firing = sorted((s for s in states if s.firing), key=lambda s: (-s.severity, s.fingerprint))
    over = sorted((s for s in states if not s.firing), key=lambda s: s.first_at, reverse=True)
    terminal = console()
    _print_alerts(terminal, say("active alerts"), firing, platform)
    _print_alerts(terminal, say("over"), over[:SHOWN] if everything else [], platform)
    if not firing:
        terminal.print(say("no alerts"))
    _print_silences(terminal, warehouse)
    _print_unsent(terminal, warehouse)
    terminal.print(say("platform: {verdict}", verdict=say(VERDICTS[platform.verdict])))
    for words in (*platform.problems, *platform.notices):
        terminal.print(f"    {escape(words)}", soft_wrap=True)
    if not platform.healthy:
        click.get_current_context().exit(1)


def _print_alerts(
    terminal: "Console", title: str, shown: list["State"], platform: "Status"
) -> None:
    """The alerts below their title; nothing where there are none."""
    from rich.markup import escape

    from fund_assets.observability.conditions import Severity
    from fund_assets.observability.findings import over_by_now

    if shown:
        terminal.print(f"[bold]{title}[/]")
    for state in shown:
        severity = named(f"[{state.severity.name.lower()}] ", f"【{state.severity.label}】")
        since = say("since {time:%m-%d %H:%M}, {told}", time=state.first_at, told=_told(state))
        terminal.print(
            f"{escape(severity)}{escape(state.fingerprint)}  {escape(since)}", soft_wrap=True
        )
        terminal.print(f"    {escape(state.words)}", soft_wrap=True)
        weighs = state.firing and state.severity > Severity.NOTICE
        if weighs and over_by_now(state.kind, platform.findings):
            terminal.print(f"    [dim]{say('no longer true; the next check closes it')}[/]")


def _print_silences(terminal: "Console", warehouse: "Warehouse") -> None:
    """The silences that have not ended."""
    from rich.markup import escape

    from fund_assets.observability.alerts.state import silence_of
    from fund_assets.settings import SHANGHAI
    from fund_assets.warehouse.stores import alerts

    now = datetime.now(SHANGHAI)
    for silence in map(silence_of, alerts.silences(warehouse)):
        if silence.ends_at > now:
            words = say(
                "{fingerprint} is silenced until {time:%m-%d %H:%M}",
                fingerprint=silence.fingerprint, time=silence.ends_at,
            )  # fmt: skip
            terminal.print(f"{escape(words)}  [dim]{escape(silence.note)}[/]")


def _print_unsent(terminal: "Console", warehouse: "Warehouse") -> None:
    """The messages that wait, and those that were given up."""
    from rich.markup import escape

    from fund_assets.warehouse.stores import alerts

    for state, words in (("waiting", say("waits")), ("dead", say("given up"))):
        for row in alerts.outbox(warehouse, state):
            terminal.print(
                f"{words} {row['id']} {row['channel']} {escape(row['title'])}  "
                f"[dim]{say('{count} tries', count=row['attempts'])} {escape(row['error'])}[/]"
            )


@alert.command()
@click.option("--channel", "only", metavar="NAME", help="Only this channel.")
def test(only: str | None) -> None:
    """Send a test message over every configured channel, now.

    Exits with 1 when a channel does not accept it.
    """
    from fund_assets.observability.alerts.channels import ChannelError, configured
    from fund_assets.observability.alerts.messages import Message, origin
    from fund_assets.observability.conditions import Severity
    from fund_assets.settings import load_settings

    settings = load_settings()
    channels = [c for c in configured(settings) if only in (None, c.name)]
    if not channels:
        raise NotThere(
            f"the channel {only} is not set: see FUND_ALERT_ in .env.example" if only
            else "no channel is set: see FUND_ALERT_ in .env.example"
        )  # fmt: skip
    message = Message(
        title=f"【测试】{origin(settings.source)}",
        lines=(f"{settings.now():%Y-%m-%d %H:%M} 的测试消息，无须处理。",),
        severity=Severity.NOTICE,
    )
    failed = False
    for channel in channels:
        begun = time.monotonic()
        try:
            channel.send(message)
        except ChannelError as error:
            failed = True
            failed_word = click.style(say("failed"), fg="red")
            click.echo(f"{channel.name}: {failed_word}: {error}")
        else:
            took = time.monotonic() - begun
            click.echo(
                say("{channel}: accepted in {took:.2f} s", channel=channel.name, took=took)
            )
    if failed:
        click.get_current_context().exit(1)


@alert.command()
@click.argument("fingerprint")
@click.option(
    "--for", "span", required=True, metavar="SPAN", help="How long: 30m, 4h, 2d or 1w."
)
@click.option("--note", required=True, help="Who silences it and why; stored with it.")
def silence(fingerprint: str, span: str, note: str) -> None:
    """Stop sending an alert for a while.

    FINGERPRINT is one that `alert list` shows, or the name of a kind, such as freshness.
    """
    from fund_assets.observability.alerts.catalog import KINDS
    from fund_assets.observability.alerts.lifecycle import Silence
    from fund_assets.observability.alerts.state import as_row
    from fund_assets.settings import SHANGHAI
    from fund_assets.warehouse.stores import alerts

    kept, lasts = check_text(note, "--note", 200), _span(span)
    reading().close()
    warehouse = open_platform().warehouse
    known = {str(row["fingerprint"]) for row in alerts.states(warehouse)}
    if fingerprint not in KINDS and fingerprint not in known:
        raise NotThere(
            f"unknown alert {fingerprint!r}: {nearest(fingerprint, [*KINDS, *known])}; "
            "`fund-assets alert list` shows the active ones"
        )
    now = datetime.now(SHANGHAI).replace(microsecond=0)
    entered = Silence(fingerprint, now + lasts, now, kept)
    alerts.set_silence(warehouse, as_row(entered))
    click.echo(
        say(
            "{fingerprint} is silenced until {time:%Y-%m-%d %H:%M}.",
            fingerprint=fingerprint, time=entered.ends_at,
        )
    )  # fmt: skip


@alert.command()
@click.argument("fingerprint")
def unsilence(fingerprint: str) -> None:
    """End a silence early."""
    from fund_assets.warehouse.stores import alerts

    reading().close()
    if not alerts.drop_silence(open_platform().warehouse, fingerprint):
        raise NotThere(f"{fingerprint!r} is not silenced: see `fund-assets alert list`")
    click.echo(say("{fingerprint} is no longer silenced.", fingerprint=fingerprint))


@alert.command()
@click.argument("message", required=False)
def resend(message: str | None) -> None:
    """Send messages again that were given up: MESSAGE, or all of them."""
    from fund_assets.calendar import to_stamp
    from fund_assets.settings import SHANGHAI
    from fund_assets.warehouse.stores import alerts

    reading().close()
    warehouse = open_platform().warehouse
    dead = [row for row in alerts.outbox(warehouse, "dead") if message in (None, row["id"])]
    if message and not dead:
        raise NotThere(f"no message {message!r} was given up: see `fund-assets alert list`")
    now = to_stamp(datetime.now(SHANGHAI))
    again = {"state": "waiting", "attempts": 0, "due_at": now, "error": ""}
    alerts.settle(warehouse, [{**row, **again} for row in dead])
    click.echo(
        say(
            "{count} messages are queued again; the sensor or `fund-assets watch` sends them.",
            count=len(dead),
        )
    )


def _told(state: "State") -> str:
    from fund_assets.observability.alerts.messages import lasted

    if state.muted_by:
        return say("part of {alert}, not sent separately", alert=state.muted_by)
    told = (
        say("sent {time:%m-%d %H:%M}", time=state.told_at) if state.told_at else say("not sent")
    )
    return told if state.firing else say("{told}, lasted {time}", told=told, time=lasted(state))


def _span(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if unit not in UNITS or not re.fullmatch(r"[0-9]{1,4}", number):
        raise click.BadParameter(
            f"{text!r} is not a duration: write 30m, 4h, 2d or 1w", param_hint="--for"
        )
    parts: dict[str, Any] = {UNITS[unit]: int(number)}
    span = timedelta(**parts)
    if not timedelta() < span <= LONGEST:
        raise click.BadParameter("from a minute to 90 days", param_hint="--for")
    return span
