"""The web application: its paths, and which answer each gives.

Belongs here: paths, status codes and formats. Does not belong here: what the answers say
(`verdict.py`, `exposition.py`, `page.py`), who is let in (`access.py`).

Errors are codes; what happened stands in the log alone. Endpoints are `async` and wait for
nothing but the facts: Starlette's threads, which a hanging database could fill, are not used.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from fund_assets.observability.server import exposition, verdict
from fund_assets.observability.server.access import Guard
from fund_assets.observability.server.page import Page
from fund_assets.observability.server.status_cache import Snapshots, Unavailable
from fund_assets.settings import SHANGHAI

HEALTH_TYPE = "application/health+json"
CODES = {404: "not_found", 405: "method_not_allowed"}


def make_app(snapshots: Snapshots, *, dagster_ui: str, token: str = "") -> ASGIApp:
    """The application over one source of facts.

    Args:
        dagster_ui: address that the status page links to.
        token: what callers must show for everything but /livez; empty for nothing.
    """
    endpoints = _Endpoints(snapshots, Page(dagster_ui))
    routes = [
        Route("/", endpoints.page),
        Route("/livez", endpoints.livez),
        Route("/readyz", endpoints.readyz),
        Route("/health", endpoints.health),
        Route("/metrics", endpoints.metrics),
        Route("/metrics.json", endpoints.metrics_json),
    ]
    handlers: Mapping[Any, Any] = {HTTPException: _refused, Exception: _broken}
    app = Starlette(routes=routes, exception_handlers=handlers)
    app.router.redirect_slashes = False
    return Guard(app, token=token, policy=endpoints.pages.policy)


class _Endpoints:
    def __init__(self, snapshots: Snapshots, pages: Page) -> None:
        self.snapshots, self.pages = snapshots, pages

    async def livez(self, _request: Request) -> Response:
        """The process answers; nothing else is looked at."""
        return PlainTextResponse("ok\n")

    async def readyz(self, _request: Request) -> Response:
        """Warehouse and Dagster's state can be read."""
        try:
            await self.snapshots.get()
        except Unavailable as unavailable:
            return JSONResponse({"ready": False, "error": unavailable.code}, 503)
        return JSONResponse({"ready": True})

    async def health(self, request: Request) -> Response:
        """The verdict with its checks."""
        try:
            answer = verdict.health(await self.snapshots.get())
        except Unavailable as unavailable:
            answer = verdict.unavailable(unavailable.code, datetime.now(SHANGHAI))
        wanted = HEALTH_TYPE in _accepted(request)
        media_type = HEALTH_TYPE if wanted else "application/json"
        return JSONResponse(answer, verdict.http_status(answer), media_type=media_type)

    async def metrics(self, request: Request) -> Response:
        """Prometheus text, or the short JSON for those who ask for JSON."""
        if _accepted(request)[:1] == ["application/json"]:
            return await self.metrics_json(request)
        try:
            status = await self.snapshots.get()
        except Unavailable:
            status = None  # told as fund_up 0: a scrape that fails would hide the reason
        try:
            body, content_type = exposition.encode(status, request.headers.get("accept", ""))
        except ValueError:
            return JSONResponse({"error": "not_acceptable"}, 406)
        return Response(body, headers={"Content-Type": content_type})

    async def metrics_json(self, _request: Request) -> Response:
        """The short JSON of the first plan."""
        try:
            return JSONResponse(exposition.short(await self.snapshots.get()))
        except Unavailable as unavailable:
            return JSONResponse({"error": unavailable.code}, 503)

    async def page(self, _request: Request) -> Response:
        """The status page for people."""
        try:
            status = await self.snapshots.get()
        except Unavailable as unavailable:
            now = datetime.now(SHANGHAI)
            return HTMLResponse(self.pages.unavailable(unavailable.code, now), 503)
        return HTMLResponse(self.pages.render(status))


def _accepted(request: Request) -> list[str]:
    """The media types of the Accept header, in its order."""
    parts = request.headers.get("accept", "").split(",")
    return [part.split(";")[0].strip().lower() for part in parts]


async def _refused(_request: Request, error: HTTPException) -> Response:
    code = CODES.get(error.status_code, "refused")
    return JSONResponse({"error": code}, error.status_code, error.headers)


async def _broken(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"error": "internal_error"}, 500)
