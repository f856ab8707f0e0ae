"""The group robots of DingTalk 钉钉, Feishu 飞书 (and Lark), and WeCom 企业微信.

Belongs here: their forms, signatures, limits, and how each says no. They answer 200 to what
they refuse: only the code in the answer tells.

All get plain text: in Markdown the underscores of names, and whatever a fund is named, would
be marks.
"""

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from typing import Any

from fund_assets.observability.alerts.channels.base import ChannelError, fit, post_json
from fund_assets.observability.alerts.messages import Message

#: Bytes of text that they take, with room left for the rest of the body.
DINGTALK_BYTES, FEISHU_BYTES, WECOM_BYTES = 18_000, 18_000, 2_048
MOST_REASON = 200
#: `<at user_id="all">` in a text calls everybody in the group, at Feishu.
_CALL = re.compile(r"<(?=\s*/?\s*at\b)", re.IGNORECASE)


class DingTalk:
    """A DingTalk robot; with a secret, signed.

    Args:
        url: of the robot, its access_token included.
        secret: begins with SEC; empty for a robot that checks keywords or addresses instead.
    """

    name = "dingtalk"

    def __init__(self, url: str, secret: str = "") -> None:
        self._url, self._secret = url, secret

    def send(self, message: Message) -> None:
        """Send plain text."""
        text = fit((message.title, *message.lines), DINGTALK_BYTES)
        content = {"msgtype": "text", "text": {"content": text}}
        parameters = {}
        if self._secret:
            moment = str(round(time.time() * 1000))
            # `params` encodes it, once: encoded twice it is another signature.
            sign = _digest(self._secret.encode(), f"{moment}\n{self._secret}".encode())
            parameters = {"timestamp": moment, "sign": sign}
        answer = post_json(self._url, content, parameters=parameters)
        _accepted(answer, "errcode", "errmsg", self._url, self._secret)


class Feishu:
    """A custom bot of Feishu or Lark; with a secret, signed."""

    name = "feishu"

    def __init__(self, url: str, secret: str = "") -> None:
        self._url, self._secret = url, secret

    def send(self, message: Message) -> None:
        """Send plain text."""
        text = _CALL.sub("＜", fit((message.title, *message.lines), FEISHU_BYTES))
        content: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
        if self._secret:
            moment = str(int(time.time()))
            # The string is the key and nothing is signed: that is how they define it.
            sign = _digest(f"{moment}\n{self._secret}".encode(), b"")
            content |= {"timestamp": moment, "sign": sign}
        answer = post_json(self._url, content)
        code, reason = ("code", "msg") if "code" in answer else ("StatusCode", "StatusMessage")
        _accepted(answer, code, reason, self._url, self._secret)


class WeCom:
    """A group robot of WeCom; its key in the address is all that it asks for."""

    name = "wecom"

    def __init__(self, url: str) -> None:
        self._url = url

    def send(self, message: Message) -> None:
        """Send plain text; the limit counts bytes, of which a Chinese character has three."""
        text = fit((message.title, *message.lines), WECOM_BYTES)
        content = {"msgtype": "text", "text": {"content": text}}
        _accepted(post_json(self._url, content), "errcode", "errmsg", self._url)


def _digest(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


def _without(words: str, secret: str) -> str:
    """Words without a secret, whole or in part, in whatever case a server quotes it.

    Of what is plain words, such as the name of a parameter, only the whole is hidden.
    """
    if not secret:
        return words
    least = len(secret) if re.fullmatch(r"[a-z_.:-]+", secret) else min(6, len(secret))
    told, low, searched, at = [], words.lower(), secret.lower(), 0
    while at < len(words):
        length = least
        if low[at : at + length] in searched and at + length <= len(words):
            while at + length < len(words) and low[at : at + length + 1] in searched:
                length += 1
            told.append("***")
            at += length
        else:
            told.append(words[at])
            at += 1
    return "".join(told)


def _accepted(
    answer: Mapping[str, Any], code: str, reason: str, url: str, secret: str = ""
) -> None:
    """Only a code of 0 is an acceptance; an answer without any is none."""
    failed = str(answer.get("http", ""))
    if answer.get(code) == 0 and not failed:
        return
    words = " ".join(str(answer.get(reason, "")).split())
    for hidden in (secret, *re.findall(r"[^/=&?#]{8,}", url.partition("://")[2])):
        words = _without(words, hidden)
    found = answer.get(code, "is missing")
    told = f"refused: {code} {found} {words[:MOST_REASON]}".rstrip()
    raise ChannelError(f"{failed}, {told}" if failed else told)
