"""Requests that no client should send, from a seeded source of chance.

Belongs here: making them. Does not belong here: what is expected of the answers.
"""

import random

PATHS = (b"/", b"/health", b"/metrics", b"/readyz", b"/livez", b"/metrics.json")
METHODS = (b"HEAD", b"POST", b"PUT", b"TRACE", b"OPTIONS", b"G\xcbT", b"")
HEADERS = (
    b"Accept", b"Accept", b"Host", b"Authorization", b"Content-Length", b"Transfer-Encoding",
    b"Connection", b"Upgrade", b"Expect", b"Range", b"Cookie", b"Content-Type", b"X-\x00",
)  # fmt: skip
VALUES = (
    b"-1", b"99999999999999999999", b"chunked", b"websocket", b"Basic x:", b"," * 500,
    b"a" * 9_000, b"application/openmetrics-text; version=1x", b"text/plain; version=1..2",
    b"application/openmetrics-text; version=9.9", b"text/plain; version=v", b"text/plain; ;=;",
    b"application/json;q=x, */*", b"bytes=-1,0-,9-1", b"100-continue",
)  # fmt: skip
ODD = b"%./\\;:@!$&'()*+,=~0123456789abcdefABCDEF"


def malformed(dice: random.Random) -> bytes:
    """One request with a strange header value and, now and then, other strange parts."""
    noise = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 60)))
    path = dice.choice(PATHS)
    paths = (
        path + b"?" + noise.translate(None, b"\r\n "),
        b"/" + bytes(dice.choices(ODD, k=40)),
        b"/%" + noise[:2].hex().encode() + b"/../../etc/passwd",
        b"/" + b"a" * dice.randrange(1, 9_000),
        path + b"/%00%ff%c0%ae",
        b"http://evil.example" + path,
    )
    hosts = (
        b"",
        b"Host: \xff\r\n",
        b"Host: a\r\nHost: 127.0.0.1\r\n",
        b"Host: evil.example\r\n",
    )
    endings = (b"", noise, b"ffffffffffffffff\r\n", b"GET /health HTTP/1.1\r\n")
    printable = bytes(32 + byte % 95 for byte in noise)

    def mostly(usual: bytes, strange: tuple[bytes, ...]) -> bytes:
        """Mostly the usual, so that a request gets far enough to do harm."""
        return usual if dice.random() < 0.8 else dice.choice(strange)

    return b"".join(
        (
            mostly(b"GET", (*METHODS, noise[:5])),
            b" ",
            mostly(path, paths),
            mostly(b" HTTP/1.1", (b" HTTP/1.0", b" HTTP/9.9", b"", b" " + noise[:6])),
            mostly(b"\r\n", (b"\n", b"\r", b"")),
            mostly(b"Host: 127.0.0.1\r\n", hosts),
            dice.choice(HEADERS) + b": " + dice.choice((*VALUES, noise, printable)) + b"\r\n",
            mostly(b"\r\n", endings),
            mostly(b"", endings),
        )
    )
