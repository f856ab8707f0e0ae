"""The judge of the played year convicts what is planted, and acquits what is right."""

import random
from collections import Counter
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import pairwise

import numpy as np
import pytest

from fund_assets.calendar import TradingCalendar, to_key
from fund_assets.settings import SHANGHAI
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets_tests import stores
from fund_assets_tests.reliability.faulty import Clock, FaultySource
from fund_assets_tests.reliability.judgement import Judge
from fund_assets_tests.reliability.market_truth import ACC, INCOME, UNIT, WEEK, Truth, day_of
from fund_assets_tests.reliability.played import Play
from fund_assets_tests.reliability.truth import words_of
from fund_assets_tests.reliability.wrongs import SHORT, YEAR, Drawing

CALENDAR = TradingCalendar.build()
LAST = date(2025, 10, 17)


def drawn(
    seed: int, wanted=SHORT, first: date = date(2025, 8, 20), last: date = LAST
) -> tuple[Drawing, Truth]:
    """The faults of a seed over sessions, and the market with them."""
    days = CALENDAR.between(first, last)
    clock = Clock(datetime.combine(first - timedelta(days=1), time(23), SHANGHAI))
    market = SimulatedSource(150, 1.0, seed, CALENDAR, clock)
    keys = day_of(np.array([to_key(day) for day in days]))
    truth = Truth(market, int(keys[0]) - 40, int(keys[-1]))
    drawing = Drawing(truth, keys, random.Random(seed))
    drawing.draw(wanted)
    return drawing, truth


@pytest.fixture(scope="module")
def faults():
    return drawn(3)


def test_a_short_play_has_every_kind_of_fault(faults):
    """Stops a kind from being left out in silence, and a seed from meaning two plays."""
    drawing, _ = faults
    kinds = Counter(wrong.kind for wrong in drawing.wrongs)
    assert set(kinds) == set(YEAR) and not drawing.skipped
    assert [w.words for w in drawing.wrongs] == [w.words for w in drawn(3)[0].wrongs]


def test_without_faults_every_answer_is_the_truth(faults):
    """Stops the truth from being another market's: then right values would be convicted."""
    _, truth = faults
    clock = truth.source._now
    clock.now = datetime(2025, 10, 17, 23, 30, tzinfo=SHANGHAI)
    answers = FaultySource(truth, [], clock)
    asked = [(code, "") for code in answers.fund_list().frame["fund_code"]]
    seen = 0
    for _, answer in answers.histories(asked):
        if isinstance(answer, Exception):
            continue
        rows, fund, day = truth.at(answer.observations)
        official = truth.official(clock.minute)[fund, day]
        told = answer.observations.iloc[rows]
        for name, at in (("unit_nav", UNIT), ("acc_nav", ACC), ("yield_per_10k", INCOME)):
            np.testing.assert_array_equal(told[name].to_numpy(), official[:, at])
        seen += len(rows)
    assert seen > 8_000


def test_the_market_itself_is_altered_consistently(faults):
    """Stops a correction, a jump or a loss of the play from contradicting its own growth or
    7-day yield: guards would rightly hold it."""
    drawing, truth = faults
    by_kind = {wrong.kind: wrong for wrong in drawing.wrongs}
    for kind in ("corrections in histories", "large redemption"):
        for code in by_kind[kind].codes:
            fund = truth.place[code]
            days = truth.nav_days(fund)
            unit, growth = truth.final[fund, days, UNIT], truth.final[fund, days, 2]
            grown = unit[1:] * truth.split[fund, days[1:]] + truth.dividend[fund, days[1:]]
            assert np.nanmax(np.abs(100 * (grown / unit[:-1] - 1) - growth[1:])) < 0.0051
    (code,) = by_kind["negative income"].codes
    fund = truth.place[code]
    at = int(np.nanargmin(truth.final[fund, :, INCOME]))
    assert truth.final[fund, at, INCOME] < 0
    for day in range(at, at + 7):
        assert truth.final[fund, day, WEEK] == truth.week_yield(fund, day)
    assert truth.final[fund, at, WEEK] < truth.final[fund, at - 1, WEEK]


def test_the_index_is_judged_by_the_figures_beside_it(faults):
    """Stops an index from being convicted that rests on a NAV which is corrected in a history
    that nobody has asked for yet; and one from being acquitted that its NAVs do not make."""
    drawing, truth = faults
    (wrong,) = (w for w in drawing.wrongs if w.kind == "corrections in histories")
    code = min(wrong.codes)
    fund = truth.place[code]
    moved = np.flatnonzero(truth.until[fund] == wrong.begins)
    judge = Judge(FaultySource(truth, [], truth.source._now), [], begins=truth.first)
    judge.stored[:] = np.nan
    judge.stored[fund] = truth.final[fund]
    judge.stored[fund, moved] = truth.earlier[fund, moved]
    days = truth.nav_days(fund)
    keys = truth.source.market.timeline.keys[days + truth.first].tolist()
    units = judge.stored[fund, days, UNIT]

    def convicted(index):
        rows = list(zip([code] * len(keys), keys, index.tolist(), strict=True))
        return judge.index_errors(Holding(rows))

    assert convicted(units / units[0]) == []
    at = int(np.searchsorted(days, moved[0]))
    right = truth.final[fund, days, UNIT]
    ((_, key, step, told), *_) = convicted(
        np.where(np.arange(len(days)) < at, units, 1.01 * units)
    )
    assert key == keys[at] and step - told == pytest.approx(0.01, rel=0.02)
    assert not np.allclose(right[at], units[at], rtol=1e-4), "nothing was corrected"


class Holding:
    """A warehouse that holds these rows and nothing else."""

    def __init__(self, rows):
        self.rows = rows

    @contextmanager
    def transaction(self):
        yield self

    def exec_driver_sql(self, _words):
        return self

    def fetchall(self):
        return self.rows


@pytest.mark.slow
def test_a_year_has_room_for_every_fault():
    """Stops scarce funds from being used up by one kind: a year without a code that is used
    again, or without a large redemption, proves nothing of them."""
    drawing, _ = drawn(1, YEAR, first=date(2025, 1, 2), last=date(2025, 12, 30))
    kinds = Counter(wrong.kind for wrong in drawing.wrongs)
    assert kinds == {kind: len(variants) for kind, variants in YEAR.items()}
    of_one = [
        w for w in drawing.wrongs if len(w.codes) == 1 and w.kind != "weekend's sum on the page"
    ]
    for code in {code for wrong in of_one for code in wrong.codes}:
        mine = sorted((w.begins, w.ends) for w in of_one if code in w.codes)
        assert all(ends < begins for (_, ends), (begins, _) in pairwise(mine)), code


#: What a few weeks have room for, each once.
FEW = {
    "ten-fold value": (("both", "date", 1),),
    "stale share": ((0.8, "repeats", "wave"),),
    "accumulated NAV of one": (("page", 1),),
    "accumulated NAV of all": (("wave",),),
    "weekend's sum on the page": (("all",),),
    "off over a weekend": (("before the evening",),),
    "negative income": ((0.05,),),
    "impossible income": (("page", 2),),
    "large redemption": (("told",),),
}


class Planted(Play):
    """A play at whose end, after the last Sunday, somebody writes into the warehouse itself."""

    def _day(self, day):
        super()._day(day)
        if day == self.days[-4]:
            self.date = to_key(self.days[-9])  # no page shows it any more
            self.before = dict(self.account.alarms)
            self.nav = self._first_with("unit_nav")
            self._write("UPDATE validated_nav SET unit_nav = unit_nav * 10", self.nav)
        if day == self.days[-1]:  # no sensor finds it
            self.income = self._first_with("yield_per_10k")
            self._write("DELETE FROM validated_nav", self.income)

    def _first_with(self, figure):
        faulty = {code for wrong in self.wrongs for code in wrong.codes}
        found = self.warehouse.rows(
            f"SELECT fund_code FROM validated_nav WHERE nav_date = {self.date} "
            f"AND {figure} IS NOT NULL ORDER BY fund_code"
        )
        codes = [str(row["fund_code"]) for row in found]
        return next(code for code in codes if figure != "unit_nav" or code not in faulty)

    def _write(self, what, code):
        with self.warehouse.transaction(writes=True) as connection:
            connection.exec_driver_sql(
                f"{what} WHERE nav_date = {self.date} AND fund_code = '{code}'"
            )


@pytest.mark.slow
def test_weeks_of_faults_end_without_a_broken_promise_and_what_is_planted_is_convicted(
    tmp_path,
):
    """Stops a fault of a kind from being accepted, held too long, told falsely or leaving a gap;
    and the judge from acquitting everything: a NAV made ten times too high in the warehouse
    itself and an income deleted there are found, with their time, and nothing else."""
    play = Planted(
        tmp_path,
        stores.at(tmp_path),
        seed=11,
        first=date(2025, 8, 25),
        sessions=19,
        funds=80,
        years=0.1,
        wanted=FEW,
    )
    account = play.live()
    assert account.drawn == dict.fromkeys(FEW, 1) and not account.skipped
    assert account.weeks == 2 and account.blocked and account.alarms == play.before
    (wrong,) = (spell for spell in account.too_long if not spell.held)
    assert (wrong.code, wrong.date, wrong.figure) == (play.nav, play.date, "unit_nav")
    assert wrong.stored == pytest.approx(10 * wrong.right)
    # Seen on the morning after; two sessions end before the last look.
    assert wrong.sessions == 2 and not wrong.over
    assert [(s.code, s.date) for s in account.too_long if s.held] == [(play.nav, play.date)]
    assert account.missing_incomes == [(play.income, play.date)]
    others = {name: n for name, n in account.figures.items() if n}
    assert others == {
        "wrong values accepted too long": 1,
        "right values held too long": 1,
        "incomes missing": 1,
    }, words_of(play)
