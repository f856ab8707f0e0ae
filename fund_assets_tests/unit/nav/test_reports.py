"""What a later answer changes of the stored reports, and the identities."""

import pytest

from fund_assets.nav.reports import (
    Statement,
    changes,
    doubts,
    is_period_end,
    size_off,
    taken_back,
)
from fund_assets.schemas.tables import (
    FUND_HOLDERS,
    FUND_MANAGER,
    FUND_SIZE,
    FUND_TOP_HOLDINGS,
)

T1, T2, T3 = 20260720203000, 20261020203000, 20270120203000
ASSETS = ("net_assets", "net_assets_change")
SHARES = ("subscribed_shares", "redeemed_shares", "total_shares")


def _size(*periods, **more):
    return Statement("fund_size", ASSETS, {p: (a, None) for p, a in periods}, **more)


def _shares(**periods):
    return Statement("fund_size", SHARES, {int(p[1:]): f for p, f in periods.items()})


def _after(stored, at, *statements):
    """The table after an answer, and the rows that were written."""
    current = [row for row in stored.values() if row["superseded_at"] is None]
    rows = changes(FUND_SIZE, current, {"000001": statements}, at)
    new = {(r["fund_code"], r["period_end"], r["first_seen_at"]): r for r in rows}
    return {**stored, **new}, rows


def _known(stored, at):
    return {
        r["period_end"]: r["net_assets"]
        for r in stored.values()
        if r["first_seen_at"] <= at and (r["superseded_at"] or T3 * 10) > at
    }


def test_a_changed_figure_keeps_what_was_known_before():
    """Stops a correction from overwriting the figure that a reader saw at its time."""
    stored, _ = _after({}, T1, _size((20260331, 1e8), (20260630, 2e8)))
    stored, rows = _after(stored, T2, _size((20260331, 1e8), (20260630, 3e8)))
    assert len(rows) == 2 and taken_back(FUND_SIZE, rows) == []
    assert _known(stored, T1) == {20260331: 1e8, 20260630: 2e8}
    assert _known(stored, T2) == {20260331: 1e8, 20260630: 3e8}
    stored, rows = _after(stored, T3, _size((20260331, 1e8), (20260630, 2e8)))
    assert _known(stored, T3) == _known(stored, T1), "and back again"
    assert _known(stored, T2)[20260630] == 3e8


def test_the_same_answer_changes_nothing():
    """Stops each refetch of 26,000 funds from writing all their reports again."""
    told = _size((20260331, 1e8)), _shares(p20260331=(1e6, None, 2e6))
    stored, rows = _after({}, T1, *told)
    assert len(rows) == 1 and rows[0]["total_shares"] == 2e6
    assert _after(stored, T2, *told)[1] == []
    assert _after(stored, T2)[1] == [], "an answer that says nothing"


def test_what_an_answer_no_longer_reaches_stays():
    """Stops the window of four quarters from deleting the fifth and all before."""
    stored, _ = _after({}, T1, _size((20260331, 1e8)), _shares(p20260331=(1e6, 0.0, 2e6)))
    later = _size((20260331, 1e8), (20260630, 2e8)), _shares(p20260630=(0.0, 0.0, 2e6))
    stored, rows = _after(stored, T2, *later)
    assert [row["period_end"] for row in rows] == [20260630]
    stored, rows = _after(stored, T3, _size((20260930, 2e8)))
    assert _known(stored, T3) == {20260331: 1e8, 20260630: 2e8, 20260930: 2e8}


def test_a_period_that_is_left_out_is_taken_back():
    """Stops a withdrawn report from standing for ever, or from going without a word."""
    stored, _ = _after({}, T1, _size((20260331, 1e8), (20260630, 2e8)))
    stored, rows = _after(stored, T2, _size((20260331, 1e8)))
    assert taken_back(FUND_SIZE, rows) == ["000001: fund_size of 20260630 is no longer there"]
    assert _known(stored, T2) == {20260331: 1e8}
    assert _known(stored, T1)[20260630] == 2e8
    again, rows = _after(stored, T3, _size((20260331, 1e8), (20260630, 2e8)))
    assert _known(again, T3)[20260630] == 2e8 and taken_back(FUND_SIZE, rows) == []


def test_one_part_of_a_period_may_be_taken_back_alone():
    """Stops net assets from going with the shares, which another variable has."""
    both = _size((20260331, 1e8), (20260630, 2e8))
    shares = _shares(p20260331=(0.0, 0.0, 2e6), p20260630=(0.0, 0.0, 2e6))
    stored, _ = _after({}, T1, both, shares)
    stored, rows = _after(stored, T2, both, _shares(p20260331=(0.0, 0.0, 2e6)))
    assert taken_back(FUND_SIZE, rows) == [] and _known(stored, T2)[20260630] == 2e8
    assert rows[-1]["total_shares"] is None


def test_a_refused_cell_leaves_what_is_stored():
    """Stops a broken answer from taking a good figure back."""
    stored, _ = _after({}, T1, _size((20260331, 1e8), (20260630, 2e8)))
    told = _size((20260331, 1e8), unread=frozenset({20260630}))
    assert _after(stored, T2, told)[1] == []


def test_two_answers_of_one_second_leave_one_row():
    """Stops two rows of one key, of which the database would refuse the second."""
    stored, _ = _after({}, T1, _size((20260331, 1e8)))
    stored, rows = _after(stored, T1, _size((20260331, 2e8)))
    assert len(rows) == len(stored) == 1 and _known(stored, T1) == {20260331: 2e8}


@pytest.mark.parametrize("total, odd", [(171e6, False), (173e6, False), (168.9e6, True)])
def test_shares_add_up_within_rounding(total, odd):
    """Stops a wrong number of shares from passing, and four roundings from being told."""
    told = _shares(p20260331=(1e6, 11e6, 189e6), p20260630=(10e6, 28e6, total))
    found = doubts("000001", [told])
    assert bool(found) == odd
    if odd:
        assert found == [
            "000001: shares of 20260630 are -2,100,000 off those of 20260331 with what was "
            "subscribed and redeemed"
        ]


def test_shares_are_compared_with_the_quarter_before_alone():
    """Stops a hole between two quarters, or a null, from being told as an error."""
    hole = _shares(p20251231=(0.0, 0.0, 1e8), p20260630=(0.0, 0.0, 5e8))
    null = _shares(p20251231=(0.0, 0.0, 1e8), p20260331=(0.0, None, 5e8))
    assert doubts("000001", [hole, null]) == []
    turn = _shares(p20251231=(0.0, 0.0, 1e8), p20260331=(0.0, 0.0, 5e8))
    assert len(doubts("000001", [turn])) == 1, "the turn of the year is no hole"


def test_holders_hold_everything():
    """Stops exchanged columns of holders from passing; insiders are individuals too."""
    columns = ("institutions", "individuals", "insiders")
    right = Statement("fund_holders", columns, {20260630: (0.4911, 0.509, 0.3)})
    wrong = Statement("fund_holders", columns, {20260630: (0.4911, 0.3, 0.2089)})
    assert doubts("000001", [right]) == []
    assert doubts("000001", [wrong]) == [
        "000001: institutions and individuals hold 79.11% at 20260630"
    ]


def test_ends_of_periods():
    """Stops the thirtieth of March, and a quarter of holders, from being the end of one."""
    assert is_period_end("fund_size", 20260331) and not is_period_end("fund_size", 20260330)
    assert is_period_end(FUND_HOLDERS.name, 20260630)
    assert not is_period_end(FUND_HOLDERS.name, 20260331)
    assert not is_period_end("fund_size", 331)


@pytest.mark.parametrize(
    "assets, shares, nav, off",
    [
        (28_495_000_000.0, 40_142_000_000.0, 0.7098, False),
        (28_495_000_000.0, 40_142_000_000.0, 0.7200, True),
        (30_000_000.0, 20_000_000.0, 1.25, True),
        (30_000_000.0, 20_000_000.0, 1.45, False),  # half a unit of each: 1,000,000 yuan
        (0.0, 0.0, 1.0, False),
    ],
)
def test_net_assets_are_shares_times_nav(assets, shares, nav, off):
    """Stops the rounding of a small class from being an error, and a real one from passing."""
    assert size_off(assets, shares, nav) == off


def _people(*names, **more):
    told = {str(n): (name, 100 + at, 1e9, 3) for at, (n, name) in enumerate(names)}
    columns = ("name", "career_days", "managed_assets", "managed_funds")
    return Statement("fund_manager", columns, told | more, since="")


def _write(table, stored, at, *statements):
    current = [row for row in stored.values() if row["superseded_at"] is None]
    rows = changes(table, current, {"000001": statements}, at)
    return {**stored, **{tuple(r[k] for k in table.primary_key): r for r in rows}}, rows


def test_a_manager_who_leaves_and_comes_back_has_two_rows():
    """Stops a change of manager from overwriting who it was; a career that grows is none."""
    stored, _ = _write(FUND_MANAGER, {}, T1, _people((1, "甲"), (2, "乙")))
    stored, rows = _write(FUND_MANAGER, stored, T1 + 1, _people((2, "乙"), (1, "甲")))
    assert rows == [], "only their days have grown"
    stored, rows = _write(FUND_MANAGER, stored, T2, _people((1, "甲")))
    assert [(r["manager_id"], r["superseded_at"]) for r in rows] == [("2", T2)]
    assert taken_back(FUND_MANAGER, rows) == [], "no figure was taken back"
    stored, rows = _write(FUND_MANAGER, stored, T3, _people((1, "甲"), (2, "乙")))
    assert [(r["manager_id"], r["first_seen_at"]) for r in rows] == [("2", T3)]
    assert len(stored) == 3


def test_a_shorter_list_of_holdings_closes_the_places_behind_it():
    """Stops places nine and ten of an earlier list from standing behind a newer one."""
    columns = ("market", "security_code", "weight")

    def held(quarter, **lists):
        told = {
            (quarter, kind, at): (1, code, None)
            for kind, codes in lists.items()
            for at, code in enumerate(codes, start=1)
        }
        return Statement("fund_top_holdings", columns, told, since=(quarter,))

    def now(stored):
        rows = [r for r in stored.values() if r["superseded_at"] is None]
        return [(r["period_end"], r["kind"], r["security_code"]) for r in rows]

    stored, _ = _write(FUND_TOP_HOLDINGS, {}, T1, held(20260331, stock="ab", bond="c"))
    stored, rows = _write(FUND_TOP_HOLDINGS, stored, T2, held(20260331, stock="a"))
    assert now(stored) == [(20260331, "stock", "a")]
    assert taken_back(FUND_TOP_HOLDINGS, rows) == [
        "000001: fund_top_holdings of 20260331 stock 2 is no longer there",
        "000001: fund_top_holdings of 20260331 bond 1 is no longer there",
    ]
    stored, _ = _write(FUND_TOP_HOLDINGS, stored, T3, held(20260630, stock="d"))
    assert now(stored) == [(20260331, "stock", "a"), (20260630, "stock", "d")]
