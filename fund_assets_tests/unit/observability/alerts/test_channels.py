"""The channels against servers that behave as the real ones."""

import logging
import socket
import threading
from contextlib import suppress
from dataclasses import replace

import pytest

from fund_assets.observability.alerts.channels import ChannelError, configured
from fund_assets.observability.alerts.channels.base import fit
from fund_assets.observability.alerts.channels.mail import Mail
from fund_assets.observability.alerts.channels.relay import Relay
from fund_assets.observability.alerts.channels.robots import _without
from fund_assets.observability.alerts.channels.webhook import refused
from fund_assets.observability.alerts.delivery import send_now
from fund_assets.observability.alerts.messages import Message
from fund_assets.observability.conditions import Severity
from fund_assets.settings import SettingsError, load_settings
from fund_assets_tests.server.postbox import Postbox, certificate
from fund_assets_tests.server.robots import TOKEN, RobotServer

# Its servers talk plain where a test asks for that.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")

ROBOTS = ("dingtalk", "feishu", "wecom", "webhook")
SIGNED = ("dingtalk", "feishu", "webhook")
#: Its signature has + and / more often than not, which is what encodings get wrong.
SECRET = "SEC5f2b+c/0d9e=8a7b6"
MESSAGE = Message(
    title="【严重】数据过期 validated_nav（真实市场）",
    lines=("【严重·新告警】数据过期 validated_nav", "  落后 2 个交易日"),
    severity=Severity.CRITICAL,
    fingerprints=("freshness:validated_nav",),
)
LOGIN = {"user": "robot@fund.example", "password": "pass word+/=%"}


def channel(server, secret=""):
    settings = {f"alert_{server.name}_url": server.url}
    if secret:
        settings[f"alert_{server.name}_secret"] = secret
    (found,) = configured(load_settings(**settings))
    return found


@pytest.mark.parametrize("name", ROBOTS)
def test_a_message_arrives_as_it_is(name):
    """Stops a channel that mangles Chinese, or says that it sent what did not arrive."""
    with RobotServer(name) as server:
        channel(server).send(MESSAGE)
    (text,) = server.robot.texts
    expected = MESSAGE.lines if name == "webhook" else (MESSAGE.title, *MESSAGE.lines)
    assert text.split("\n") == list(expected)


def test_a_name_calls_nobody():
    """Stops a fund's name, or a page's words in an alert, from calling a whole group."""
    words = '基金<at user_id="all">所有人</at>混合 <AT id=all></AT> 3 < attempts'
    with RobotServer("feishu") as server:
        channel(server).send(replace(MESSAGE, lines=(words,)))
    assert server.robot.texts[0].split("\n")[1] == (
        '基金＜at user_id="all">所有人＜/at>混合 ＜AT id=all>＜/AT> 3 < attempts'
    )


@pytest.mark.parametrize("name", SIGNED)
def test_the_signature_is_the_one_the_server_computes(name):
    """Stops a signature that is encoded twice, or not at all, at any moment."""
    with RobotServer(name, secret=SECRET) as server:
        for _ in range(20):
            channel(server, SECRET).send(MESSAGE)
        assert len(server.robot.accepted) == 20
        for wrong in ("", SECRET[:-1]):
            with pytest.raises(ChannelError, match=r"^refused"):
                channel(server, wrong).send(MESSAGE)


#: What each answers, with status 200, to what it does not accept.
REFUSALS = [
    ("dingtalk", {"keyword": "没有这个词"}, "errcode 310000 keywords not in content"),
    ("dingtalk", {"most": 0}, "errcode 130101 send too fast"),
    ("dingtalk", {"fault": b'{"errcode": 660026, "errmsg": "muted"}'}, "errcode 660026"),
    ("feishu", {"keyword": "没有这个词"}, "code 19024 Key Words Not Found"),
    ("feishu", {"most": 0}, "code 11232 frequency limited"),
    ("feishu", {"fault": b'{"StatusCode": 19001, "StatusMessage": "x"}'}, "StatusCode 19001"),
    ("wecom", {"most": 0}, "errcode 45009 api freq out of limit"),
    ("wecom", {"fault": b'{"errcode": 93000}'}, "errcode 93000"),
    ("webhook", {"most": 0}, "ok False"),
    ("webhook", {"fault": b'{"errcode": 7}'}, "errcode 7"),
    ("webhook", {"fault": b'{"code": 500}'}, "code 500"),
    ("webhook", {"fault": b'{"error": "no"}'}, "error"),
]


@pytest.mark.parametrize(("name", "expects", "words"), REFUSALS)
def test_a_refusal_inside_a_200_is_a_failure(name, expects, words):
    """Stops a message that nobody got from counting as sent: all of them answer 200."""
    with RobotServer(name, **expects) as server:
        with pytest.raises(ChannelError, match=f"^refused: {words}"):
            channel(server).send(MESSAGE)
        assert server.robot.requests == 1
        assert server.robot.accepted == []


@pytest.mark.parametrize("name", ROBOTS[:3])
@pytest.mark.parametrize(
    "body",
    [b"", b"<html>login</html>", b"[]", b"{}", b'{"errcode": "0"}', b'{"errcode": null}'],
)
def test_an_answer_without_a_code_is_no_acceptance(name, body):
    """Stops a ban page or a proxy's login page from counting as delivered."""
    with RobotServer(name, fault=body) as server, pytest.raises(ChannelError):
        channel(server).send(MESSAGE)


@pytest.mark.parametrize(
    "answer", [b"", b"OK", b"[]", b"{}", b'{"code": 200}', b'{"ok": true}']
)
def test_a_webhook_may_answer_anything_else(answer):
    """Stops a webhook that answers 204 or plain OK from being told again for ever."""
    assert refused(answer) == ""


@pytest.mark.parametrize("name", ROBOTS)
@pytest.mark.parametrize("status", [302, 404, 429, 500])
def test_another_status_is_a_failure(name, status):
    """Stops an error or a redirect from counting, and a redirect from being followed."""
    with (
        RobotServer(name, fault=status) as server,
        pytest.raises(ChannelError, match=f"HTTP status {status}"),
    ):
        channel(server).send(MESSAGE)


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        (
            "feishu",
            b'{"code":19024,"msg":"Key Words Not Found"}',
            "code 19024 Key Words Not Found",
        ),
        (
            "dingtalk",
            b'{"errcode":310000,"errmsg":"sign not match"}',
            "errcode 310000 sign not match",
        ),
        ("wecom", b'{"errcode":0,"errmsg":"ok"}', "errcode 0 ok"),
    ],
)
def test_why_a_status_of_failure_refuses_is_told(name, body, words):
    """Stops a keyword that is missing from being looked for behind a bare `HTTP status 400`, and
    a status of failure from counting as sent because its body says so."""
    with (
        RobotServer(name, fault=(400, body)) as server,
        pytest.raises(ChannelError, match=f"^HTTP status 400, refused: {words}$"),
    ):
        channel(server).send(MESSAGE)


def test_nobody_listens():
    """Stops a refused connection from being anything but a failure without the address."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/hook/{TOKEN}"
        (webhook,) = configured(load_settings(alert_webhook_url=url))
        with pytest.raises(ChannelError, match=r"^no answer: ConnectionError$"):
            webhook.send(MESSAGE)


def test_a_token_is_hidden_in_part_and_in_any_case():
    """Stops a server that echoes half a token, or all of it in capitals, from telling it."""
    token = "a1B2c3D4e5F6a7B8"
    for echoed in (token, token.upper(), token[3:12], token[:6].lower()):
        assert _without(f"token {echoed}: not allowed", token) == "token ***: not allowed"
    assert _without("access denied", "access_token") == "access denied"
    assert _without("a1B2c is short", token) == "a1B2c is short"


@pytest.mark.parametrize("name", ROBOTS)
def test_no_word_carries_a_secret(name, caplog):
    """Stops a token from reaching a log or a terminal, even from a server that quotes it."""
    caplog.set_level(logging.DEBUG)
    said = []
    for expects in (
        {"secret": "other than ours", "echoes": True},
        {"secret": SECRET if name in SIGNED else "", "most": 0, "echoes": True},
        {"fault": 500},
        {"fault": b"<html>"},
        {},
    ):
        with RobotServer(name, **expects) as server:
            try:
                channel(server, SECRET if name in SIGNED else "").send(MESSAGE)
            except ChannelError as error:
                said += [str(error), repr(error), repr(error.__cause__)]
    said.append(caplog.text)
    assert len(said) > 4
    for secret in (TOKEN, SECRET):
        assert not [words for words in said if secret in words]


def long(lines):
    return Message(
        "长" * 40, tuple(f"第 {n} 行 {'基金' * 60}" for n in range(lines)), Severity.NOTICE
    )


@pytest.mark.parametrize("name", ROBOTS)
def test_what_is_too_long_says_so(name):
    """Stops a long Chinese text from being refused: limits count bytes."""
    with RobotServer(name) as server:
        channel(server).send(long(300))
    (text,) = server.robot.texts
    if name != "webhook":
        assert "…另有" in text
        assert "第 0 行" in text


@pytest.mark.parametrize("limit", [10, 100, 101, 102, 4_096, 10**6])
def test_fit(limit):
    """Stops half a character, or a byte more than the limit."""
    text = fit(long(50).lines, limit)
    assert len(text.encode()) <= limit
    shown = [line for line in text.split("\n") if not line.startswith("…")]
    assert limit < 400 or shown == list(long(50).lines[: len(shown)])


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return certificate(tmp_path_factory.mktemp("postbox"))


@pytest.fixture
def trusted(pem, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))


def mail(box, security, **settings):
    login = {"alert_smtp_user": LOGIN["user"], "alert_smtp_password": LOGIN["password"]}
    (found,) = configured(
        load_settings(
            **{
                "alert_mail_to": "ops@fund.example",
                "alert_mail_from": "alerts@fund.example",
                "alert_smtp_host": "127.0.0.1",
                "alert_smtp_port": box.port,
                "alert_smtp_security": security,
                **login,
                **settings,
            }
        )
    )
    return found


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_mail_arrives_encrypted_and_after_a_login(security, pem, trusted):
    """Stops a password from going over an open line, and a subject from being unreadable."""
    with Postbox(security, pem, **LOGIN) as box:
        mail(box, security, alert_mail_to="a@fund.example, b@fund.example").send(MESSAGE)
    ((got, recipients),) = box.mails
    assert recipients == ["a@fund.example", "b@fund.example"]
    assert got["Subject"] == MESSAGE.title
    assert got["From"] == "alerts@fund.example"
    assert got.get_content().splitlines() == list(MESSAGE.lines)
    assert box.logins == [True]


@pytest.mark.parametrize("farewell", ["silent", "500 what do you want", "421 go away"])
def test_what_comes_after_a_mail_was_accepted_does_not_count(farewell, pem, trusted):
    """Stops a mail that was accepted from being told as lost, and so from being sent again."""
    with Postbox("tls", pem, farewell=farewell, **LOGIN) as box:
        mail(box, "tls").send(MESSAGE)
    assert len(box.mails) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_nobody_vouches_for_is_refused(security, pem):
    """Stops a login from being sent to whoever answers."""
    with (
        Postbox(security, pem, **LOGIN) as box,
        pytest.raises(ChannelError, match="no answer: SSLCertVerificationError"),
    ):
        mail(box, security).send(MESSAGE)
    assert box.logins == []


def test_a_wrong_password_tells_no_password(pem, trusted, caplog):
    """Stops the login from standing in an error."""
    caplog.set_level(logging.DEBUG)
    with (
        Postbox("starttls", pem, **LOGIN) as box,
        pytest.raises(ChannelError, match=r"^refused: login, SMTP code 535$") as error,
    ):
        mail(box, "starttls", alert_smtp_password="wrong-secret").send(MESSAGE)
    assert "wrong-secret" not in f"{error.value!r} {caplog.text}"


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("a@fund.example,b@nowhere.example", "refused: 1 of 2 recipients"),
        ("b@nowhere.example", "no answer: SMTPRecipientsRefused"),
    ],
)
def test_a_refused_recipient_is_a_failure(to, words, pem, trusted):
    """Stops half of the team from hearing nothing while the mail counts as sent."""
    with Postbox("starttls", pem, **LOGIN) as box, pytest.raises(ChannelError, match=words):
        mail(box, "starttls", alert_mail_to=to).send(MESSAGE)


def test_no_starttls_no_mail(pem):
    """Stops a mail from going out in the open because the server offers nothing better."""
    with Postbox("none", pem) as box, pytest.raises(ChannelError, match="SMTPNotSupported"):
        mail(box, "starttls", alert_smtp_user="", alert_smtp_password="").send(MESSAGE)
    assert box.mails == []


def test_apprise_takes_the_rest():
    """Stops the extra from not working, or from being given what it cannot tell refusals of."""
    with RobotServer("webhook", fault=b"{}") as server:
        url = server.url.replace("http://", "json://")
        (relay,) = configured(load_settings(alert_apprise_urls=url))
        relay.send(MESSAGE)
        assert server.robot.requests == 1
        server.robot.fault = 500
        with pytest.raises(ChannelError, match=r"^refused: Apprise"):
            relay.send(MESSAGE)


@pytest.mark.parametrize(
    ("urls", "words"),
    [
        (f"dingtalk://{TOKEN}", "FUND_ALERT_APPRISE_URLS: address 1 is dingtalk://"),
        (f"json://localhost wecombot://{TOKEN}", "address 2 is wecombot://"),
        ("nonsense", "address 1 .* is not supported by Apprise"),
    ],
)
def test_apprise_addresses_that_are_refused(urls, words):
    """Stops a robot whose refusals nobody would hear of, and a secret in the error."""
    with pytest.raises(SettingsError, match=words) as error:
        configured(load_settings(alert_apprise_urls=urls))
    assert TOKEN not in str(error.value)


def test_all_channels_in_their_order():
    """Stops a channel that is set from not being used."""
    urls = {f"alert_{name}_url": f"https://{name}.example/x" for name in ROBOTS}
    mailing = {
        "alert_mail_to": "a@b.example",
        "alert_mail_from": "a@b.example",
        "alert_smtp_host": "smtp.b.example",
    }
    found = configured(load_settings(**urls, **mailing))
    assert [c.name for c in found] == [*ROBOTS, "mail"]
    assert configured(load_settings()) == []


WRONG = [
    ({"alert_dingtalk_url": "oapi.dingtalk.example/robot"}, "FUND_ALERT_DINGTALK_URL"),
    ({"alert_feishu_url": "https:// x"}, "FUND_ALERT_FEISHU_URL"),
    ({"watch_ping_url": "ftp://x"}, "FUND_WATCH_PING_URL"),
    ({"alert_critical_only": "mail,pager"}, "FUND_ALERT_CRITICAL_ONLY"),
    ({"alert_mail_to": "a@b.example"}, "FUND_ALERT_MAIL_FROM"),
    ({"alert_mail_to": "nobody"}, "FUND_ALERT_MAIL_TO: 'nobody'"),
    (
        {
            "alert_mail_to": "a@b.example",
            "alert_mail_from": "a@b.example",
            "alert_smtp_host": "smtp.b.example",
            "alert_smtp_security": "none",
        },
        "FUND_ALERT_SMTP_SECURITY",
    ),
    (
        {
            "alert_mail_to": "a@b.example",
            "alert_mail_from": "a@b.example",
            "alert_smtp_host": "smtp.b.example",
            "alert_smtp_user": "a",
        },
        "FUND_ALERT_SMTP_PASSWORD",
    ),
    (
        {
            "alert_mail_to": "a@b.example",
            "alert_mail_from": "a@b.example",
            "alert_smtp_host": "smtp.b.example",
            "alert_smtp_user": "a",
            "alert_smtp_password": "秘密",
        },
        "FUND_ALERT_SMTP_PASSWORD.*ASCII",
    ),
    ({"alert_quarantine_rows": 0}, "FUND_ALERT_QUARANTINE_ROWS"),
]


@pytest.mark.parametrize(("settings", "variable"), WRONG)
def test_a_wrong_setting_names_its_variable(settings, variable):
    """Stops a misspelt channel from being silent until the night it is needed."""
    with pytest.raises(SettingsError, match=variable):
        load_settings(**settings)


def test_a_wrong_address_is_not_shown():
    """Stops a token from standing in the message about its address."""
    with pytest.raises(SettingsError) as error:
        load_settings(alert_wecom_url=f"qyapi.example/?key={TOKEN}")
    assert TOKEN not in str(error.value)
    assert "(hidden)" in str(error.value)


def test_a_file_goes_with_the_mail(pem, trusted, tmp_path):
    """Stops an attachment that is mangled, unnamed, or taken for the text."""
    page = "<!doctype html><title>周报</title>\n" + "长" * 5_000
    file = tmp_path / "weekly-2026-W47.html"
    file.write_text(page, encoding="utf-8")
    with Postbox("starttls", pem, **LOGIN) as box:
        mail(box, "starttls").send(MESSAGE, file)
    ((got, _),) = box.mails
    (attached,) = got.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == (file.name, "text/html")
    assert attached.get_payload(decode=True).decode() == page
    assert got.get_body(("plain",)).get_content().splitlines() == list(MESSAGE.lines)


class Dripping:
    """A server that begins to greet and never ends: a byte every tenth of a second."""

    def __init__(self, first=b"220 "):
        self.first, self.over = first, threading.Event()

    def __enter__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def _serve(self):
        with suppress(OSError):
            while True:
                peer, _ = self._socket.accept()
                threading.Thread(target=self._drip, args=(peer,), daemon=True).start()

    def _drip(self, peer):
        with suppress(OSError), peer:
            peer.sendall(self.first)
            while not self.over.wait(0.1):
                peer.sendall(b"x")

    def __exit__(self, *_):
        self.over.set()
        self._socket.close()


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
def test_a_mail_server_that_drips_ends_with_the_deadline(security, monkeypatch):
    """Stops a server whose every byte comes in time from holding a mail for ever."""
    monkeypatch.setattr("fund_assets.observability.alerts.channels.mail.DEADLINE_S", 0.5)
    with Dripping(b"" if security == "tls" else b"220 ") as server:
        channel = Mail(
            "127.0.0.1", server.port, security=security, sender="a@b.example",
            recipients=["c@d.example"],
        )  # fmt: skip
        with pytest.raises(ChannelError, match="no answer"):
            channel.send(MESSAGE)
        assert not server.over.is_set(), "it was still dripping"


def test_apprise_has_a_deadline_and_delays_no_other(monkeypatch):
    """Stops a library without a deadline from holding the other channels and the next look."""
    monkeypatch.setattr("fund_assets.observability.alerts.delivery.SEND_S", 0.5)
    sound = []

    class Sound:
        name = "sound"

        def send(self, message):
            sound.append(message)

    with Dripping(b"HTTP/1.1 200 OK\r\nX: ") as server:
        relay = Relay([f"json://127.0.0.1:{server.port}"])
        done = send_now(MESSAGE, [relay, Sound()], [])
        assert (done.sent, done.failed, sound) == (1, 1, [MESSAGE])
        again = send_now(MESSAGE, [relay, Sound()], [])
        assert (again.sent, again.failed) == (1, 1), "the first has not ended: no second thread"
