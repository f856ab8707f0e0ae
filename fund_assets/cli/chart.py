"""The chart of `compare`: total return and drawdown of some funds, as SVG or PNG.

Belongs here: drawing plain arrays into a file. Does not belong here: reading them
(`warehouse/`), options (`measured.py`).

An SVG keeps its texts as texts, which the viewer's own fonts show. A PNG is drawn here and
needs a font with Chinese characters on this machine.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = (".svg", ".png")
#: Families with Chinese characters, as they are named on Linux, macOS and Windows.
FONTS = (
    "Noto Sans CJK SC", "Source Han Sans SC", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei",
    "PingFang SC", "Microsoft YaHei", "SimHei",
)  # fmt: skip


class ChartError(ValueError):
    """The chart cannot be drawn; the message says what to do."""


@dataclass(frozen=True)
class Curve:
    """One fund over the window.

    Attributes:
        code, name: of the fund.
        days: datetime64[D] [rows], ascending.
        index: float64 [rows], the total-return index on them, positive.
    """

    code: str
    name: str
    days: NDArray[np.datetime64]
    index: NDArray[np.float64]

    @property
    def returns(self) -> NDArray[np.float64]:
        """Total return since the first day, a fraction."""
        found: NDArray[np.float64] = self.index / self.index[0] - 1
        return found

    @property
    def drawdowns(self) -> NDArray[np.float64]:
        """Distance from the highest value so far, a fraction, never above 0."""
        found: NDArray[np.float64] = self.index / np.maximum.accumulate(self.index) - 1
        return found


def check(path: Path) -> None:
    """Whether a chart can be written there, before anything is read for it.

    Raises:
        ChartError: an ending that is neither .svg nor .png, no such folder, or a PNG without
            a font that has Chinese characters.
    """
    if path.suffix.lower() not in FORMATS:
        raise ChartError(f"{path}: the name must end with {' or '.join(FORMATS)}")
    if not path.absolute().parent.is_dir():
        raise ChartError(f"{path}: there is no folder {path.parent}; make it first")
    if path.suffix.lower() == ".png" and not _installed():
        raise ChartError(
            f"{path}: no font with Chinese characters is installed, names would be boxes. "
            "Install one (Debian, Ubuntu: apt-get install fonts-wqy-microhei; Fedora: dnf "
            "install google-noto-sans-cjk-fonts), or write an .svg, which needs none"
        )


def draw(path: Path, title: str, curves: Sequence[Curve]) -> None:
    """Write the chart; one file for the same curves, byte for byte."""
    import matplotlib as mpl

    fonts = [*_installed(), *FONTS] if path.suffix.lower() == ".svg" else _installed()
    style: dict[str, Any] = {
        "font.family": [*fonts[:1], "sans-serif"],
        "font.sans-serif": [*FONTS, "DejaVu Sans"],
        "svg.fonttype": "none",
        "svg.hashsalt": "fund-assets",
        "axes.unicode_minus": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "grid.color": "#dddddd",
    }
    metadata = {"Date": None} if path.suffix.lower() == ".svg" else {"Software": None}
    with mpl.rc_context(style), warnings.catch_warnings():
        # Of an SVG the viewer has the fonts; here only the room for the texts is measured.
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        warnings.filterwarnings("ignore", "findfont")
        _figure(title, curves).savefig(path, dpi=120, metadata=metadata)


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
    dates = AutoDateLocator()
    below.xaxis.set_major_locator(dates)
    below.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))
    legend = figure.legend(loc="outside lower left", frameon=False)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def _installed() -> list[str]:
    """Those of FONTS that this machine has."""
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())
    return [name for name in FONTS if name in there]
