"""The runbook and the page on alerts keep up with the program."""

import re
from pathlib import Path

import click
import pytest

from fund_assets.alerts.kinds import KINDS
from fund_assets.cli import main
from fund_assets.settings import CHANNELS, Settings

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
ALERTS = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))


def test_every_kind_has_its_section_and_every_section_its_kind():
    """Stops a link in a message from leading nowhere."""
    assert set(SECTIONS) == set(KINDS)
    assert Settings.model_fields["alert_runbook"].default == "docs/runbook.md"


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_a_section_says_what_it_is_how_to_look_and_what_to_do(kind):
    """Stops a page that leaves somebody alone at four in the morning."""
    text = SECTIONS[kind.name]
    assert text.strip().startswith(f"{kind.title}. ")
    for part in ("- **Look**:", "- **Do**:"):
        assert part in text
    assert ("- **Ends** " in text) != kind.momentary


def test_the_page_on_alerts_has_every_kind_channel_and_setting():
    """Stops a kind or a channel that only the program knows."""
    assert set(re.findall(r"^\| `(\w+)` \| ", ALERTS, re.MULTILINE)) == set(KINDS)
    named = set(re.findall(r"`(FUND_ALERT_\w+?)_?\*?`", ALERTS))
    known = {f"FUND_{name.upper()}" for name in Settings.model_fields}
    assert {n for n in named if n not in known} == {"FUND_ALERT_SMTP"}
    for channel in CHANNELS:
        assert re.search(channel.replace("mail", "e-mail"), ALERTS, re.IGNORECASE)


@pytest.mark.parametrize("page", [RUNBOOK, ALERTS], ids=["runbook", "alerts"])
def test_every_command_on_the_page_exists(page):
    """Stops a person from being told to type what is not there, with options that are not."""
    found = re.findall(r"fund-assets ((?:[a-z][\w-]*|--[\w-]+| |[A-Z]+\b)+)", page)
    assert len(found) > 5
    for line in found:
        command, words = main, line.split()
        while isinstance(command, click.Group):
            assert words and words[0] in command.commands, line
            command = command.commands[words.pop(0)]
        options = {option for p in command.params for option in p.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


@pytest.mark.parametrize("page", [RUNBOOK, ALERTS], ids=["runbook", "alerts"])
def test_links_lead_somewhere(page):
    """Stops a page from pointing at a section or file that is gone."""
    for target in re.findall(r"\]\(([^)]+)\)", page):
        file, _, anchor = target.partition("#")
        assert not file or (ROOT / "docs" / file).is_file(), target
        assert not anchor or anchor in SECTIONS, target
