"""Bad inputs over all commands: one sentence, exit code 2, and nothing was begun or made.

Also every command that reads, on a state where nothing has run.
"""

import os
import re
import socket

import pytest
from click.testing import CliRunner

from fund_assets import Funds
from fund_assets.cli import main
from fund_assets.warehouse import Warehouse, WarehouseError
from fund_assets_tests import stores
from fund_assets_tests.integration.evenings import THURSDAY

COMING = "in the future"
#: What is written, and what the sentence must hold: the thing, and what to do.
BAD = (
    ("rnu", "did you mean run?"),
    ("--verbos", "fund-assets --help"),
    ("run now", "fund-assets run --help"),
    ("run --codes 000001", "fund-assets run --help"),
    ("weekly 2026-W38", "fund-assets weekly --help"),
    ("collect --code 1", "six digits, such as 000001"),
    ("collect --code abc", "six digits, such as 000001"),
    ("collect --code 000001,99999", "six digits, such as 000001"),
    ("collect --list-date 2025-01-02", "belong together"),
    ("collect --history -1", "--history"),
    ("collect --history many", "--history"),
    ("collect --missing 2026-13-01", "write it as 2026-11-24"),
    ("collect --missing 20269999", "write it as 2026-11-24"),
    ("collect --missing 2031-01-01", COMING),
    ("collect --code 000001 --history 5", "remove --history"),
    ("collect --code 000001 --missing 2026-09-16", "remove --missing"),
    ("collect --no-wave --history 0", "nothing to collect"),
    ("collect --mising 2026-09-16", "--missing"),
    ("backfill --codes 999999", "known funds: 999999"),
    ("backfill --codes 00001", "six digits, such as 000001"),
    ("backfill --kind bonds", "did you mean bond?"),
    ("backfill --kind 债券形", "choose from equity (股票型)"),
    ("backfill --since 2031-01-01", COMING),
    ("backfill --since last-week", "write it as 2026-11-24"),
    ("backfill --since 2026-01-01 --stale", "remove one of them"),
    ("backfill --codes 000001 --kind bond", "remove --kind"),
    ("gaps --fix", "fund-assets gaps --help"),
    ("gaps 000001", "fund-assets gaps --help"),
    ("validate now", "fund-assets validate --help"),
    ("metrics 999999", "unknown fund '999999'"),
    ("metrics 000001 000002", "fund-assets metrics --help"),
    ("canary loud", "fund-assets canary --help"),
    ("dashboard --json --watch", "remove --watch"),
    ("dashboard --watch 0", "--watch"),
    ("dashboard --wach", "--watch"),
    ("logs colector", "did you mean collector?"),
    ("logs collector -n -1", "--lines"),
    ("logs collector -n ten", "--lines"),
    ("nav", "fund-assets nav --help"),
    ("nav 999999", "unknown fund '999999'"),
    ("nav 没有这只基金", "six digits or a part of its name"),
    ("nav 000001 --as-of yesterday", "YYYY-MM-DD"),
    ("nav 000001 --as-of 2026-13-01", "--as-of"),
    ("nav 000001 --since 2026-02-30", "write it as 2026-11-24"),
    ("nav 000001 --since 2031-01-01", COMING),
    ("nav 000001 --limit -1", "--limit"),
    ("nav 000001,000002", "fund-assets compare 000001 000002"),
    ("prove", "fund-assets prove --help"),
    ("prove 999999", "unknown fund '999999'"),
    ("prove 000001 --since 2031-01-01", COMING),
    ("prove 000001 --since never", "write it as 2026-11-24"),
    ("corrections --fund 999999", "known funds: 999999"),
    ("corrections --fund 00001", "six digits, such as 000001"),
    ("corrections --fund 000001,000002", "choose one"),
    ("corrections --since 2031-01-01", COMING),
    ("corrections --level anounce", "did you mean announce?"),
    ("quarantine lst", "did you mean list?"),
    ("quarantine list --rule R99_nothing", "unknown rule 'R99_nothing'"),
    ("quarantine list --rule R07_nav_bound", "did you mean R07_nav_bounds?"),
    ("fund 999999", "unknown fund '999999'"),
    ("quarantine list --fund 999999", "unknown fund '999999'"),
    ("quarantine list --kind bonds", "did you mean bond?"),
    ("quarantine list --date 2026-9-31", "write it as 2026-11-24"),
    ("quarantine list --batch w1", "unknown batch 'w1'"),
    ("quarantine list --batch w20260917-000000000000", "unknown batch"),
    ("quarantine list --state helt", "did you mean held?"),
    ("quarantine list --limit -1", "--limit"),
    ("quarantine show zzz", "`fund-assets quarantine list` shows the ids"),
    ("quarantine show 0000000000", "`fund-assets quarantine list` shows the ids"),
    ("quarantine show w20260917-000000000000", "unknown batch"),
    ("quarantine accept", "--because"),
    ("quarantine accept --because seen", "no rows chosen"),
    ("quarantine accept abcdef --rule R07_nav_bounds --because seen", "not both"),
    ("quarantine accept abcdef --because seen", "no row of the quarantine has this id"),
    ("quarantine accept abcdef --because ''", "--because"),
    ("quarantine accept abcdef --because seen --by ''", "--by"),
    ("quarantine accept abcdef --because seen --despite R02_row_cont", "R02_row_count"),
    ("quarantine reject --fund 999999 --because wrong", "unknown fund '999999'"),
    ("quarantine replay --kind bonds --because rules", "did you mean bond?"),
    ("compare", "fund-assets compare --help"),
    ("compare 000001 999999", "unknown fund '999999'"),
    ("compare 000001 --window 4y", "choose from 1m, 3m, 6m"),
    ("compare 000001 --chart some.gif", "--chart"),
    ("screen", "fund-assets screen --help"),
    ("screen good", "'good' is not a condition"),
    ("screen sharp_ratio>1", "did you mean sharpe_ratio"),
    ("screen 夏普率>1", "unknown metric '夏普率'"),
    ("screen sharpe_ratio>high", "'high' is not a number"),
    ("screen window=4y", "choose from 1m, 3m, 6m"),
    ("screen sharpe_ratio>1 --kind bonds", "did you mean bond?"),
    ("screen sharpe_ratio>1 --type 债", "did you mean 债券型"),
    ("screen sharpe_ratio>1 --sort sharp", "did you mean"),
    ("screen sharpe_ratio>1 --limit 0", "--limit"),
    ("report weekly --week 2026-W60", "is not an ISO week, such as 2026-W47"),
    ("report weekly --week 2031-W01", "no NAVs of 2031-W01: the newest are of 2026-W38"),
    ("report weekly --mail", "FUND_ALERT_MAIL_TO"),
    ("report walk-forward", "run `fund-assets weekly` first"),
    ("report monthly", "choose from"),
    ("export", "fund-assets export --help"),
    ("export navs", "did you mean nav?"),
    ("export nav --format feather", "choose from parquet, csv, xlsx"),
    ("export nav --format csv --out x.parquet", "contradicts --out x.parquet"),
    ("export nav --out x.txt", "add --format"),
    ("export nav --codes 999999", "known funds: 999999"),
    ("export nav --codes @none.txt", "none.txt"),
    ("export nav --codes ,", "is empty"),
    ("export nav --since 2026-02-01 --until 2026-01-01", "the start is after the end"),
    ("export nav --since 2031-01-01", COMING),
    ("export info --since 2026-01-01", "has no date column"),
    ("export nav --out none/x.csv", "none/x.csv cannot be written"),
    ("serve --port 70000", "--port"),
    ("serve --host 0.0.0.0", "FUND_HEALTH_TOKEN"),
    ("serve --port {busy}", "choose another port"),
    ("rate set 2026-13-01 0.015 --note x", "write it as 2026-11-24"),
    ("rate set 2026-01-01 1.5 --note x", "write 1.5 % as 0.015"),
    ("rate set 2026-01-01 much --note x", "RATE"),
    ("rate set 2026-01-01 0.015", "--note"),
    ("rate set 2026-01-01 0.015 --note ''", "write 1 to 200"),
    ("rate shw", "did you mean show?"),
    ("calendar show 1900", "YEAR"),
    ("calendar show 2099", "fund-assets calendar refresh"),
    ("calendar set 2026-10-10 open --note x", "is a weekend"),
    ("calendar set 2026-10-12 opened --note x", "did you mean open?"),
    ("calendar set 2027-02-01 open --note x", "enter 2027-01-01 first"),
    ("calendar refresh", "FUND_SOURCE=akshare"),
    ("alert silence freshnes --for 2d --note x", "did you mean freshness?"),
    ("alert silence freshness --for 3y --note x", "30m, 4h, 2d or 1w"),
    ("alert silence freshness --for 2d --note ''", "write 1 to 200"),
    ("alert unsilence freshness", "fund-assets alert list"),
    ("alert resend 12", "fund-assets alert list"),
    ("alert test --channel pigeon", "FUND_ALERT_"),
    ("watch --every 5", "--every"),
    ("copy-warehouse sqlite:///none.db", "DST"),
    ("copy-warehouse sqlite:///none.db sqlite:///none.db", "are both"),
    ("copy-warehouse sqlite:///none.db sqlite:///other.db", "does not exist"),
    ("copy-warehouse env:NONE sqlite:///other.db", "NONE is not set"),
    ("copy-warehouse oracle://x/y sqlite:///other.db", "SQLite, MySQL or MariaDB"),
    ("doctor --deeply", "fund-assets doctor --help"),
    ("init here", "fund-assets init --help"),
    ("migrate up", "fund-assets migrate --help"),
)  # fmt: skip

READING = (
    "nav 000001", "metrics 000001", "prove 000001", "corrections", "compare 000001",
    "screen sharpe_ratio>1", "quarantine list", "quarantine show 0123456789",
    "quarantine accept 012345 --because x", "quarantine reject 012345 --because x",
    "quarantine replay --because x", "gaps", "export nav", "rate show", "alert list",
    "alert silence freshness --for 2d --note x", "alert unsilence freshness", "alert resend",
    "report weekly", "weekly",
)  # fmt: skip


def words(arguments):
    return [part.replace("''", "") for part in arguments.split()]


def told(arguments):
    """The command's exit code and what it says; never a defect's traceback."""
    done = CliRunner().invoke(main, words(arguments), prog_name="fund-assets")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exc_info
    return done.exit_code, done.output


def place(folder):
    """The warehouse of the settings, as it is told."""
    return Warehouse(
        stores.url_for(folder / "state")
        or f"sqlite:///{folder / 'state' / 'simulated' / 'warehouse.db'}"
    ).place


def files(folder):
    """File → its size and time, but for those that SQLite keeps beside an open database."""
    return {
        path: (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


@pytest.fixture
def state(first_evening, monkeypatch, tmp_path):
    """The settings of the market after its first evening, and an empty working directory."""
    market, _ = first_evening
    for name, value in market.settings.items():
        monkeypatch.setenv(f"FUND_{name}".upper(), str(value))
    monkeypatch.setenv("FUND_CLOCK", THURSDAY)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return market.folder


@pytest.fixture(scope="module")
def busy():
    """A port that another program listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(("arguments", "remedy"), BAD, ids=[text for text, _ in BAD])
def test_a_bad_input_is_told_in_one_sentence(state, tmp_path, busy, arguments, remedy):
    """Stops a slip of the keys from beginning something, or from ending in a riddle."""
    before = files(state)
    code, output = told(arguments.format(busy=busy))
    assert (code, output.count("\n"), output[:7]) == (2, 1, "Error: "), output
    assert remedy in output
    assert files(state) == before
    assert list((tmp_path / "here").iterdir()) == []


#: English that no language changes: names of commands, options, settings, files and rules.
NAMES = re.compile(
    r"`[^`]*`|'[^']*'|--[\w-]+|[A-Z_0-9]{2,}=?\w*|[\w.-]*[/_.\d@][\w./@-]*|fund-assets( \w+)*"
)


def test_bad_inputs_are_told_in_chinese(state, monkeypatch, busy):
    """Stops a refusal that a Chinese reader is told in English, in whole or in part."""
    monkeypatch.setenv("FUND_LANG", "zh")
    left = {}
    for arguments, _ in BAD:
        _, output = told(arguments.format(busy=busy))
        assert output.startswith("错误：")
        if found := re.search(r"([A-Za-z]+[;:]? +){3}[a-z]+", re.sub(NAMES, "", output)):
            left[arguments] = found[0]
    assert not left


def test_there_are_a_hundred():
    """Stops the table from shrinking, and a command from being left out of it."""
    assert len(BAD) == len(set(BAD)) >= 100
    assert set(main.commands) <= {text.split()[0] for text, _ in BAD}


@pytest.mark.parametrize("arguments", READING)
def test_reading_never_creates(tmp_path, arguments):
    """Stops a command that reads from making what it then finds empty."""
    code, output = told(arguments)
    assert (code, output.count("\n")) == (2, 1), output
    assert output == (
        f"Error: no warehouse exists yet at {place(tmp_path)}: run `fund-assets run` first\n"
    )
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("arguments", ["doctor", "dashboard", "calendar show", "logs"])
def test_the_others_look_without_making(tmp_path, arguments):
    """Stops an examination of a new machine from leaving folders behind."""
    _, output = told(arguments)
    assert "fund-assets run" in output or "sessions" in output
    assert not (tmp_path / "state").exists()


def test_funds_says_the_same(tmp_path):
    """Stops the Python API from another answer than the commands have."""
    with pytest.raises(WarehouseError) as refused:
        Funds()
    assert str(refused.value) == (
        f"no warehouse exists yet at {place(tmp_path)}: run `fund-assets run` first"
    )
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "arguments", ["run", "init", "doctor", "calendar set 2026-10-12 closed --note x"]
)
def test_a_folder_that_takes_nothing(sqlite_only, monkeypatch, arguments):
    """Stops a place that cannot be written from ending in a traceback."""
    monkeypatch.setenv("FUND_STATE", f"{os.devnull}/state")
    code, output = told(arguments)
    assert code in (1, 2)
    assert f"{os.devnull}/state" in output
    assert "Traceback" not in output
