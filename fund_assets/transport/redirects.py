r"""Where a redirect leads, judged by the parser that connects.

Belongs here: telling whether a redirect stays at the scheme, host and port that were asked.
Does not belong here: following it (`gateway.py`, `http_answer.py`).

Two parsers read `https://fund.eastmoney.com\@other.example/` as two hosts. What is judged here
is therefore the address as requests prepares it and urllib3 connects to it, and nothing that
needs interpretation is an address at all.
"""

import re
from urllib.parse import urljoin

import requests
from urllib3.util import Url, parse_url

#: No space, control character, backslash, quote or anything beyond ASCII.
_PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]+")
_LONGEST = 2_000


class RedirectError(ValueError):
    """The redirect is not an address; the message quotes it."""


def target(asked: str, location: str) -> tuple[str, str]:
    """Where a redirect leads.

    Returns:
        The address, and an empty text; or an empty address, and the other place in words.

    Raises:
        RedirectError: it is not an address.
    """
    if not _PLAIN.fullmatch(location) or len(location) > _LONGEST:
        raise RedirectError(f"redirected to {location[:80]!r}, which is not an address")
    try:
        url = requests.Request("GET", urljoin(asked, location)).prepare().url or ""
        there, here = parse_url(url), parse_url(asked)
    except (ValueError, requests.RequestException, OSError) as error:
        raise RedirectError(
            f"redirected to {location[:80]!r}, which is not an address"
        ) from error
    if there.auth is None and _place(there) == _place(here):
        return url, ""
    other = f"{there.scheme}://{there.netloc}" if there.host == here.host else str(there.host)
    return "", other


def _place(url: Url) -> tuple[str | None, str | None, int | None]:
    port = url.port or {"https": 443, "http": 80}.get(url.scheme or "")
    return url.scheme, url.host, port
