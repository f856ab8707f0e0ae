"""The runbook and the page on alerts keep up with the program."""

import re
from pathlib import Path

import click
import pytest

from fund_assets.cli import main
from fund_assets.observability.alerts.catalog import KINDS
from fund_assets.settings import CHANNELS, Settings

ROOT = Path(__file__).resolve().parents[4]
#: Both languages: place → text.
PAGES = {
    place: (ROOT / place).read_text(encoding="utf-8")
    for place in (
        "docs/runbook.md",
        "docs/alerts.md",
        "docs/zh/runbook.md",
        "docs/zh/alerts.md",
    )
}
ALERTS = PAGES["docs/alerts.md"]
SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = dict(SECTION.findall(PAGES["docs/runbook.md"]))
SECTIONS_ZH = dict(SECTION.findall(PAGES["docs/zh/runbook.md"]))


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
    chinese = SECTIONS_ZH[kind.name]
    assert chinese.strip().startswith(f"{kind.title}。")
    for part in ("- **查看**：", "- **处理**："):
        assert part in chinese
    assert ("- **结束**：" in chinese) != kind.momentary
    assert f"\n| `{kind.name}` {kind.title} | " in PAGES["docs/zh/alerts.md"]


def test_the_page_on_alerts_has_every_kind_channel_and_setting():
    """Stops a kind or a channel that only the program knows."""
    assert set(re.findall(r"^\| `(\w+)` \| ", ALERTS, re.MULTILINE)) == set(KINDS)
    named = set(re.findall(r"`(FUND_ALERT_\w+?)_?\*?`", ALERTS))
    known = {f"FUND_{name.upper()}" for name in Settings.model_fields}
    assert {n for n in named if n not in known} == {"FUND_ALERT_SMTP"}
    for channel in CHANNELS:
        assert re.search(channel.replace("mail", "e-mail"), ALERTS, re.IGNORECASE)


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
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


@pytest.mark.parametrize("place", PAGES)
def test_links_lead_somewhere(place):
    """Stops a page from pointing at a section or file that is gone."""
    for target in re.findall(r"\]\(([^)]+)\)", PAGES[place]):
        file, _, anchor = target.partition("#")
        assert not file or ((ROOT / place).parent / file).is_file(), target
        assert not anchor or anchor in SECTIONS, target
