"""Every setting of the platform, read from the environment (or `.env`) and typed.

Belongs here: names, defaults, limits and the error a wrong value gives. Does not belong
here: anything that acts on a setting. The variables are described in `.env.example`.
"""

import os
import re
from datetime import datetime
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from fund_assets.errors import FundAssetsError

SHANGHAI = ZoneInfo("Asia/Shanghai")
PREFIX = "FUND_"
TOKEN_LENGTH = 16
#: The moments at which FUND_CRASH_AT can end the process, in the order of an evening.
CRASH_POINTS = (
    "land.after_rows",
    "land.before_commit",
    "land.after_commit",
    "publish.after_plan",
    "publish.after_revisions",
    "publish.after_events",
    "publish.after_upsert",
    "publish.after_rechain",
    "publish.after_quarantine",
    "publish.between_funds",
    "publish.after_log",
    "publish.before_commit",
    "publish.after_commit",
    "desk.before_commit",
)
HINT = "See .env.example for every variable and its default."
#: The channels of alerts, by the names that people write.
CHANNELS = ("dingtalk", "feishu", "wecom", "webhook", "mail", "apprise")
#: Curves that one chart keeps apart.
MOST_WATCHED = 8
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SettingsError(FundAssetsError, ValueError):
    """A setting is missing or wrong; the message names the variable and what to do."""

    exit_code = 2


class Settings(BaseSettings):
    """The settings object; `load_settings()` makes it and turns errors into plain words."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",  # Dagster's commands read it too
        env_ignore_empty=True,
        allow_inf_nan=False,
        frozen=True,
        extra="ignore",
    )

    source: Literal["simulated", "akshare"] = Field(
        "simulated", description="source of the market data"
    )
    state: Path = Field(
        Path(".fund"), description="folder of everything the platform writes on this machine"
    )
    warehouse_url: SecretStr = Field(
        SecretStr(""),
        description="SQLAlchemy URL of the fund tables; empty: SQLite below FUND_STATE",
    )
    clock: datetime | None = Field(
        None, description="fixed time in Asia/Shanghai for replays and tests; empty: now"
    )

    lang: Literal["", "zh", "en"] = Field(
        "",
        description="language of the commands; empty: Chinese where the locale is, else "
        "English",
    )

    sim_funds: int = Field(300, ge=20, le=100_000, description="simulated share classes")
    sim_years: float = Field(3.0, gt=0, le=20, description="simulated years of history")
    sim_seed: int = Field(20260104, description="seed of the simulated market")

    request_timeout_s: float = Field(10.0, gt=0, description="connect and read timeout")
    request_deadline_s: float = Field(
        60.0, gt=0, description="longest time of one request from first byte to last"
    )
    request_attempts: int = Field(3, ge=1, le=10, description="tries per request")
    requests_per_second: float = Field(1.0, gt=0, description="rate limit per host")
    refused_pause_s: float = Field(
        1800.0,
        gt=0,
        le=43_200,
        description="pause after a source refuses requests, the first time",
    )
    retry_pause_s: float = Field(
        120.0,
        ge=0,
        le=3600,
        description="delay before a failed run is retried; the next time five times as long",
    )
    response_limit_mb: int = Field(64, gt=0, description="largest answer accepted")
    remote_javascript: bool = Field(
        False,
        description="whether a history that our decoder cannot read may be run as a script",
    )
    raw_retention_days: int = Field(30, ge=1, description="how long raw answers are kept")
    history_funds_per_run: int = Field(
        300, ge=0, description="at most this many fund histories fetched in one run"
    )
    risk_free_rate: float = Field(
        0.015, gt=-0.1, lt=0.5, description="annual risk-free rate as a fraction"
    )

    score_weight_return: float = Field(
        30.0, ge=0, description="weight of return in the score of a fund"
    )
    score_weight_risk_adjusted: float = Field(
        30.0, ge=0, description="weight of return for the risk taken"
    )
    score_weight_drawdown: float = Field(15.0, ge=0, description="weight of small drawdowns")
    score_weight_consistency: float = Field(
        15.0, ge=0, description="weight of months above the median"
    )
    score_weight_size: float = Field(0.0, ge=0, description="weight of large net assets")
    score_weight_tenure: float = Field(0.0, ge=0, description="weight of the manager's tenure")
    score_weight_fee: float = Field(0.0, ge=0, description="weight of a small purchase fee")
    watch_list: str = Field(
        "",
        description="funds whose curves the weekly report draws and whose changes of purchases "
        "are reported, separated by commas",
    )
    landing_retention_days: int = Field(
        14, ge=2, description="how long merged observations stay in the landing zone"
    )

    run_retention_days: int = Field(
        400, ge=30, description="how long Dagster's records of a run are kept"
    )

    dagster_ui: str = Field(
        "http://127.0.0.1:3000",
        pattern=r"^https?://[^\s\"'<>]+$",
        description="address of the Dagster UI, for links to it",
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="format of a line in the log files"
    )
    log_retention_days: int = Field(30, ge=1, description="how long log files are kept")
    crash_at: str = Field(
        "",
        description="tests only: the point at which the process ends itself; environment only",
    )
    health_token: SecretStr = Field(
        SecretStr(""),
        description="token that `fund-assets serve` requires of its callers; empty: none",
    )

    alert_dingtalk_url: SecretStr = Field(SecretStr(""), description="robot of DingTalk")
    alert_dingtalk_secret: SecretStr = Field(SecretStr(""), description="its signing secret")
    alert_feishu_url: SecretStr = Field(SecretStr(""), description="bot of Feishu or Lark")
    alert_feishu_secret: SecretStr = Field(SecretStr(""), description="its signing secret")
    alert_wecom_url: SecretStr = Field(SecretStr(""), description="group robot of WeCom")
    alert_webhook_url: SecretStr = Field(SecretStr(""), description="your webhook")
    alert_webhook_secret: SecretStr = Field(
        SecretStr(""), description="signs what is sent to the webhook"
    )
    alert_mail_to: str = Field("", description="recipients of e-mail, separated by commas")
    alert_mail_from: str = Field("", description="sender of e-mail")
    alert_smtp_host: str = Field("", description="server that takes e-mail")
    alert_smtp_port: int = Field(587, ge=1, le=65_535, description="its port")
    alert_smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="how the connection is encrypted; none only on this machine"
    )
    alert_smtp_user: str = Field("", description="login at that server; empty: without")
    alert_smtp_password: SecretStr = Field(SecretStr(""), description="password of the login")
    alert_apprise_urls: SecretStr = Field(
        SecretStr(""), description="addresses for Apprise, separated by spaces"
    )
    alert_critical_only: str = Field(
        "", description="channels that carry only what is critical, separated by commas"
    )
    alert_quarantine_rows: int = Field(
        500, ge=1, description="number of held cases (fund and date) that counts as a backlog"
    )
    alert_limit_changes: Literal["watched", "all", "none"] = Field(
        "watched",
        description="whose changes of purchases, redemptions and limits are reported: those of "
        "FUND_WATCH_LIST, of all funds, or none",
    )
    alert_runbook: str = Field(
        "docs/runbook.md", description="where docs/runbook.md is, for the links of alerts"
    )
    watch_ping_url: SecretStr = Field(
        SecretStr(""), description="URL requested after each watch that found nothing critical"
    )

    @field_validator("crash_at")
    @classmethod
    def _known_moment(cls, value: str) -> str:
        if value and value not in CRASH_POINTS:
            raise ValueError(f"unknown crash point; choose from {', '.join(CRASH_POINTS)}")
        return value

    @field_validator("health_token")
    @classmethod
    def _long_and_plain(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and not (len(text) >= TOKEN_LENGTH and text.isascii() and text.isprintable()):
            raise ValueError(
                f"a token needs {TOKEN_LENGTH} or more printable ASCII characters: "
                'python -c "import secrets; print(secrets.token_urlsafe())" creates one'
            )
        return value

    @field_validator(
        "alert_dingtalk_url",
        "alert_feishu_url",
        "alert_wecom_url",
        "alert_webhook_url",
        "watch_ping_url",
    )
    @classmethod
    def _web_address(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text and not re.fullmatch(r"https?://[^\s/?#]+[^\s]*", text):
            raise ValueError(
                "an address must begin with https:// or http:// and have no spaces"
            )
        _check_port(text)
        return value

    @field_validator("dagster_ui")
    @classmethod
    def _port(cls, value: str) -> str:
        _check_port(value)
        return value

    @field_validator("warehouse_url")
    @classmethod
    def _database_port(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if "://" in text and not text.startswith("sqlite"):
            _check_port(text)
        return value

    @field_validator("alert_critical_only")
    @classmethod
    def _channels(cls, value: str) -> str:
        if unknown := set(_parts(value)) - set(CHANNELS):
            raise ValueError(
                f"{sorted(unknown)} is not a channel: choose from {', '.join(CHANNELS)}"
            )
        return value

    @field_validator("watch_list")
    @classmethod
    def _codes(cls, value: str) -> str:
        codes = _parts(value)
        if wrong := [code for code in codes if not re.fullmatch("[0-9]{6}", code)]:
            raise ValueError(f"{', '.join(wrong)}: a fund code has six digits, such as 000001")
        if len(codes) > MOST_WATCHED:
            raise ValueError(f"{len(codes)} funds: a chart shows at most {MOST_WATCHED}")
        return value

    @field_validator("clock")
    @classmethod
    def _shanghai(cls, value: datetime | None) -> datetime | None:
        if value is None:
            return None
        return (
            value.replace(tzinfo=SHANGHAI)
            if value.tzinfo is None
            else value.astimezone(SHANGHAI)
        )

    @cached_property
    def state_dir(self) -> Path:
        """Everything of the chosen source: `FUND_STATE/simulated` or `FUND_STATE/akshare`.

        An invented market and the real one share neither tables nor run history.
        """
        return self.state.expanduser().resolve() / self.source

    @property
    def pace_dir(self) -> Path:
        """Where the processes of this machine share how fast each host may be asked."""
        return self.state_dir / "pace"

    @property
    def warehouse(self) -> str:
        """The SQLAlchemy URL of the warehouse."""
        told = self.warehouse_url.get_secret_value()
        return told or f"sqlite:///{self.state_dir / 'warehouse.db'}"

    @property
    def alert_recipients(self) -> list[str]:
        """Who gets e-mail."""
        return _parts(self.alert_mail_to)

    @property
    def alert_critical_channels(self) -> list[str]:
        """The channels that carry only what is critical."""
        return _parts(self.alert_critical_only)

    @property
    def score_weights(self) -> dict[str, float]:
        """Part of the score → its weight."""
        name = "score_weight_"
        return {
            field.removeprefix(name): getattr(self, field)
            for field in type(self).model_fields
            if field.startswith(name)
        }

    @property
    def watched(self) -> list[str]:
        """The funds of the watch list."""
        return list(dict.fromkeys(_parts(self.watch_list)))

    def now(self) -> datetime:
        """The time in Asia/Shanghai: the frozen clock when one is set, else the real one."""
        return self.clock or datetime.now(SHANGHAI)


#: Settings whose values no message may carry.
SECRETS = {
    name for name, field in Settings.model_fields.items() if field.annotation is SecretStr
}


def _check_port(address: str) -> None:
    """Refuse an address whose port is none; a password may hold any signs."""
    where = address.partition("://")[2]
    server = re.split(r"[/?#]", where.rpartition("@")[2], maxsplit=1)[0]
    port = re.sub(r"^\[[^\]]*\]", "", server).partition(":")[2]
    if (":" in server and not port and not server.endswith("]")) or (
        port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536)
    ):
        raise ValueError(f"{port[:20]!r} is not a port: write a number from 1 to 65535")


def _parts(text: str) -> list[str]:
    """What a text lists, separated by commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _check_mail(settings: Settings) -> None:
    """E-mail needs several settings at once."""
    wrong = []
    password = settings.alert_smtp_password.get_secret_value()
    senders = [("ALERT_MAIL_TO", address) for address in settings.alert_recipients]
    for name, address in [*senders, ("ALERT_MAIL_FROM", settings.alert_mail_from)]:
        if not (address.isascii() and re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+", address)):
            wrong.append(f"{PREFIX}{name}: {address!r} is not an e-mail address")
    if not re.fullmatch(r"[^\s/@]+", settings.alert_smtp_host):
        wrong.append(f"{PREFIX}ALERT_SMTP_HOST: e-mail needs the name of a server")
    if bool(settings.alert_smtp_user) != bool(password):
        wrong.append(
            f"{PREFIX}ALERT_SMTP_USER and {PREFIX}ALERT_SMTP_PASSWORD must be set together"
        )
    if not (settings.alert_smtp_user + password).isascii():
        wrong.append(
            f"{PREFIX}ALERT_SMTP_USER, {PREFIX}ALERT_SMTP_PASSWORD: use only ASCII characters"
        )
    if settings.alert_smtp_security == "none" and settings.alert_smtp_host not in LOOPBACK:
        wrong.append(
            f"{PREFIX}ALERT_SMTP_SECURITY: none is only for a server on this machine; use "
            "starttls or tls"
        )
    if wrong:
        raise SettingsError("\n".join([*wrong, HINT]))


def _refuse_misspelt() -> None:
    """A variable that is almost a setting is refused: it would be ignored in silence."""
    names = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    for name in os.environ:
        if name.startswith(PREFIX) and name not in names:
            for close in get_close_matches(name, names, n=1, cutoff=0.85):
                raise SettingsError(f"{name} is not a setting: did you mean {close}?\n{HINT}")


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; `overrides` win over the environment, which wins over `.env`.

    Raises:
        SettingsError: names each wrong variable, its value and what is allowed.
    """
    _refuse_misspelt()
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        lines = [
            f"{PREFIX}{'_'.join(str(part) for part in item['loc']).upper()}="
            f"{'(hidden)' if item['loc'][0] in SECRETS else repr(item['input'])}: {item['msg']}"
            for item in error.errors()
        ]
        raise SettingsError("\n".join([*lines, HINT])) from None
    if not any(settings.score_weights.values()):
        raise SettingsError(
            f"{PREFIX}SCORE_WEIGHT_*: all are 0, at least one must be greater\n{HINT}"
        )
    if settings.alert_mail_to:
        _check_mail(settings)
    return settings
