"""The command `corrections` as people read it: a line for each figure, whose it is once."""

import pytest

from fund_assets.cli.corrections import _show
from fund_assets.language import speaking

ROW = {
    "superseded_at": 20260919_193000,
    "fund_code": "000001",
    "name": "华夏成长",
    "nav_date": 20260917,
    "change_pct": 0.2971,
    "legal_level": "report",
    "superseded_by": "w20260919-1930000000ab",
    "figures": {"unit_nav": [1.01, 1.013], "growth_pct": [0.5, None]},
}


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "150")


def test_every_figure_of_a_correction_is_a_line_of_its_own(capsys):
    """Stops a name that hides the one of the labels: the list then ended with an error."""
    with speaking("en"):
        _show([ROW])
    head, nav, growth = (line.split() for line in capsys.readouterr().out.splitlines())
    assert head[:3] == ["seen", "code", "name"]
    assert nav[:6] == ["2026-09-19", "19:30", "000001", "华夏成长", "2026-09-17", "unit_nav"]
    assert nav[6:9] == ["1.0100", "1.0130", "+0.2971"]
    assert growth == ["growth_pct", "0.5000", "—", "—"]


def test_the_figures_have_their_chinese_names(capsys):
    with speaking("zh"):
        _show([ROW])
    text = capsys.readouterr().out
    assert "单位净值" in text and "unit_nav" not in text


def test_without_corrections_it_says_so(capsys):
    with speaking("en"):
        _show([])
    assert capsys.readouterr().out == "no corrections\n"
