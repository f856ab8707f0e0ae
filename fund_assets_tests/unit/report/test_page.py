"""The pages of the reports: what they say, what they may never hold, and their files."""

import re
from datetime import date, datetime
from html.parser import HTMLParser

import numpy as np
import pytest

from fund_assets.report.cards import cards
from fund_assets.report.curve import Curve
from fund_assets.report.files import LARGEST_BYTES, ReportError, write_page
from fund_assets.report.headlines import headlines, preview
from fund_assets.report.page import walk_forward_page, weekly_page
from fund_assets.report.week import KindWeek, Mover, Operations, WalkFacts, WeekFacts
from fund_assets.settings import SHANGHAI

NAME = "<b>粗</b>\"'&🚀|$x_1$ <script>alert(1)</script> url(http://x.example)"
NOW = datetime(2026, 11, 22, 2, tzinfo=SHANGHAI)
MARKS = (-0.05, -0.01, 0.012, 0.02, 0.06)


def facts(**changes):
    """A week with one of everything; every text from the data is hostile."""
    path = np.linspace(1.0, 1.2, 60)
    mover = Mover("000001", NAME, 0.061, path)
    days = np.arange("2025-11-22", "2026-11-21", dtype="datetime64[D]")
    score = {"fund_code": "000001", "name": NAME, "composite_score": 91.26, "composite_rank": 1,
             "composite_peers": 120, "return_score": 1.0, "risk_adjusted_score": 0.9,
             "drawdown_score": 0.5, "consistency_score": 0.25, "passes_4433": 1, "stars": 4,
             "mrar_3y": 0.0312, "previous_rank": None}  # fmt: skip
    correction = {"superseded_at": 20261118_213000, "fund_code": "000001", "name": NAME,
                  "nav_date": 20261117, "figures": {"unit_nav": [1.0, 1.006], "growth_pct": [0.6, None]},
                  "change_pct": 0.6, "legal_level": "announce"}  # fmt: skip
    outcome = {"screen": "score", "quarters": 4, "picks": 80, "percentile": 0.52, "low": -0.0312,
               "high": 0.0332, "upper_half": 0.5, "excess": 0.001, "positive": 3, "chance": 0.2,
               "corrected": 0.4, "verdict": "too_few", "gone": 2, "unbought": 1}  # fmt: skip
    values = {
        "week": "2026-W47", "monday": date(2026, 11, 16), "sunday": date(2026, 11, 22),
        "made_at": NOW, "source": "simulated", "calc_date": 20261120, "newest": 20261120,
        "kinds": (KindWeek("mixed", 2, MARKS, 0.01, 0.5, None, (mover,), (mover,)),
                  KindWeek("bond", 2, MARKS, 0.01, 0.5, 0.02, (mover,), ())),
        "curves": (Curve("000001", NAME, days, np.linspace(1, 1.5, len(days))),),
        "absent": ("999999",), "scores": {"mixed": [score]},
        "stability": ({"peer_group": "混合型-偏债", "funds": 120, "correlation": 0.987},),
        "compared_with": 20261113, "corrections": (correction,), "corrected": {"announce": 1},
        "states": {"active": 21_345, "presumed_dead": 47}, "changed": {"transition": 2},
        "coverage": ({"kind": "mixed", "published": 999, "due": 1000, "share": 0.999},),
        "rows_per_date": {20261120: 999},
        "arrivals": (
            {"nav_date": 20261120, "looked_at": 20261120_190000, "published": 30, "due": 100.0,
             "share": 0.3, "usual": 0.55, "lowest": 0.45},
            {"nav_date": 20261120, "looked_at": 20261120_230000, "published": 95, "due": 100.0,
             "share": 0.95, "usual": None, "lowest": None},
        ),
        "quarantine": ({"rule": NAME, "held": 3, "fresh": 1},),
        "log": {"recheck": {"rows": 5, "funds": 2, "index_differing": 1, "index_repaired": 1,
                            "metrics_rows": 9, "metrics_differing": 0, "cases": [NAME],
                            "done_at": 20261122_020500}},
        "walk": (outcome,),
        "batches": ({"batch_id": "w1", "kind": "wave", "newest_date": 20261120, "state": NAME,
                     "collected_at": 20261120_190000, "rows_read": 5, "rows_new": 5,
                     "rows_changed": 0, "rows_filled": 7, "rows_quarantined": None, "digest": "ab"},),
        "more_batches": 7, "provenance": (("程序", NAME),), **changes,
    }  # fmt: skip
    return WeekFacts(**values)


class Elements(HTMLParser):
    """The tags, ids and attributes of a page, and its texts."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.ids, self.attributes, self.texts = [], [], [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.append((name, value))
            if name == "id":
                self.ids.append(value)

    handle_startendtag = handle_starttag

    def handle_data(self, data):
        self.texts.append(data)


OPERATIONS = Operations(
    freshness=({"table": "fund_nav", "newest": None, "due": date(2026, 11, 20), "ok": False},),
    jobs=({"job": NAME, "runs": 3, "succeeded": 2, "failed": 1},),
    checks=({"asset": "fund_nav", "check": "x", "severity": "WARN", "words": NAME},),
    checks_passed=40,
)


@pytest.fixture(scope="module")
def page():
    return weekly_page(facts(), OPERATIONS)


def test_the_states_of_funds_are_counted(page):
    """Stops funds that ended, and transitions of the week, from being in no report."""
    told = re.sub("<[^>]+>", "", page)
    assert "基金状态（周末，份额类别）：正常 21,345；推定终止 47" in told
    assert "本周变更：转型 2" in told


def test_each_cell_of_a_card_has_the_head_of_its_column(page):
    """Stops a telephone from showing a figure under the name of another column."""
    cells = dict(re.findall(r'<td data-label="([^"]*)"[^>]*>(?:<\w+>)?([^<\n]*)', page))
    assert cells["平均"] == "+1.00%"
    assert cells["今年来中位"] == "+2.00%"
    assert (cells["综合分"], cells["4433"], cells["MRAR 星"]) == ("91.3", "通过", "★★★★")
    assert (cells["更正为"], cells["级别"]) == ("1.0060 / —", "≥0.5%，应公告")
    assert cells["应答的 SHA-256"] == "ab"
    assert str(
        cards('<table><thead><tr><th scope="col">甲</thead><tr><td colspan="1">无</table>')
    ) == ('<table><thead><tr><th scope="col">甲</thead><tr><td colspan="1">无</table>')


def test_hostile_texts_are_texts(page):
    """Stops a fund's name from becoming markup, script or a formula, in text, table or chart."""
    found = Elements(page)
    assert "script" not in found.tags and "b" in found.tags, "<b> is the template's own"
    whole = [text for text in found.texts if "粗" in text]
    assert sum(NAME in text for text in whole) >= 9
    assert all("<b>粗</b>" in text for text in whole)
    labels = [value for name, value in found.attributes if name == "aria-label"]
    assert any(NAME in label for label in labels)
    legend = [text for text in whole if text.startswith("000001 ")]
    assert len(legend) == 1 and NAME in legend[0].replace("\N{NO-BREAK SPACE}", " ")


def test_a_page_asks_for_nothing(page):
    """Stops a font, picture, script or style from elsewhere, and a policy that allows one."""
    found = Elements(page)
    assert not set(found.tags) & {
        "img",
        "link",
        "iframe",
        "object",
        "embed",
        "image",
        "base",
        "form",
    }
    references = [v for name, v in found.attributes if name in ("href", "src", "xlink:href")]
    assert all(value.startswith("#") for value in references)
    policies = [v for _, v in found.attributes if v and v.startswith("default-src")]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    style = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in style and "@import" not in style


def test_charts_take_the_colours_of_the_page_and_keep_their_ids_apart(page):
    """Stops a chart that is black on black at night, and one that clips with another's path."""
    assert not re.search(r"#0[1-4]0[1-4]0[1-9]", page)
    assert "stroke: var(--c1)" in page and "fill: var(--dim)" in page
    found = Elements(page)
    assert len(found.ids) == len(set(found.ids))
    uses = set(re.findall(r"url\(#([^)]+)\)", page)) | set(re.findall(r'href="#([^"]+)"', page))
    assert uses and uses <= set(found.ids)
    assert found.tags.count("svg") == 2 + 3


def test_the_page_says_what_is_so(page):
    """Stops figures in the wrong unit or under the wrong heading."""
    text = " ".join(Elements(page).texts)
    for words in ("基金周报 2026-W47", "2026-11-16 至 2026-11-22", "+1.20%", "91.3", "★★★★",
                  "≥0.5%，应公告", "+0.600%", "1.0060", "99.9%", "999 / 1,000", "+3.12%",
                  "0.987", "52.0%", "-3.12% – +3.32%", "3 / 4", "40.0%", "另有 7 个批次", "没有净值：999999",
                  "不是基金评级", "1 行已改正", "另有 40 项通过", "净值到达", "↓ 30.0%",
                  "11-20 19:00", "55.0%"):  # fmt: skip
        assert words in text, words


def test_a_week_without_anything():
    """Stops an empty week from breaking the report, or looking like a good one."""
    bare = WeekFacts("2026-W47", date(2026, 11, 16), date(2026, 11, 22), NOW, "simulated")
    text = " ".join(Elements(weekly_page(bare, Operations())).texts)
    for words in ("本周没有可计算收益的净值", "本周没有评分", "没有可画的走势", "本周没有运行"):
        assert words in text
    assert headlines(bare)[0] == "本周没有可计算收益的净值"
    assert "| 类型 |" not in preview(bare)


def test_the_short_text():
    """Stops a mail that hides corrections or differences."""
    lines = "\n".join(headlines(facts()))
    assert "净值更正 1 个，其中应公告 1 个、应报告 0 个" in lines
    assert "5 行总收益指数，1 行与所存不同" in lines
    assert "| 混合型 | 2 | +1.20% | 50% | — |" in preview(facts())


def walk(**changes):
    """What the walk-forward page draws, with a hostile screen of a user."""
    row = {"date": 20260630, "until": 20260930, "screen": "score", "picks": 20, "portfolios": 100,
           "percentile": 0.52, "upper_half": 0.5, "excess": -0.001, "gone": 1, "unbought": 3}  # fmt: skip
    (told,) = facts().walk
    own = {"screen": NAME, "low": float("nan"), "high": float("nan"), "quarters": 1}
    missing = {"date": 20260630, "stored": 950, "absent": 5, "not_fetched": 10, "estimated": 35.2,
               "share": 0.0502, "known": False}  # fmt: skip
    values = {"rows": [row, {**row, "screen": NAME}], "sums": [told, {**told, **own}],
              "tried": 17, "least": 8, "missing": [missing]}  # fmt: skip
    return WalkFacts(**{**values, **changes})


def test_walk_forward_page():
    """Stops a page that hides how many quarters, screens and missing funds there are."""
    page = walk_forward_page(walk(), NOW, "akshare")
    found = Elements(page)
    text = " ".join(found.texts)
    for words in ("20 / 100", "-3.12% – +3.32%", "-0.10%", "一共试过 17 个", "少于 8 个季度不下结论",
                  "2026-06", "第一个净值买入", "5.0%", "估计",
                  "它们的缺失会使过去的结果偏好", "<b>粗</b>"):  # fmt: skip
        assert words in text, words
    assert "script" not in found.tags
    assert "还没有结果" in walk_forward_page(walk(rows=[], sums=[]), NOW, "akshare")


def test_a_page_is_written_whole_or_not_at_all(tmp_path):
    """Stops half a report, one too large for a mail, and leftovers."""
    file = tmp_path / "reports" / "weekly-2026-W47.html"
    assert write_page(file, "报告") == 6
    with pytest.raises(ReportError, match="3,000,001 bytes, 3,000,000 are allowed"):
        write_page(file, "x" * (LARGEST_BYTES + 1))
    assert file.read_text(encoding="utf-8") == "报告"
    assert list(file.parent.iterdir()) == [file]
    with pytest.raises(ReportError, match="cannot be written"):
        write_page(file / "below", "x")
