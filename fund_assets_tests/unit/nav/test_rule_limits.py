"""Every rule at its limit: the last value that passes beside the first that does not.

The limits are written here once more, by hand, from docs/rules.md.
"""

import numpy as np
import pandas as pd
import pytest

from fund_assets.nav import events, list_rules, rules
from fund_assets.nav.returns import PROVEN, SUSPECTED_EVENT, UNPROVEN
from fund_assets.schemas.columns import OBSERVED_NAMES

NAN = np.nan
EVERY = {
    rule.id: rule
    for rule in (*list_rules.RULES, events.SHRINK, *events.RULES, *rules.RULES.values())
}
CALM = {
    "R06_trading_day": {"is_session": False, "is_report_date": False, "is_money": False,
                        "is_recorded": False},
    "R07_nav_bounds": {"nav_low": 0.01, "nav_high": 100.0, "backed_unit_nav": 0},
    "R10_accumulated_column": {"is_recorded": False},
    "R23_money_impossible": {"is_recorded": False, "first": False, "days_covered": 1.0,
                             "week_error_pct": NAN},
    "R16_income_hold": {"is_recorded": False, "stored_yield_per_10k": 0.5,
                        "week_error_pct": NAN, "backed_yield_per_10k": 0},
    "R16_week_hold": {"is_recorded": False, "stored_yield_7d_pct": 2.0, "week_error_pct": NAN,
                      "backed_yield_7d_pct": 0},
    "R16_growth_hold": {"by_events": 0.01, "stored_growth_pct": 1.0, "tolerance_pct": 0.011,
                        "revision": NAN, "backed_growth_pct": 0},
    "R08_jump_unconfirmed": {"by_events": 0.3, "jump_hold": 0.2, "status": UNPROVEN,
                             "is_recorded": False, "tenfold": False, "stays": 0, "turns_back": False,
                             "backed_unit_nav": 0, "disagreement_pct": NAN},
    "R09_suspected_event": {"status": SUSPECTED_EVENT},
    "R25_event_completeness": {"status": UNPROVEN},
    "R02_row_count": {"usual_rows": 1000.0, "rows_before": 1000.0, "equal_sessions": 1},
    "R03_kind_floor": {"equal_sessions": 1},
    "R02_row_count_notice": {"usual_rows": 1000.0},
    "R05_header_dates": {"dates_ordered": True, "newest_date": 20260918, "today": 20260918,
                         "sessions_old": 0, "published_date": NAN},
    "R24_event_sanity": {"possible": True, "unit_nav_before": 1.0, "kind": "dividend",
                         "value": 0.1, "nav_missing": False},
    "R18_list_shrink": {"listed_before": 1000},
    "R26_list_churn": {"listed_before": 1000, "added": 0, "gone": 0},
}  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ("R16_taken_back", {"gone": ""}, {"gone": "unit_nav, acc_nav"}),
        ("R01_readable", {"defect": ""}, {"defect": "unit_nav 'abc'"}),
        ("R05_nav_date", {"date_expected": True}, {"date_expected": False}),
        ("R06_trading_day", {"is_session": True}, {}),
        ("R06_trading_day", {"is_report_date": True}, {}),
        ("R06_trading_day", {"is_money": True}, {}),
        ("R06_trading_day", {"is_recorded": True}, {}),
        ("R07_nav_bounds", {"unit_nav": 0.01}, {"unit_nav": 0.009999}),
        ("R07_nav_bounds", {"unit_nav": 100.0}, {"unit_nav": 100.001}),
        ("R07_nav_bounds", {"unit_nav": NAN}, {"unit_nav": 0.0}),
        ("R07_nav_bounds", {"unit_nav": 999_999.9, "backed_unit_nav": 1},
         {"unit_nav": 1e6, "backed_unit_nav": 1}),
        ("R07_nav_bounds", {"unit_nav": 0.0001, "backed_unit_nav": 1},
         {"unit_nav": 0.0, "backed_unit_nav": 1}),
        ("R11_accumulated_nav", {"acc_nav": 0.0001}, {"acc_nav": 0.0}),
        ("R11_accumulated_nav", {"acc_nav": 999_999.9}, {"acc_nav": 1e6}),
        ("R11_accumulated_nav", {"acc_nav": NAN}, {"acc_nav": -1.0}),
        ("R01_growth_bounds", {"growth_pct": -99.99}, {"growth_pct": -100.0}),
        ("R01_growth_bounds", {"growth_pct": 99_999.0}, {"growth_pct": 100_000.0}),
        ("R01_growth_bounds", {"growth_pct": NAN}, {"growth_pct": -101.0}),
        ("R23_money_yield_bounds", {"yield_per_10k": 999.9}, {"yield_per_10k": 1000.0}),
        ("R23_money_yield_bounds", {"yield_per_10k": -999.9}, {"yield_per_10k": -1000.0}),
        ("R23_money_yield_bounds", {"yield_per_10k": NAN}, {"yield_per_10k": 1000.0}),
        ("R23_money_week_bounds", {"yield_7d_pct": 999.9}, {"yield_7d_pct": 1000.0}),
        ("R23_money_week_bounds", {"yield_7d_pct": -99.9}, {"yield_7d_pct": -100.0}),
        ("R23_money_week_bounds", {"yield_7d_pct": NAN}, {"yield_7d_pct": -101.0}),
        ("R10_accumulated_column", {"date_unexplained": 20, "date_shown": 400},
         {"date_unexplained": 21, "date_shown": 400}),
        ("R10_accumulated_column", {"date_unexplained": 19, "date_shown": 19},
         {"date_unexplained": 20, "date_shown": 20}),
        ("R10_accumulated_nav", {"explained": True}, {"explained": False}),
        ("R23_money_impossible", {"income_per_day": 29.99}, {"income_per_day": 30.0}),
        ("R23_money_impossible", {"income_per_day": -29.99}, {"income_per_day": -30.0}),
        ("R23_money_impossible", {"income_per_day": 45.5, "week_error_pct": 0.01},
         {"income_per_day": 45.5, "backed_yield_per_10k": 2}),
        ("R23_money_impossible", {"income_per_day": 41.0, "first": True, "is_recorded": True},
         {"income_per_day": 41.0, "first": True}),
        ("R16_income_hold", {"yield_per_10k": 0.5024}, {"yield_per_10k": 0.5026}),
        ("R16_income_hold", {"yield_per_10k": 0.9, "week_error_pct": 0.02},
         {"yield_per_10k": 0.9, "week_error_pct": 0.021}),
        ("R16_income_hold", {"yield_per_10k": 0.9, "is_recorded": True}, {"yield_per_10k": 0.9}),
        ("R16_week_hold", {"yield_7d_pct": 2.01}, {"yield_7d_pct": 2.0102}),
        ("R16_week_hold", {"yield_7d_pct": 2.5, "backed_yield_7d_pct": 2}, {"yield_7d_pct": 2.5}),
        ("R16_growth_hold", {"disagreement_pct": 0.011}, {"disagreement_pct": 0.012}),
        ("R16_growth_hold", {"disagreement_pct": 2.0, "revision": 0.001}, {"disagreement_pct": 2.0}),
        ("R16_growth_hold", {"disagreement_pct": 2.0, "stored_growth_pct": 3.0},
         {"disagreement_pct": 2.0}),
        ("R08_jump_unconfirmed", {"by_events": 0.2}, {"by_events": 0.2001}),
        ("R08_jump_unconfirmed", {"by_events": -0.2}, {"by_events": -0.2001}),
        ("R08_jump_unconfirmed", {"by_events": NAN}, {}),
        ("R08_jump_unconfirmed", {"status": PROVEN}, {"status": PROVEN, "tenfold": True}),
        ("R08_jump_unconfirmed", {"status": PROVEN, "tenfold": True, "is_recorded": True}, {}),
        ("R08_jump_unconfirmed", {"status": SUSPECTED_EVENT, "is_recorded": True, "tenfold": True, "stays": 20},
         {"status": SUSPECTED_EVENT, "is_recorded": True, "tenfold": True, "stays": 19}),
        ("R08_jump_unconfirmed", {"status": SUSPECTED_EVENT, "is_recorded": True},
         {"status": SUSPECTED_EVENT, "is_recorded": True, "turns_back": True}),
        ("R08_jump_unconfirmed", {"backed_unit_nav": 1}, {"backed_unit_nav": 1, "tenfold": True}),
        ("R08_jump_unconfirmed", {"backed_unit_nav": 1}, {"status": SUSPECTED_EVENT}),
        ("R08_jump_unconfirmed", {"backed_unit_nav": 1, "tenfold": True, "disagreement_pct": 0.5},
         {"backed_unit_nav": 1, "tenfold": True, "disagreement_pct": 0.501}),
        ("R08_jump_unconfirmed", {"backed_unit_nav": 1, "tenfold": True, "disagreement_pct": 1100.0,
                                  "status": SUSPECTED_EVENT, "stays": 20},
         {"backed_unit_nav": 0, "tenfold": True, "status": SUSPECTED_EVENT}),
        ("R08_jump", {"returns": 0.11, "jump_warn": 0.11}, {"returns": 0.1101, "jump_warn": 0.11}),
        ("R08_jump", {"returns": NAN, "jump_warn": 0.11}, {"returns": -0.1101, "jump_warn": 0.11}),
        ("R09_growth", {"disagreement_pct": 0.011, "tolerance_pct": 0.011},
         {"disagreement_pct": 0.0111, "tolerance_pct": 0.011}),
        ("R09_growth", {"disagreement_pct": NAN, "tolerance_pct": 0.011},
         {"disagreement_pct": 1.0, "tolerance_pct": 0.011}),
        ("R09_suspected_event", {"disagreement_pct": 0.5}, {"disagreement_pct": 0.501}),
        ("R09_suspected_event", {"disagreement_pct": 9.0, "status": UNPROVEN},
         {"disagreement_pct": 9.0}),
        ("R25_event_completeness", {"disagreement_pct": 0.3}, {"disagreement_pct": 0.301}),
        ("R25_event_completeness", {"disagreement_pct": NAN}, {"disagreement_pct": 9.0}),
        ("R25_event_completeness", {"disagreement_pct": 9.0, "status": PROVEN},
         {"disagreement_pct": 9.0}),
        ("R16_revision_notice", {"revision": 0.0024}, {"revision": 0.0025}),
        ("R16_revision_notice", {"revision": NAN}, {"revision": -0.0025}),
        ("R01_schema", {"rows": 1000, "bad_codes": 10}, {"rows": 1000, "bad_codes": 11}),
        ("R01_schema", {"rows": 1, "bad_codes": 0}, {"rows": 0, "bad_codes": 0}),
        ("R02_row_count", {"rows": 900}, {"rows": 899}),
        ("R02_row_count", {"rows": 1, "usual_rows": NAN}, {"rows": 1}),
        ("R02_row_count", {"rows": 500, "equal_sessions": 3}, {"rows": 500, "equal_sessions": 2}),
        ("R02_row_count", {"rows": 495, "rows_before": 500.0},
         {"rows": 494, "rows_before": 500.0}),
        ("R02_first_page", {"funds": 120, "listed": 240}, {"funds": 119, "listed": 240}),
        ("R02_first_page", {"funds": 1, "listed": 19}, {"funds": 1, "listed": 20}),
        ("R03_kind_floor", {"members_before": 100, "still_there": 50, "equal_sessions": 3},
         {"members_before": 100, "still_there": 50, "equal_sessions": 2}),
        ("R15_stale_part", {"stale": 0}, {"stale": 1}),
        ("R17_history_rewrite", {"beside_stored": 20, "rewritten": 10},
         {"beside_stored": 20, "rewritten": 11}),
        ("R17_history_rewrite", {"beside_stored": 9, "rewritten": 9},
         {"beside_stored": 10, "rewritten": 10}),
        ("R02_row_count_notice", {"rows": 970}, {"rows": 969}),
        ("R02_row_count_notice", {"rows": 1, "usual_rows": NAN}, {"rows": 1}),
        ("R05_header_dates", {}, {"dates_ordered": False}),
        ("R05_header_dates", {"today": 20260919}, {"today": 20260917}),
        ("R05_header_dates", {"sessions_old": 5}, {"sessions_old": 6}),
        ("R05_header_dates", {"published_date": 20260918}, {"published_date": 20260921}),
        ("R04_unique", {"conflicting": 1, "rows": 1000}, {"conflicting": 2, "rows": 1000}),
        ("R15_standing_still", {"on_both_dates": 20, "standing_still": 10},
         {"on_both_dates": 20, "standing_still": 11}),
        ("R15_standing_still", {"on_both_dates": 19, "standing_still": 19},
         {"on_both_dates": 20, "standing_still": 20}),
        ("R03_kind_floor", {"members_before": 100, "still_there": 95},
         {"members_before": 100, "still_there": 94}),
        ("R03_kind_floor", {"members_before": 33, "still_there": 30},
         {"members_before": 33, "still_there": 29}),
        ("R03_kind_floor", {"members_before": 19, "still_there": 0},
         {"members_before": 20, "still_there": 0}),
        ("R13_staleness", {"sessions_behind": 3, "sessions_allowed": 3},
         {"sessions_behind": 4, "sessions_allowed": 3}),
        ("R12_pending", {"pending": False}, {"pending": True}),
        ("R01_fund_codes", {"fits": True}, {"fits": False}),
        ("R18_list_shrink", {"doubted": 10}, {"doubted": 11}),
        ("R18_list_shrink", {"doubted": 4, "listed_before": 4}, {"doubted": 5, "listed_before": 4}),
        ("R26_list_churn", {"added": 60, "gone": 20}, {"added": 61, "gone": 20}),
        ("R26_list_churn", {"gone": 20}, {"gone": 21}),
        ("R28_known_type", {"known": True}, {"known": False}),
        ("R26_list_churn", {"added": 27_000, "listed_before": 0}, {"added": 27_000}),
        ("R18_events_shrink", {"listed": 5, "stored": 5}, {"listed": 4, "stored": 5}),
        ("R24_event_sanity", {"value": 0.9999}, {"value": 1.0}),
        ("R24_event_sanity", {"unit_nav_before": NAN, "value": 5.0}, {"value": 5.0}),
        ("R24_event_sanity", {"kind": "split", "value": 2.0}, {"value": 2.0}),
        ("R24_event_sanity", {}, {"possible": False}),
        ("R24_event_sanity", {}, {"nav_missing": True}),
        ("R19_events_agree", {"history_value": 0.1, "list_value": 0.10005},
         {"history_value": 0.1, "list_value": 0.10007}),
        ("R19_events_agree", {"history_value": NAN, "list_value": 0.1},
         {"history_value": 0.2, "list_value": 0.1}),
        ("R19_events_agree", {"history_value": 0.1, "list_value": NAN},
         {"history_value": 0.1, "list_value": 0.2}),
    ],
)  # fmt: skip
def test_a_rule_passes_at_its_limit_and_not_beyond(rule: str, good: dict, bad: dict) -> None:
    """Stops a limit that moved, or a rule that lets everything pass."""
    frame = pd.DataFrame([CALM.get(rule, {}) | good, CALM.get(rule, {}) | bad])
    met = EVERY[rule].demand(frame.astype({name: bool for name in frame if frame[name].dtype == object
                                          and isinstance(frame[name][0], bool)}))  # fmt: skip
    assert met.tolist() == [True, False]


STORED = {"revision": 0.01, "is_recorded": False, "turns_back": False, "status": PROVEN,
          "disagreement_pct": 0.0, "grew_as_told": False, "return_status": "proven",
          "backed_unit_nav": 0, "stored_unit_nav": 1.1, "prev_unit_nav": 1.0,
          "tenfold": False, "stays": 0}  # fmt: skip


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({"revision": 0.0049}, {"revision": 0.005}),
        ({"revision": NAN}, {"revision": -0.005}),
        ({"backed_unit_nav": 1}, {}),
        # A history corrects freely, unless it turns back or its own growth contradicts it.
        ({"is_recorded": True}, {"is_recorded": True, "turns_back": True}),
        ({"is_recorded": True, "status": UNPROVEN, "disagreement_pct": 0.5},
         {"is_recorded": True, "status": UNPROVEN, "disagreement_pct": 0.501}),
        ({"is_recorded": True, "status": PROVEN, "disagreement_pct": 9.0},
         {"is_recorded": True, "status": UNPROVEN, "disagreement_pct": 9.0}),
        # A page corrects what growth never confirmed by what growth confirms.
        ({"grew_as_told": True, "return_status": "unproven"},
         {"grew_as_told": True, "return_status": "proven"}),
        ({"grew_as_told": True, "return_status": "single_source"},
         {"grew_as_told": False, "return_status": "single_source"}),
        ({"grew_as_told": True, "prev_unit_nav": 1.1}, {"prev_unit_nav": 1.1}),
    ],
)  # fmt: skip
def test_who_may_correct_a_stored_value(good: dict, bad: dict) -> None:
    """Stops the page alone from changing what is accepted, and the history from being stopped."""
    frame = pd.DataFrame([STORED | good, STORED | bad])
    assert EVERY["R16_revision_hold"].demand(frame).tolist() == [True, False]


INCOME = {"yield_per_10k": 0.5, "yield_7d_pct": 1.9, "week_contradicts": False,
          "is_recorded": False, "backed_yield_per_10k": 0}  # fmt: skip


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ({}, {"week_contradicts": True}),
        ({"week_contradicts": True, "is_recorded": True},
         {"week_contradicts": True, "is_recorded": True, "yield_per_10k": -0.01}),
        ({"week_contradicts": True, "backed_yield_per_10k": 1},
         {"week_contradicts": True, "backed_yield_per_10k": 0}),
        ({"yield_per_10k": -0.3}, {"yield_per_10k": -0.3, "yield_7d_pct": NAN}),
        ({"yield_per_10k": 0.0, "yield_7d_pct": NAN},
         {"yield_per_10k": -0.0001, "yield_7d_pct": NAN, "is_recorded": True}),
    ],
)  # fmt: skip
def test_which_incomes_wait_for_a_witness(good: dict, bad: dict) -> None:
    """Stops an income that the 7-day yield denies from passing, and a negative one alone."""
    frame = pd.DataFrame([INCOME | good, INCOME | bad])
    assert EVERY["R23_money_week_hold"].demand(frame).tolist() == [True, False]


def test_corrections_have_the_levels_of_the_law() -> None:
    """Stops 0.25 % and 0.5 % from being judged as less, on whichever side they lie."""
    size = pd.Series([0.0024, 0.0025, -0.0049, 0.005, -0.005, 1.0025 / 1 - 1, NAN])
    assert rules.legal_levels(size).tolist() == [
        "none", "report", "report", "announce", "announce", "report", "none",
    ]  # fmt: skip


def test_a_verdict_counts_all_and_shows_ten() -> None:
    """Stops a check that shows every row of a market, or tells the wrong count."""
    frame = pd.DataFrame({"added": [0, *range(61, 73)], "gone": 0, "listed_before": 9})
    churn = [rule for rule in list_rules.RULES if rule.id == "R26_list_churn"]
    (found,) = rules.judge(churn, frame)
    assert (found.rule, found.severity, found.looked_at, found.failed) == (
        "R26_list_churn", "warn", 13, 12,
    )  # fmt: skip
    assert found.cases == tuple(f"{n} new funds, 0 removed" for n in range(61, 71))
    assert not found.passed
    counted = rules.Verdict("R12_pending", "info", 5, 3)
    assert counted.passed, "a rule that counts always passes"
    assert rules.judge(churn, frame.iloc[:1])[0].cases == ()
    assert rules.judge(churn, frame.iloc[:0])[0].looked_at == 0


def test_an_empty_cell_elsewhere_lets_nothing_pass() -> None:
    """Stops a breach from being overlooked because another cell of its row is empty."""
    churn = [rule for rule in list_rules.RULES if rule.id == "R26_list_churn"]
    frame = pd.DataFrame(
        {"added": [61, 61, 0], "gone": 0, "listed_before": 9, "else": [NAN, 1.0, NAN]}
    )
    assert rules.breaches(churn, frame)["R26_list_churn"].tolist() == [True, True, False]


def test_rules_are_about_figures_that_there_are():
    """Stops a mistyped figure of a rule: nothing would be withheld, and no witness asked."""
    for rule in rules.RULES.values():
        assert rule.about and set(rule.about) <= set(OBSERVED_NAMES), rule.id
