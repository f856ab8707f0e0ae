"""What a channel is, and how a message gets to an address over HTTP.

Belongs here: the protocol, the error, and one request whose failure tells no secret. Does not
belong here: any service.

The tokens of robots stand in their addresses, and the errors of HTTP libraries quote
addresses: none of their words leave this module.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any, Protocol

import requests
import urllib3

from fund_assets.errors import FundAssetsError
from fund_assets.observability.alerts.messages import Message
from fund_assets.safe_text import plain
from fund_assets.transport.deadline import DeadlineAdapter, DeadlineTimer

#: To connect, between two pieces of an answer, and for all of it.
CONNECT_S, READ_S, DEADLINE_S = 5.0, 10.0, 15.0
MOST_ANSWER = 64 * 1024


class ChannelError(FundAssetsError, RuntimeError):
    """A message was not accepted; the words carry neither address nor secret.

    Attributes:
        answer: the body of a refusal, as the service sent it; not for people's eyes.
    """

    def __init__(self, words: str, answer: bytes = b"") -> None:
        super().__init__(plain(words))
        self.answer = answer


class Channel(Protocol):
    """One way of sending."""

    @property
    def name(self) -> str:
        """Its name in settings, tables and commands."""
        ...

    def send(self, message: Message) -> None:
        """Hand a message over.

        Raises:
            ChannelError: it was not accepted.
        """
        ...


def hide_addresses() -> None:
    """Keep addresses out of the logs: they stand in the debug lines of urllib3."""
    logging.getLogger("urllib3.connectionpool").setLevel(logging.WARNING)


def ask(
    url: str,
    body: bytes | None = None,
    *,
    parameters: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """POST JSON, or GET without a body, and give the answer of a success status.

    Raises:
        ChannelError: no answer, another status, or a redirect: it is not followed, it would
            carry the message to an address that nobody set.
    """
    hide_addresses()
    try:
        with DeadlineTimer(DEADLINE_S) as timer, requests.Session() as session:
            adapter = DeadlineAdapter()
            adapter.end_with(timer)
            for scheme in ("https://", "http://"):
                session.mount(scheme, adapter)
            with session.request(
                "GET" if body is None else "POST",
                url,
                data=body,
                params=parameters,
                headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
                stream=True,
            ) as answer:
                found = bytes(answer.raw.read(MOST_ANSWER, decode_content=True))
                if not 200 <= answer.status_code < 300:
                    raise ChannelError(f"HTTP status {answer.status_code}", found)
                return found
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise ChannelError(f"no answer: {type(error).__name__}") from None


def post_json(url: str, content: Mapping[str, Any], **options: Any) -> Mapping[str, Any]:
    """POST and give the answer, which must be a JSON object.

    One that refuses with a status of failure may say why in its answer: that is given, with
    the status in words as its `http`.
    """
    try:
        found = _object(ask(url, as_bytes(content), **options))
    except ChannelError as error:
        found = _object(error.answer)
        if not found:
            raise
        found["http"] = str(error)
    if found is None:
        raise ChannelError("the answer is not a JSON object: check the address")
    return found


def _object(answer: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(answer)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def as_bytes(content: Mapping[str, Any]) -> bytes:
    """JSON as it is sent and signed."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def fit(lines: tuple[str, ...], limit: int) -> str:
    """The lines that fit into so many bytes of UTF-8; says how many do not."""
    text = "\n".join(lines)
    if len(text.encode()) <= limit:
        return text
    kept: list[str] = []
    room = limit - len(f"\n…另有 {len(lines)} 行".encode())
    for line in lines:
        room -= len(line.encode()) + 1
        if room < 0:
            break
        kept.append(line)
    if not kept:  # one line that is longer than everything
        return lines[0].encode()[: max(limit - 3, 0)].decode(errors="ignore") + "…"
    return "\n".join([*kept, f"…另有 {len(lines) - len(kept)} 行"])
