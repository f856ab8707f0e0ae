"""What a server's answer must be to count as one: its status, its body, its size, its form.

Belongs here: the answer itself, and refusing what is none, with a typed error that says what
was met and what to do. Does not belong here: making the request, and trying again
(`gateway.py`), a connection that breaks (`connection_faults.py`), what the bytes mean
(`sources/eastmoney/`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

import requests

from fund_assets.transport.content_encoding import ContentDecoder, ContentDecodingError
from fund_assets.transport.errors import (
    BannedError,
    EmptyAnswerError,
    StatusError,
    TooLargeError,
    TransportError,
)
from fund_assets.transport.redirects import RedirectError, target

#: Statuses with which a server answers: there is no such page.
GONE = (404, 410)
#: Statuses with which a server says that it is asked too fast; 514 is that of a CDN.
TOO_FAST = (429, 514)
_REDIRECTS = (301, 302, 303, 307, 308)
#: An address that has moved for good is asked there; one that leads elsewhere for now leads to
#: a page for people: a login, a riddle, a ban.
_MOVED = (301, 308)
_CHUNK = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """A whole answer with a success status.

    Attributes:
        endpoint: the short stable name that the caller gave.
        body: the bytes, content encoding removed.
        sha256: of `body`, in hex; its name in the raw archive.
    """

    endpoint: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    sha256: str


def moved_to(response: requests.Response, what: str) -> str | None:
    """Where on the same host a page has moved for good; None: it is no redirect.

    Raises:
        BannedError: it leads elsewhere, or for now.
        TransportError: it leads to no address.
    """
    location = response.headers.get("Location")
    if response.status_code not in _REDIRECTS or location is None:
        return None
    response.close()
    try:
        url, elsewhere = target(response.url, location)
    except RedirectError as error:
        raise TransportError(f"{what}: {error}; try again later") from error
    if elsewhere or response.status_code not in _MOVED:
        raise BannedError(
            f"{what}: redirected to {elsewhere or urlsplit(url).path}, which is not "
            "followed: probably a login or ban page; wait some hours and lower "
            "FUND_REQUESTS_PER_SECOND"
        )
    return url


def check_status(response: requests.Response, what: str) -> None:
    """Refuse any status but 200, with advice."""
    status = response.status_code
    if status == HTTPStatus.OK.value:
        return
    advice = {
        403: "access refused: wait some hours and lower FUND_REQUESTS_PER_SECOND",
        404: "page not found",
        407: "the proxy requires a login: check HTTPS_PROXY",
        429: "too many requests: lower FUND_REQUESTS_PER_SECOND",
        514: "too many requests, says its CDN: lower FUND_REQUESTS_PER_SECOND",
    }.get(status, "server error: try again later" if status >= 500 else "request refused")
    asked = response.headers.get("Retry-After", "")
    pause = float(asked) if re.fullmatch(r"[0-9]{1,6}", asked) else 0.0
    raise StatusError(f"{what}: status {status}, {advice}", status, pause)


def read_body(response: requests.Response, what: str, size: int) -> bytes:
    """The body without its content encoding, `size` bytes of it at the most."""
    body, came = bytearray(), 0
    try:
        decoder = ContentDecoder(response.headers.get("Content-Encoding", "identity").lower())
        for chunk in response.raw.stream(_CHUNK, decode_content=False):
            came += len(chunk)
            body += decoder.feed(chunk, size - len(body) + 1)
            if max(len(body), came) > size:
                raise TooLargeError(
                    f"{what}: the answer is larger than {size:,} bytes; raise "
                    "FUND_RESPONSE_LIMIT_MB if that size is correct"
                )
        decoder.end()
    except ContentDecodingError as error:
        raise TransportError(f"{what}: {error}") from error
    return bytes(body)


def check_form(answer: Answer, what: str, form: str) -> None:
    """Refuse an empty answer, and a page or words where data should stand.

    Args:
        form: `js`, `script` of `var x=…`, or `html`.
    """
    if not answer.body:
        raise EmptyAnswerError(f"{what}: the answer is empty; try again later")
    if form != "html" and answer.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise banned(what, answer.body)
    if form == "script" and b"var " not in answer.body:
        try:
            said = answer.body.decode()
        except UnicodeDecodeError:
            return  # damaged: its decoder tells how
        raise BannedError(
            f"{what}: received the text {said[:80]!r} instead of data, probably a ban; wait "
            "some hours and lower FUND_REQUESTS_PER_SECOND"
        )


def banned(what: str, page: bytes) -> BannedError:
    """The error for a page that stands where data should, quoting the page's title."""
    text = page.decode("utf-8", "replace")
    title = re.search(r"<title[^>]*>([^<]{0,80})", text, re.IGNORECASE)
    said = f" titled {title[1].strip()!r}" if title else ""
    return BannedError(
        f"{what}: received a web page{said} instead of data, probably a captcha, login or ban "
        "page; wait some hours and lower FUND_REQUESTS_PER_SECOND"
    )
