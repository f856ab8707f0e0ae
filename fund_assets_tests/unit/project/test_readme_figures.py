"""The README's figures are those of the pages that the benchmarks wrote."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text("utf-8")
#: Page of a benchmark → (pattern of a figure there, how README.md says it).
FIGURES = {
    "results": [
        (r"wave: collect, land, validate, merge \| ([\d.]+)", "{} s, "),
        (r"its peak memory \| (\d+) MB", "{} MB | limit 12 s"),
        (r"fund_metrics of the market \| ([\d.]+)", "{} s, "),
        (r"times that of a tenth of the rows \| ([\d.]+)", "{} times as long as for a tenth"),
        (r"loop against ours, per fund \| (\d+)", ", {} times |"),
        (r"Per fund: ours ([\d.]+) ms", "{} ms a fund"),
        (r"first plan's loop\n([\d.]+) ms", "append per fund: {} ms"),
    ],
    "export": [
        (r"--format parquet` \| ([\d.]+) s", "| {:.0f} s, "),
        (r"--format parquet` .* \| (\d+) MB \| 288", "{} MB | pandas.read_sql"),
        (
            r"pandas.read_sql in .* to Parquet \| ([\d.]+) s",
            "pandas.read_sql in chunks {:.0f} s",
        ),
        (r"takes ([\d.]+) times the processor time", "{} times the processor time"),
    ],
    "weekly": [
        (r"the weekly job without fetching \| ([\d.]+) s", "{:.0f} s, "),
        (r"memory \| ([\d,]+) MB", "{} MB ([part by part]"),
    ],
}
CASES = [(page, *figure) for page, figures in FIGURES.items() for figure in figures]


@pytest.mark.parametrize(("page", "pattern", "said"), CASES)
def test_a_figure_is_that_of_the_benchmark(page, pattern, said):
    """Stops the README from promising what its own link shows otherwise."""
    text = (ROOT / "benchmarks" / f"{page}.md").read_text("utf-8")
    found = re.search(pattern, text)
    assert found, f"benchmarks/{page}.md has no longer {pattern}"
    figure = float(found[1]) if "{:" in said else found[1]
    assert said.format(figure) in README, f"README.md: {said.format(figure)}"


def test_the_agreement_is_that_of_the_page():
    """Stops the README from stating another agreement with the source than docs/returns.md,
    whose figures are computed from real histories (`real_data/proofs.py`)."""
    page = (ROOT / "docs" / "returns.md").read_text("utf-8")

    def figure(pattern):
        return int(re.search(pattern, page)[1].replace(",", ""))

    stated, equal, different, unknown = (
        figure(rf"\| {words} \| ([\d,]+) \|")
        for words in (
            "published, with a NAV at the window's start",
            "equal to the last digit",
            "different",
            "`unknown`",
        )
    )
    recorded = re.search(r"(\d+ of \d+) returns of recorded answers are equal", page)[1]
    assert (
        f"recorded answers: {recorded}; 333 funds of a rank list: {equal:,} of {stated:,}, and "
        f"{different - unknown} of the other {different} are explained"
    ) in README
    assert stated - equal == different
