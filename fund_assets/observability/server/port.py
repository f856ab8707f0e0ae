"""Whether an address can be listened on, asked before anything else is begun.

Belongs here: the question, for `fund-assets serve` and `make dev`. Does not belong here: the
servers.
"""

import socket
import sys

from fund_assets.settings import SettingsError


def refuse_busy(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on.

    Raises:
        SettingsError: another program has the port, or the machine has no such address.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host} port {port}: {error.strerror}: choose another port or "
            "stop the program that uses it"
        ) from error


if __name__ == "__main__":
    try:
        refuse_busy(sys.argv[1], int(sys.argv[2]))
    except SettingsError as error:
        sys.exit(f"Error: {error}")
