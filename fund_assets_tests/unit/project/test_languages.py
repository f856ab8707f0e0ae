"""Pages in two languages say the same: headings, code, links and every figure."""

import re
from itertools import zip_longest
from pathlib import Path

import pytest

from fund_assets.schemas.kinds import KINDS
from fund_assets.schemas.words import LABELS

ROOT = Path(__file__).resolve().parents[3]
#: English page → Chinese page.
PAIRS = {
    "README.md": "README.zh-CN.md",
    **{
        page.relative_to(ROOT).as_posix().replace("/zh/", "/"): page.relative_to(
            ROOT
        ).as_posix()
        for page in sorted((ROOT / "docs" / "zh").glob("*.md"))
    },
}
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^(#+) (.+)$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")
FIGURE = re.compile(r"(\d[\d,]*(?:\.\d+)?)(?: ?(million|万|亿))?")
TIMES = {"million": 10**6, "万": 10**4, "亿": 10**8, "": 1}
MONTHS = "January February March April May June July August September October November December"
MONTH = re.compile(rf"\b(\d+) ({MONTHS.replace(' ', '|')})\b")


def code(text):
    """Language and lines of every code block; what a comment says is the page's own."""
    return [
        (language, [re.sub(r"(^|\s+)# .*", "", line).rstrip() for line in lines.splitlines()])
        for language, lines in FENCE.findall(text)
    ]


def sections(text):
    """(level, prose) from heading to heading, without code blocks and addresses."""
    text = FENCE.sub("", re.sub(r"\]\([^)]*\)", "]", text))
    found = list(HEADING.finditer(text))
    ends = [*(match.start() for match in found[1:]), len(text)]
    return [
        (len(match[1]), text[match.end() : end]) for match, end in zip(found, ends, strict=True)
    ]


def figures(prose):
    """Every number of a text; 18.4 million and 1,840 万 are one, and so are 30 June and 6 月 30 日."""
    prose = MONTH.sub(lambda m: f"{MONTHS.split().index(m[2]) + 1} {m[1]}", prose)
    return sorted(
        round(float(number.replace(",", "")) * TIMES[unit], 9)
        for number, unit in FIGURE.findall(prose)
    )


def names(prose):
    """Everything that is set as code."""
    return sorted(" ".join(name.split()) for name in CODE.findall(prose))


def rows(prose):
    """The cells of every line of its tables."""
    return [
        line.strip("|").replace("\\|", "¦").split("|")
        for line in prose.splitlines()
        if line[:1] == "|"
    ]


def test_chinese_pages_use_the_words_of_the_program():
    """Stops the page on metrics from calling a column other than the terminal and the report do."""
    page = (ROOT / "docs/zh/metrics.md").read_text(encoding="utf-8")
    english = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    table = re.search(r"^\| column \| definition \|\n(.*?)\n\n", english, re.M | re.S)[1]
    defined = [name for row in rows(table) for name in CODE.findall(row[0])]
    assert len(set(defined)) == 32
    for name in defined:
        assert f"`{name}` {LABELS[name][0].removesuffix(' 95%')}" in page, name
    for kind in KINDS.values():
        assert re.search(rf"^\| .*{kind.label}.* \| ", page, re.MULTILINE), kind.name


@pytest.fixture(params=PAIRS.items(), ids=PAIRS)
def pair(request):
    return [(ROOT / name).read_text(encoding="utf-8") for name in request.param]


def test_code_blocks_are_the_same(pair):
    """Stops a reader of one language from typing a command that the other's has no longer."""
    english, chinese = map(code, pair)
    assert english == chinese


def test_sections_are_the_same(pair):
    """Stops a chapter that stands in one language only."""
    english, chinese = ([level for level, _ in sections(text)] for text in pair)
    assert english == chinese


def test_sections_have_the_same_figures_names_and_rows(pair):
    """Stops a figure, a row, a setting or a command from being renewed in one language only."""
    for (_, english), (_, chinese) in zip_longest(*map(sections, pair)):
        where = english[:60]
        assert figures(english) == figures(chinese), where
        assert names(english) == names(chinese), where
        for row, other in zip_longest(rows(english), rows(chinese), fillvalue=()):
            assert len(row) == len(other), (row, other)
            for cell, beside in zip(row, other, strict=True):
                assert figures(cell) == figures(beside), (cell, beside)


def test_pages_link_to_the_same(pair):
    """Stops a page from pointing at other pages than its counterpart, or at the other language."""

    def targets(text, own):
        found = re.findall(r"\]\(([^)]+)\)", FENCE.sub("", text))
        places = [re.sub(r"^(\.\./)+", "", t.replace("docs/zh/", "docs/")) for t in found]
        return sorted(t for t in places if t not in own)

    english, chinese = pair
    assert targets(english, ["README.zh-CN.md"]) == targets(chinese, ["README.md"])
