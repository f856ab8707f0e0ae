"""The command `watch`: a look from outside Dagster, once or again and again.

Belongs here: options and the line of each look. Does not belong here: the look
(`observability/alerts/watch.py`).
"""

import logging
import time
from datetime import datetime

import click

from fund_assets.cli._context import quiet
from fund_assets.language import say


@click.command()
@click.option("--once", is_flag=True, help="Check once and exit: for cron or a systemd timer.")
@click.option(
    "--every", default=60, show_default=True, type=click.IntRange(10, 3600), metavar="SECONDS",
    help="Pause between two checks.",
)  # fmt: skip
def watch(once: bool, every: int) -> None:
    """Check the platform from outside Dagster, and send alerts as the alert sensor does.

    A stopped daemon cannot report itself. With --once, exits with 1 when a critical alert is
    active or a message could not be delivered. FUND_WATCH_PING_URL: see docs/alerts.md.
    """
    from fund_assets.logs import Lines

    shown = logging.StreamHandler()
    shown.setFormatter(Lines(as_json=False))
    logging.basicConfig(handlers=[shown])
    while True:
        failed = _watch_once()
        if once:
            click.get_current_context().exit(int(failed))
        time.sleep(every)


def _watch_once() -> bool:
    """One look and its line; whether something critical holds or was not handed over."""
    with quiet():
        from fund_assets.observability.alerts.watch import watch as look
        from fund_assets.observability.conditions import Severity
        from fund_assets.settings import SHANGHAI

        found = look()
    outcome, done = found.outcome, found.outcome.delivered
    ping = {
        None: "", True: say("; ping answered"), False: say("; ping NOT answered"),
    }[found.pinged]  # fmt: skip
    words = say(
        "{holding} active alerts, {told} reported; {sent} messages sent, {failed} failed, "
        "{dead} given up",
        holding=len(outcome.holding), told=len(outcome.notifications), sent=done.sent,
        failed=done.failed, dead=done.dead,
    )  # fmt: skip
    click.echo(f"{datetime.now(SHANGHAI):%Y-%m-%d %H:%M:%S} {words}{ping}")
    return bool(outcome.worst is Severity.CRITICAL or done.failed or done.dead)
