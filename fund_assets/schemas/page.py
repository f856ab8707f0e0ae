"""Generated pages of the documentation: writing them, and finding that one is out of date.

Does not belong here: what any page says.
"""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"


def write_or_check(page: Path, text: str, arguments: list[str]) -> int:
    """Write a page, or with `--check` compare it with `text`; returns the exit code."""
    if arguments == ["--check"]:
        if page.is_file() and page.read_text(encoding="utf-8") == text:
            return 0
        print(f"{page} is out of date: run `make docs`", file=sys.stderr)
        return 1
    if arguments:
        print(f"unknown arguments {arguments}: none, or --check", file=sys.stderr)
        return 2
    page.parent.mkdir(exist_ok=True)
    page.write_text(text, encoding="utf-8")
    return 0
