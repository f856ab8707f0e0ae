"""A new list of the market against the stored one."""

import pandas as pd
import pytest

from fund_assets.nav.list_rules import acceptable, described, plan_listing
from fund_assets.pipeline import fund_info as step
from fund_assets.schemas.tables import FUND_CHANGE, FUND_INFO
from fund_assets.sources.protocol import Listing
from fund_assets.transport.errors import TransportError

DAY, NEXT = 20260917, 20260918


def listed(*rows):
    """Rows of (code, name, type)."""
    frame = pd.DataFrame(rows, columns=["fund_code", "name", "fund_type"], dtype="str")
    return frame.assign(pinyin="")


def market(n):
    return listed(*((f"{code:06d}", f"基金{code}", "债券型-长债") for code in range(1, n + 1)))


def stored(frame, day=DAY):
    return described(frame, day)


def failed(plan):
    return {v.rule: v.failed for v in plan.verdicts if v.failed}


def test_the_first_list_is_all_new():
    """Stops the first list from being judged by a list before it."""
    plan = plan_listing(FUND_INFO.empty(), market(100), DAY)
    assert (plan.listed, plan.added, plan.gone, failed(plan)) == (100, 100, 0, {})
    assert len(plan.rows) == 100 and set(plan.rows["status"]) == {"listed"}
    assert set(plan.rows["first_seen_on"]) == {DAY}
    FUND_INFO.schema.validate(plan.rows)


def test_an_empty_list_changes_nothing():
    """Stops an empty answer from delisting the market."""
    plan = plan_listing(stored(market(100)), market(0), NEXT)
    assert failed(plan) == {"R18_list_shrink": 1, "R26_list_churn": 1}
    assert plan.rows.empty and plan.gone == 100


def test_one_new_one_gone_one_renamed():
    """Stops history from being lost when a fund is new, liquidated or renamed."""
    before = stored(market(100))
    after = market(100).drop(index=99)
    after.loc[0, "name"] = "新名称"
    after = pd.concat([after, listed(("000777", "新基金", "股票型"))], ignore_index=True)
    plan = plan_listing(before, after, NEXT)
    assert (plan.listed, plan.added, plan.gone, failed(plan)) == (100, 1, 1, {})
    rows = plan.rows.set_index("fund_code")
    FUND_INFO.schema.validate(plan.rows)
    assert rows.loc["000777", ["status", "kind"]].tolist() == ["listed", "equity"]
    assert rows.loc["000777", "first_seen_on"] == NEXT
    assert rows.loc["000100", ["status", "last_seen_on"]].tolist() == ["delisted", DAY]
    assert rows.loc["000002", ["first_seen_on", "last_seen_on"]].tolist() == [DAY, NEXT]
    assert plan.renamed.to_dict("records") == [
        {"fund_code": "000001", "name": "新名称", "old_name": "基金1",
         "fund_type": "债券型-长债", "old_type": "债券型-长债"},
    ]  # fmt: skip


def test_a_fund_that_comes_back_is_listed_again():
    """Stops a delisted fund from staying delisted, or from losing its first day."""
    before = stored(market(3)).assign(status=["listed", "delisted", "listed"])
    plan = plan_listing(before, market(3), NEXT)
    rows = plan.rows.set_index("fund_code")
    assert rows.loc["000002", ["status", "first_seen_on"]].tolist() == ["listed", DAY]
    assert (plan.added, plan.gone) == (0, 0)


@pytest.mark.parametrize(
    ("before", "after", "refused"),
    [(1000, 990, False), (1000, 989, True), (100, 96, False), (100, 95, True), (20, 16, False)],
)
def test_a_list_that_shrinks_is_refused(before, after, refused):
    """Stops a truncated list from delisting funds; a handful may always go."""
    plan = plan_listing(stored(market(before)), market(after), NEXT)
    assert ("R18_list_shrink" in failed(plan)) == refused
    assert (plan.rows["status"] == "delisted").sum() == (0 if refused else before - after)
    (verdict,) = [v for v in plan.verdicts if v.rule == "R18_list_shrink"]
    if refused:
        assert verdict.cases == (
            f"{before - after} of {before} listed funds are missing from the new list; they "
            "stay listed, the rest of the list is applied",
        )


def applied(before, plan):
    """What is stored after a plan."""
    rest = before[~before["fund_code"].isin(plan.rows["fund_code"])]
    both = pd.concat([rest, plan.rows], ignore_index=True)
    return both.sort_values("fund_code", ignore_index=True)


def test_a_market_that_shrank_for_good_is_believed_on_the_third_day():
    """Stops a list from being refused for ever, its new funds with it."""
    table = stored(market(1000))
    smaller = pd.concat(
        [market(900), listed(("000777", "基金777", "债券型-长债"), ("700001", "新", "股票型"))]
    )
    told = []
    for day in (20260918, 20260919, 20260920, 20260921):
        plan = plan_listing(table, smaller.drop_duplicates("fund_code"), day)
        table = applied(table, plan)
        told.append(("R18_list_shrink" in failed(plan), (table["status"] == "listed").sum()))
    assert told == [(True, 1001), (True, 1001), (False, 901), (False, 901)]
    assert table.set_index("fund_code").loc["700001", "first_seen_on"] == 20260918


def test_one_short_list_after_days_without_any_is_not_believed():
    """Stops a list cut on Monday from delisting funds because the last one was Friday's."""
    table = stored(market(1000))
    plan = plan_listing(table, market(900), 20260921)
    assert "R18_list_shrink" in failed(plan) and set(plan.rows["status"]) == {"listed"}
    back = plan_listing(applied(table, plan), market(1000), 20260922)
    assert failed(back) == {} and back.gone == 0


def test_a_list_with_less_than_half_is_never_believed():
    """Stops a broken page that lasts from delisting the market."""
    table = stored(market(1000))
    for day in (20260918, 20260919, 20260920, 20260921, 20260922):
        plan = plan_listing(table, market(499), day)
        table = applied(table, plan)
        assert "R18_list_shrink" in failed(plan) and set(table["status"]) == {"listed"}


@pytest.mark.parametrize(("added", "warned"), [(60, False), (61, True)])
def test_an_unusual_number_of_new_funds_is_told(added, warned):
    """Stops a list of another market from being taken in without a word."""
    plan = plan_listing(stored(market(1000)), market(1000 + added), NEXT)
    assert ("R26_list_churn" in failed(plan)) == warned
    assert len(plan.rows) == 1000 + added, "told, and applied"


BAD = ["", "1", "12345", "1234567", "abcdef", "00000a", "０００００１", "000 01", "-00001", "000001\n",
       "'; drop table fund_info; --"]  # fmt: skip


@pytest.mark.parametrize("code", BAD)
def test_a_bad_code_is_refused_and_told(code):
    """Stops what only looks like a code from becoming a fund."""
    frame = pd.concat([market(3), listed((code, "某基金", "股票型"))], ignore_index=True)
    plan = plan_listing(FUND_INFO.empty(), frame, DAY)
    assert plan.listed == 3 and failed(plan) == {"R01_fund_codes": 1}
    (verdict,) = [v for v in plan.verdicts if v.rule == "R01_fund_codes"]
    assert verdict.cases == (
        f"left out: fund_code {code[:20]!r}, name of 3 characters '某基金'",
    )


@pytest.mark.parametrize("column", ["name", "fund_type", "pinyin"])
def test_a_text_too_long_is_refused_not_cut(column):
    """Stops 10 kB of text from being cut in silence, or from failing in the database."""
    frame = market(2)
    frame.loc[1, column] = "长" * 10_240
    assert acceptable(frame).tolist() == [True, False]
    frame.loc[1, column] = "长" * 200
    assert acceptable(frame).tolist() == [True, True]


def test_a_refused_row_does_not_delist_its_fund():
    """Stops a fund whose name is garbled for a day from being taken for liquidated."""
    garbled = market(100)
    garbled.loc[4, "name"] = "长" * 10_240
    plan = plan_listing(stored(market(100)), garbled, NEXT)
    assert plan.gone == 0
    assert "000005" not in set(plan.rows["fund_code"]), "its stored row stays as it is"


def test_a_code_listed_twice_counts_once():
    """Stops a doubled line from failing the whole list."""
    frame = pd.concat([market(3), market(1).assign(name="又")], ignore_index=True)
    plan = plan_listing(FUND_INFO.empty(), frame, DAY)
    assert plan.rows["name"].tolist() == ["基金1", "基金2", "基金3"]


def test_names_keep_every_character():
    """Stops brackets, spaces, emoji or SQL in a name from being eaten."""
    names = ["华夏 A/B（LOF）", "牛市📈", "'; drop table fund_info; --", "Ａ类", "𠮷基金"]
    frame = listed(*((f"{n:06d}", name, "股票型") for n, name in enumerate(names, 1)))
    assert plan_listing(FUND_INFO.empty(), frame, DAY).rows["name"].tolist() == names


class InTurn:
    """A source that gives these lists in turn; an error is raised."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def fund_list(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Listing(answer, ())


@pytest.mark.parametrize(
    ("answers", "used", "left"),
    [
        ((market(100), market(100)), 100, 1),
        ((market(60), market(100)), 100, 0),
        ((market(60), market(80), market(100)), 80, 1),
        ((market(60), market(50)), 60, 0),
        ((market(60), TransportError("503")), 60, 0),
    ],
)
def test_a_list_that_came_short_is_asked_for_again_at_once(monkeypatch, answers, used, left):
    """Stops a page that was cut once from being believed, and a second look that is worse or
    fails from costing what the first one told."""
    written = []
    monkeypatch.setattr(step.landing, "fund_info", lambda _: stored(market(100)))
    monkeypatch.setattr(
        step.landing,
        "write_fund_info",
        lambda _, rows, changes: written.append(rows) or len(rows),
    )
    source = InTurn(*answers)
    report = step.refresh(None, source, NEXT)
    assert len(report.listing.frame) == report.plan.listed == used
    assert len(source.answers) == left
    (rows,) = written
    assert (rows["status"] == "listed").sum() == used, "nothing is delisted by a short list"
    assert report.plan.came_short == (used < 100)


def test_what_changes_in_a_list_is_logged_and_nothing_else():
    """Stops a new name, type, removal or return from leaving no trace, and an unchanged list, a
    new fund, or the first real name of an unlisted one from being called a change."""
    before = stored(listed(("000001", "甲成长混合", "混合型-偏股"), ("000002", "乙债券", "债券型-长债"),
                           ("000003", "丙股票", "股票型"), ("000004", "000004", ""),
                           ("000005", "丁货币A", "货币型-普通货币")))  # fmt: skip
    before.loc[before["fund_code"] == "000003", "status"] = "delisted"
    after = listed(("000001", "甲价值混合", "混合型-灵活"), ("000002", "乙债券", "债券型-长债"),
                   ("000003", "丙股票", "股票型"), ("000004", "戊指数", "指数型-股票"),
                   ("000006", "己债券", "债券型-长债"))  # fmt: skip
    changes = plan_listing(before, after, NEXT).changes
    FUND_CHANGE.schema.validate(changes)
    assert set(changes["seen_on"]) == {NEXT} and set(changes["evidence"]) == {""}
    assert set(
        changes[["fund_code", "what", "old", "new"]].itertuples(index=False, name=None)
    ) == {
        ("000001", "name", "甲成长混合", "甲价值混合"),
        ("000001", "type", "混合型-偏股", "混合型-灵活"),
        ("000003", "relisted", "delisted", "listed"),
        ("000005", "delisted", "listed", "delisted"),
    }
    assert plan_listing(before, listed(*before[["fund_code", "name", "fund_type"]].to_numpy()[[0, 1, 3, 4]]),
                        NEXT).changes.empty  # fmt: skip


def test_a_new_type_is_told_once_and_treated_as_its_kind():
    """Stops a type that nobody declared from passing unseen, and from being told every day."""
    first = stored(market(20))
    more = pd.concat(
        [
            market(20),
            listed(("000777", "新债券", "债券型-新词"), ("000778", "又一只", "债券型-新词")),
        ],
        ignore_index=True,
    )
    plan = plan_listing(first, more, NEXT)
    (verdict,) = [v for v in plan.verdicts if v.rule == "R28_known_type"]
    assert verdict.failed == 1
    assert verdict.cases == (
        "type '债券型-新词' is new: 2 funds such as 000777 are treated as bond, without limits and peers of their "
        "own; declare it in schemas/fund_types.py",
    )
    rows = plan.rows.set_index("fund_code")
    assert rows.loc["000777", ["fund_type", "kind"]].tolist() == ["债券型-新词", "bond"]
    again = plan_listing(FUND_INFO.conform(plan.rows), more, NEXT)
    assert failed(again) == {}
