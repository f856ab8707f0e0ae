"""The data dictionary says what the declarations say."""

import re
from pathlib import Path

import pytest

from fund_assets.cli import _reference, main
from fund_assets.schemas import dictionary
from fund_assets.schemas.page import write_or_check
from fund_assets.schemas.table import Column, Kind, Table
from fund_assets.schemas.tables import TABLES


def test_page_is_up_to_date() -> None:
    """Stops a changed column from leaving the published page behind."""
    committed = dictionary.PAGE.read_text(encoding="utf-8")
    assert committed == dictionary.render(), "run `make docs`"


def test_every_table_and_column_is_on_the_page() -> None:
    """Stops a table from being declared and not documented."""
    page = dictionary.render()
    for table in TABLES.values():
        part = page.split(f"\n## {table.name}\n")[1].split("\n## ")[0]
        for column in table.columns:
            assert part.count(f"`{column.name}`** |" if column.name in table.primary_key
                              else f"| `{column.name}` |") == 1, (table.name, column.name)  # fmt: skip


def test_a_column_in_words() -> None:
    """Stops limits, units and nullability from being lost on the way to the page."""
    column = Column("x", Kind.REAL, "a|b", "yuan", nullable=True, gt=-1e4, le=1e5)
    table = Table("t", "one row", "", (column,), ())
    assert (
        dictionary.column_row(column, table)
        == "| `x` | real | yuan | yes | > -10,000, ≤ 100,000 | a\\|b |"
    )
    assert dictionary.limits(Column("k", Kind.TEXT, "", isin=("a", "b"))) == "one of `a`, `b`"


def test_commands_page_is_up_to_date() -> None:
    """Stops a changed command or option from leaving the published page behind."""
    committed = _reference.PAGE.read_text(encoding="utf-8")
    assert committed == _reference.render(), "run `make docs`"
    names = re.findall(r"^#+ (fund-assets.*)$", committed, re.MULTILINE)
    assert {f"fund-assets {name}" for name in main.commands} < set(names)
    assert "fund-assets alert silence" in names
    assert "| `--overwrite` | Replace an existing file. |" in committed
    assert "-h, --help" not in committed


def test_check_fails_on_drift_and_writing_mends_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Stops `make check` from passing over a stale or missing page."""
    page = tmp_path / "docs" / "page.md"
    assert write_or_check(page, "text", ["--check"]) == 1
    assert "make docs" in capsys.readouterr().err
    assert write_or_check(page, "text", []) == 0
    assert write_or_check(page, "text", ["--check"]) == 0
    assert write_or_check(page, "other", ["--check"]) == 1
    assert write_or_check(page, "text", ["--chekc"]) == 2
