"""Dagster's web server as `make dev` starts it: it answers its own names and pages alone.

Belongs here: which Host a request may name, from whose pages it may come, and starting
`dagster dev` with this server. Does not belong here: what the UI shows; servers for others,
which stand behind nginx (deploy/nginx, which refuses the same).

Whoever can run code in the UI's origin can start runs. A foreign page can point a name of its
own at 127.0.0.1 and then ask this server from the browser: such a request names that page as
its Host. And whatever page is open in the browser can ask http://localhost: Dagster runs
mutations that come by GET, and there is no login here that could be missing.

    python -m fund_assets.instance.webserver dev -h 127.0.0.1 -p 3000
"""

import re
import sys
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

MODULE = "fund_assets.instance.webserver"
OWN_NAMES = ("127.0.0.1", "localhost")
OTHER_NAME = (
    "This server answers http://127.0.0.1 and http://localhost alone. To serve other names, "
    "put nginx before it: docs/deployment.md.\n"
)
OTHER_PAGE = (
    "This request comes from a page of another site, or asks GraphQL by GET, and could change "
    "something. Open http://localhost and this port in a new tab; programs send POST.\n"
)
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class OwnPages:
    """Refuses requests, and closes sockets, that name another Host or come from elsewhere.

    421 for the one, 403 for the other. What a browser says of where a request comes from is
    believed; programs say nothing, and are let in.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application, or the refusal."""
        status, words = (0, "") if scope["type"] == "lifespan" else _refusal(scope)
        if not status:
            await self.app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            head = [(b"content-type", b"text/plain; charset=utf-8")]
            await send({"type": "http.response.start", "status": status, "headers": head})
            await send({"type": "http.response.body", "body": words.encode()})


def _refusal(scope: Scope) -> tuple[int, str]:
    """Status and words; no status: it may come in."""
    heads: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        heads.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    hosts = heads.get("host", [])
    if len(hosts) != 1 or hosts[0].lower().rsplit(":", 1)[0] not in OWN_NAMES:
        return 421, OTHER_NAME
    origin = {value.lower() for value in heads.get("origin", [])} - {
        f"http://{hosts[0]}".lower()
    }
    site, mode, dest = (
        heads.get(f"sec-fetch-{name}", [""])[-1] for name in ("site", "mode", "dest")
    )
    by_get = scope.get("method") in ("GET", "HEAD")
    link = by_get and (mode, dest) == ("navigate", "document")
    foreign = site not in ("", "none", "same-origin") and not link
    # A path is matched with a line's end behind it, and redirected with a slash.
    question = by_get and scope["query_string"] and re.search("graphql", scope["path"], re.I)
    return (403, OTHER_PAGE) if origin or foreign or question else (0, "")


def serve() -> None:
    """Dagster's web server with its own command line, guarded."""
    from dagster_webserver.cli import main
    from dagster_webserver.webserver import DagsterWebserver
    from starlette.middleware import Middleware

    others = DagsterWebserver.build_middleware
    # Dagster has no other place for it.
    DagsterWebserver.build_middleware = lambda self: [  # type: ignore[method-assign]
        Middleware(OwnPages), *others(self)
    ]  # fmt: skip
    main()  # type: ignore[no-untyped-call]  # Dagster wrote no types there


def develop(arguments: Sequence[str]) -> None:
    """`dagster dev`, its web server this one."""
    from fund_assets.instance.dagster_private import dev

    start = dev.open_ipc_subprocess  # type: ignore[attr-defined]  # imported there, not told

    def start_ours(parts: Sequence[str], **options: Any) -> Any:
        return start(
            [MODULE if part == "dagster_webserver" else part for part in parts], **options
        )

    dev.open_ipc_subprocess = start_ours  # type: ignore[attr-defined]
    dev.dev_command(list(arguments), prog_name="dagster dev")


if __name__ == "__main__":
    if sys.argv[1:2] == ["dev"]:
        develop(sys.argv[2:])
    else:
        serve()
