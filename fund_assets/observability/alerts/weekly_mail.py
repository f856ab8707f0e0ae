"""The weekly report by e-mail, over the channel that alerts use.

Belongs here: the short text and sending it once. Does not belong here: how e-mail is sent
(`channels/mail.py`), the report.

A file does not go through the outbox: a report that is not accepted is tried again here, then
told by a check, and sent by `fund-assets report weekly --mail`.
"""

import time
from pathlib import Path

from fund_assets.calendar import to_stamp
from fund_assets.observability.alerts.channels.base import ChannelError
from fund_assets.observability.alerts.channels.mail import Mail
from fund_assets.observability.alerts.messages import Message, origin
from fund_assets.observability.conditions import Severity
from fund_assets.report.headlines import headlines
from fund_assets.report.week import WeekFacts
from fund_assets.resources import Platform
from fund_assets.warehouse.stores import weekly_log

PAUSES_S = (5.0, 30.0)


def mail_report(
    platform: Platform, facts: WeekFacts, path: Path, *, again: bool = False
) -> str:
    """Send the report of a week to FUND_ALERT_MAIL_TO, once.

    Args:
        again: also when it was sent before.

    Returns:
        Why it was not accepted; empty when it was, now or before, or when nobody is to get it.
    """
    settings = platform.settings
    if not settings.alert_recipients:
        return ""
    if not again and "mail" in weekly_log.week_log(platform.warehouse, facts.week):
        return ""
    message = Message(
        title=f"【周报】{facts.week}（{origin(settings.source)}）",
        lines=(*headlines(facts), "", f"全文见附件 {path.name}，用浏览器打开。"),
        severity=Severity.NOTICE,
    )
    channel = Mail.from_settings(settings)
    failure = ""
    for pause in (0.0, *PAUSES_S):
        time.sleep(pause)
        try:
            channel.send(message, path)
        except ChannelError as error:
            failure = str(error)
            continue
        weekly_log.note_step(
            platform.warehouse, facts.week, "mail", to_stamp(platform.now()),
            {"recipients": len(settings.alert_recipients)},
        )  # fmt: skip
        return ""
    return failure
