"""Dagster's web server as `make dev` starts it: it answers its own names alone.

Belongs here: which Host a request may name, and starting `dagster dev` with this server. Does
not belong here: what the UI shows; servers for others, which stand behind nginx (deploy/nginx).

Whoever can run code in the UI's origin can start runs. A foreign page can point a name of its
own at 127.0.0.1 and then ask this server from the browser: such a request names that page as
its Host.

    python -m fund_assets.webserver dev -h 127.0.0.1 -p 3000
"""

import sys
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

MODULE = "fund_assets.webserver"
OWN_NAMES = ("127.0.0.1", "localhost")
REFUSAL = (
    "This server answers http://127.0.0.1 and http://localhost alone. To serve other names, "
    "put nginx before it: docs/deployment.md.\n"
)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class OwnNames:
    """Answers 421 to requests, and closes sockets, that name another Host."""

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application, or the refusal."""
        if scope["type"] == "lifespan" or _host(scope) in OWN_NAMES:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            head = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": 421, "headers": head})
            await send({"type": "http.response.body", "body": REFUSAL.encode()})


def _host(scope: Scope) -> str:
    named = [value for name, value in scope["headers"] if name == b"host"]
    if len(named) != 1:
        return ""
    return str(named[0].decode("latin-1")).lower().rsplit(":", 1)[0]


def serve() -> None:
    """Dagster's web server with its own command line, guarded."""
    from dagster_webserver.cli import main
    from dagster_webserver.webserver import DagsterWebserver
    from starlette.middleware import Middleware

    others = DagsterWebserver.build_middleware
    DagsterWebserver.build_middleware = lambda self: [  # type: ignore[method-assign]
        Middleware(OwnNames), *others(self)
    ]  # fmt: skip
    main()


def develop(arguments: Sequence[str]) -> None:
    """`dagster dev`, its web server this one."""
    from dagster._cli import dev

    start = dev.open_ipc_subprocess

    def start_ours(parts: Sequence[str], **options: Any) -> Any:
        return start(
            [MODULE if part == "dagster_webserver" else part for part in parts], **options
        )

    dev.open_ipc_subprocess = start_ours  # type: ignore[assignment]
    dev.dev_command(list(arguments), prog_name="dagster dev")


if __name__ == "__main__":
    if sys.argv[1:2] == ["dev"]:
        develop(sys.argv[2:])
    else:
        serve()
