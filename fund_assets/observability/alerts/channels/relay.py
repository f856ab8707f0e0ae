"""Everything else, through Apprise: an optional extra with its own list of services.

Apprise counts a message as sent when the server answers 200. The robots that refuse inside a
200 have channels of their own here, and their addresses are not taken.
"""

import logging
from collections.abc import Sequence

from fund_assets.observability.alerts.channels.base import ChannelError, hide_addresses
from fund_assets.observability.alerts.messages import Message
from fund_assets.settings import SettingsError

VARIABLE = "FUND_ALERT_APPRISE_URLS"
OWN = {
    "dingtalk": "FUND_ALERT_DINGTALK_URL",
    "feishu": "FUND_ALERT_FEISHU_URL",
    "lark": "FUND_ALERT_FEISHU_URL",
    "wecombot": "FUND_ALERT_WECOM_URL",
}


class Relay:
    """Sends to each of some Apprise addresses; refused by any counts as refused.

    Raises:
        SettingsError: Apprise is not installed, or an address is none.
    """

    name = "apprise"

    def __init__(self, urls: Sequence[str]) -> None:
        try:
            import apprise
        except ImportError:
            raise SettingsError(
                f"{VARIABLE} needs Apprise: pip install 'fund-assets[apprise]'"
            ) from None
        hide_addresses()
        # Its own lines quote them, too.
        logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)
        self._types = apprise.NotifyType
        self._sender = apprise.Apprise()
        for number, url in enumerate(urls, 1):
            scheme = url.partition("://")[0].lower()
            if scheme in OWN:
                raise SettingsError(
                    f"{VARIABLE}: address {number} is {scheme}://: Apprise cannot detect its "
                    f"refusals; set {OWN[scheme]} instead"
                )
            if not self._sender.add(url):
                raise SettingsError(
                    f"{VARIABLE}: address {number} ({scheme}://) is not supported by Apprise"
                )

    def send(self, message: Message) -> None:
        """Send title and text as plain text."""
        kind = (self._types.INFO, self._types.WARNING, self._types.FAILURE)[message.severity]
        if not self._sender.notify(body=message.text, title=message.title, notify_type=kind):
            raise ChannelError("refused: Apprise could not deliver it to every address")
