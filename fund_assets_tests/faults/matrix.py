"""The command that plays the fault matrix and prints n of n.

    python -m fund_assets_tests.faults.matrix [--only WORDS] [--short]
    python -m fund_assets_tests.faults.matrix --write     the table in docs/reliability.md

Belongs here: choosing cells, printing, and the table of the page. Does not belong here: the
cells (`cells.py`), how they are played (`play.py`).
"""

import argparse
import logging
import sys
import warnings
from collections import Counter
from pathlib import Path

from fund_assets_tests.faults.cells import CELLS, SHORT, STAGES, Cell
from fund_assets_tests.faults.play import Played, a_stage

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- matrix -->\n", "<!-- end of matrix -->\n"


def table(cells: list[Cell]) -> str:
    """Every cell as a row of Markdown, and how many there are."""
    counted = Counter(cell.stage for cell in cells)
    stages = ", ".join(f"{stage} {counted[stage]}" for stage in STAGES)
    lines = [
        f"{len(cells)} cells: {stages}.",
        "",
        "| stage | fault | end | alerts |",
        "|---|---|---|---|",
    ]
    for stage in STAGES:
        for cell in (cell for cell in cells if cell.stage == stage):
            told = ", ".join(f"`{kind}`" for kind in sorted(cell.alerts)) or "–"
            lines.append(f"| {stage} | {cell.fault} | {cell.end} | {told} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """The page with the table as it should be."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}{table(CELLS)}{END}{after}"


def line(played: Played) -> str:
    """What became of a cell, in a line, and what is wrong with it in others."""
    told = ", ".join(sorted(played.told)) or "nothing"
    found = "ok " if not played.wrong else "NOT"
    head = f"{found} {played.cell.name:58} {played.end:12} {told:34} {played.seconds:5.1f} s"
    return "\n      ".join([head, *played.wrong])


def main() -> int:
    """Play the cells; 1 when one of them does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cells whose stage and fault contain this")
    parser.add_argument("--short", action="store_true", help="one of each way to an end")
    parser.add_argument("--write", action="store_true", help="the page anew, nothing played")
    asked = parser.parse_args()
    if asked.write:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    cells = [cell for cell in (SHORT if asked.short else CELLS) if asked.only in cell.name]
    well = 0
    with a_stage() as stage:
        for cell in cells:
            played = stage.play(cell)
            well += not played.wrong
            print(line(played), flush=True)
    print(f"{well} of {len(cells)} cells hold")
    return 0 if well == len(cells) else 1


if __name__ == "__main__":
    sys.exit(main())
