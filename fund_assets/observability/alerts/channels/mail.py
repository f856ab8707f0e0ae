"""E-mail over SMTP, on a connection that is encrypted unless the server is this machine."""

import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path
from typing import Any, Literal, Self

from fund_assets.observability.alerts.channels.base import ChannelError
from fund_assets.observability.alerts.messages import Message
from fund_assets.settings import Settings
from fund_assets.transport.deadline import DeadlineTimer

#: For one wait, and for all of a mail; for one with a file.
TIMEOUT_S, DEADLINE_S, FILE_DEADLINE_S = 10.0, 15.0, 60.0


class _DeadlineSMTP(smtplib.SMTP):
    """A connection that a timer can end."""

    def __init__(self, timer: DeadlineTimer, *args: Any, **options: Any) -> None:
        self._deadline = timer
        super().__init__(*args, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        # A method of smtplib that its types do not tell of.
        found: socket.socket = super()._get_socket(host, port, timeout)  # type: ignore[misc]
        self._deadline.keep(found)
        return found


class _DeadlineSMTPOverTLS(smtplib.SMTP_SSL, _DeadlineSMTP):
    """The same, encrypted from the first byte."""

    def __init__(self, timer: DeadlineTimer, *args: Any, **options: Any) -> None:
        self._deadline = timer
        smtplib.SMTP_SSL.__init__(self, *args, **options)


class Mail:
    """Sends to all recipients, or tells that some were refused.

    Args:
        security: starttls, tls (encrypted from the first byte) or none.
        user, password: empty where the server asks for none.
    """

    name = "mail"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        security: Literal["starttls", "tls", "none"],
        sender: str,
        recipients: Sequence[str],
        user: str = "",
        password: str = "",
    ) -> None:
        self._host, self._port, self._security = host, port, security
        self._sender, self._recipients = sender, list(recipients)
        self._user, self._password = user, password

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The channel that the settings describe."""
        return cls(
            settings.alert_smtp_host,
            settings.alert_smtp_port,
            security=settings.alert_smtp_security,
            sender=settings.alert_mail_from,
            recipients=settings.alert_recipients,
            user=settings.alert_smtp_user,
            password=settings.alert_smtp_password.get_secret_value(),
        )

    def send(self, message: Message, attachment: Path | None = None) -> None:
        """Send plain text to every recipient, and with it an HTML file, if one is given."""
        mail = EmailMessage()
        mail["Subject"] = message.title
        mail["From"], mail["To"] = self._sender, ", ".join(self._recipients)
        mail["Date"] = formatdate(localtime=False)
        mail["Message-ID"] = make_msgid(domain=self._sender.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text + "\n")
        if attachment is not None:
            mail.add_attachment(
                attachment.read_bytes(), maintype="text", subtype="html",
                filename=attachment.name,
            )  # fmt: skip
        try:
            with DeadlineTimer(FILE_DEADLINE_S if attachment else DEADLINE_S) as timer:
                server = self._connect(timer)
                try:
                    refused = server.send_message(mail, self._sender, self._recipients)
                    with suppress(smtplib.SMTPException, OSError):
                        server.quit()  # the mail is accepted, whatever comes now
                finally:
                    server.close()
        except smtplib.SMTPAuthenticationError as error:
            # What a server says to a login may quote it.
            raise ChannelError(f"refused: login, SMTP code {error.smtp_code}") from None
        except smtplib.SMTPResponseException as error:
            raise ChannelError(f"refused: SMTP code {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            raise ChannelError(f"no answer: {type(error).__name__}") from None
        if refused:
            raise ChannelError(f"refused: {len(refused)} of {len(self._recipients)} recipients")

    def _connect(self, timer: DeadlineTimer) -> smtplib.SMTP:
        context = ssl.create_default_context()
        name = socket.getfqdn()
        if self._security == "tls":
            server: smtplib.SMTP = _DeadlineSMTPOverTLS(
                timer, self._host, self._port, name, timeout=TIMEOUT_S, context=context
            )
        else:
            server = _DeadlineSMTP(timer, self._host, self._port, name, timeout=TIMEOUT_S)
        try:
            if self._security == "starttls":
                server.starttls(context=context)
            if self._user:
                server.login(self._user, self._password)
        except BaseException:
            server.close()
            raise
        return server
