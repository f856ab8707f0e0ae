"""What a forge shows and runs: forms of issues, the template of pull requests, the workflow."""

import configparser
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from click import Group

from fund_assets.cli import main

ROOT = Path(__file__).resolve().parents[3]
FORGE = ROOT / ".github"
#: Pages that a forge links to beside its forms.
OF_THE_PROJECT = ("CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "SECURITY.md")
FORMS = sorted(
    path for path in (FORGE / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml"
)


def loaded(path: Path) -> dict:
    # BaseLoader: `on` is a key there and not the value true.
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_form_is_one_that_a_forge_takes(form: Path) -> None:
    """Stops a form that vanishes without a word because one of its fields is not allowed."""
    given = loaded(form)
    assert given.keys() == {"name", "description", "labels", "body"}
    fields = [field for field in given["body"] if field["type"] != "markdown"]
    assert {field["type"] for field in fields} <= {"input", "textarea"}
    names = [field["id"] for field in fields]
    assert len(names) == len(set(names))
    for field in fields:
        allowed = {"label", "description", "placeholder"}
        allowed |= {"render"} if field["type"] == "textarea" else set()
        assert {"label"} <= field["attributes"].keys() <= allowed
    assert any(field.get("validations") == {"required": "true"} for field in fields)


def test_wrong_number_is_told_with_all_that_is_needed_to_judge_it() -> None:
    """Stops a report of a wrong figure from which nobody can tell which figure and why."""
    fields = loaded(FORGE / "ISSUE_TEMPLATE" / "wrong-number.yml")["body"]
    needed = {field["id"] for field in fields if "validations" in field}
    assert needed == {"fund", "date", "shown", "expected", "source", "proof", "version"}


def test_pages_and_forms_name_commands_that_there_are() -> None:
    """Stops a reporter from being asked for the output of a command that is gone."""
    assert isinstance(main, Group)
    asked = set()
    for path in (*FORMS, *(ROOT / name for name in OF_THE_PROJECT)):
        text = path.read_text(encoding="utf-8")
        asked |= set(re.findall(r"`fund-assets ([a-z-]+)", text)) - {"--version"}
        targets = re.findall(r"\bmake ([a-z-]+)\b", " ".join(re.findall(r"`[^`]+`", text)))
        rules = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert all(f"\n{target}:" in rules for target in targets), path.name
    assert asked == {"doctor", "prove"}
    assert asked <= main.commands.keys()


def test_workflow_may_read_and_nothing_else() -> None:
    """Stops a pull request from reaching a token that writes, or an action of any version."""
    flow = loaded(FORGE / "workflows" / "ci.yml")
    assert flow["permissions"] == {"contents": "read"}
    assert flow["on"].keys() == {"push", "pull_request", "workflow_dispatch"}
    assert flow["concurrency"]["group"]
    for job in flow["jobs"].values():
        assert "permissions" not in job
        assert int(job["timeout-minutes"]) <= 240
        for step in job["steps"]:
            if "uses" in step:
                assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
                assert step["with"]["persist-credentials"] == "false"


def test_workflow_does_every_part_on_every_python_that_is_promised() -> None:
    """Stops a promised Python that nothing tries, and a suite that the workflow leaves out."""
    flow = loaded(FORGE / "workflows" / "ci.yml")
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    promised = re.findall(
        r"^Programming Language :: Python :: (3\.\d+)$", setup["metadata"]["classifiers"], re.M
    )
    assert flow["jobs"]["default"]["strategy"]["matrix"]["python"] == promised
    calls = [step["run"].split() for job in flow["jobs"].values() for step in job["steps"]
             if step.get("run", "").startswith(".ci/run")]  # fmt: skip
    parts = [part for call in calls for part in call[1:]]
    whole = re.search(r"set -- (.+)", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    assert whole and sorted(parts) == sorted(whole[1].split())


def test_unknown_part_is_refused_before_anything_is_done() -> None:
    """Stops a misspelt part from being taken for a green run."""
    done = subprocess.run(
        [ROOT / ".ci" / "run", "check", "slwo"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no part slwo" in done.stderr
