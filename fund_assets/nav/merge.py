"""What merging a batch into the accepted history would change: the plan, as pure data.

Belongs here: the order in which rules look at a batch, what becomes of each observation,
and the re-chained total-return index. Does not belong here: reading or writing tables
(`warehouse/stores/publish.py` does both in one transaction), or the rules (`rules.py`).

Every observation of a batch ends in exactly one of five places: new, changed, unchanged,
quarantined or pending (not yet published).
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import TradingCalendar, keys_to_days
from fund_assets.nav import rule_frames, rules, witness
from fund_assets.nav.accumulated import Accumulation, judge, levels_of_events
from fund_assets.nav.batch import Batch, Known, Plan
from fund_assets.nav.events import KEY
from fund_assets.nav.inference import infer
from fund_assets.nav.money import WEEK_HOLD_PCT, Income, Yields, counted_twice, judge_income
from fund_assets.nav.returns import PROVEN, Published, Steps, chain, step_returns
from fund_assets.nav.rules import Rule, Severity, Verdict
from fund_assets.nav.timeline import Timeline, keys_of, ledger_kinds
from fund_assets.schemas.columns import OBSERVED_NAMES, RETURN_STATUSES
from fund_assets.schemas.tables import VALIDATED_NAV

#: How many times a usual jump lies between a NAV and ten times it.
TENFOLD = 0.25
#: Sessions without a NAV after which a code may be another fund's.
SILENCE = 250
DECIDED = ["state", "decided_by", "decided_because"]
HELD_COLUMNS = ["fund_code", "nav_date", *OBSERVED_NAMES, "rule", "reason", *DECIDED]
NOT_HELD = dict.fromkeys(["rule", "reason", *DECIDED], "")


def plan_merge(batch: Batch, known: Known, calendar: TradingCalendar, today: int) -> Plan:
    """Judge a batch and work out what merging it would change.

    Args:
        batch: the landed observations.
        known: what is stored beside it.
        calendar: for gaps between NAVs and for the rules on dates.
        today: yyyymmdd in Asia/Shanghai; no NAV may be dated after it.
    """
    rows = rule_frames.describe_rows(batch, known, calendar, today)
    pending = rows["pending"].to_numpy()
    observed = rows[~pending].reset_index(drop=True)
    alone = _breaches(rules.ALONE, observed)
    held, _ = _held(rules.ALONE, observed, alone)

    rest, emptied = _without_cells(observed, alone)
    timeline = Timeline.build(rest, known, batch, calendar)
    accumulated, verdicts = _judge_accumulated(timeline, known)
    settled = _settle(timeline)
    timeline.note_refined(settled.laid_out.rows["row"], settled.laid_out.income.days_covered)
    chained = _chained(settled.laid_out, from_start=not batch.is_wave)
    inferred, outdated = _inferred(settled.laid_out, chained.anew, known, batch)

    verdicts += [rules.verdict(rule, observed, alone[rule.id]) for rule in rules.ALONE]
    verdicts += settled.verdicts
    verdicts.append(rules.verdict(rules.PENDING, rows, pending))
    if batch.kind != "desk":
        shown = rule_frames.describe_shown(batch, known, rows)
        gone = (shown["gone"] != "").to_numpy()
        verdicts.append(rules.verdict(rules.TAKEN_BACK, shown, gone))
    for subject, described in (
        (
            "batch",
            rule_frames.describe_batch(batch, known, calendar, today, rows["stale"].to_numpy()),
        ),
        ("kind", rule_frames.describe_kinds(batch, known)),
        ("date", rule_frames.describe_dates(batch, known, timeline, settled.judged)),
        ("fund", rule_frames.describe_funds(batch, known, timeline, calendar)),
    ):
        verdicts += rules.judge([r for r in rules.WHOLE if r.subject == subject], described)
    order = list(rules.RULES)

    held = pd.concat([held, accumulated, settled.held], ignore_index=True)
    kept = timeline.kept()
    corrected = ledger_kinds(kept) == "correction"
    whole = held[~held["rule"].isin(rules.OF_CELLS)]
    lost = len(whole.drop_duplicates(["fund_code", "nav_date"])) + emptied + timeline.emptied
    return Plan(
        upserts=chained.upserts,
        rechained=chained.rechained,
        inferred=inferred,
        outdated=outdated,
        revisions=timeline.revisions(batch),
        held=held,
        settled=witness.settle(
            batch, known, observed, held, _with_status(settled.laid_out), settled.passed
        ),
        passed=settled.passed,
        verdicts=tuple(sorted(verdicts, key=lambda v: order.index(v.rule))),
        rows_new=int((~kept["stored"]).sum()),
        rows_changed=int(corrected.sum()),
        rows_filled=int(kept["stored"].sum() - corrected.sum()),
        rows_unchanged=timeline.unchanged,
        rows_quarantined=lost + batch.refused,
        rows_pending=int(pending.sum()),
    )


def plan_events(batch: Batch, known: Known, calendar: TradingCalendar) -> Plan:
    """Work out what newly recorded events change in the index of funds whose NAVs stay.

    Args:
        batch: of kind `events`, without observations.
        known: all stored rows and all events of the funds that the batch is about.
    """
    nothing = rule_frames.describe_rows(batch, known, calendar, batch.newest_date)
    timeline = Timeline.build(nothing, known, batch, calendar)
    laid_out = _lay_out(timeline)
    chained = _chained(laid_out, from_start=True)
    inferred, outdated = _inferred(laid_out, chained.anew, known, batch)
    return Plan(
        upserts=chained.upserts,
        rechained=chained.rechained,
        inferred=inferred,
        outdated=outdated,
        revisions=timeline.revisions(batch),
        held=nothing.head(0).assign(**NOT_HELD)[HELD_COLUMNS],
        settled=pd.DataFrame(columns=witness.SETTLED),
        passed=pd.DataFrame(columns=witness.EVIDENCE),
        verdicts=(),
        rows_new=0,
        rows_changed=0,
        rows_filled=0,
        rows_unchanged=0,
        rows_quarantined=0,
        rows_pending=0,
    )


#: So near a power of ten is a shifted decimal point beside a day's move, as log10.
SHIFTED = 0.1


@dataclass(frozen=True)
class LaidOut:
    """The rows of a timeline that are in, and the return of each against the one before.

    `gap` are the sessions between the two without a NAV.
    """

    rows: pd.DataFrame
    first: NDArray[np.bool_]
    gap: NDArray[np.int64]
    steps: Steps
    income: Income
    counted_twice: NDArray[np.bool_]


@dataclass(frozen=True)
class Settled:
    """What is left when no holding rule is breached any more."""

    laid_out: LaidOut
    held: pd.DataFrame
    passed: pd.DataFrame
    judged: pd.DataFrame
    verdicts: list[Verdict]


def _breaches(chosen: tuple[Rule, ...], frame: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """What rules find; what a person has accepted, no rule holds again."""
    found = rules.breaches(chosen, frame)
    decided = frame["decided"].to_numpy(dtype=bool)
    return {
        rule.id: found[rule.id] & ~decided if rule.severity is Severity.HOLD else found[rule.id]
        for rule in chosen
    }


def _held(
    chosen: tuple[Rule, ...], frame: pd.DataFrame, found: dict[str, NDArray[np.bool_]]
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """The breaches of holding rules, one row per observation and rule; and which rows."""
    parts = [frame.head(0).assign(**NOT_HELD)[HELD_COLUMNS]]
    holding = np.zeros(len(frame), dtype=bool)
    for rule in chosen:
        if rule.severity is Severity.HOLD and found[rule.id].any():
            rows = frame[found[rule.id]]
            reasons = rules.describe(rule, rows)
            refuted = rows["refuted"].to_numpy(dtype=object)
            again = refuted != ""
            parts.append(
                rows.assign(
                    rule=rule.id,
                    reason=reasons,
                    state=np.where(again, "rejected", "held"),
                    decided_by=np.where(again, witness.AGAIN, ""),
                    decided_because=refuted,
                )[HELD_COLUMNS]
            )
            holding |= found[rule.id]
    return pd.concat(parts[1:] or parts, ignore_index=True), holding


def _without_cells(
    observed: pd.DataFrame, found: dict[str, NDArray[np.bool_]]
) -> tuple[pd.DataFrame, int]:
    """What no rule on single rows holds, and how many rows lost their every figure to rules."""
    whole = np.zeros(len(observed), dtype=bool)
    blank = {}
    for rule in rules.ALONE:
        if rule.severity is Severity.HOLD and rule.cells:
            blank[rule.about] = found[rule.id]
        elif rule.severity is Severity.HOLD:
            whole |= found[rule.id]
    if not any(cells.any() for cells in blank.values()):
        return observed[~whole], 0
    rest = observed.copy()
    for names, cells in blank.items():
        rest.loc[cells, list(names)] = np.nan
    empty = rest[OBSERVED_NAMES].isna().all(axis=1).to_numpy() & ~whole
    return rest[~whole & ~empty], int(empty.sum())


def _judge_accumulated(timeline: Timeline, known: Known) -> tuple[pd.DataFrame, list[Verdict]]:
    """Withhold the accumulated NAVs that nothing explains; the rest of their rows goes on.

    It comes before returns are computed, of which the accumulated NAV is a witness.
    """
    frame = timeline.frame
    acc, stored = (frame[name].to_numpy(dtype=float) for name in ("acc_nav", "stored_acc_nav"))
    shown = frame["candidate"].to_numpy(dtype=bool) & ~np.isnan(acc) & (acc != stored)
    # Page and history are of one source, whose shifted decimal point stands in both.
    backed = (frame["backed_acc_nav"].to_numpy() > 0) & ~_shifted(frame)
    free = frame["decided"].to_numpy(dtype=bool) | backed
    base, paid = levels_of_events(frame["key"].to_numpy(), known.events)
    moved = (frame["unit_nav"] - frame["stored_unit_nav"]).fillna(0.0).to_numpy()
    names = ("unit_nav", "acc_nav", "growth_pct", "dividend", "split")
    found = judge(
        Accumulation(
            **{name: frame[name].to_numpy(dtype=float) for name in names},
            base=base,
            paid=paid,
            first=timeline.first(np.arange(len(frame))),
            open=shown & ~free,
            disputed=shown & ~np.isnan(stored),
            restated=np.abs(acc - stored - moved),
        ),
        recorded=timeline.is_recorded,
    )
    at = np.flatnonzero(shown)
    before = np.maximum(found.against[at], 0)
    none = found.against[at] < 0
    rows = frame.iloc[at].assign(
        row=at,
        explained=~found.unexplained[at],
        before_date=np.where(none, 0, frame["nav_date"].to_numpy()[before]),
        before_unit_nav=np.where(none, np.nan, frame["unit_nav"].to_numpy()[before]),
        before_acc_nav=np.where(none, np.nan, acc[before]),
    )
    of_date = rows.groupby("nav_date")["explained"]
    rows = rows.assign(
        date_shown=of_date.transform("size"),
        date_unexplained=of_date.transform("size") - of_date.transform("sum"),
    ).reset_index(drop=True)
    breached = _breaches(rules.ACCUMULATED, rows)
    held, holding = _held(rules.ACCUMULATED, rows, breached)
    timeline.withhold(at[holding], ["acc_nav"])
    return held, [rules.verdict(rule, rows, breached[rule.id]) for rule in rules.ACCUMULATED]


def _shifted(frame: pd.DataFrame) -> NDArray[np.bool_]:
    """Accumulated NAVs about a power of ten away from the one of the fund's row before."""
    before = frame.groupby("fund_code")["acc_nav"].shift(1).to_numpy(dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        power = np.log10(frame["acc_nav"].to_numpy(dtype=float) / before)
        nearest = np.round(power)
    return np.asarray(
        (nearest != 0) & (np.abs(power - nearest) <= SHIFTED) & np.isfinite(power)
    )


def _lay_out(timeline: Timeline) -> LaidOut:
    """Compute the step of every present row."""
    at = np.flatnonzero(timeline.present)
    rows = timeline.frame.iloc[at].assign(row=at).reset_index(drop=True)
    first = timeline.first(at)
    gap = timeline.gaps(at, first)
    names = ("unit_nav", "acc_nav", "growth_pct", "yield_per_10k")
    steps = step_returns(
        Published(**{name: rows[name].to_numpy(dtype=float) for name in names}),
        dividend=rows["dividend"].to_numpy(dtype=float),
        split=rows["split"].to_numpy(dtype=float),
        first=first,
        gap=gap,
    )
    known, candidate = rows["days_covered"].to_numpy(), rows["candidate"].to_numpy(dtype=bool)
    day = keys_to_days(rows["nav_date"].to_numpy()).astype(np.int64)
    income = judge_income(
        Yields(
            day,
            first,
            rows["yield_per_10k"].to_numpy(dtype=float),
            rows["yield_7d_pct"].to_numpy(dtype=float),
        ),
        known=known,
        # A history shows every figure there is: what is stored is decided anew.
        settled=~candidate & (not timeline.is_recorded),
        calendar=timeline.calendar,
        hold_from_pct=WEEK_HOLD_PCT,
    )
    twice = counted_twice(day, first, income, candidate)
    return LaidOut(rows, first, gap, steps, income, twice)


def _in_context(laid_out: LaidOut) -> pd.DataFrame:
    """Subject `row` of the rules in context: candidates beside the rows before and after."""
    described = _beside_next(_described(laid_out), laid_out)
    return described[described["candidate"]].reset_index(drop=True)


def _described(laid_out: LaidOut) -> pd.DataFrame:
    """Every row with its step and the NAVs before it."""
    rows, steps, after = laid_out.rows, laid_out.steps, ~laid_out.first
    same_fund = rows["fund_code"].eq(rows["fund_code"].shift(1))
    income = laid_out.income
    wider = jump_scale(laid_out.gap)
    return rows.assign(
        first=laid_out.first,
        sessions=laid_out.gap + 1,
        jump_warn=rows["jump_warn"] * wider,
        jump_hold=rows["jump_hold"] * wider,
        days_covered=income.days_covered,
        income_per_day=rows["yield_per_10k"] / np.nan_to_num(income.days_covered, nan=1.0),
        counted_twice=laid_out.counted_twice,
        week_error_pct=income.error_pct,
        week_contradicts=income.contradicted,
        returns=steps.returns,
        status=steps.status,
        by_events=steps.by_events,
        disagreement_pct=steps.disagreement_pct,
        tolerance_pct=steps.tolerance_pct,
        silent_since=rows["nav_date"].shift(1).where(laid_out.first & same_fund, np.nan),
        prev_unit_nav=rows["unit_nav"].shift(1).where(after),
        prev_acc_nav=rows["acc_nav"].shift(1).where(after),
    )


def jump_scale(gap: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much further a NAV may move over a gap of so many sessions: by the root of time.

    After a year of silence the code may be another fund's, and nothing is allowed for.
    """
    return np.where(gap <= SILENCE, np.sqrt(1.0 + gap), 1.0)


def _with_status(laid_out: LaidOut) -> pd.DataFrame:
    return laid_out.rows.assign(status=laid_out.steps.status, gap=laid_out.gap)


def _beside_next(rows: pd.DataFrame, laid_out: LaidOut) -> pd.DataFrame:
    """What the row after each says of it: whether it leads back to it, or past it.

    `tenfold`: the step is that of a shifted decimal point. `grew_as_told`: the growth told of
    this date, now or with the value that is stored, is that of the step. `turns_back`: growth
    contradicts this step and the next, and agrees with both together, so that the value between
    them is wrong. `by_same_sight`: the next NAV alone backs it, and this batch shows that too.
    `stays`: how many rows follow before the fund's next such step.
    """
    last = np.ones(len(rows), dtype=bool)
    last[:-1] = laid_out.first[1:]
    step, growth = laid_out.steps.by_events, rows["growth_pct"].to_numpy(dtype=float) / 100
    slack = laid_out.steps.tolerance_pct / 100
    proven = laid_out.steps.status == PROVEN
    backed = rows["backed_unit_nav"].to_numpy()
    stored_growth = rows["stored_growth_pct"].to_numpy(dtype=float) / 100
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        power = np.log10(1 + step)
        nearest = np.round(power)
        tenfold = (nearest != 0) & (np.abs(10 ** (power - nearest) - 1) <= TENFOLD)
        told = np.abs(step - stored_growth) <= slack
        both = (1 + step) * (1 + _next(step, last)) - (1 + growth) * (1 + _next(growth, last))
        misses = np.abs(step - growth) > slack
        turns_back = misses & (np.abs(both) <= slack + _next(slack, last))
        turns_back &= _next(misses.astype(float), last) == 1
        calm = ~(np.abs(step) > rows["jump_hold"].to_numpy(dtype=float))
    # A growth of zero beside a jump is a placeholder, so nothing was told of the step itself.
    silent = np.isnan(growth) | (growth == 0)
    leads = witness.leads_back(laid_out.steps.status, laid_out.first, laid_out.gap, PROVEN)
    leads &= calm | (silent & ~tenfold)
    leads &= backed == 0
    return rows.assign(
        tenfold=tenfold,
        stays=_rows_until(last | (_next(tenfold.astype(float), last) == 1)),
        grew_as_told=proven | told,
        turns_back=turns_back,
        next_date=_next(rows["nav_date"].to_numpy(dtype=float), last),
        next_unit_nav=_next(rows["unit_nav"].to_numpy(dtype=float), last),
        next_growth_pct=_next(growth * 100, last),
        backed_unit_nav=np.where(leads, witness.GROWTH, backed),
        by_same_sight=leads & (_next(rows["candidate"].to_numpy(dtype=float), last) == 1),
    )


def _rows_until(stop: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many rows lie between each row and the first from it on at which `stop` is true."""
    at = np.arange(len(stop))
    stops = np.where(stop, at, len(stop))
    return np.asarray(np.minimum.accumulate(stops[::-1])[::-1] - at)


def _next(values: NDArray[np.float64], last: NDArray[np.bool_]) -> NDArray[np.float64]:
    after = np.full(len(values), np.nan)
    after[:-1] = values[1:]
    after[last] = np.nan
    return after


def _settle(timeline: Timeline) -> Settled:
    """Drop candidates until no holding rule is breached.

    A wrong NAV makes the next, right one look wrong too. So only the earliest breach of
    each fund is held at a time, and the fund's other rows are judged again without it.
    """
    parts = []
    while True:
        laid_out = _lay_out(timeline)
        frame = _in_context(laid_out)
        found = _breaches(rules.IN_CONTEXT, frame)
        held, holding = _held(rules.IN_CONTEXT, frame, found)
        parts.append(held)
        if not holding.any():
            break
        suspects = frame[holding]
        earliest = suspects[~suspects["fund_code"].duplicated()]
        keys = earliest["fund_code"] + earliest["nav_date"].astype("str")
        held = held[(held["fund_code"] + held["nav_date"].astype("str")).isin(keys)]
        parts[-1] = held
        _take_out(timeline, earliest, found)
    passed = _passed(frame)
    all_held = pd.concat(parts[:-1] or parts, ignore_index=True)
    verdicts = []
    for rule in rules.IN_CONTEXT:
        verdict = rules.verdict(rule, frame, found[rule.id])
        cases = all_held.loc[all_held["rule"] == rule.id, "reason"]
        if len(cases):
            verdict = replace(
                verdict,
                looked_at=verdict.looked_at + len(cases),
                failed=len(cases),
                cases=tuple(cases.head(rules.SHOWN_CASES)),
            )
        verdicts.append(verdict)
    return Settled(laid_out, all_held, passed, frame, verdicts)


def _take_out(
    timeline: Timeline, suspects: pd.DataFrame, found: dict[str, NDArray[np.bool_]]
) -> None:
    """Drop rows of which a rule holds all, and single figures of the others."""
    at = suspects.index.to_numpy()
    whole = np.zeros(len(at), dtype=bool)
    for rule in rules.IN_CONTEXT:
        if rule.severity is Severity.HOLD and not rule.cells:
            whole |= found[rule.id][at]
    rows = suspects["row"].to_numpy()
    timeline.drop(rows[whole])
    for rule in rules.IN_CONTEXT:
        if rule.severity is Severity.HOLD and rule.cells:
            timeline.withhold(rows[found[rule.id][at] & ~whole], rule.about)


def _passed(frame: pd.DataFrame) -> pd.DataFrame:
    """The candidates that only a witness lets pass, with the evidence."""
    names = [name for name, column in witness.BACKED.items() if (frame[column] > 0).any()]
    if not names:
        return pd.DataFrame(columns=witness.EVIDENCE)
    some = frame[(frame[[witness.BACKED[name] for name in names]] > 0).any(axis=1)]
    some = some.reset_index(drop=True)
    alone = some.assign(**dict.fromkeys(witness.BACKED.values(), np.int8(0)))
    parts = []
    for rule, breached in _breaches(rules.IN_CONTEXT, alone).items():
        if rules.RULES[rule].severity is Severity.HOLD and breached.any():
            parts.append(witness.evidence(some[breached], rules.RULES[rule].about))
    none = pd.DataFrame(columns=witness.EVIDENCE)
    return pd.concat(parts, ignore_index=True) if parts else none


@dataclass(frozen=True)
class Chained:
    """Rows to write, and which of the rows laid out were judged anew."""

    upserts: pd.DataFrame
    rechained: pd.DataFrame
    anew: NDArray[np.bool_]


def _inferred(
    laid_out: LaidOut, anew: NDArray[np.bool_], known: Known, batch: Batch
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Inferred events of the rows judged anew: those to write, those to take away."""
    judged = _described(laid_out)[anew].reset_index(drop=True)
    stored = known.events[known.events["status"] == "inferred"]
    found = infer(judged, batch.batch_id)
    if stored.empty:
        return found, stored[KEY]
    same = found.merge(stored, on=[*KEY, "value"], how="left", suffixes=("", "_before"))
    written = found[same["batch_id_before"].isna().to_numpy()]
    days = keys_of(stored["fund_code"], stored["ex_date"])
    still = pd.MultiIndex.from_frame(stored[KEY]).isin(pd.MultiIndex.from_frame(found[KEY]))
    return written, stored.loc[np.isin(days, judged["key"]) & ~still, KEY]


def _chained(laid_out: LaidOut, *, from_start: bool) -> Chained:
    """New and changed rows with their index, and stored rows whose index moves with them.

    Each fund is chained anew from its first change on, or `from_start`, which is for
    histories: they are read whole, and an event of theirs may be new.
    """
    rows, first, steps = laid_out.rows, laid_out.first, laid_out.steps
    candidate = rows["candidate"].to_numpy(dtype=bool)
    stored_index = rows["total_return_index"].to_numpy(dtype=float)
    fund = np.cumsum(first)
    anew = pd.Series(candidate | from_start).groupby(fund).cummax().to_numpy(dtype=bool)
    begins = anew & first
    anchor = begins.copy()
    anchor[:-1] |= anew[1:] & ~anew[:-1] & ~first[1:]  # the stored row before the change
    part = anew | anchor
    # A fund's first stored row carries 1 unless the rows before it were not read.
    base = np.where(begins & (candidate | from_start), 1.0, stored_index)
    index = stored_index.copy()
    index[part] = chain(steps.returns[part], anchor[part], base[part])

    statuses = np.array(RETURN_STATUSES)[steps.status]
    stored_days = rows["days_covered"].to_numpy(dtype=float)
    days = np.where(anew, laid_out.income.days_covered, stored_days)
    out = rows.assign(
        days_covered=days,
        total_return_index=index,
        return_status=np.where(anew, statuses, rows["return_status"]),
    )
    moves = (index != stored_index) | (out["return_status"] != rows["return_status"])
    moves |= (days != stored_days) & ~(np.isnan(days) & np.isnan(stored_days))
    rechained = VALIDATED_NAV.conform(out[anew & ~candidate & moves])
    names = ["fund_code", "nav_date", "days_covered", "total_return_index", "return_status"]
    return Chained(
        VALIDATED_NAV.conform(out[candidate]).reset_index(drop=True),
        rechained[names].reset_index(drop=True),
        anew,
    )
