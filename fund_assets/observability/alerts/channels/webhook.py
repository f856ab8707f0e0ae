"""A your webhook: JSON, and a header that proves who sent it.

`X-Fund-Signature: sha256=` and the hex HMAC-SHA256, by the secret, of the value of
`X-Fund-Timestamp` (seconds since 1970), a full stop, and the body as sent.
"""

import hashlib
import hmac
import json
import time
from typing import Any

from fund_assets.observability.alerts.channels.base import ChannelError, as_bytes, ask
from fund_assets.observability.alerts.messages import Message


class Webhook:
    """Posts messages to an address; with a secret, signed."""

    name = "webhook"

    def __init__(self, url: str, secret: str = "") -> None:
        self._url, self._secret = url, secret

    def send(self, message: Message) -> None:
        """Send title, text, severity and fingerprints."""
        body = as_bytes(
            {
                "title": message.title,
                "text": message.text,
                "severity": message.severity.name.lower(),
                "fingerprints": message.fingerprints,
            }
        )
        moment = str(int(time.time()))
        headers = {"X-Fund-Timestamp": moment}
        if self._secret:
            signed = hmac.new(
                self._secret.encode(), f"{moment}.".encode() + body, hashlib.sha256
            )
            headers["X-Fund-Signature"] = f"sha256={signed.hexdigest()}"
        if refusal := refused(ask(self._url, body, headers=headers)):
            raise ChannelError(f"refused: {refusal}")


def refused(answer: bytes) -> str:
    """What in a 2xx answer says no; empty when nothing does.

    An answer that is no JSON object, or says nothing of these, is an acceptance.
    """
    try:
        found: Any = json.loads(answer)
    except ValueError:
        return ""
    if not isinstance(found, dict):
        return ""
    for name, accepted in (
        ("errcode", (0,)),
        ("code", (0, 200)),
        ("ok", (True,)),
        ("success", (True,)),
    ):
        if name in found and found[name] not in accepted:
            return f"{name} {found[name]}" if isinstance(found[name], int) else name
    return "error" if found.get("error") else ""
