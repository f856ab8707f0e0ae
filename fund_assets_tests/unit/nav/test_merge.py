"""What merging a batch would change, on batches small enough to work out by hand."""

import numpy as np
import pytest

from fund_assets.nav.merge import plan_merge
from fund_assets.sources.eastmoney.cells import unite
from fund_assets.sources.protocol import OBSERVATION_COLUMNS
from fund_assets_tests.unit.builders import (
    CALENDAR,
    FRI,
    THU,
    TUE,
    WED,
    events,
    history,
    known,
    observed,
    stored,
    wave,
)

NAN = np.nan


def plan(batch, knowledge=None, today=FRI):
    return plan_merge(batch, knowledge or known(), CALENDAR, today)


def failed(found):
    return {v.rule: v.failed for v in found.verdicts if v.failed}


def counts(found):
    return (
        found.rows_new,
        found.rows_changed,
        found.rows_unchanged,
        found.rows_quarantined,
        found.rows_pending,
    )


def test_first_wave_of_an_empty_warehouse():
    """Stops the first evening from losing rows or starting the index anywhere but at 1."""
    found = plan(wave(("000001", THU, 1.0, 3.0, NAN), ("000001", FRI, 1.01, 3.01, 1.0)))
    assert counts(found) == (2, 0, 0, 0, 0)
    assert found.upserts["total_return_index"].tolist() == [1.0, 1.01]
    assert found.upserts["return_status"].tolist() == ["first", "proven"]
    assert found.upserts["first_seen_at"].tolist() == [20260918_190000] * 2


def test_every_row_is_accounted_for():
    """Stops rows from vanishing between reading and merging."""
    batch = wave(
        ("000001", THU, 1.0, 3.0, 0.5),  # unchanged
        ("000001", FRI, 1.01, 3.01, 1.0),  # new
        ("000002", THU, 2.002, 2.0, 0.0),  # changed by 0.1 %
        ("000002", FRI, NAN, NAN, NAN),  # pending
        ("000003", THU, -1.0, 1.0, 0.0),  # quarantined
        ("000003", FRI, 1.0, 1.0, 0.0),  # new
        refused=1,
    )
    knowledge = known(
        stored(
            ("000001", THU, 1.0, 3.0, 0.5, 1.2, "proven"),
            ("000002", THU, 2.0, 2.0, 0.0, 1.0, "first"),
        )
    )
    found = plan(batch, knowledge)
    assert counts(found) == (2, 1, 1, 2, 1)
    assert sum(counts(found)) == batch.rows_read


def test_same_batch_again_changes_nothing():
    """Stops a rerun from rewriting rows: everything is unchanged, nothing is written."""
    batch = wave(("000001", THU, 1.0, 3.0, 0.5), ("000001", FRI, 1.01, 3.01, 1.0))
    first = plan(batch)
    again = plan(batch, known(first.upserts))
    assert counts(again) == (0, 0, 2, 0, 0)
    assert again.upserts.empty and again.rechained.empty and again.revisions.empty


def test_index_continues_from_the_stored_row():
    """Stops a new day from starting the index anew."""
    knowledge = known(stored(("000001", THU, 1.0, 3.0, 0.5, 1.2, "proven")))
    found = plan(wave(("000001", FRI, 1.01, 3.01, 1.0)), knowledge)
    assert found.upserts["total_return_index"].tolist() == [1.2 * (1 + (1.01 / 1.0 - 1.0))]


def test_empty_cells_never_overwrite():
    """Stops a later, poorer answer from erasing an accumulated NAV."""
    knowledge = known(
        stored(
            ("000001", WED, 1.0, 3.0, 0.5, 1.2, "proven"),
            ("000001", THU, 1.01, 3.01, 1.0, 1.212, "proven"),
        )
    )
    found = plan(wave(("000001", THU, 1.01, NAN, NAN)), knowledge)
    assert counts(found) == (0, 0, 1, 0, 0)


def test_small_correction_is_merged_recorded_and_rechained():
    """Stops a correction of yesterday from leaving today's index on the old value."""
    knowledge = known(
        stored(
            ("000001", WED, 1.0, 1.0, NAN, 1.0, "first"),
            ("000001", THU, 1.010, 1.010, NAN, 1.010, "single_source"),
            ("000001", FRI, 1.020, 1.020, NAN, 1.020, "single_source"),
        )
    )
    found = plan(wave(("000001", THU, 1.012, 1.012, NAN)), knowledge)
    assert counts(found) == (0, 1, 0, 0, 0)
    assert found.upserts["total_return_index"].tolist() == [pytest.approx(1.012, abs=1e-15)]
    assert found.rechained["nav_date"].tolist() == []  # Friday's index is 1.020 again
    assert found.revisions["unit_nav"].tolist() == [1.010]
    assert found.revisions["change_pct"].tolist() == [pytest.approx(0.2 / 1.01, abs=1e-12)]
    assert found.revisions["batch_id"].tolist() == ["w20260917-old"]
    assert failed(found) == {}


def test_a_corrected_nav_takes_its_growth_along():
    """Stops the growth of a NAV that was wrong from standing beside the right one."""
    knowledge = known(
        stored(
            ("000001", WED, 1.0, 1.0, NAN, 1.0, "first"),
            ("000001", THU, 1.010, 1.010, 1.0, 1.010, "proven"),
        )
    )
    found = plan(wave(("000001", THU, 1.012, 1.012, NAN)), knowledge)
    assert counts(found) == (0, 1, 0, 0, 0)
    assert found.upserts["unit_nav"].tolist() == [1.012]
    assert np.isnan(found.upserts["growth_pct"]).all()
    assert found.revisions["growth_pct"].tolist() == [1.0]


def test_what_is_held_is_counted_whole_and_shown_in_part():
    """Stops a verdict that tells of held rows and names none, or all of a market."""
    codes = [f"{n:06d}" for n in range(1, 101)]
    knowledge = known(stored(*((c, THU, 1.0, 1.0, NAN, 1.0, "first") for c in codes)))
    rows = ((c, FRI, 1.5 if c < "000013" else 1.01, NAN, NAN) for c in codes)
    found = plan(wave(*rows), knowledge)
    (verdict,) = [v for v in found.verdicts if v.rule == "R08_jump_unconfirmed"]
    assert (verdict.looked_at, verdict.failed, len(verdict.cases)) == (100, 12, 10)
    assert verdict.cases == tuple(found.held["reason"].head(10))
    assert "000001" in verdict.cases[0] and "000010" in verdict.cases[9]


def test_large_correction_is_held():
    """Stops one bad answer from rewriting history by 0.5 % or more (R16)."""
    rows = stored(
        ("000001", WED, 1.0, 1.0, NAN, 1.0, "first"),
        ("000001", THU, 1.010, 1.010, NAN, 1.010, "single_source"),
    )
    batch = wave(("000001", THU, 1.016, 1.016, NAN), ("000001", FRI, 1.011, 1.011, NAN))
    found = plan(batch, known(rows))
    assert failed(found)["R16_revision_hold"] == 1
    assert counts(found) == (1, 0, 0, 1, 0)
    # Friday is chained on the value that stayed.
    assert found.upserts["total_return_index"].tolist() == [pytest.approx(1.011, abs=1e-15)]


def test_one_wrong_nav_does_not_condemn_the_next_right_one():
    """Stops a typing error on Thursday from holding Friday's correct NAV (R08)."""
    knowledge = known(stored(("000001", WED, 1.0, 1.0, 0.0, 1.0, "first")))
    batch = wave(("000001", THU, 10.0, 10.0, 0.1), ("000001", FRI, 1.002, 1.002, 0.1))
    found = plan(batch, knowledge)
    assert failed(found)["R08_jump_unconfirmed"] == 1
    assert found.held["nav_date"].tolist() == [THU]
    assert found.upserts["nav_date"].tolist() == [FRI]
    assert found.upserts["total_return_index"].tolist() == [pytest.approx(1.002, abs=1e-12)]
    assert "unit_nav 1 -> 10 is +900.00%" in found.held["reason"].iloc[0]


def test_recorded_dividend_is_used():
    """Stops an ex-dividend day from becoming a loss when the payload tells the dividend."""
    found = plan(
        history(("000001", THU, 1.0390, 1.0390, NAN), ("000001", FRI, 1.0302, 1.0385, -0.05)),
        known(event_rows=events(("000001", FRI, "dividend", 0.0083))),
    )
    assert found.upserts["total_return_index"].iloc[1] == pytest.approx(
        (1.0302 + 0.0083) / 1.0390, abs=1e-15
    )
    assert failed(found) == {}


def test_event_on_a_day_without_nav_counts_on_the_next():
    """Stops an ex-date on a closed day from being forgotten."""
    found = plan(
        history(("000001", TUE, 1.00, 1.00, NAN), ("000001", THU, 0.95, 1.00, 0.0)),
        known(event_rows=events(("000001", WED, "dividend", 0.05))),
    )
    assert found.upserts["total_return_index"].tolist() == [1.0, pytest.approx(1.0, abs=1e-15)]


def test_new_event_rechains_stored_rows():
    """Stops an event that arrives after its day from leaving the index wrong."""
    rows = stored(
        ("000001", WED, 1.00, NAN, NAN, 1.0, "first"),
        ("000001", THU, 0.96, NAN, NAN, 0.96, "single_source"),
        ("000001", FRI, 0.96, NAN, NAN, 0.96, "single_source"),
    )
    batch = history(
        *[(r.fund_code, r.nav_date, r.unit_nav, NAN, NAN) for r in rows.itertuples()]
    )
    found = plan(batch, known(rows, event_rows=events(("000001", THU, "dividend", 0.05))))
    assert found.upserts.empty
    assert found.rechained["nav_date"].tolist() == [THU, FRI]
    assert found.rechained["total_return_index"].tolist() == [pytest.approx(1.01)] * 2


def test_older_history_moves_the_start():
    """Stops a fund from starting at 1 in the middle once its past arrives."""
    rows = stored(("000001", THU, 1.10, 1.10, 0.0, 1.0, "first"))
    found = plan(
        history(("000001", TUE, 1.0, 1.0, NAN), ("000001", WED, 1.1, 1.1, 10.0), ("000001", THU, 1.10, 1.10, 0.0)),
        known(rows),
    )  # fmt: skip
    assert found.upserts["total_return_index"].tolist() == [1.0, pytest.approx(1.1)]
    assert found.rechained["total_return_index"].tolist() == [pytest.approx(1.1)]
    assert found.rechained["return_status"].tolist() == ["proven"]


def test_history_refines_the_decimals_of_growth_without_a_revision():
    """Stops two and four decimals of one growth from counting as a correction, or flipping."""
    rows = stored(
        ("000001", WED, 1.0, 1.0, NAN, 1.0, "first"),
        ("000001", THU, 1.0067, 1.0067, 0.67, 1.0067, "proven"),
    )
    refined = plan(
        history(("000001", WED, 1.0, 1.0, NAN), ("000001", THU, 1.0067, 1.0067, 0.6712)),
        known(rows),
    )
    assert refined.upserts["growth_pct"].tolist() == [0.6712]
    assert refined.revisions.empty
    back = plan(wave(("000001", THU, 1.0067, 1.0067, 0.67)), known(refined.upserts))
    assert counts(back) == (0, 0, 1, 0, 0)


def listed_twice():
    """How a page that lists a fund twice with different NAVs is marked."""
    rows = observed(("000001", FRI, 1.0, 1.0, NAN), ("000001", FRI, 2.0, 1.0, NAN))
    united, _ = unite({"open_funds": rows[OBSERVATION_COLUMNS]})
    return united["defect"].item()


@pytest.mark.parametrize(
    ("batch", "knowledge", "rule"),
    [
        (wave(("000001", FRI, 1.0, 1.0, NAN), newest=THU, previous=FRI), known(), "R05_header_dates"),
        (wave(("000001", FRI, 1.0, 1.0, NAN), newest=20260921), known(), "R05_header_dates"),
        (wave(("000001", WED, 1.0, 1.0, NAN), newest=WED, previous=TUE), known(published_date=THU), "R05_header_dates"),
        (wave(("000001", 20260701, 1.0, 1.0, NAN), newest=20260701, previous=20260630), known(), "R05_header_dates"),
        (wave(("000001", FRI, 1.0, 1.0, NAN)), known(usual_rows=2.0), "R02_row_count"),
        (wave(("000001", FRI, 1.0, 1.0, NAN)), known(members_before=frozenset(f"{n:06d}" for n in range(1, 31))), "R03_kind_floor"),
        (wave(("000001", FRI, 1.0, 1.0, NAN), refused=3), known(), "R01_schema"),
        (wave(("000001", FRI, 1.0, 1.0, NAN), defect="sources disagree: unit_nav 1.0 in open_funds, 2.0 in exchange_funds"), known(), "R04_unique"),
        (wave(("000001", FRI, 1.0, 1.0, NAN), defect=listed_twice()), known(), "R04_unique"),
        (wave(*[(f"{n:06d}", day, 1.0 + n, 1.0, NAN) for n in range(20) for day in (THU, FRI)]), known(), "R15_standing_still"),
    ],
)  # fmt: skip
def test_blocking_rules_block(batch, knowledge, rule):
    """Stops wrong dates, stale answers, half a market and drifted columns from being merged."""
    assert [v.rule for v in plan(batch, knowledge).blocked_by] == [rule]


def test_half_a_market_that_stands_still_is_real():
    """Stops quiet days from being blocked: on real ones a tenth stands still, bonds more."""
    batch = wave(
        *[(f"{n:06d}", THU, 1.0 + n, 1.0, NAN) for n in range(20)],
        *[(f"{n:06d}", FRI, 1.0 + n + (n < 10) / 1000, 1.0, NAN) for n in range(20)],
    )
    assert plan(batch, known()).blocked_by == []


def test_mass_revision_blocks():
    """Stops a shifted column from rewriting the market: 6 of 100 funds revised (R17)."""
    codes = [f"{n:06d}" for n in range(100)]
    rows = stored(*[(code, THU, 1.0, 1.0, NAN, 1.0, "first") for code in codes])
    batch = wave(
        *[(code, THU, 1.001 if n < 6 else 1.0, 1.0, NAN) for n, code in enumerate(codes)]
    )
    found = plan(batch, known(rows))
    assert [v.rule for v in found.blocked_by] == ["R17_mass_revision"]
    assert found.blocked_by[0].cases == (
        f"{THU}: unit_nav of 6 of 100 stored funds would be corrected",
    )


@pytest.mark.parametrize(
    ("row", "more", "rule"),
    [
        (("000001", FRI, 0.0, 1.0, NAN), {}, "R07_nav_bounds"),
        (("000001", FRI, -1.0, 1.0, NAN), {}, "R07_nav_bounds"),
        (("000001", FRI, 501.0, 1.0, NAN), {}, "R07_nav_bounds"),
        (("000001", FRI, np.inf, 1.0, NAN), {}, "R07_nav_bounds"),
        (("000001", 20260919, 1.0, 1.0, NAN), {}, "R05_nav_date"),
        (("000001", 20260913, 1.0, 1.0, NAN), {}, "R06_trading_day"),
        (("000001", FRI, NAN, NAN, NAN), {"defect": "unit_nav: not a number: '1e400'"}, "R01_readable"),
        (("000001", FRI, NAN, NAN, NAN), {"yield_per_10k": -0.1}, "R23_money_week_hold"),
        (("000001", FRI, NAN, NAN, NAN), {"yield_per_10k": np.inf}, "R23_money_yield_bounds"),
    ],
)  # fmt: skip
def test_bad_rows_are_held_with_fund_date_and_value(row, more, rule):
    """Stops impossible values from being accepted, and reasons from being vague."""
    found = plan(wave(row, ("000002", FRI, 1.0, 1.0, NAN), **({} if not more else {k: [v, "" if k == "defect" else NAN] for k, v in more.items()})))  # fmt: skip
    held = found.held[found.held["fund_code"] == "000001"]
    assert rule in set(held["rule"])
    (verdict,) = [v for v in found.verdicts if v.rule == rule]
    assert verdict.failed == 1 and verdict.cases[0] in set(held["reason"])
    assert held["reason"].iloc[0].startswith(f"000001 {row[1]}: ")
    assert found.upserts["fund_code"].tolist() == ["000002"]


@pytest.mark.parametrize(
    ("row", "more", "rule", "kept"),
    [
        ((1.0, -1.0, NAN), {}, "R11_accumulated_nav", (1.0, NAN, NAN, NAN)),
        ((1.0, 1.0, -100.0), {}, "R01_growth_bounds", (1.0, 1.0, NAN, NAN)),
        ((NAN, NAN, NAN), {"yield_per_10k": 0.5, "yield_7d_pct": 1000.0}, "R23_money_week_bounds",
         (NAN, NAN, NAN, NAN)),
    ],
)  # fmt: skip
def test_an_impossible_figure_is_held_alone(row, more, rule, kept):
    """Stops a typing error in one column from keeping the NAV beside it out."""
    found = plan(wave(("000001", FRI, *row), **more))
    assert found.held["rule"].tolist() == [rule]
    names = ["unit_nav", "acc_nav", "growth_pct", "yield_7d_pct"]
    np.testing.assert_array_equal(found.upserts[names].to_numpy(dtype=float), [kept])
    assert (found.rows_new, found.rows_quarantined) == (1, 0)
    alone = plan(wave(("000001", FRI, NAN, -1.0, NAN)))
    assert (alone.rows_new, alone.rows_quarantined) == (0, 1)


def test_report_dates_on_a_weekend_are_accepted():
    """Stops the NAVs of 30 June and 31 December from being refused on weekends (R06)."""
    batch = wave(("000001", 20231231, 1.0, 1.0, NAN), newest=20240102, previous=20231229)
    found = plan(batch, today=20240102)
    assert counts(found) == (1, 0, 0, 0, 0)


def test_money_funds_publish_on_weekends():
    """Stops weekend income of money-market funds from being refused."""
    batch = wave(
        ("000009", 20260913, NAN, NAN, NAN), ("000009", 20260914, NAN, NAN, NAN),
        newest=20260914, previous=20260911, yield_per_10k=[0.6, 0.7],
    )  # fmt: skip
    found = plan(batch, known(kinds={"000009": "money"}), today=20260914)
    assert found.upserts["total_return_index"].tolist() == [1.0, 1.0 + 0.7 / 10_000]


def test_merged_money_figure_warns_and_is_kept():
    """Stops the real first row 21.2775 (several days in one) from being thrown away (R23)."""
    batch = wave(("000009", FRI, NAN, NAN, NAN), yield_per_10k=[21.2775])
    found = plan(batch, known(kinds={"000009": "money"}))
    assert failed(found) == {"R23_money_yield": 1}
    assert len(found.upserts) == 1


def test_empty_batch_blocks():
    """Stops an empty answer from passing as an evening."""
    assert [v.rule for v in plan(wave()).blocked_by] == ["R01_schema"]


def test_the_first_page_is_measured_by_the_list():
    """Stops a first page of a few funds from becoming the market, and a later wave, which has
    waves before it, from being measured by the list."""
    few = wave(*[(f"{n:06d}", FRI, 1.0, 1.0, NAN) for n in range(10)])
    first = plan(few, known(listed=240))
    assert [v.rule for v in first.blocked_by] == ["R02_first_page"]
    assert plan(few, known(listed=20)).blocked_by == []
    assert plan(few, known(listed=240, usual_rows=10.0)).blocked_by == []


def test_what_is_filled_in_is_no_correction():
    """Stops the first run from telling hundreds of corrections: 更正 is an accepted value that
    became another. Late growth, filled cells and more decimals have their own word and count."""
    first = plan(wave(("000001", FRI, 1.01, NAN, NAN), ("000002", FRI, 2.0, 2.5, 0.53)))
    stored = known(first.upserts)
    late = wave(
        ("000001", FRI, 1.01, 3.01, 1.0),  # accumulated NAV and growth come later
        ("000002", FRI, 2.0, 2.5, 0.53),
    )
    found = plan(late, stored)
    assert (found.rows_changed, found.rows_filled, found.rows_unchanged) == (0, 1, 1)
    # The ledger keeps that they were not known before.
    (kept,) = found.revisions.to_dict("records")
    assert kept["kind"] == "filling" and kept["legal_level"] == "none"
    assert kept["unit_nav"] == 1.01 and np.isnan([kept["acc_nav"], kept["growth_pct"]]).all()
    exact = history(("000002", FRI, 2.0, 2.5, 0.5263))
    found = plan(exact, stored)
    assert (found.rows_changed, found.rows_filled, found.revisions.empty) == (0, 1, True)
    right = wave(("000001", FRI, 1.011, 3.01, 1.1), ("000002", FRI, 2.0, 2.51, 0.53))
    found = plan(right, stored)
    assert (found.rows_changed, found.rows_filled) == (2, 0)
    assert found.revisions["kind"].tolist() == ["correction", "correction"]
    assert found.revisions["acc_nav"].tolist()[1] == 2.5
    whole = sum(found.counts.values())
    assert whole == 2 and set(found.counts) >= {"rows_filled", "rows_changed"}


def taken_back(found):
    (verdict,) = [v for v in found.verdicts if v.rule == "R16_taken_back"]
    return verdict.looked_at, verdict.failed, " ".join(verdict.cases)


def test_what_the_page_takes_back_is_told_and_stays():
    """Stops a value that the source withdrew from standing there without a word."""
    shown = [("000001", FRI, 1.01, 3.01, 1.0), ("000002", FRI, 2.0, 2.5, 0.5),
             ("000003", FRI, 3.0, 3.0, 0.1), ("000004", FRI, 4.0, 4.0, 0.1)]  # fmt: skip
    before = known(plan(wave(*shown)).upserts)
    blank = wave(
        ("000001", FRI, NAN, NAN, NAN), ("000002", FRI, 2.0, NAN, 0.5), *shown[2:],
        ("000009", FRI, NAN, NAN, NAN),
    )  # fmt: skip
    found = plan(blank, before)
    looked, failed, cases = taken_back(found)
    assert (looked, failed) == (4, 2)
    assert "000001 20260918: unit_nav, acc_nav, growth_pct was shown" in cases
    assert "000002 20260918: acc_nav was shown before and is no longer shown" in cases
    assert found.held.empty and found.upserts.empty and found.revisions.empty
    # On the next day the page has growth of its newest date alone: nothing is taken back.
    monday = wave(
        *((c, FRI, u, a, NAN) for c, _, u, a, _ in shown), newest=20260921, previous=FRI
    )
    assert taken_back(plan(monday, before, today=20260921))[:2] == (4, 0)
    # A history's values are not the page's to take back, nor is an unreadable cell a blank.
    by_history = known(plan(history(*shown)).upserts)
    assert taken_back(plan(blank, by_history))[:2] == (0, 0)
    odd = wave(("000002", FRI, 2.0, NAN, 0.5), defect="acc_nav 'x'")
    assert taken_back(plan(odd, before))[:2] == (0, 0)


def test_a_date_that_a_later_history_lacks_is_told():
    """Stops a hole in a fund's new history from going unseen: the accepted row stays."""
    rows = [("000001", day, 1.0 + n / 100, 1.0 + n / 100, NAN)
            for n, day in enumerate((TUE, WED, THU, FRI))]  # fmt: skip
    before = known(plan(history(*rows[:3])).upserts)
    again = history(rows[0], rows[2])
    looked, failed, cases = taken_back(plan(again, before))
    assert (looked, failed) == (3, 1)
    assert "000001 20260916: unit_nav, acc_nav was shown before and is no longer shown" in cases
    # What is newer than the history is no hole of it.
    by_page = known(plan(wave(rows[3]), before).upserts)
    assert taken_back(plan(history(*rows[:3]), by_page))[1] == 0
