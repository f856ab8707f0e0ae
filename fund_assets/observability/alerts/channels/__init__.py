"""The channels that carry messages to people and machines.

Belongs here: one module for each way of sending. Does not belong here: what is sent
(`observability/alerts/messages.py`), when it is tried again
(`observability/alerts/delivery.py`).
"""

from fund_assets.observability.alerts.channels.base import Channel, ChannelError
from fund_assets.observability.alerts.channels.mail import Mail
from fund_assets.observability.alerts.channels.relay import Relay
from fund_assets.observability.alerts.channels.robots import DingTalk, Feishu, WeCom
from fund_assets.observability.alerts.channels.webhook import Webhook
from fund_assets.settings import Settings

__all__ = ["Channel", "ChannelError", "configured"]


def configured(settings: Settings) -> list[Channel]:
    """The channels that the settings name, in a fixed order.

    Raises:
        SettingsError: an address that Apprise does not understand, or Apprise is not there.
    """
    secret = {
        name: getattr(settings, f"alert_{name}").get_secret_value()
        for name in (
            "dingtalk_url", "dingtalk_secret", "feishu_url", "feishu_secret", "wecom_url",
            "webhook_url", "webhook_secret", "apprise_urls",
        )
    }  # fmt: skip
    found: list[Channel] = []
    if secret["dingtalk_url"]:
        found.append(DingTalk(secret["dingtalk_url"], secret["dingtalk_secret"]))
    if secret["feishu_url"]:
        found.append(Feishu(secret["feishu_url"], secret["feishu_secret"]))
    if secret["wecom_url"]:
        found.append(WeCom(secret["wecom_url"]))
    if secret["webhook_url"]:
        found.append(Webhook(secret["webhook_url"], secret["webhook_secret"]))
    if settings.alert_mail_to:
        found.append(Mail.from_settings(settings))
    if secret["apprise_urls"]:
        found.append(Relay(secret["apprise_urls"].split()))
    return found
