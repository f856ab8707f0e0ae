"""The runbook and the page on alerts keep up with the program."""

import re
from pathlib import Path

import click
import pytest

from fund_assets.cli import main
from fund_assets.observability.alerts.catalog import KINDS
from fund_assets.observability.conditions import (
    CALENDAR_HORIZON,
    CONDITIONS,
    DAEMON_DEAD,
    DATABASE_UNWRITABLE,
    DISK_LOW,
    Severity,
)
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
HEALTH = (ROOT / "docs/health.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^## (\w+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
SECTIONS = dict(SECTION.findall(PAGES["docs/runbook.md"]))
SECTIONS_ZH = dict(SECTION.findall(PAGES["docs/zh/runbook.md"]))


def test_every_condition_has_its_section_and_every_section_its_condition():
    """Stops a link in a message from leading nowhere, and a finding without a way out."""
    assert list(SECTIONS_ZH) == list(SECTIONS)
    assert set(SECTIONS) == set(CONDITIONS)
    assert Settings.model_fields["alert_runbook"].default == "docs/runbook.md"


@pytest.mark.parametrize("row", CONDITIONS.values(), ids=lambda row: row.name)
def test_a_section_says_what_it_is_how_to_look_and_what_to_do(row):
    """Stops a page that leaves somebody alone at four in the morning."""
    text = SECTIONS[row.name]
    assert text.strip().startswith(f"{row.title}. ")
    for part in ("- **Look**:", "- **Do**:"):
        assert part in text
    assert ("- **Ends** " in text) != row.momentary
    chinese = SECTIONS_ZH[row.name]
    assert chinese.strip().startswith(f"{row.title}。")
    for part in ("- **查看**：", "- **处理**："):
        assert part in chinese
    assert ("- **结束**：" in chinese) != row.momentary
    told = f"\n| `{row.name}` {row.title} | " in PAGES["docs/zh/alerts.md"]
    assert told == (row.name in KINDS)
    assert told or f"(runbook.md#{row.name})" in ALERTS, "the page says that it has no alert"


def figures(row):
    """The limits of a condition as the pages write them: English, Chinese."""
    limit, grades = row.limit, (Severity.WARNING, Severity.CRITICAL)
    if row in (DISK_LOW, DAEMON_DEAD, CALENDAR_HORIZON):
        for value in map(limit.of, grades):
            yield {
                "bytes": (f"{value / 1e9:g} GB", f"{value / 1e9:g} GB"),
                "s": (f"{value:g} s", f"{value:g} 秒"),
                "days": (f"{value:g} days", f"{value:g} 天"),
            }[limit.unit]
    elif row.name == "clock_wrong":
        minutes = f"{limit.of(Severity.WARNING) / 60:g}"
        yield f"{minutes} minutes", f"{minutes} 分钟"
    elif row is DATABASE_UNWRITABLE:
        yield f"{row.holds_s / 60:g} minutes", f"{row.holds_s / 60:g} 分钟"


@pytest.mark.parametrize("row", CONDITIONS.values(), ids=lambda row: row.name)
def test_the_pages_have_the_limits_of_the_table(row):
    """Stops a page that tells of another limit than the one that holds."""
    rows = {place: "\n".join(re.findall(rf"^\| `{row.name}`.*", page, re.M))
            for place, page in PAGES.items()}  # fmt: skip
    for english, chinese in figures(row):
        for where, text, words in (
            ("runbook", SECTIONS[row.name], english),
            ("alerts", rows["docs/alerts.md"], english),
            ("zh/runbook", SECTIONS_ZH[row.name], chinese),
            ("zh/alerts", rows["docs/zh/alerts.md"], chinese),
        ):
            assert re.search(rf"(?<![\d.]){re.escape(words)}", text), (where, words)
        if row.health:
            assert english in " ".join(HEALTH.split()), english


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
