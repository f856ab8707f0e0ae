"""Who is let in, and what every answer bears: an ASGI wrapper around the application.

Belongs here: the token, the names a loopback server answers to, the safety headers. Does not
belong here: any answer's content.

A browser cannot send a bearer token by itself, so the token is taken as the password of
HTTP Basic too, with any user name. Without a token, only the names of the loopback address
are answered: a page of another site may not reach it by a name of its own (DNS rebinding).
"""

import base64
import binascii
import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

OPEN_PATH = "/livez"
LOOPBACK_NAMES = {"127.0.0.1", "localhost", "[::1]"}
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Lets in who may come, and puts the headers on every answer.

    Args:
        token: what callers must show; empty for none.
        policy: the Content-Security-Policy of every answer.
    """

    def __init__(self, app: ASGIApp, *, token: str, policy: str) -> None:
        self._app = app
        self._token = token.encode("ascii")
        self._headers = {**HEADERS, "Content-Security-Policy": policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def bearing(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, bearing)

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        if scope["path"] == OPEN_PATH:
            return None
        headers = Headers(scope=scope)
        if not self._token:
            name = headers.get("host", "").lower()
            name = name if name.endswith("]") else name.rpartition(":")[0] or name
            known = name in LOOPBACK_NAMES
            return None if known else JSONResponse({"error": "wrong_host"}, 421)
        shown = _shown(headers.get("authorization", ""))
        if hmac.compare_digest(shown, self._token):
            return None
        asks = {"WWW-Authenticate": 'Bearer, Basic realm="fund-assets", charset="UTF-8"'}
        return JSONResponse({"error": "unauthorized"}, 401, asks)


def _shown(header: str) -> bytes:
    """The token of an Authorization header; empty when there is none."""
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return value.encode("latin-1")
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).partition(b":")[2]
        except (binascii.Error, ValueError):
            return b""
    return b""
