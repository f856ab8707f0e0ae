"""The commands of a page, as a person who reads it types them.

Belongs here: taking them out of Markdown. Does not belong here: what is filled in, and what came
of them (`deployment.py`).
"""

import re
from dataclasses import dataclass
from pathlib import Path

#: A word of code in a sentence is a command when it begins with one of these.
PROGRAMS = (
    "fund-assets", "systemctl", "journalctl", "chronyc", "df", "du", "ps",
    "dagster", "docker", "make", "git", "mariadb", "pip", "apt-get",
)  # fmt: skip
#: `timedatectl` needs no argument; the others alone are names.
_INLINE = re.compile(rf"(?:FUND_\w+=\S+ )?(?:{'|'.join(PROGRAMS)}) \S|timedatectl$")


@dataclass(frozen=True)
class Command:
    """One command of a page, under its heading; `block` counts the page's blocks, 0 is a sentence."""

    page: str
    heading: str
    block: int
    text: str


def commands(page: Path) -> list[Command]:
    """All commands of a page in its order: lines of its blocks of shell, and of its sentences.

    Lines that go on (a backslash, a heredoc) are one command. Ellipses in a sentence speak of
    commands in general and are none.
    """
    found: list[Command] = []
    heading, block, inside = "", 0, ""
    waiting: list[str] = []
    prose: list[tuple[str, str]] = []
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = "" if inside else line[3:].strip() or "text"
            block += inside in ("bash", "sh")
        elif inside in ("bash", "sh"):
            waiting.append(line)
            if not line.endswith("\\"):
                text = "\n".join(waiting)
                waiting = []
                if text.strip() and not text.lstrip().startswith("#"):
                    found.append(Command(page.stem, heading, block, text))
        elif not inside:
            if line.startswith("#"):
                heading = line.lstrip("# ")
            prose.append((heading, line))
    seen = {one.text for one in found}
    for title in dict.fromkeys(heading for heading, _ in prose):
        text = "\n".join(line for heading, line in prose if heading == title)
        for span in re.findall(r"`([^`]+)`", text):
            words = " ".join(span.split())
            if _INLINE.match(words) and "…" not in words and words not in seen:
                seen.add(words)
                found.append(Command(page.stem, title, 0, words))
    return found
