"""The group robots and a webhook as local servers that behave as the real ones.

Written from the services' own descriptions, not from our senders: signatures are computed
anew from what arrives, limits count as theirs do, and every refusal is a 200 with a code.
"""

import base64
import hashlib
import hmac
import json
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar
from urllib.parse import parse_qsl, urlsplit

TOKEN = "tok-6f1c2e0a9b7d4e55"
HOUR_S = 3_600


@dataclass
class Robot:
    """What a server expects, what it got, and how it misbehaves.

    Attributes:
        secret: signs; empty for a robot that does not ask for it.
        keyword: must stand in every message; empty for none.
        most: messages it takes before it says that they come too fast.
        fault: replaces the answer: a status, a body, or both.
        echoes: a refusal quotes token and secret, as careless servers do.
        delay_s: before the answer.
    """

    secret: str = ""
    keyword: str = ""
    most: int = 10**9
    fault: int | bytes | tuple[int, bytes] | None = None
    echoes: bool = False
    delay_s: float = 0.0
    accepted: list[dict] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    requests: int = 0

    @property
    def texts(self):
        return [self.text(content) for content in self.accepted]

    def words(self, reason):
        return f"{reason} {TOKEN} {self.secret}" if self.echoes else reason

    def refuse(self, query, headers, body, content):
        raise NotImplementedError

    def text(self, content):
        raise NotImplementedError


class DingTalkRobot(Robot):
    ok: ClassVar = {"errcode": 0, "errmsg": "ok"}

    def text(self, content):
        return content["text"]["content"]

    def no(self, code, reason):
        return {"errcode": code, "errmsg": self.words(reason)}

    def refuse(self, query, headers, body, content):
        if query.get("access_token") != TOKEN:
            return self.no(300001, "token is not exist")
        if self.secret:
            signed = f"{query.get('timestamp')}\n{self.secret}"
            digest = hmac.new(self.secret.encode(), signed.encode(), hashlib.sha256).digest()
            fresh = abs(time.time() * 1000 - int(query.get("timestamp", 0))) < HOUR_S * 1000
            # `query` is decoded once, as a server does it.
            if not fresh or query.get("sign") != base64.b64encode(digest).decode():
                return self.no(310000, "sign not match")
        if content.get("msgtype") != "text":
            return self.no(400105, "unsupported msgtype")
        if self.keyword not in self.text(content):
            return self.no(310000, "keywords not in content")
        if len(body) > 20_000:
            return self.no(460101, "message too long")
        if len(self.accepted) >= self.most:
            return self.no(130101, "send too fast, exceed 20 times per minute")
        return None


class FeishuRobot(Robot):
    ok: ClassVar = {
        "StatusCode": 0,
        "StatusMessage": "success",
        "code": 0,
        "data": {},
        "msg": "success",
    }

    def text(self, content):
        return content["content"]["text"]

    def no(self, code, reason):
        return {"code": code, "msg": self.words(reason), "data": {}}

    def refuse(self, query, headers, body, content):
        if self.secret:
            moment = content.get("timestamp", "0")
            key = f"{moment}\n{self.secret}".encode()
            sign = base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode()
            if abs(time.time() - int(moment)) > HOUR_S or content.get("sign") != sign:
                return self.no(
                    19021,
                    "sign match fail or timestamp is not within one hour from current time",
                )
        if content.get("msg_type") != "text":
            return self.no(9499, "Bad Request")
        if self.keyword not in self.text(content):
            return self.no(19024, "Key Words Not Found")
        if len(body) > 20 * 1024:
            return self.no(9499, "Bad Request")
        if len(self.accepted) >= self.most:
            return self.no(11232, "frequency limited psm[lark.oapi.app_platform_runtime]")
        return None


class WeComRobot(Robot):
    ok: ClassVar = {"errcode": 0, "errmsg": "ok"}

    def text(self, content):
        return content["text"]["content"]

    def no(self, code, reason):
        return {"errcode": code, "errmsg": self.words(reason)}

    def refuse(self, query, headers, body, content):
        if query.get("key") != TOKEN:
            return self.no(93000, "invalid webhook url, hint: [1695], from ip: 127.0.0.1")
        if content.get("msgtype") != "text":
            return self.no(40008, "invalid message type")
        if len(self.text(content).encode()) > 2048:
            return self.no(40058, "text.content exceed max length 2048")
        if len(self.accepted) >= self.most:
            return self.no(45009, "api freq out of limit")
        return None


class OwnWebhook(Robot):
    ok: ClassVar = {"ok": True}

    def text(self, content):
        return content["text"]

    def no(self, code, reason):
        return {"ok": False, "error": self.words(reason)}

    def refuse(self, query, headers, body, content):
        if self.secret:
            signed = headers["X-Fund-Timestamp"].encode() + b"." + body
            sign = hmac.new(self.secret.encode(), signed, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(headers.get("X-Fund-Signature", ""), f"sha256={sign}"):
                return self.no(1, "wrong signature")
        if len(self.accepted) >= self.most:
            return self.no(1, "too many")
        return None


KINDS = {
    "dingtalk": (DingTalkRobot, f"/robot/send?access_token={TOKEN}"),
    "feishu": (FeishuRobot, f"/open-apis/bot/v2/hook/{TOKEN}"),
    "wecom": (WeComRobot, f"/cgi-bin/webhook/send?key={TOKEN}"),
    "webhook": (OwnWebhook, f"/hooks/{TOKEN}"),
}


class RobotServer:
    """One robot on a free port of this machine; stops at the end of the block."""

    def __init__(self, name, **expects):
        kind, self.path = KINDS[name]
        self.name, self.robot = name, kind(**expects)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}{self.path}"

    def __enter__(self):
        robot, lock = self.robot, threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(robot.delay_s)
                with lock:
                    status, answer = self.judge(body)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                if status in (301, 302, 307, 308):
                    self.send_header("Location", "http://127.0.0.1:9/elsewhere")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def judge(self, body):
                robot.requests += 1
                if isinstance(robot.fault, int):
                    return robot.fault, b"{}"
                if isinstance(robot.fault, tuple):
                    return robot.fault
                if robot.fault is not None:
                    return 200, robot.fault
                content = json.loads(body)
                query = dict(parse_qsl(urlsplit(self.path).query))
                refusal = robot.refuse(query, self.headers, body, content)
                if refusal is None:
                    robot.accepted.append(content)
                    robot.arrived.append(time.time())
                return 200, json.dumps(refusal or robot.ok).encode()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.002,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
