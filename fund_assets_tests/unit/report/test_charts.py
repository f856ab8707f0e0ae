"""The chart of `compare`: what its file holds."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from fund_assets.report import charts
from fund_assets.report.charts import ChartError
from fund_assets.report.curve import Curve

SVG = "{http://www.w3.org/2000/svg}"
DAYS = np.arange("2025-11-24", "2026-11-24", dtype="datetime64[D]")


def curve(code, name, growth, dip=0.0):
    index = np.linspace(1.0, 1.0 + growth, len(DAYS))
    index[100:120] *= 1 - dip
    return Curve(code, name, DAYS, 3.0 * index)


CURVES = [
    curve("000001", "华夏成长<b>混合</b> & $x_1$ A$", 0.10, 0.2),
    curve("000002", "_易方达", -0.05, 0.1),
    curve("000003", "招商中证白酒", 0.40),
]


def texts(root):
    return [
        "".join(found.itertext()).strip().replace("\N{NO-BREAK SPACE}", " ")
        for found in root.iter(f"{SVG}text")
    ]


def points(root, gid):
    """The corners of a curve in the file's own coordinates."""
    (group,) = [found for found in root.iter(f"{SVG}g") if found.get("id") == gid]
    (path,) = group.iter(f"{SVG}path")
    return np.array(re.findall(r"[ML] (-?[\d.]+) (-?[\d.]+)", path.get("d")), dtype=float)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    path = tmp_path_factory.mktemp("chart") / "some.svg"
    charts.draw(path, "近1年，截至 2026-11-23", CURVES)
    return path


def test_names_are_texts_as_they_are_written(drawn):
    """Stops names drawn as shapes, read as markup or formulas, or left out of the legend."""
    said = texts(ET.parse(drawn).getroot())
    for one, end in zip(CURVES, ("+10.00%", "-5.00%", "+40.00%"), strict=True):
        (label,) = [text for text in said if one.code in text]
        assert label.split("  ") == [f"{one.code} {one.name}", end]
    assert {"总收益", "回撤", "近1年，截至 2026-11-23"} <= set(said)
    assert "<b>" not in drawn.read_text(encoding="utf-8")


def test_every_fund_has_its_two_curves_and_they_end_where_it_ended(drawn):
    """Stops a curve of another fund, unit NAV in its place, and a swapped or missing one."""
    root = ET.parse(drawn).getroot()
    ids = {found.get("id") or "" for found in root.iter(f"{SVG}g")}
    for kind in ("return", "drawdown"):
        found = sorted(name for name in ids if name.startswith(f"{kind}-"))
        assert found == [f"{kind}-{one.code}" for one in CURVES]
    # Heights are linear in the values: begin at 0, end at -5, 10 and 40 %.
    starts = [points(root, f"return-{one.code}")[0, 1] for one in CURVES]
    up, down, far = (points(root, f"return-{one.code}")[-1, 1] for one in CURVES)
    assert starts == pytest.approx([starts[0]] * 3, abs=1e-3)
    assert (starts[0] - up) / (starts[0] - far) == pytest.approx(0.10 / 0.40, abs=1e-3)
    assert (starts[0] - down) / (starts[0] - far) == pytest.approx(-0.05 / 0.40, abs=1e-3)
    # The deepest fall of the first is below that of the second, the third has none.
    depth = [np.ptp(points(root, f"drawdown-{one.code}")[:, 1]) for one in CURVES]
    falls = [-one.drawdowns.min() for one in CURVES]
    assert falls[2] == 0 and depth[2] == 0
    assert depth[0] / depth[1] == pytest.approx(falls[0] / falls[1], abs=1e-3)


def test_the_same_curves_are_the_same_file(drawn, tmp_path):
    """Stops dates of drawing and random names in the file."""
    again = tmp_path / "again.svg"
    charts.draw(again, "近1年，截至 2026-11-23", CURVES)
    assert again.read_bytes() == drawn.read_bytes()


def test_a_png_without_chinese_characters_is_refused(tmp_path, monkeypatch):
    """Stops a picture of empty boxes: the error names the package to install."""
    monkeypatch.setattr(charts, "FONTS", ("No Such Font",))
    with pytest.raises(ChartError, match="apt-get install fonts-wqy-microhei"):
        charts.check(tmp_path / "some.png")
    charts.check(tmp_path / "some.svg")


def test_a_png_is_drawn_in_a_font_that_is_there(tmp_path, monkeypatch):
    """Stops a PNG that cannot be written; any installed font stands for a Chinese one."""
    monkeypatch.setattr(charts, "FONTS", ("DejaVu Sans",))
    path = tmp_path / "some.png"
    charts.check(path)
    charts.draw(path, "1y", [curve("000001", "plain", 0.1)])
    assert path.read_bytes().startswith(b"\x89PNG\r\n") and path.stat().st_size > 10_000


@pytest.mark.parametrize(
    ("name", "words"), [("some.pdf", "must end with"), ("no/some.svg", "create it first")]
)
def test_files_that_cannot_be_are_refused_before_anything_is_read(tmp_path, name, words):
    """Stops an error after all the work, and one that does not say what to do."""
    with pytest.raises(ChartError, match=words):
        charts.check(tmp_path / name)
