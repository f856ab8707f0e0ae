"""The fault matrix: some of its cells by default, all of them in the slow suite."""

import pytest

from fund_assets_tests.faults.cells import CELLS, STAGES
from fund_assets_tests.faults.matrix import PAGE, line, page
from fund_assets_tests.faults.play import a_stage


@pytest.fixture(scope="module")
def stage():
    with a_stage() as made:
        yield made


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param(cell, id=cell.name, marks=[] if cell.quick else pytest.mark.slow)
        for cell in CELLS
    ],
)
def test_a_fault_ends_as_it_must(stage, cell):
    """Stops a fault from reaching users, from passing untold, and from lasting after its
    cause: each is played through the whole platform, told of, and repaired."""
    played = stage.play(cell)
    assert not played.wrong, line(played)


def test_the_matrix_has_every_stage_and_every_end():
    """Stops a stage from dropping out of the matrix without a word."""
    assert {cell.stage for cell in CELLS} == set(STAGES)
    assert {cell.end for cell in CELLS} == {"published", "quarantined", "held", "retried"}
    assert len({cell.name for cell in CELLS}) == len(CELLS)


def test_the_page_shows_the_matrix():
    """Stops docs/reliability.md from promising other ends than the ones that are tested."""
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "make docs"
