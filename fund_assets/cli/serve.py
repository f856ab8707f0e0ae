"""The command that answers monitors and browsers: `serve`.

Belongs here: options and the line that tells where it listens. Does not belong here: the
server (`observability/server/`).
"""

import logging
import sys

import click

from fund_assets.language import say, speaking

#: The thread that reads the facts gives way to requests this soon; Python's own is 5 ms.
SWITCH_S = 0.0005


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=5000, show_default=True, type=click.IntRange(0, 65535), help="Port."
)
def serve(host: str, port: int) -> None:
    """Serve the status page, /health and /metrics over HTTP.

    Any address but loopback needs FUND_HEALTH_TOKEN. The paths: docs/health.md.
    """
    from fund_assets.cli._context import quiet
    from fund_assets.logs import DailyFile, Lines
    from fund_assets.observability.server.port import refuse_busy
    from fund_assets.settings import load_settings

    settings = load_settings()
    shown = logging.StreamHandler()
    shown.setFormatter(Lines(as_json=settings.log_format == "json"))
    logging.basicConfig(handlers=[shown, DailyFile("health")])
    for name in ("uvicorn", "fund_assets"):
        logging.getLogger(name).setLevel(logging.INFO)
    with quiet():
        from fund_assets.observability.server.server import make_server

        server = make_server(settings, host, port)
        refuse_busy(host, port)
        name = f"[{host}]" if ":" in host else host
        sys.setswitchinterval(SWITCH_S)
        words = say(
            "status page: http://{host}:{port}/  (Ctrl-C stops it)", host=name, port=port
        )
        click.echo(words, err=True)
        with speaking("zh"):  # as its pages do
            server.run()
