"""The rules that observations must meet, each declared once as a Pandera check.

Belongs here: what is demanded, how severe a breach is, and the words for it. Does not
belong here: the frames that rules look at (`rule_frames.py`, `laid_out.py`), how a breach is
shown (`checks/`) or stored (`warehouse/`).

A rule demands something of every row of one frame. The frame depends on the rule's
subject: `row` is one observation with its context, `batch` the batch as a whole, `kind`
one kind of fund in the batch, `date` one date in the batch, `fund` one listed fund.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
import pandas as pd

from fund_assets.nav.money import WEEK_HOLD_PCT
from fund_assets.nav.returns import PROVEN, SUSPECTED_EVENT, UNPROVEN
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.table import FUND_CODE_PATTERN

SHOWN_CASES = 10


class Severity(Enum):
    """What a breach leads to."""

    BLOCK = "block"  # the batch is not merged
    HOLD = "hold"  # the row goes to quarantine, the others are merged
    WARN = "warn"  # merged, and told
    INFO = "info"  # counted


@dataclass(frozen=True)
class Rule:
    """One demand.

    Attributes:
        id: number in the rule book and name, such as R07_nav_bounds.
        title: the demand in words.
        severity: what a breach leads to.
        subject: which frame it looks at.
        demand: frame → True for each row that meets it, vectorised.
        reason: format string over a breaching row's columns, or a function of the row.
        thresholds: the numbers in it, for those who read the check.
        about: of a rule that holds, the figures it doubts; a witness is another sight of these.
        cells: it holds these figures alone; the rest of the observation is merged.
        lifts: what lets the data through by itself, or ends the warning; empty: as usual for
            the severity.
    """

    id: str
    title: str
    severity: Severity
    subject: str
    demand: Callable[[pd.DataFrame], pd.Series]
    reason: str | Callable[[dict[str, Any]], str]
    thresholds: dict[str, float] = field(default_factory=dict)
    about: tuple[str, ...] = tuple(OBSERVED_NAMES)
    cells: bool = False
    lifts: str = ""

    @property
    def way_out(self) -> str:
        """What lets the data through, or ends the warning, in words; empty where none waits."""
        if self.severity is Severity.BLOCK:
            return f"{self.lifts}{OR_PERSON}"
        return self.lifts or BY_ITSELF[self.severity]


#: Added where a batch is blocked.
OR_PERSON = "; or a person"
#: What ends a breach where its rule says nothing else.
BY_ITSELF = {
    Severity.BLOCK: "",
    Severity.HOLD: "a witness; or a person",
    Severity.WARN: "already merged; the next figures that fit",
    Severity.INFO: "",
}


@dataclass(frozen=True)
class Verdict:
    """What one rule found in one batch.

    Attributes:
        looked_at: rows it looked at; failed: rows that breach it.
        cases: reasons of the first breaches.
    """

    rule: str
    severity: str
    looked_at: int
    failed: int
    cases: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether nothing breached it; counting rules always pass."""
        return self.failed == 0 or self.severity == Severity.INFO.value


def breaches(rules: Iterable[Rule], frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Rule id → bool array, True where a row of `frame` breaches the rule.

    Raises what a demand raises, and TypeError where it does not answer for every row: a rule
    that cannot be evaluated does not pass.
    """
    found = {rule.id: np.zeros(len(frame), dtype=bool) for rule in rules}
    if frame.empty:
        return found
    import pandera.pandas as pa

    rows = frame.reset_index(drop=True)
    for rule in rules:
        met = pa.Check(rule.demand, name=rule.id, ignore_na=False)(rows).check_output
        if not isinstance(met, pd.Series) or len(met) != len(rows):
            raise TypeError(f"{rule.id} does not answer for every row of its frame")
        found[rule.id] = ~met.to_numpy(dtype=bool)
    return found


def describe(rule: Rule, rows: pd.DataFrame) -> list[str]:
    """The reasons of breaching rows in words, in their order."""
    records = rows.to_dict("records")
    if callable(rule.reason):
        return [rule.reason(row) for row in records]
    return [rule.reason.format(**row) for row in records]


def verdict(rule: Rule, frame: pd.DataFrame, failing: np.ndarray) -> Verdict:
    """What `rule` found, with the first cases in words."""
    at = np.flatnonzero(failing)
    return Verdict(
        rule=rule.id,
        severity=rule.severity.value,
        looked_at=len(frame),
        failed=len(at),
        cases=tuple(describe(rule, frame.iloc[at[:SHOWN_CASES]])) if len(at) else (),
    )


def judge(rules: Iterable[Rule], frame: pd.DataFrame) -> list[Verdict]:
    """Each rule's verdict on `frame`."""
    chosen = list(rules)
    found = breaches(chosen, frame)
    return [verdict(rule, frame, found[rule.id]) for rule in chosen]


def _absent_or(frame: pd.DataFrame, column: str, ok: pd.Series) -> pd.Series:
    return frame[column].isna() | ok


# Rows without context: each can be judged from the observation alone.
ALONE: tuple[Rule, ...] = (
    Rule(
        "R01_readable", "every cell is a number or empty, and no two sources disagree",
        Severity.HOLD, "row",
        lambda f: f["defect"] == "",
        "{fund_code} {nav_date}: {defect}",
    ),
    Rule(
        "R05_nav_date", "the date is in the header and not after today",
        Severity.HOLD, "row",
        lambda f: f["date_expected"],
        "{fund_code} {nav_date}: nav_date is after today or not in the header",
    ),
    Rule(
        "R06_trading_day", "NAV dates are sessions, 30 June or 31 December",
        Severity.HOLD, "row",
        lambda f: f["is_session"] | f["is_report_date"] | f["is_money"] | f["is_recorded"],
        "{fund_code} {nav_date}: nav_date is neither a trading day nor a report date",
    ),
    Rule(
        "R07_nav_bounds", "unit NAV is positive and plausible for the kind of fund",
        Severity.HOLD, "row",
        lambda f: _absent_or(f, "unit_nav", (f["unit_nav"] >= f["nav_low"]) & (f["unit_nav"] <= f["nav_high"])
                             | (f["unit_nav"] > 0) & (f["unit_nav"] < 1e6) & (f["backed_unit_nav"] > 0)),
        "{fund_code} {nav_date}: unit_nav {unit_nav:g} is outside {nav_low:g} to {nav_high:g} of {kind} funds",
        about=("unit_nav",),
    ),
    Rule(
        "R11_accumulated_nav", "accumulated NAV is possible", Severity.HOLD, "row",
        lambda f: _absent_or(f, "acc_nav", (f["acc_nav"] > 0) & (f["acc_nav"] < 1e6)),
        "{fund_code} {nav_date}: acc_nav {acc_nav:g} is not above 0 and below 1,000,000",
        about=("acc_nav",),
        cells=True,
    ),
    Rule(
        "R23_money_yield_bounds", "a money-market fund's income is possible", Severity.HOLD, "row",
        lambda f: _absent_or(f, "yield_per_10k", (f["yield_per_10k"] > -1000) & (f["yield_per_10k"] < 1000)),
        "{fund_code} {nav_date}: yield_per_10k {yield_per_10k:g} yuan is impossible, even for a sum of months",
        {"lowest_yuan": -1000, "highest_yuan": 1000},
        about=("yield_per_10k",),
    ),
    Rule(
        "R23_money_week_bounds", "a 7-day yield is possible", Severity.HOLD, "row",
        lambda f: _absent_or(f, "yield_7d_pct", f["yield_7d_pct"].between(-100, 1000, inclusive="neither")),
        "{fund_code} {nav_date}: yield_7d_pct {yield_7d_pct:g} is impossible",
        {"lowest_pct": -100, "highest_pct": 1000},
        about=("yield_7d_pct",),
        cells=True,
    ),
    Rule(
        "R01_growth_bounds", "published growth is possible", Severity.HOLD, "row",
        lambda f: _absent_or(f, "growth_pct", (f["growth_pct"] > -100) & (f["growth_pct"] < 1e5)),
        "{fund_code} {nav_date}: growth_pct {growth_pct:g} is impossible",
        about=("growth_pct",),
        cells=True,
    ),
)  # fmt: skip

COLUMN_SHARE, COLUMN_LEAST = 0.05, 20


def _unexplained(row: dict[str, Any]) -> str:
    """Words for an accumulated NAV that goes with nothing before it, or has nothing before it."""
    acc, unit, stored = row["acc_nav"], row["unit_nav"], row["stored_acc_nav"]
    if row["before_date"]:
        told = (
            f"acc_nav {row['before_acc_nav']:g} of {row['before_date']} -> {acc:g} with "
            f"unit_nav {row['before_unit_nav']:g} -> {unit:g}: no interpretation of dividends "
            "and splits explains it"
        )
    else:
        level = "improbable" if np.isnan(stored) else f"not that of the stored {stored:g}"
        told = (
            f"acc_nav {acc:g} with unit_nav {unit:g}: no earlier value, and its level "
            f"is {level}"
        )
    return (
        f"{row['fund_code']} {row['nav_date']}: {told}; only this figure is held, the NAV is "
        "merged; decided by the fund's history, or by another value"
    )


# Accumulated NAVs beside the last one of their fund that is taken (`accumulated.py`).
ACCUMULATED: tuple[Rule, ...] = (
    Rule(
        "R10_accumulated_nav", "unit NAV, events and growth explain the accumulated NAV in "
                               "one of its interpretations",
        Severity.HOLD, "row",
        lambda f: f["explained"],
        _unexplained,
        about=("acc_nav",),
        cells=True,
    ),
    Rule(
        "R10_accumulated_column", "at most 5 % of a date's accumulated NAVs are unexplained", Severity.HOLD, "row",
        lambda f: f["is_recorded"] | (f["date_unexplained"] < COLUMN_LEAST)
        | (f["date_unexplained"] <= COLUMN_SHARE * f["date_shown"]),
        "{fund_code} {nav_date}: acc_nav {acc_nav:g} is held with the whole column of that "
        "date, of which {date_unexplained} of {date_shown} are unexplained; decided by "
        "histories, or by a later page without the fault",
        {"share": COLUMN_SHARE, "from_funds": COLUMN_LEAST},
        about=("acc_nav",),
        cells=True,
    ),
)  # fmt: skip

#: From these on a correction must be reported, and announced in public.
REVISION_NOTICE = 0.0025
REVISION_HOLD = 0.005
SUSPECT_PCT = 0.5
UNEXPLAINED_PCT = 0.3


#: So many NAVs on a level ten times as high make a conversion of what might be an error.
LASTING_ROWS = 20


def _size(revision: pd.Series) -> pd.Series:
    """How large a correction is; 1.0025 over 1 is 0.25 %, whatever the last binary digit."""
    return revision.abs().round(9)


def legal_levels(revision: pd.Series) -> np.ndarray:
    """What the law asks of the manager for corrections (fractions), one of LEGAL_LEVELS."""
    size = _size(revision)
    reported = np.where(size >= REVISION_NOTICE, "report", "none")
    return np.where(size >= REVISION_HOLD, "announce", reported)


def _calm(frame: pd.DataFrame) -> pd.Series:
    return frame["by_events"].isna() | (frame["by_events"].abs() <= frame["jump_hold"])


def _shown_elsewhere(frame: pd.DataFrame) -> pd.Series:
    """Another witness shows the unit NAV too.

    Page and history are of one source, whose shifted decimal point stands in both: without a
    growth or an event that goes with it they are no witnesses of each other. A page tells no
    growth of its older date, so that its silence there excuses nothing. Until the source
    corrects one of them, a person decides.
    """
    told = (frame["disagreement_pct"] <= SUSPECT_PCT) | _conversion(frame)
    return (frame["backed_unit_nav"] > 0) & (~frame["tenfold"] | told)


def _conversion(frame: pd.DataFrame) -> pd.Series:
    """An event that nobody recorded explains the step, and no shifted decimal point may.

    Growth and accumulated NAV know nothing of either, so both look alike. A power of ten is a
    conversion once enough NAVs stand on the new level, or an event is recorded.
    """
    lasting = frame["stays"] >= LASTING_ROWS
    return (frame["status"] == SUSPECTED_EVENT) & (~frame["tenfold"] | lasting)


def _jump_ok(frame: pd.DataFrame) -> pd.Series:
    """A jump passes when growth or another witness confirms it.

    A page that is wrong by a power of ten may compute its growth from that: there growth is no
    second witness, unless a history shows the days after it too.
    """
    recorded = frame["is_recorded"]
    confirmed = (frame["status"] == PROVEN) & (~frame["tenfold"] | recorded)
    # In a history a typing error jumps back; a dividend or split that is not recorded stays.
    confirmed |= recorded & _conversion(frame) & ~frame["turns_back"]
    return _calm(frame) | confirmed | _shown_elsewhere(frame)


def _revision_ok(frame: pd.DataFrame) -> pd.Series:
    """A large correction passes when more speaks for it than for what is stored.

    The history is the stronger voice: it corrects freely what its own growth does not
    contradict. A page corrects what growth never confirmed by a value that growth confirms.
    """
    small = frame["revision"].isna() | (_size(frame["revision"]) < REVISION_HOLD)
    contradicted = (frame["status"] == UNPROVEN) & (frame["disagreement_pct"] > SUSPECT_PCT)
    freely = frame["is_recorded"] & ~frame["turns_back"] & ~contradicted
    return small | freely | is_backed(frame)


def is_backed(frame: pd.DataFrame) -> pd.Series:
    """Whether a correction has more for it than the page that shows it.

    A witness; or growth that tells the new value and never confirmed the stored one, which is
    not known to have moved from the session before.
    """
    stood_still = frame["stored_unit_nav"] == frame["prev_unit_nav"]
    doubtful = (frame["return_status"] != "proven") | stood_still
    return (frame["grew_as_told"] & doubtful) | _shown_elsewhere(frame)


#: Published less recomputed 7-day yield, percent points, that is told.
WEEK_WARN_PCT = 0.02
#: A day's income per 10,000 shares between these is usual.
USUAL_INCOME = (0.0, 5.0)


def _week_ok(frame: pd.DataFrame) -> pd.Series:
    """An income that the 7-day yield contradicts waits for the history; there it is told.

    A negative one must have a yield beside it, or another witness, whatever shows it.
    """
    backed = frame["backed_yield_per_10k"] > 0
    negative = frame["yield_per_10k"] < 0
    doubted = frame["week_contradicts"] & (negative | ~frame["is_recorded"])
    return backed | (~doubted & ~(negative & frame["yield_7d_pct"].isna()))


#: No money-market fund earned so much on 10,000 yuan in a day: 0.3 %.
IMPOSSIBLE_INCOME = 30.0


def _income_ok(frame: pd.DataFrame) -> pd.Series:
    """A day's income is possible; what no witness has told the days of may be a sum.

    That is the first figure of a history, and one of a history after a long silence. That page
    and history show the same does not make it possible; that the 7-day yield has it in it does.
    """
    sums = frame["is_recorded"] & (frame["first"] | frame["days_covered"].isna())
    possible = frame["income_per_day"].abs() < IMPOSSIBLE_INCOME
    return frame["income_per_day"].isna() | possible | sums | _week_agrees(frame)


def _moved(frame: pd.DataFrame, name: str, digit: float) -> pd.Series:
    """Whether a stored figure would be corrected by 0.5 % of it or more, and not by rounding."""
    change = (frame[name] - frame[f"stored_{name}"]).abs()
    size = frame[[name, f"stored_{name}"]].abs().max(axis=1)
    return (change >= REVISION_HOLD * size) & (change > digit)


def _week_agrees(frame: pd.DataFrame) -> pd.Series:
    return frame["week_error_pct"].abs() <= WEEK_WARN_PCT


def _income_revision_ok(frame: pd.DataFrame) -> pd.Series:
    """A page corrects a stored income by what the 7-day yield, or another witness, confirms."""
    told = frame["is_recorded"] | _week_agrees(frame) | (frame["backed_yield_per_10k"] > 0)
    return told | ~_moved(frame, "yield_per_10k", 0.00015)


def _week_revision_ok(frame: pd.DataFrame) -> pd.Series:
    told = frame["is_recorded"] | _week_agrees(frame) | (frame["backed_yield_7d_pct"] > 0)
    return told | ~_moved(frame, "yield_7d_pct", 0.0015)


def _growth_revision_ok(frame: pd.DataFrame) -> pd.Series:
    """A growth that the NAVs confirm is not replaced by one that they contradict."""
    before = (frame["by_events"] * 100 - frame["stored_growth_pct"]).abs()
    worse = (before <= frame["tolerance_pct"]) & (
        frame["disagreement_pct"] > frame["tolerance_pct"]
    )
    return ~(worse & frame["revision"].isna()) | (frame["backed_growth_pct"] > 0)


def _contradicted(row: dict[str, Any]) -> str:
    """Words for an income that the 7-day yield contradicts, or does not confirm."""
    error, week = row["week_error_pct"], row["yield_7d_pct"]
    off = "some of its days are unknown" if np.isnan(error) else f"off by {error:+.3f} pp"
    told = (
        "has no 7-day yield to compare with"
        if np.isnan(week)
        else f"does not match the published 7-day yield {week:g} % ({off})"
    )
    return (
        f"{row['fund_code']} {row['nav_date']}: yield_per_10k {row['yield_per_10k']:g} yuan "
        f"{told}; decided by the fund's history"
    )


def _unconfirmed(row: dict[str, Any]) -> str:
    """Words for a jump beside a growth that tells another, or beside none."""
    growth = row["growth_pct"]
    told = (
        "and no growth is published"
        if np.isnan(growth)
        else f"published growth {growth:g} % does not confirm it"
    )
    return (
        f"{row['fund_code']} {row['nav_date']}: unit_nav {row['prev_unit_nav']:g} -> "
        f"{row['unit_nav']:g} is {row['by_events']:+.2%} over {row['sessions']} sessions (at "
        f"most {row['jump_hold']:.0%}), {told}; decided by the fund's history, or by the "
        "growth of its next NAV"
    )


# Rows beside the fund's row before and the value already stored.
IN_CONTEXT: tuple[Rule, ...] = (
    Rule(
        "R08_jump_unconfirmed", "a jump beyond the limit of its kind is confirmed by growth or another witness",
        Severity.HOLD, "row", _jump_ok,
        _unconfirmed,
        {"equity": 0.20, "bond": 0.05, "index": 0.21, "qdii": 0.25},
        about=("unit_nav",),
    ),
    Rule(
        "R16_revision_hold", "the page alone does not correct a stored value by 0.5 % or more",
        Severity.HOLD, "row", _revision_ok,
        "{fund_code} {nav_date}: stored unit_nav {stored_unit_nav:g} would become "
        "{unit_nav:g} ({revision:+.3%}); decided by the fund's history, or by the growth of "
        "its next NAV",
        {"hold_from": REVISION_HOLD},
        about=("unit_nav",),
    ),
    Rule(
        "R16_growth_hold", "a growth confirmed by the NAVs is not replaced by one that they "
                           "contradict",
        Severity.HOLD, "row", _growth_revision_ok,
        "{fund_code} {nav_date}: stored growth_pct {stored_growth_pct:g} would become "
        "{growth_pct:g}, NAVs and events give {by_events:+.4%}; only this figure is held; "
        "decided by another witness",
        about=("growth_pct",),
        cells=True,
    ),
    Rule(
        "R16_income_hold", "the page alone does not correct a stored income by 0.5 % or more",
        Severity.HOLD, "row", _income_revision_ok,
        "{fund_code} {nav_date}: stored yield_per_10k {stored_yield_per_10k:g} would become "
        "{yield_per_10k:g}; only this figure is held; decided by the fund's history, or when "
        "the 7-day yield matches it",
        {"hold_from": REVISION_HOLD},
        about=("yield_per_10k",),
        cells=True,
    ),
    Rule(
        "R16_week_hold", "the page alone does not correct a stored 7-day yield by 0.5 % or "
                         "more",
        Severity.HOLD, "row", _week_revision_ok,
        "{fund_code} {nav_date}: stored yield_7d_pct {stored_yield_7d_pct:g} would become "
        "{yield_7d_pct:g}; only this figure is held; decided by the fund's history, or when "
        "the incomes match it",
        {"hold_from": REVISION_HOLD},
        about=("yield_7d_pct",),
        cells=True,
    ),
    Rule(
        "R23_money_impossible", "a day's income per 10,000 shares is below 30 yuan", Severity.HOLD, "row", _income_ok,
        "{fund_code} {nav_date}: yield_per_10k {yield_per_10k:g} yuan is {income_per_day:g} a "
        "day, which no fund earns; decided by another value of page or history, or by a 7-day "
        "yield that contains it",
        {"below_yuan": IMPOSSIBLE_INCOME},
        about=("yield_per_10k",),
    ),
    Rule(
        "R23_money_twice", "no day's income is counted twice: as a day and inside a sum", Severity.HOLD, "row",
        lambda f: ~f["counted_twice"],
        "{fund_code} {nav_date}: yield_per_10k {yield_per_10k:g} yuan contains days that have "
        "separate rows, or is itself a day of a stored sum; decided by the fund's history",
        about=("yield_per_10k",),
    ),
    Rule(
        "R23_money_week_hold", "the 7-day yield does not contradict an income", Severity.HOLD, "row", _week_ok,
        _contradicted,
        {"hold_from_pct": WEEK_HOLD_PCT},
        about=("yield_per_10k", "yield_7d_pct"),
    ),
    Rule(
        "R23_money_week", "the 7-day yield recomputed from the incomes equals the published "
                          "one", Severity.WARN, "row",
        lambda f: f["week_error_pct"].isna() | (f["week_error_pct"].abs() <= WEEK_WARN_PCT),
        "{fund_code} {nav_date}: published 7-day yield {yield_7d_pct:g} %, off by {week_error_pct:+.3f} pp "
        "from the incomes of the seven days",
        {"tolerance_pct": WEEK_WARN_PCT},
    ),
    Rule(
        "R23_money_yield", "a day's income per 10,000 shares is from 0 to 5 yuan", Severity.WARN, "row",
        lambda f: f["income_per_day"].isna() | f["income_per_day"].between(*USUAL_INCOME),
        "{fund_code} {nav_date}: yield_per_10k {yield_per_10k:g} yuan is {income_per_day:g} a day",
        {"lowest_yuan": USUAL_INCOME[0], "highest_yuan": USUAL_INCOME[1]},
    ),
    Rule(
        "R08_new_series", "a fund is not silent for more than a year", Severity.WARN, "row",
        lambda f: f["silent_since"].isna(),
        "{fund_code} {nav_date}: the previous NAV is of {silent_since:.0f}; a new series "
        "begins at 1, no return is computed over the silence, and metrics begin here; it is "
        "merged, and the fund's next NAV ends the warning",
    ),
    Rule(
        "R08_jump", "a day's return is usual for its kind", Severity.WARN, "row",
        lambda f: f["returns"].isna() | (f["returns"].abs() <= f["jump_warn"]),
        "{fund_code} {nav_date}: return {returns:+.2%} over {sessions} sessions ({kind})",
        {"equity": 0.11, "bond": 0.02, "index": 0.11, "qdii": 0.12},
    ),
    Rule(
        "R09_growth", "published growth equals the growth of the NAVs and events", Severity.WARN, "row",
        lambda f: f["disagreement_pct"].isna() | (f["disagreement_pct"] <= f["tolerance_pct"]),
        "{fund_code} {nav_date}: published growth {growth_pct:g} %, NAVs and events give {by_events:+.4%}",
        {"tolerance_pct": 0.011},
    ),
    Rule(
        "R09_suspected_event", "no dividend or split is missing", Severity.WARN, "row",
        lambda f: (f["status"] != SUSPECTED_EVENT) | (f["disagreement_pct"] <= SUSPECT_PCT),
        "{fund_code} {nav_date}: published growth {growth_pct:g} % against {by_events:+.4%} from unit NAV: "
        "a dividend or split is not recorded; the return follows growth and accumulated NAV",
        {"suspect_from_pct": SUSPECT_PCT},
    ),
    Rule(
        "R25_event_completeness", "a growth that unit NAV contradicts has an event, recorded or inferred",
        Severity.WARN, "row",
        lambda f: (f["status"] != UNPROVEN) | f["disagreement_pct"].isna() | (f["disagreement_pct"] <= UNEXPLAINED_PCT),
        "{fund_code} {nav_date}: published growth {growth_pct:g} %, NAVs and events give "
        "{by_events:+.4%}, the accumulated NAV confirms neither",
        {"unexplained_from_pct": UNEXPLAINED_PCT},
    ),
    Rule(
        "R16_revision_notice", "corrections stay below the 0.25 % that must be reported", Severity.WARN, "row",
        lambda f: f["revision"].isna() | (_size(f["revision"]) < REVISION_NOTICE),
        "{fund_code} {nav_date}: stored unit_nav {stored_unit_nav:g} becomes {unit_nav:g} ({revision:+.3%})",
        {"notice_from": REVISION_NOTICE},
    ),
)  # fmt: skip

MIN_ROWS_OF_USUAL, WARN_ROWS_OF_USUAL = 0.90, 0.97
KIND_FLOOR, KIND_MIN_MEMBERS, KIND_FEW = 0.95, 20, 3
MASS_REVISION, MASS_REVISION_MIN = 0.005, 5
#: A wave that is smaller than usual passes when it is the same for so many sessions.
EQUAL_SESSIONS, OF_LAST_WAVE = 3, 0.99
#: Of the funds that the list knows, a first wave has at least this share.
FIRST_OF_LISTED, FIRST_MIN_LISTED = 0.5, 20
REWRITTEN_SHARE, REWRITTEN_MIN = 0.5, 10
OLDEST_SESSIONS = 5
#: On real days about a tenth of the NAVs are those of the session before.
STANDING_STILL, STANDING_STILL_MIN = 0.5, 20

# The batch as a whole, its kinds and its dates.
WHOLE: tuple[Rule, ...] = (
    Rule(
        "R01_schema", "the batch has rows, and its fund codes are six ASCII digits in 99 % of them",
        Severity.BLOCK, "batch",
        lambda f: (f["rows"] > 0) & (f["bad_codes"] <= 0.01 * f["rows"]),
        "{rows} rows, {bad_codes} of them with an impossible fund code or date",
        lifts="a wave with readable codes",
    ),
    Rule(
        "R02_row_count", "at least 90 % of the usual number of rows", Severity.BLOCK, "batch",
        lambda f: f["usual_rows"].isna() | (f["rows"] >= MIN_ROWS_OF_USUAL * f["usual_rows"])
        | (f["rows"] >= OF_LAST_WAVE * f["rows_before"]) | (f["equal_sessions"] >= EQUAL_SESSIONS),
        "{rows} rows, usually {usual_rows:.0f} (median of the last 20 waves and of this "
        "weekday's); session {equal_sessions} of 3 with this number",
        {"least_of_usual": MIN_ROWS_OF_USUAL, "equal_sessions": EQUAL_SESSIONS},
        lifts="a wave with the usual rows, or the third session in a row with the same number "
              "(within 1 %)",
    ),
    Rule(
        "R02_first_page", "the first wave has at least half of the listed funds", Severity.BLOCK, "batch",
        lambda f: (f["listed"] < FIRST_MIN_LISTED) | (f["funds"] >= FIRST_OF_LISTED * f["listed"]),
        "the first wave has {funds} funds, the list has {listed}",
        {"least_of_listed": FIRST_OF_LISTED, "from_listed": FIRST_MIN_LISTED},
        lifts="a wave with at least half of the list",
    ),
    Rule(
        "R02_row_count_notice", "at least 97 % of the usual number of rows", Severity.WARN, "batch",
        lambda f: f["usual_rows"].isna() | (f["rows"] >= WARN_ROWS_OF_USUAL * f["usual_rows"]),
        "{rows} rows, usually {usual_rows:.0f} (median of the last 20 waves)",
        {"least_of_usual": WARN_ROWS_OF_USUAL},
        lifts="a wave with the usual rows; after 20 smaller waves, that number is the usual "
              "one",
    ),
    Rule(
        "R05_header_dates", "the header's dates are in order, not after today, not older than "
                            "the published date",
        Severity.BLOCK, "batch",
        lambda f: f["dates_ordered"] & (f["newest_date"] <= f["today"]) & (f["sessions_old"] <= OLDEST_SESSIONS)
        & (f["published_date"].isna() | (f["newest_date"] >= f["published_date"])),
        "header dates {newest_date} and {previous_date}, today is {today}, newest published date {published_date}, "
        "{sessions_old} sessions old",
        {"oldest_sessions": OLDEST_SESSIONS},
        lifts="a wave with the right dates",
    ),
    Rule(
        "R04_unique", "no fund and date has two different values", Severity.BLOCK, "batch",
        lambda f: f["conflicting"] <= 0.001 * f["rows"],
        "{conflicting} of {rows} rows contradict another row of the same fund and date",
        {"share": 0.001},
        lifts="a wave in which each fund appears once",
    ),
    Rule(
        "R15_standing_still", "at most half of the NAVs equal those of the date before",
        Severity.BLOCK, "batch",
        lambda f: (f["on_both_dates"] < STANDING_STILL_MIN) | (f["standing_still"] <= STANDING_STILL * f["on_both_dates"]),
        "{standing_still} of {on_both_dates} NAVs of {newest_date} equal those of the date "
        "before: the source repeats old data",
        {"share": STANDING_STILL, "from_funds": STANDING_STILL_MIN},
        lifts="a wave in which the NAVs have changed",
    ),
    Rule(
        "R03_kind_floor", "each kind has at least 95 % of the funds it had in the wave "
                          "before, or lacks at most three",
        Severity.BLOCK, "kind",
        lambda f: (f["members_before"] < KIND_MIN_MEMBERS) | (f["still_there"] >= KIND_FLOOR * f["members_before"])
        | (f["members_before"] - f["still_there"] <= KIND_FEW) | (f["equal_sessions"] >= EQUAL_SESSIONS),
        "{kind}: {still_there} of {members_before} funds of the wave before are present; "
        "session {equal_sessions} of 3 with this number",
        {"least_of_before": KIND_FLOOR, "from_members": KIND_MIN_MEMBERS, "few": KIND_FEW, "equal_sessions": EQUAL_SESSIONS},
        lifts="a wave in which the funds are back, or the third session in a row without them "
              "(within 1 %)",
    ),
    Rule(
        "R17_mass_revision", "without a witness, at most 0.5 % of the market's funds correct "
                             "the same date", Severity.BLOCK, "date",
        lambda f: (f["revised"] < MASS_REVISION_MIN) | (f["revised"] <= MASS_REVISION * f["stored"]),
        "{nav_date}: {column} of {revised} of {stored} stored funds would be corrected",
        {"share": MASS_REVISION, "from_funds": MASS_REVISION_MIN},
        lifts="a later wave without these corrections; the funds' histories, which may "
              "correct wrong values freely",
    ),
    Rule(
        "R17_history_rewrite", "at most half of the histories change more than half of their fund's stored NAVs",
        Severity.BLOCK, "batch",
        lambda f: (f["beside_stored"] < REWRITTEN_MIN) | (f["rewritten"] <= REWRITTEN_SHARE * f["beside_stored"]),
        "{rewritten} of {beside_stored} histories change more than half of the stored NAVs of "
        "their funds",
        {"share": REWRITTEN_SHARE, "from_funds": REWRITTEN_MIN},
        lifts="histories fetched again that agree with the stored NAVs",
    ),
    Rule(
        "R15_stale_part", "no more funds than usual have an unchanged NAV", Severity.WARN, "batch",
        lambda f: f["stale"] == 0,
        "{stale} NAVs of {newest_date} equal those of {previous_date} and count as not yet "
        "published; they are merged when they change, from their histories, which are "
        "requested the next day, or on the next session",
        lifts="a wave in which they have changed, their histories, which are requested the "
              "next day, or the next session",
    ),
    Rule(
        "R13_staleness", "every listed fund has published what is due by its own cadence and "
                         "the lag of its kind",
        Severity.WARN, "fund",
        lambda f: f["sessions_behind"] <= f["sessions_allowed"],
        "{fund_code} ({kind}): last NAV {last_nav_date}, {sessions_behind} sessions ago, {sessions_allowed} are usual",
        lifts="a NAV of the fund, or its removal from the list",
    ),
)  # fmt: skip

PENDING = Rule(
    "R12_pending", "an empty cell means not yet published", Severity.INFO, "row",
    lambda f: ~f["pending"],
    "{fund_code} {nav_date}: not yet published",
)  # fmt: skip

TAKEN_BACK = Rule(
    "R16_taken_back", "what a source has shown, it still shows", Severity.WARN, "row",
    lambda f: f["gone"] == "",
    "{fund_code} {nav_date}: {gone} was shown before and is no longer shown; the accepted "
    "value is kept",
)  # fmt: skip

RULES = {
    rule.id: rule for rule in (*WHOLE, *ALONE, *ACCUMULATED, *IN_CONTEXT, PENDING, TAKEN_BACK)
}
#: Rules that hold single figures and let the rest of an observation go on.
OF_CELLS = frozenset(rule.id for rule in RULES.values() if rule.cells)
BLOCKING = tuple(rule for rule in WHOLE if rule.severity is Severity.BLOCK)


def valid_codes(codes: pd.Series) -> np.ndarray:
    """Which texts are fund codes: exactly six ASCII digits."""
    full = codes.str.fullmatch(FUND_CODE_PATTERN).fillna(False)
    return np.asarray(full, dtype=bool)


def verdict_from(stored: dict[str, Any]) -> Verdict:
    """A verdict as it was stored in publish_log.verdicts."""
    return Verdict(**{**stored, "cases": tuple(stored["cases"])})
