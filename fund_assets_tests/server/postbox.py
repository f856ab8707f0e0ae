"""A mail server on this machine: TLS or STARTTLS with a certificate of its own, and a login.

A recipient at `nowhere.example` is refused, as a server refuses what it does not know.
"""

import datetime
import ipaddress
import socket
import ssl
from email import message_from_bytes, policy

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder):
    """A self-signed certificate for 127.0.0.1 and its key, as one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "postbox.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


class Postbox:
    """The server; `mails` are those it accepted, with the recipients of the envelope.

    Args:
        farewell: "silent" closes the line at QUIT without an answer, a text answers it.
    """

    def __init__(self, security, pem, user="", password="", farewell=""):
        self._farewell = farewell
        self.mails, self.logins = [], []
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pem)
        self._login = (user.encode(), password.encode())
        options = {
            "authenticator": self._authenticate,
            "auth_required": bool(user),
            "auth_require_tls": False,
        }
        if security == "starttls":
            options |= {"tls_context": context, "require_starttls": True}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._controller = Controller(
            self,
            hostname="127.0.0.1",
            port=self.port,
            ssl_context=context if security == "tls" else None,
            **options,
        )

    def _authenticate(self, server, session, envelope, mechanism, data):
        good = (data.login, data.password) == self._login
        self.logins.append(good)
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.endswith("@nowhere.example"):
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        self.mails.append((mail, envelope.rcpt_tos))
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):
        if self._farewell == "silent":
            server.transport.abort()
        return self._farewell or "221 Bye"

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *_):
        self._controller.stop(no_assert=True)
