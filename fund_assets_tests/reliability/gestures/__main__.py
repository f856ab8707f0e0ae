"""The command that walks: which parts, what came of each gesture, and the page that tells it."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path

from fund_assets_tests.reliability.gestures import automation, pages, terminal, ui
from fund_assets_tests.reliability.gestures.walk import (
    EXPECTED,
    FIRST,
    ROOT,
    Gesture,
    Walk,
)
from fund_assets_tests.reliability.page_tables import kept, with_table

PARTS = {part.name: part for part in (terminal.PART, automation.PART, ui.PART, pages.PART)}
GESTURES = tuple(gesture for part in PARTS.values() for gesture in part)
PAGE = ROOT / "docs" / "reliability.md"
NAME = "gestures"
LONGEST = 300


def walk_through(folder: Path, parts: Iterable[str]) -> dict[Gesture, str]:
    """Do the gestures of the parts, on one market; gesture → what was seen, wrong ones in **."""
    walk, found = Walk(folder), {}
    with ExitStack() as stack:
        for part in PARTS:
            if part not in parts:
                continue
            if part == terminal.PART.name:
                terminal.prepare(walk)
            elif not walk.url:
                if not walk.state.exists():
                    walk.fund_assets("run", clock=FIRST)
                stack.enter_context(walk.dagster())
            for gesture in PARTS[part]:
                found[gesture] = tried(walk, gesture)
    return found


def tried(walk: Walk, gesture: Gesture) -> str:
    """Do one, and print what came of it."""
    started = time.monotonic()
    try:
        saw = gesture.does(walk)
        assert saw, "it tells nothing that it saw"
    except (Exception, SystemExit) as error:  # what breaks one keeps no other from being tried
        print(
            f"✗ {gesture.point}: {gesture.what}  {type(error).__name__}: {error}"[:3000],
            flush=True,
        )
        words = " ".join(f"{type(error).__name__}: {error}".split()).replace("|", "¦")
        return f"**{words[:LONGEST]}**"
    print(
        f"✓ {gesture.point}: {gesture.what}  {saw} ({time.monotonic() - started:.0f} s)",
        flush=True,
    )
    return saw.replace("|", "¦")


def well(found: Mapping[Gesture, str]) -> int:
    """How many did what they say."""
    return sum(not saw.startswith("**") for saw in found.values())


def table(found: Mapping[Gesture, str]) -> str:
    """The gestures as Markdown, with what was seen, and how many did what they say."""
    head = ["| what people expect | action | seen |", "|---|---|---|"]
    rows = [f"{_begin(gesture)}{saw} |" for gesture, saw in found.items()]
    return "\n".join([f"{well(found)} of {len(found)}.", "", *head, *rows]) + "\n"


def _begin(gesture: Gesture) -> str:
    return f"| {EXPECTED[gesture.point]} | {gesture.what.replace('|', '¦')} | "


def page(text: str, found: Mapping[Gesture, str]) -> str:
    """The page with what was found; of gestures that were not tried it keeps what it has."""
    words = {
        gesture: found.get(gesture) or kept(text, NAME, _begin(gesture)) or "**not tried**"
        for gesture in GESTURES
    }
    return with_table(text, NAME, table(words))


def main(arguments: list[str] | None = None) -> int:
    """Walk; 0 when every gesture did what it says."""
    parser = argparse.ArgumentParser(prog="python -m fund_assets_tests.reliability.gestures")
    parser.add_argument("--keep", action="store_true", help="leave the state folder")
    parser.add_argument(
        "--write", action="store_true", help="what was seen, into docs/reliability.md"
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    asked = parser.parse_args(arguments)
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"{', '.join(sorted(unknown))}: parts are {', '.join(PARTS)}")
    folder = Path(tempfile.mkdtemp(prefix="fund-gestures-"))
    try:
        found = walk_through(folder, asked.parts or PARTS)
    finally:
        if asked.keep:
            print(folder)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    spent = os.times()
    cost = spent.user + spent.system + spent.children_user + spent.children_system
    print(f"{well(found)} of {len(found)}, {cost / 60:.1f} minutes of processor time")
    if asked.write:
        PAGE.write_text(page(PAGE.read_text("utf-8"), found), "utf-8")
    return 0 if well(found) == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
