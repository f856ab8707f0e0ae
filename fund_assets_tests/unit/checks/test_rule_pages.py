"""The pages of rules and checks say what the declarations say, in two languages."""

import re

import pytest

from fund_assets.checks import catalog, catalog_zh, rule_pages
from fund_assets.nav import list_rules, rules, rules_zh
from fund_assets.nav.rulebook import EVERY


def test_rules_page_is_up_to_date():
    """Stops a changed rule from leaving the published page behind."""
    for page, words in rule_pages.PAGES.items():
        committed = page.read_text(encoding="utf-8")
        assert committed == rule_pages.render(words), "run `make docs`"
        for rule in (*list_rules.RULES, *rules.RULES.values()):
            assert committed.count(f"| `{rule.id}` | {words.title(rule)} |") == 1


def test_no_rule_has_words_in_chinese_that_it_lacks():
    """Stops the words of a rule that is gone from staying behind."""
    assert set(rules_zh.TITLES) == {rule.id for rule in EVERY}
    assert set(rules_zh.LIFTS) == {rule.id for rule in EVERY if rule.lifts}


def test_every_guard_says_what_lifts_it():
    """Stops a rule that holds, blocks or warns for ever."""
    for rule in EVERY:
        said = rule_pages.row(rule).rsplit("|", 2)[1].strip()
        assert bool(said) == (rule.severity is not rules.Severity.INFO), rule.id
        assert said == rule.way_out, "page and check say the same"
        if rule.severity is rules.Severity.BLOCK:
            assert rule.lifts and said.endswith("; or a person"), rule.id
    assert all(rule.lifts for rule in (*list_rules.RULES, *(r for r in rules.WHOLE)))


def figures(words):
    return sorted(re.findall(r"\d+(?:\.\d+)?", words))


@pytest.mark.parametrize("check", rule_pages.OTHER_CHECKS, ids=lambda check: check.name)
def test_a_check_says_the_same_in_chinese(check):
    """Stops a limit from being changed on one page alone, or a text from being left out."""
    english = (check.demand, check.sometimes, check.way_out)
    chinese = catalog_zh.WORDS[check.name]
    for ours, theirs in zip(english, chinese, strict=True):
        assert bool(ours) == bool(theirs)
        assert figures(ours) == figures(theirs)
        assert not theirs or re.search("[\u4e00-\u9fff]", theirs), theirs


def test_no_check_has_words_in_chinese_that_is_gone():
    """Stops the words of a check that is gone from staying behind."""
    assert list(dict.fromkeys(catalog_zh.WORDS)) == list(catalog_zh.WORDS)
    assert set(catalog_zh.WORDS) == {check.name for check in rule_pages.OTHER_CHECKS}


def test_a_line_says_when_a_breach_is_more_severe_and_what_blocks():
    """Stops the page from telling a warning that becomes an error, or a stop, as less."""
    horizon, schema = (
        [
            rule_pages.check_row(check, words).split(" | ")[2]
            for words in rule_pages.PAGES.values()
        ]
        for check in (catalog.CALENDAR_HORIZON, catalog.SCHEMA)
    )
    assert horizon == ["WARN; ERROR below 7 days", "WARN；不足 7 天为 ERROR"]
    assert schema == ["ERROR, blocks", "ERROR，阻断"]
