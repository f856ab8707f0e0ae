"""What came of a walk through a deployment, part by part: its notes, and the page's table.

Belongs here: counting and telling. Does not belong here: what is typed and tried
(`deployment.py`).

Notes of a part outlive the walk, so that a walk may be gone in pieces.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fund_assets_tests.reliability.page_commands import Command
from fund_assets_tests.reliability.page_tables import with_table

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reliability.md"
NAME = "deployment"


@dataclass
class Part:
    """What came of one part.

    Attributes:
        day: when, for people.
        typed: each command as it stands in its page, and whether it did well each time.
        trials: name, whether it came out as it should, what was seen.
        wrong: of what did not, with the last words.
        spent_s: seconds of the processor.
    """

    day: str
    typed: dict[Command, bool] = field(default_factory=dict)
    trials: list[tuple[str, bool, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    spent_s: float = 0


def save(parts: dict[str, Part], file: Path) -> None:
    """Keep the notes of these parts; those of others stay."""
    told = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    for name, part in parts.items():
        typed = [(asdict(command), well) for command, well in part.typed.items()]
        told[name] = {**vars(part), "typed": typed}
    file.write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")


def load(file: Path) -> dict[str, Part]:
    """The notes of all parts that were kept."""
    told = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return {
        name: Part(**{
            **part,
            "typed": {Command(**command): well for command, well in part["typed"]},
            "trials": [tuple(trial) for trial in part["trials"]],
        })
        for name, part in told.items()
    }  # fmt: skip


def bare(text: str) -> str:
    """A command without the remark behind it."""
    return re.sub(r"\s+# .*", "", text).strip()


class Found:
    """The parts of a walk against the commands that the pages ask for.

    Args:
        asked: every command of the pages that is typed.
        skipped: those that are not, by the reason.
    """

    def __init__(
        self,
        parts: dict[str, Part],
        asked: Sequence[Command],
        skipped: dict[str, list[Command]],
    ) -> None:
        self.parts, self.asked, self.skipped = parts, asked, skipped

    @property
    def trials(self) -> list[tuple[str, bool, str]]:
        """Of all parts, in their order."""
        return [trial for part in self.parts.values() for trial in part.trials]

    def outcomes(self, text: str) -> list[bool]:
        """Of each place where this command stands: whether it did well each time."""
        every = (one for part in self.parts.values() for one in part.typed.items())
        return [well for done, well in every if bare(text) == bare(done.text)]

    def did_well(self, command: Command) -> bool:
        """Whether it was typed, and did as its page says each time."""
        seen = self.outcomes(command.text)
        return bool(seen) and all(seen)

    def is_whole(self) -> bool:
        """Whether every command was typed, and they and every trial did what they should."""
        return (
            all(map(self.did_well, self.asked))
            and all(well for _, well, _ in self.trials)
            and not any(part.wrong for part in self.parts.values())
        )

    def counted(self) -> str:
        """How many commands and trials did what they should, of how many."""
        pages = list(dict.fromkeys(c.page for c in self.asked))
        asked = {page: [c for c in self.asked if c.page == page] for page in pages}
        well = {page: sum(map(self.did_well, asked[page])) for page in pages}
        each = ", ".join(f"{page} {well[page]} of {len(asked[page])}" for page in pages)
        tried = sum(well for _, well, _ in self.trials)
        return (
            f"{sum(well.values())} of {len(self.asked)} commands did as written ({each}); "
            f"{tried} of {len(self.trials)} trials came out as they should"
        )

    def report(self) -> str:
        """The counts, what was not typed, and of what did not do as it should the last words."""
        lines = [self.counted()]
        if left := [c for c in self.asked if not self.outcomes(c.text)]:
            lines.append(f"{len(left)} were not typed: {'; '.join(c.text for c in left)}")
        return "\n".join([*lines, *(w for part in self.parts.values() for w in part.wrong)])

    def table(self) -> str:
        """The counts, what is not typed and why, and every trial, as Markdown."""
        days = ", ".join(dict.fromkeys(part.day for part in self.parts.values()))
        spent = sum(part.spent_s for part in self.parts.values())
        skipped = "; ".join(
            f"{why} ({', '.join(dict.fromkeys(f'`{bare(c.text)}`' for c in commands))})"
            for why, commands in self.skipped.items()
        )
        rows = [f"| {name} | {'' if well else '**not as it should be:** '}{seen} |"
                for name, well, seen in self.trials]  # fmt: skip
        head = [f"On {days}: {self.counted()}. Its machines spent {spent:.0f} s of "
                "the processor.", "", f"Not typed: {skipped}."]  # fmt: skip
        return "\n".join([*head, "", "| trial | seen |", "|---|---|", *rows]) + "\n"

    def page(self, text: str) -> str:
        """The page with this table in its place."""
        return with_table(text, NAME, self.table())
