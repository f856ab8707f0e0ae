"""Settings: what the environment says, typed, and errors a person can act on."""

from datetime import datetime
from pathlib import Path

import pytest

from fund_assets.settings import SHANGHAI, Settings, SettingsError, load_settings

ROOT = Path(__file__).resolve().parents[2]


def test_defaults_need_nothing_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops a first run from asking for configuration."""
    monkeypatch.delenv("FUND_STATE")
    monkeypatch.delenv("FUND_WAREHOUSE_URL", raising=False)
    settings = load_settings()
    assert settings.source == "simulated"
    assert settings.state_dir == Path.cwd() / ".fund" / "simulated"
    assert (
        settings.warehouse == f"sqlite:///{Path.cwd() / '.fund' / 'simulated' / 'warehouse.db'}"
    )


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("FUND_SOURCE", "yahoo", "'simulated' or 'akshare'"),
        ("FUND_SIM_FUNDS", "19", "greater than or equal to 20"),
        ("FUND_SIM_FUNDS", "many", "valid integer"),
        ("FUND_SIM_YEARS", "0", "greater than 0"),
        ("FUND_CLOCK", "yesterday", "valid datetime"),
        ("FUND_REQUEST_TIMEOUT_S", "inf", "finite"),
        ("FUND_REQUESTS_PER_SECOND", "-1", "greater than 0"),
        ("FUND_RISK_FREE_RATE", "1.5", "less than 0.5"),
        ("FUND_RISK_FREE_RATE", "nan", "finite"),
        ("FUND_RAW_RETENTION_DAYS", "0", "greater than or equal to 1"),
    ],
)
def test_wrong_value_names_variable_value_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, allowed: str
) -> None:
    """Stops errors that speak of a field of some class instead of the variable."""
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        load_settings()
    message = str(error.value)
    assert message.startswith(f"{name}='{value}': ")
    assert allowed in message
    assert ".env.example" in message


def test_every_wrong_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops a reader from finding the second mistake only after the first is mended."""
    monkeypatch.setenv("FUND_SOURCE", "x")
    monkeypatch.setenv("FUND_SIM_SEED", "y")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert "FUND_SOURCE='x'" in str(error.value)
    assert "FUND_SIM_SEED='y'" in str(error.value)


def test_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops FUND_SORCE=akshare from running the simulated market in silence."""
    monkeypatch.setenv("FUND_SORCE", "akshare")
    with pytest.raises(
        SettingsError, match="FUND_SORCE is not a setting: did you mean FUND_SOURCE"
    ):
        load_settings()


def test_variable_of_another_program_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops the check for misspelt names from refusing what is not ours."""
    monkeypatch.setenv("FUND_REAL_DATA", "/somewhere")
    monkeypatch.setenv("FUND_ACCOUNTING_DB", "x")
    assert load_settings().source == "simulated"


def test_empty_variable_means_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops `FUND_CLOCK=` in a file of settings from being a bad time."""
    monkeypatch.setenv("FUND_CLOCK", "")
    monkeypatch.setenv("FUND_SIM_FUNDS", "")
    settings = load_settings()
    assert settings.clock is None
    assert settings.sim_funds == 300


def test_env_file_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Stops `fund-assets` and Dagster, which reads .env, from using two warehouses."""
    monkeypatch.setitem(Settings.model_config, "env_file", ".env")
    monkeypatch.chdir(tmp_path)
    Path(".env").write_text("FUND_SIM_FUNDS=77\nFUND_SIM_SEED=1\nOTHER=1\n", encoding="utf-8")
    monkeypatch.setenv("FUND_SIM_SEED", "2")
    settings = load_settings()
    assert (settings.sim_funds, settings.sim_seed) == (77, 2)


def test_overrides_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops a test's or command's explicit choice from losing to the environment."""
    monkeypatch.setenv("FUND_SIM_FUNDS", "50")
    assert load_settings(sim_funds=60).sim_funds == 60


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2026-11-23T20:00", 20), ("2026-11-23T20:00+08:00", 20), ("2026-11-23T20:00Z", 4)],
)
def test_clock_is_shanghai(monkeypatch: pytest.MonkeyPatch, text: str, hour: int) -> None:
    """Stops a frozen time without a zone from being read in the machine's zone."""
    monkeypatch.setenv("FUND_CLOCK", text)
    now = load_settings().now()
    assert now.tzinfo is SHANGHAI
    assert now.hour == hour


def test_real_clock_is_shanghai() -> None:
    """Stops `now` from being naive or machine-local."""
    before = datetime.now(SHANGHAI)
    now = load_settings().now()
    assert now.tzinfo is SHANGHAI
    assert before <= now <= datetime.now(SHANGHAI)


def test_state_expands_home_and_warehouse_can_be_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Stops a folder named `~` and a URL that is ignored."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FUND_STATE", "~/funds")
    monkeypatch.setenv("FUND_WAREHOUSE_URL", "sqlite:////x/y.db")
    settings = load_settings()
    assert settings.state_dir == tmp_path / "funds" / "simulated"
    assert settings.warehouse == "sqlite:////x/y.db"


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("FUND_WAREHOUSE_URL", "mysql://u:p:/@x@host:33o6/fund"),
        ("FUND_WAREHOUSE_URL", "mysql://u:p@host:0/fund"),
        ("FUND_DAGSTER_UI", "http://127.0.0.1:99999"),
        ("FUND_WATCH_PING_URL", "https://h:/x"),
        ("FUND_ALERT_WEBHOOK_URL", "https://[::1]:x/y"),
    ],
)
def test_a_bad_port_names_its_variable(monkeypatch, name, address) -> None:
    """Stops a slip in a port from being told as a defect somewhere else, hours later."""
    monkeypatch.setenv(name, address)
    with pytest.raises(SettingsError, match=rf"^{name}=.*is not a port") as told:
        load_settings()
    assert "u:p" not in str(told.value)


@pytest.mark.parametrize(
    "address", ["mysql://u:p@h/x", "mysql://u:@:1@h:3306/x?y=a:b", "mysql://[::1]:33/x"]
)
def test_other_addresses_are_left_alone(address) -> None:
    """Stops a password of signs, or IPv6, from being taken for a port."""
    assert load_settings(warehouse_url=address).warehouse == address


def test_settings_show_no_secret() -> None:
    """Stops a password from reaching a log or a traceback by way of `repr`."""
    settings = load_settings(
        warehouse_url="mysql://u:hushhush@h/x", health_token="hushhush" * 2
    )
    assert "hushhush" not in f"{settings!r} {settings} {settings.model_dump()}"
    assert settings.warehouse == "mysql://u:hushhush@h/x"


def test_every_setting_is_documented_with_its_default() -> None:
    """Stops a setting that only its author knows, and a documented default that is wrong."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    documented = dict(line[1:].split("=", 1) for line in lines if line.startswith("#FUND_"))
    defaults = {
        f"FUND_{name.upper()}": "" if field.default is None else str(field.default)
        for name, field in Settings.model_fields.items()
    }
    assert documented == defaults


def test_every_documented_default_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stops an example that fails when its # is removed."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    for line in lines:
        if line.startswith("#FUND_"):
            monkeypatch.setenv(*line[1:].split("=", 1))
    assert load_settings().model_dump() == Settings().model_dump()
