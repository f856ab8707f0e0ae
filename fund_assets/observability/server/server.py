"""Running the application on an address, as one process.

Belongs here: uvicorn's settings, and which addresses are allowed. Does not belong here: the
application.
"""

import ipaddress
import warnings

import uvicorn

from fund_assets.observability.server.app import make_app
from fund_assets.observability.server.connection_limits import BACKLOG, Places, bounded
from fund_assets.observability.server.status_cache import Gatherer, Snapshots
from fund_assets.settings import Settings, SettingsError


def make_server(settings: Settings, host: str, port: int) -> uvicorn.Server:
    """The server, not yet running; its `run()` answers until the process is told to end.

    Raises:
        SettingsError: the address is not loopback and no token is set.
    """
    token = settings.health_token.get_secret_value()
    if not token and not is_loopback(host):
        raise SettingsError(
            f"--host {host} can be reached from other machines: set FUND_HEALTH_TOKEN to a "
            "secret of 16 characters or more, or keep --host at 127.0.0.1 behind a proxy"
        )
    # Dagster announces in warnings what will replace its API.
    warnings.filterwarnings("ignore", module="dagster")
    app = make_app(Snapshots(Gatherer()), dagster_ui=settings.dagster_ui, token=token)
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http=bounded(Places()),
            backlog=BACKLOG,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            lifespan="off",
            timeout_graceful_shutdown=5,
        )
    )


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address; other names do not count."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
