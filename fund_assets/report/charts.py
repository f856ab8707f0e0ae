"""Charts by matplotlib: of `compare` as SVG or PNG files, of the reports as SVG within HTML.

Belongs here: drawing plain arrays. Does not belong here: reading them (`warehouse/`), what a
report says (`page.py`).

An SVG keeps its texts as texts, which the viewer's own fonts show. A PNG is drawn here and
needs a font with Chinese characters on this machine. Within HTML the colours are the page's own
(`report.css`), so that a chart is dark where the page is.
"""

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fund_assets.errors import FundAssetsError
from fund_assets.report.curve import Curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.typing import RcKeyType

FORMATS = (".svg", ".png")
#: Families with Chinese characters, as they are named on Linux, macOS and Windows.
FONTS = (
    "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "PingFang SC", "Microsoft YaHei", "SimHei",
)  # fmt: skip


class ChartError(FundAssetsError, ValueError):
    """The chart cannot be drawn; the message says what to do."""


def check(path: Path) -> None:
    """Whether a chart can be written there, before anything is read for it.

    Raises:
        ChartError: an ending that is neither .svg nor .png, no such folder, or a PNG without
            a font that has Chinese characters.
    """
    if path.suffix.lower() not in FORMATS:
        raise ChartError(f"{path}: the name must end with {' or '.join(FORMATS)}")
    if not path.absolute().parent.is_dir():
        raise ChartError(f"{path}: the folder {path.parent} does not exist; create it first")
    if path.suffix.lower() == ".png" and not _installed():
        raise ChartError(
            f"{path}: no font with Chinese characters is installed, names would appear as "
            "boxes. Install one (Debian, Ubuntu: apt-get install fonts-wqy-microhei; Fedora: "
            "dnf install google-noto-sans-cjk-fonts), or choose .svg, which needs no font"
        )


#: With more of them, the labels of quarters are turned.
CROWDED = 12


@dataclass(frozen=True)
class Spread:
    """How the values of one group are spread: a name and five quantiles, fractions.

    `marks` are the 5, 25, 50, 75 and 95 % quantiles.
    """

    name: str
    marks: tuple[float, float, float, float, float]


@dataclass(frozen=True)
class Trial:
    """What the picks of one date did: their mean return less that of their groups."""

    label: str
    value: float


def draw(path: Path, title: str, curves: Sequence[Curve]) -> None:
    """Write the chart; one file for the same curves, byte for byte."""
    metadata = {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
    fonts = [*_installed(), *FONTS] if path.suffix.lower() == ".svg" else _installed()
    with _styled({"font.family": [*fonts[:1], "sans-serif"]}):
        _figure(title, curves).savefig(path, dpi=120, metadata=metadata)


def curves_svg(key: str, title: str, curves: Sequence[Curve]) -> str:
    """The chart of `draw` for a page; `key` keeps its ids apart from other charts'."""
    with _styled(_page(key)):
        return _inline(key, _figure(title, curves), title)


def spreads_svg(key: str, title: str, spreads: Sequence[Spread]) -> str:
    """One box for each group: the quartiles, and whiskers at the 5 and 95 % quantiles."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    with _styled(_page(key)):
        figure = Figure(figsize=(10, 0.8 + 0.42 * len(spreads)), layout="constrained")
        axes = figure.subplots()
        names = ("whislo", "q1", "med", "q3", "whishi")
        axes.bxp(
            [{**dict(zip(names, s.marks, strict=True)), "fliers": []} for s in spreads[::-1]],
            orientation="horizontal",
            showfliers=False,
            widths=0.5,
            boxprops={"color": _INK},
            medianprops={"color": _CYCLE[0], "linewidth": 2},
            whiskerprops={"color": _DIM},
            capprops={"color": _DIM},
        )
        axes.set_yticks(range(1, len(spreads) + 1), [s.name for s in spreads[::-1]])
        axes.axvline(0, color=_DIM, linewidth=0.8)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        return _inline(key, figure, title)


def trials_svg(key: str, title: str, trials: Sequence[Trial], low: float, high: float) -> str:
    """One number for each quarter, and the interval around their mean; NaN: there is none."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    with _styled(_page(key)):
        figure = Figure(figsize=(10, 2.6), layout="constrained")
        axes = figure.subplots()
        places = list(range(len(trials)))
        if low == low:
            axes.axhspan(low, high, color=_GRID, linewidth=0)
        axes.plot(places, [t.value for t in trials], "o", color=_CYCLE[0])
        axes.axhline(0, color=_DIM, linewidth=0.8)
        axes.set_xlim(-0.5, len(trials) - 0.5)
        turned = 45 if len(trials) > CROWDED else 0
        axes.set_xticks(places, [t.label for t in trials], rotation=turned)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        return _inline(key, figure, title)


def sparkline_svg(key: str, title: str, values: NDArray[np.float64]) -> str:
    """A small line without axes, from its own lowest to its own highest value."""
    from matplotlib.figure import Figure

    with _styled({**_page(key), "axes.grid": False}):
        figure = Figure(figsize=(1.5, 0.32))
        axes = figure.add_axes((0.01, 0.06, 0.98, 0.88))
        axes.set_axis_off()
        axes.plot(values, color=_CYCLE[0], linewidth=1.1)
        return _inline(key, figure, title)


#: Colours that `_inline` replaces by the page's variables.
_INK, _DIM, _GRID = "#010101", "#020202", "#030303"
_CYCLE = tuple(f"#04040{n}" for n in range(1, 9))
_VARIABLES = {
    _INK: "var(--ink)",
    _DIM: "var(--dim)",
    _GRID: "var(--line)",
    **{colour: f"var(--c{n})" for n, colour in enumerate(_CYCLE, 1)},
}
_PAGE: "dict[RcKeyType, Any]" = {
    "font.family": ["sans-serif"],
    "text.color": _INK,
    "axes.labelcolor": _DIM,
    "axes.edgecolor": _DIM,
    "axes.titlecolor": _INK,
    "xtick.color": _DIM,
    "ytick.color": _DIM,
    "grid.color": _GRID,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "savefig.facecolor": "none",
}


def _page(key: str) -> "dict[RcKeyType, Any]":
    """The style of a chart within HTML; by `key`, what it defines has ids of its own."""
    return {**_PAGE, "svg.hashsalt": key}


@contextmanager
def _styled(more: "dict[RcKeyType, Any]") -> Iterator[None]:
    import matplotlib as mpl
    from cycler import cycler

    style: dict[RcKeyType, Any] = {
        "font.sans-serif": [*FONTS, "DejaVu Sans"],
        "svg.fonttype": "none",
        "svg.hashsalt": "fund-assets",
        "axes.unicode_minus": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#dddddd",
        **more,
    }
    if more.get("text.color") == _INK:
        style["axes.prop_cycle"] = cycler(color=_CYCLE)
    with mpl.rc_context(style), warnings.catch_warnings():
        # Of an SVG the viewer has the fonts; here only the room for the texts is measured.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        warnings.filterwarnings("ignore", "findfont")
        yield


def _inline(key: str, figure: "Figure", title: str) -> str:
    """The SVG of a figure for an HTML page, named, in the page's colours.

    Two things matplotlib has no option for: it numbers its groups from 1 in each figure, but
    the ids of a page must differ; and it cannot write a colour that is a variable of the page.
    """
    out = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(out, format="svg", metadata=nothing)
    text = out.getvalue()
    svg = text[text.index("<svg") :].replace('<g id="', f'<g id="{key}-')
    svg = re.sub("|".join(_VARIABLES), lambda found: _VARIABLES[found[0]], svg)
    return f'<div class="chart" role="img" aria-label="{escape(title)}">{svg}</div>'


def _figure(title: str, curves: Sequence[Curve]) -> "Figure":
    from matplotlib.dates import AutoDateLocator, DateFormatter
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    figure = Figure(figsize=(10, 6.5 + 0.25 * len(curves)), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    above.set_title(title, loc="left", parse_math=False)
    for curve in curves:
        label = f"{curve.code} {curve.name}  {curve.returns[-1]:+.2%}"
        (line,) = above.plot(curve.days, curve.returns, label=label, linewidth=1.4)
        line.set_gid(f"return-{curve.code}")
        (under,) = below.plot(
            curve.days, curve.drawdowns, color=line.get_color(), linewidth=1.0
        )
        under.set_gid(f"drawdown-{curve.code}")
    for axes, name in ((above, "总收益"), (below, "回撤")):
        axes.set_ylabel(name)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.axhline(0, color="#888888", linewidth=0.8)
    deepest = min(float(curve.drawdowns.min()) for curve in curves)
    below.set_ylim(min(1.05 * deepest, -0.01), 0.0)
    dates = AutoDateLocator()  # type: ignore[no-untyped-call]  # matplotlib.dates has no types
    below.xaxis.set_major_locator(dates)
    as_day = DateFormatter("%Y-%m-%d")  # type: ignore[no-untyped-call]  # as above
    below.xaxis.set_major_formatter(as_day)
    legend = figure.legend(loc="outside lower left", frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def _installed() -> list[str]:
    """Those of FONTS that this machine has."""
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())
    return [name for name in FONTS if name in there]
