"""Pins, package metadata, and the script that makes the environment."""

import configparser
import re
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
REQUIREMENTS = ROOT / "requirements"
LOCKS = ("build", "run", "dev")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lock: str) -> list[tuple[str, str, str, int]]:
    """(name, version, marker, hashes) of each entry of a lock file."""
    text = (REQUIREMENTS / f"{lock}.txt").read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        entry = re.fullmatch(
            r"([\w.-]+)(?:\[[\w,]+\])?==([\w.]+)( ; [^#]*?)?((?: +--hash=sha256:[0-9a-f]{64})+) *",
            line,
        )
        assert entry, f"{lock}.txt: {line[:80]}"
        found.append((normal(entry[1]), entry[2], entry[3] or "", entry[4].count("--hash")))
    return found


def direct(name: str) -> dict[str, str]:
    """What a .in file asks for: name → version, with the files it includes."""
    found = {}
    for line in (REQUIREMENTS / f"{name}.in").read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            found |= direct(line[3:].removesuffix(".in"))
        elif line and not line.startswith("#"):
            wanted, pinned = re.split(r"[;#]", line)[0].split("==")
            found[normal(wanted)] = pinned.strip()
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_is_exact_hashed_and_names_no_index(lock: str) -> None:
    """Stops an open version, a missing hash, or an address that only one machine reaches."""
    assert pins(lock)
    assert min(hashes for *_, hashes in pins(lock)) >= 1
    text = (REQUIREMENTS / f"{lock}.txt").read_text(encoding="utf-8")
    assert "://" not in text
    options = re.findall(r"(?<!\S)--?[a-z][\w-]*", text)
    assert set(options) == {"--hash"}


def test_locks_agree_with_each_other_and_with_what_is_asked_for() -> None:
    """Stops tests from running other releases than the platform does, and stale locks."""
    build, run, dev = ({(n, v, m) for n, v, m, _ in pins(lock)} for lock in LOCKS)
    names = {(name, pinned) for name, pinned, _ in dev}
    assert build <= run
    assert {(name, pinned) for name, pinned, _ in run} <= names
    for lock in LOCKS:
        locked = {(name, pinned) for name, pinned, *_ in pins(lock)}
        assert set(direct(lock).items()) <= locked, lock


def test_every_pin_has_a_reason_or_stands_under_one() -> None:
    """Stops pins that nobody dares to move."""
    for name in LOCKS:
        blocks = (REQUIREMENTS / f"{name}.in").read_text(encoding="utf-8").split("\n\n")
        for block in blocks:
            lines = [line for line in block.splitlines() if "==" in line]
            assert not lines or block.startswith("#") or all("#" in line for line in lines)


def test_package_asks_for_exactly_what_is_pinned() -> None:
    """Stops `pip install fund-assets` from lacking what the lock has, or the reverse."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = setup["options"]["install_requires"].split("\n")
    asked = {normal(line.split()[0]) for line in lines if line}
    build = {"setuptools", "wheel"}
    of_others = {"py-mini-racer", "akracer", "mysql-connector-python"}  # akshare, dagster-mysql
    assert asked == set(direct("run")) - build - of_others
    extra = {normal(line) for line in setup["options.extras_require"]["dev"].split()}
    assert extra == set(direct("dev")) - set(direct("run"))


def test_installed_releases_are_the_pinned_ones() -> None:
    """Stops a green test run over an environment that nobody else gets."""
    pinned = direct("dev")
    assert {name: version(name) for name in pinned} == pinned


def test_dagster_is_one_release() -> None:
    """Stops a webserver or library of another release than the core."""
    core = version("dagster")
    assert {
        version(f"dagster-{name}") for name in ("webserver", "graphql", "shared", "pipes")
    } == {core}
    _, minor, patch = core.split(".")
    for name in ("dagster-mysql", "dagster-celery"):
        assert version(name) == f"0.{int(minor) + 16}.{patch}"


def test_javascript_engine_works() -> None:
    """Stops a broken pair of py-mini-racer and akracer, which overwrite each other's files."""
    from py_mini_racer import MiniRacer

    assert MiniRacer().eval("6*7") == 42


def test_command_and_definitions_are_where_the_tools_look() -> None:
    """Stops `fund-assets`, `dagster dev` and `dg` from loading different things."""
    (command,) = entry_points(group="console_scripts", name="fund-assets")
    assert command.value == "fund_assets.cli:main"
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))
    assert (
        workspace["load_from"][0]["python_module"]["module_name"]
        == tools["dagster"]["module_name"]
        == tools["dg"]["project"]["code_location_target_module"]
        == "fund_assets.definitions"
    )


# --- scripts/env.sh ----------------------------------------------------------------------


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with what scripts/env.sh reads."""
    root = tmp_path / "a project"
    (root / "scripts").mkdir(parents=True)
    (root / "requirements").mkdir()
    (root / "bin").mkdir()
    script = (ROOT / "scripts" / "env.sh").read_text(encoding="utf-8")
    (root / "scripts" / "env.sh").write_text(script, encoding="utf-8")
    (root / "requirements" / "run.txt").write_text("six==1\n", encoding="utf-8")
    (root / "setup.cfg").write_text("[metadata]\n", encoding="utf-8")
    return root


def make_env(
    root: Path, kind: str = "run", **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "scripts/env.sh", kind],
        cwd=root,
        env={"PATH": f"{root / 'bin'}:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def interpreter(root: Path, name: str, *, suitable: bool, venv: bool) -> None:
    """A stand-in for a Python of some age, with or without venv."""
    file = root / "bin" / name
    file.write_text(
        "#!/bin/sh\n"
        'case "$*" in\n'
        f"*version_info*) exit {0 if suitable else 1} ;;\n"
        f"*ensurepip*) exit {0 if venv else 1} ;;\n"
        "-V) echo Python 3.x ;;\n"
        "*) echo called with $*; exit 9 ;;\n"
        "esac\n",
        encoding="utf-8",
    )
    file.chmod(0o755)


def test_old_python_is_refused_in_words(project: Path) -> None:
    """Stops an installation that dies half way with a syntax error."""
    interpreter(project, "oldpython", suitable=False, venv=True)
    result = make_env(project, PYTHON="oldpython")
    assert result.returncode == 1
    assert "Python 3.11 or newer is needed; found oldpython" in result.stderr
    assert "PYTHON=" in result.stderr


def test_python_without_venv_is_refused_in_words(project: Path) -> None:
    """Stops Debian's bare python3 from failing with a traceback of ensurepip."""
    interpreter(project, "barepython", suitable=True, venv=False)
    result = make_env(project, PYTHON="barepython")
    assert result.returncode == 1
    assert "apt install python3-venv" in result.stderr


def test_environment_is_made_once_and_again_when_pins_change(project: Path) -> None:
    """Stops a second `make run` from installing anew, and new pins from being ignored."""
    interpreter(project, "newpython", suitable=True, venv=True)
    key = subprocess.run(
        ["/bin/sh", "-c", 'printf %s "$PWD $(cat requirements/*.txt setup.cfg | cksum)"'],
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (project / ".venv").mkdir()
    stamp = project / ".venv" / "stamp"
    for made, wanted, code in (("run", "run", 0), ("dev", "run", 0), ("dev", "dev", 0)):
        stamp.write_text(f"{made} {key}\n", encoding="utf-8")
        result = make_env(project, wanted, PYTHON="newpython")
        assert (result.returncode, result.stdout, result.stderr) == (code, "", "")
    (project / "requirements" / "run.txt").write_text("six==2\n", encoding="utf-8")
    result = make_env(project, PYTHON="newpython")
    assert result.returncode == 9
    assert "Making .venv" in result.stdout


@pytest.mark.slow
def test_environment_stays_when_setup_cfg_alone_changes(project: Path) -> None:
    """Stops a changed description from costing everybody 1.3 GB, and changed pins from not."""
    interpreter(project, "newpython", suitable=True, venv=True)
    locked = (REQUIREMENTS / "dev.txt").read_text(encoding="utf-8")
    (project / "requirements" / "dev.txt").write_text(locked, encoding="utf-8")
    own = project / ".venv" / "bin" / "python"
    own.parent.mkdir(parents=True)
    own.write_text(
        '#!/bin/sh\ncase "$*" in\n"-m pip "*) echo "$*" >>calls ;;\n'
        f'*) exec {sys.executable} "$@" ;;\nesac\n',
        encoding="utf-8",
    )
    own.chmod(0o755)
    (project / ".venv" / "stamp").write_text(f"dev {project} 1 2\n", encoding="utf-8")
    result = make_env(project, "dev", PYTHON="newpython")
    assert (result.returncode, result.stderr) == (0, "")
    (call,) = (project / "calls").read_text(encoding="utf-8").splitlines()
    assert call.endswith("--no-build-isolation --no-deps -e .")
    assert make_env(project, "dev", PYTHON="newpython").stdout == ""

    for other in (
        re.sub(r"^numpy==\S+", "numpy==1.0", locked, count=1, flags=re.MULTILINE),
        locked + "one-more==1 \\\n    --hash=sha256:0\n",
        locked.replace("numpy==", "pynum==", 1),
    ):
        (project / "requirements" / "dev.txt").write_text(other, encoding="utf-8")
        assert "Making .venv" in make_env(project, "dev", PYTHON="newpython").stdout
    (project / "requirements" / "dev.txt").write_text(locked, encoding="utf-8")
    (project / ".venv" / "stamp").write_text("dev /elsewhere 1 2\n", encoding="utf-8")
    assert "Making .venv" in make_env(project, "dev", PYTHON="newpython").stdout


def test_make_explains_its_targets() -> None:
    """Stops a target that only its author knows."""
    text = subprocess.run(
        ["make", "-s", "-C", str(ROOT)], capture_output=True, text=True, check=True
    ).stdout
    for target in (
        "run",
        "dev",
        "test",
        "test-slow",
        "check",
        "docs",
        "screenshots",
        "bench",
        "release",
    ):
        assert re.search(rf"^  make {target} +\w", text, re.MULTILINE), target
