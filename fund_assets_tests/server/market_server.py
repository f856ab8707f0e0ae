"""The server: an HTTP proxy that ends TLS itself and answers from a content object.

Clients reach it through the environment alone (`MarketServer.env`), so akshare, our gateway
and any child process talk to it unchanged. A host that it does not know gets 502 and is
noted, so no test reaches the internet. Certificates are made when it starts.
"""

import contextlib
import gzip
import ipaddress
import os
import re
import socket
import ssl
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from threading import Event, Lock, Thread
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fund_assets_tests.server.content import HOST, Content, Reply, endpoint_of
from fund_assets_tests.server.index_closes import HOSTS

KNOWN_HOSTS = (
    HOST, *HOSTS, "api.fund.eastmoney.com", "fundf10.eastmoney.com", "www.cnindex.com.cn",
)  # fmt: skip
CAPTCHA = (
    "<!DOCTYPE html><html><head><title>访问验证</title></head><body>请输入验证码</body></html>"
).encode()
LOGIN_URL = "https://passport.eastmoney.com/login"


@dataclass
class Fault:
    """How an endpoint misbehaves.

    Attributes:
        kind: status, hang, reset, close (without an answer), truncate (less than Content-Length says), cut (half, with
            the right length), garbage, captcha, empty, drip_header, drip_body, drip_endless
            (a body without length), hang_up (well, and the connection is closed unannounced),
            gzip (well, but compressed), gzip_garbage, gzip_cut,
            gzip_bomb, redirect, wrong_fund, no_points (a history without a date), huge.
        status: for `status`.
        times: how many requests it hits; the later ones are well.
        retry_after: seconds, for `status`.
        raw: for `raw`: what is written in place of an answer.
    """

    kind: str
    status: int = 503
    times: int = 1_000_000
    retry_after: int | None = None
    raw: bytes = b""


class MarketServer:
    """A market on 127.0.0.1, for `with`; `faults` maps an endpoint to its fault.

    The fault of one fund's history stands under `history/<code>`, that of everything under
    `*`.

    Attributes:
        requests: (endpoint, fund code, path with query, User-Agent) of every request served.
        refused: hosts that were asked for and are not there.
        connections: how many were made.
    """

    def __init__(self, content: Content) -> None:
        self.content = content
        self.faults: dict[str, Fault] = {}
        self.requests: list[tuple[str, str, str, str]] = []
        self.refused: list[str] = []
        self.connections = 0
        self.stopped = Event()
        self.lock = Lock()
        self._folder = tempfile.TemporaryDirectory(prefix="market-")
        self.tls = self._make_tls(Path(self._folder.name))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.market = self  # type: ignore[attr-defined]
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def env(self) -> dict[str, str]:
        """The environment in which a process reaches this market and nothing else."""
        proxy = f"http://127.0.0.1:{self._server.server_address[1]}"
        names = ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy")
        return {
            **dict.fromkeys(names, proxy),
            "REQUESTS_CA_BUNDLE": str(Path(self._folder.name) / "ca.pem"),
            "NO_PROXY": "localhost,127.0.0.1",
            "no_proxy": "localhost,127.0.0.1",
        }

    def start(self) -> "MarketServer":
        """Serve until `stop`."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End at once, waking requests that hang."""
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._folder.cleanup()

    def __enter__(self) -> "MarketServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @contextlib.contextmanager
    def as_environment(self) -> Iterator["MarketServer"]:
        """This process's own environment, for a while."""
        before = dict(os.environ)
        os.environ.pop("CURL_CA_BUNDLE", None)
        os.environ.update(self.env)
        try:
            yield self
        finally:
            os.environ.clear()
            os.environ.update(before)

    def reset(self) -> None:
        """Forget faults and requests, for the next test."""
        self.faults.clear()
        self.requests.clear()
        self.refused.clear()
        self.connections = 0

    def count(self, endpoint: str) -> int:
        """How many requests an endpoint got."""
        return sum(1 for name, *_ in self.requests if name == endpoint)

    def fault_for(self, endpoint: str, fund_code: str = "") -> Fault | None:
        """The fault that hits this request, counting it."""
        with self.lock:
            one = self.faults.get(f"{endpoint}/{fund_code}")
            fault = one or self.faults.get(endpoint) or self.faults.get("*")
            if fault is None or fault.times <= 0:
                return None
            fault.times -= 1
            return fault

    @staticmethod
    def _make_tls(folder: Path) -> ssl.SSLContext:
        authority, leaf, key = _certificates()
        (folder / "ca.pem").write_bytes(authority)
        (folder / "leaf.pem").write_bytes(leaf + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "leaf.pem")
        return context


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    host = ""

    @property
    def market(self) -> MarketServer:
        return self.server.market  # type: ignore[attr-defined]

    def log_message(self, format: str, *args: object) -> None:
        """Requests are counted, not printed."""

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError, TimeoutError):
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError, ValueError):
            super().finish()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.close()

    def do_CONNECT(self) -> None:
        host = self.path.partition(":")[0]
        if host not in KNOWN_HOSTS:
            self._refuse(host)
            return
        with self.market.lock:
            self.market.connections += 1
        self.wfile.write(b"HTTP/1.1 200 Connection Established\r\n\r\n")
        self.connection = self.market.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)
        self.host = host
        self.close_connection = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind = self.headers.get("Content-Type") or ""
        self._answer(body.decode() if "form-urlencoded" in kind else "")

    def do_GET(self) -> None:
        self._answer("")

    def _answer(self, form: str) -> None:
        if self.market.stopped.is_set():
            self._reset()
            return
        url = urlsplit(self.path)
        host = self.host or url.hostname or ""
        if host not in KNOWN_HOSTS:
            self._refuse(host)
            return
        endpoint, fund_code = endpoint_of(host, url.path, url.query, form)
        path = f"{url.path}?{url.query}" if url.query else url.path
        agent = self.headers.get("User-Agent", "")
        self.market.requests.append((endpoint, fund_code, path, agent))
        fault = self.market.fault_for(endpoint, fund_code)
        if fault and fault.kind == "wrong_fund":
            reply = self._other_history(fund_code)
        else:
            reply = self.market.content.reply(endpoint, fund_code) if endpoint else None
        if reply is None and fault is not None and fault is self.market.faults.get("*"):
            reply = Reply(b"var nothing;")  # a shut door shows nobody what is behind it
        if reply is None:
            self._send(404, CAPTCHA.replace("访问验证".encode(), b"404"), "text/html")
        elif fault:
            self._misbehave(fault, reply)
        else:
            self._send(200, reply.body, reply.content_type)

    def _other_history(self, fund_code: str) -> Reply | None:
        reply = self.market.content.reply("history", fund_code)
        other = b"999999" if fund_code != "999999" else b"000001"
        return reply and Reply(
            reply.body.replace(f'fS_code = "{fund_code}"'.encode(), b'fS_code = "%s"' % other)
        )

    def _refuse(self, host: str) -> None:
        self.market.refused.append(host)
        self._send(502, b"unknown host", "text/plain")

    def _send(self, status: int, body: bytes, content_type: str, **headers: str) -> None:
        self._head(
            status, {"Content-Type": content_type, "Content-Length": len(body), **headers}
        )
        self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, object]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()

    def _misbehave(self, fault: Fault, reply: Reply) -> None:
        body, kind = reply.body, reply.content_type
        match fault.kind:
            case "status":
                after = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
                self._send(fault.status, CAPTCHA, "text/html", **after)
            case "hang":
                self.market.stopped.wait(60)
                self.close_connection = True
            case "reset":
                self._reset()
            case "close":
                self.close_connection = True
            case "truncate":
                self._head(200, {"Content-Type": kind, "Content-Length": len(body)})
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            case "cut":
                self._send(200, body[: len(body) // 2], kind)
            case "garbage":
                self._send(200, bytes(range(128, 256)) * 40, kind)
            case "captcha":
                self._send(200, CAPTCHA, "text/html; charset=utf-8")
            case "empty":
                self._send(200, b"", kind)
            case "drip_header":
                self._drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"." * 10_000)
            case "drip_body":
                self._head(200, {"Content-Type": kind, "Content-Length": len(body)})
                self._drip(body)
            case "drip_endless":
                self._head(200, {"Content-Type": kind, "Connection": "close"})
                self._drip(body)
            case "hang_up":
                self._send(200, body, kind, **{"Set-Cookie": "visitor=1; Path=/"})
                self.close_connection = True
            case "gzip_garbage":
                packed = gzip.compress(body)[:10] + b"\xffgarbage" * 9
                self._send(200, packed, kind, **{"Content-Encoding": "gzip"})
            case "gzip_cut":
                packed = gzip.compress(body)
                self._send(200, packed[:-60], kind, **{"Content-Encoding": "gzip"})
            case "gzip":
                self._send(200, gzip.compress(body), kind, **{"Content-Encoding": "gzip"})
            case "gzip_bomb":
                packed = gzip.compress(bytes(4 * 2**20))
                self._send(200, packed, kind, **{"Content-Encoding": "gzip"})
            case "redirect":
                self._send(302, b"", "text/html", Location=LOGIN_URL)
            case "wrong_fund":
                self._send(200, body, kind)
            case "raw":
                self.wfile.write(fault.raw)
                self.close_connection = True
            case "no_points":
                self._send(200, re.sub(rb"(var Data_\w+ = )\[.*?\];", rb"\1[];", body), kind)
            case "huge":
                self._send(200, body + b" " * (4 * 2**20), kind)
            case other:
                raise ValueError(f"there is no fault {other!r}")

    def _reset(self) -> None:
        now = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, now)
        self.close_connection = True
        os.close(os.dup(self.connection.fileno()))
        self.rfile.close()
        self.wfile.close()
        self.connection.close()
        self.wfile = BytesIO()  # the base class flushes once more

    def _drip(self, body: bytes) -> None:
        self.close_connection = True
        for at in range(len(body)):
            self.wfile.write(body[at : at + 1])
            if self.market.stopped.wait(0.02):
                return


@lru_cache(maxsize=1)
def _certificates() -> tuple[bytes, bytes, bytes]:
    """PEM of a throw-away authority, of a leaf for all known hosts, and of the leaf's key."""
    now = datetime.now(UTC)
    ca_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "market server of a test")])
    names = [*KNOWN_HOSTS, "*.eastmoney.com", "localhost"]
    alternatives = x509.SubjectAlternativeName(
        [*map(x509.DNSName, names), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    )

    def certificate(
        subject: x509.Name, key: ec.EllipticCurvePrivateKey
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(ca_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), False
            )
        )

    unused = ("key_encipherment", "data_encipherment", "key_agreement", "content_commitment")
    usage = dict.fromkeys((*unused, "encipher_only", "decipher_only"), False)
    authority = (
        certificate(ca_name, ca_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage),
            True,
        )
        .sign(ca_key, hashes.SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    leaf = (
        certificate(subject, leaf_key)
        .add_extension(alternatives, False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = leaf_key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return authority.public_bytes(pem), leaf.public_bytes(pem), private
