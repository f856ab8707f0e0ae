"""A MariaDB server of the tests' own, and the one that is there already.

Belongs here: starting, stopping and killing a server. Does not belong here: databases on it
(`stores.py`).
"""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from fund_assets_tests.certificates import certificates

#: Where a server that is there already is looked for.
USUAL = "mysql://root@127.0.0.1:3306"
#: Nothing of a test outlives its machine: the disk may be lazy.
LAZY = (
    "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--debug-no-sync",
    "--innodb-file-per-table=0",
)  # fmt: skip
START_S = 60
#: As a company's administrators may have set it; the tests' certificates come on top.
STRICT = (
    "--require-secure-transport=ON",
    "--transaction-isolation=READ-COMMITTED",
    "--local-infile=OFF",
    "--max-allowed-packet=256K",
    "--innodb-force-primary-key=ON",
    "--sql-mode=TRADITIONAL,ANSI_QUOTES,ONLY_FULL_GROUP_BY,IGNORE_SPACE,HIGH_NOT_PRECEDENCE,"
    "NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_UNSIGNED_SUBTRACTION,SIMULTANEOUS_ASSIGNMENT",
)


class Server:
    """One server on a free port of 127.0.0.1, with its data in a temporary folder.

    Args:
        durable: commits are on the disk before they are answered, as in production.
        strict: with the settings of `STRICT`.
        options: further ones for `mariadbd`.

    Raises:
        RuntimeError: mariadb-server is not installed, or does not start.
    """

    def __init__(self, *options: str, durable: bool = False, strict: bool = False) -> None:
        if not shutil.which("mariadbd"):
            raise RuntimeError(
                "tests on MariaDB need a server: FUND_TEST_MYSQL_URL=mysql://user@host:port, "
                "or Debian's mariadb-server (apt-get install mariadb-server)"
            )
        self.folder = Path(tempfile.mkdtemp(prefix="fund-mariadb-"))
        self.options = (*(() if durable else LAZY), *options)
        if strict:
            certificates(self.folder)
            names = {"ca": "ca.pem", "cert": "server.pem", "key": "server.key"}
            files = (f"--ssl-{what}={self.folder / name}" for what, name in names.items())
            self.options = (*self.options, *files, *STRICT)
        self.port = _free_port()
        user = pwd.getpwuid(os.getuid()).pw_name
        made = subprocess.run(
            [
                "mariadb-install-db", "--no-defaults", f"--datadir={self.folder / 'data'}",
                "--auth-root-authentication-method=normal", "--skip-test-db", f"--user={user}",
            ],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode:
            raise RuntimeError(f"mariadb-install-db failed: {made.stderr}")
        self._user = user
        (self.folder / "temporary").mkdir()
        self.start()

    @property
    def url(self) -> str:
        """Of the server, without a database."""
        return f"mysql://root@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, also again after `kill`, and wait until it answers."""
        self._process = subprocess.Popen(
            [
                "mariadbd", "--no-defaults", f"--user={self._user}",
                f"--datadir={self.folder / 'data'}", f"--socket={self.folder / 'socket'}",
                f"--pid-file={self.folder / 'pid'}", f"--port={self.port}",
                # One that starts removes temporary tables of others from a shared folder.
                f"--tmpdir={self.folder / 'temporary'}",
                "--bind-address=127.0.0.1", "--skip-log-bin", "--max-connections=400",
                "--innodb-buffer-pool-size=256M", "--innodb-log-file-size=96M", *self.options,
            ],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("a"), preexec_fn=_end_with_parent,
        )  # fmt: skip
        deadline = time.monotonic() + START_S
        while not answers(self.url):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "log").read_text()[-2000:])
            time.sleep(0.05)

    def kill(self) -> None:
        """End it without warning."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    @property
    def has_ended(self) -> bool:
        """Whether it ended, by whatever cause."""
        return self._process.poll() is not None

    def rest(self) -> None:
        """End it in order; `start` goes on with its data."""
        self._process.terminate()
        self._process.wait()

    def stop(self) -> None:
        """End it and remove its data."""
        self.rest()
        shutil.rmtree(self.folder)


def answers(url: str) -> bool:
    """Whether a server answers there, to this user."""
    engine = sa.create_engine(
        sa.make_url(url).set(drivername="mysql+mysqlconnector"),
        poolclass=sa.NullPool,
        connect_args={"connection_timeout": 1},
    )
    try:
        with engine.connect():
            return True
    except sa.exc.DBAPIError:
        return False


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _end_with_parent() -> None:
    """Linux ends the server when the tests are killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
