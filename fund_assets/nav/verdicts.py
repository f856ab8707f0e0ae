"""What the rules find in a batch: what is held, what passes, and a verdict for each rule.

Belongs here: the order in which rules look at rows, and what becomes of a row that one of them
holds. Does not belong here: the rules (`rules.py`), the frames that they look at
(`rule_frames.py`, `laid_out.py`), what is written of all this (`merge.py`).
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.nav import rules, witness
from fund_assets.nav.accumulated import Accumulation, judge, levels_of_events
from fund_assets.nav.batch import Known
from fund_assets.nav.laid_out import LaidOut, in_context, lay_out
from fund_assets.nav.rules import Rule, Severity, Verdict
from fund_assets.nav.timeline import Timeline
from fund_assets.schemas.columns import OBSERVED_NAMES

#: So near a power of ten is a shifted decimal point beside a day's move, as log10.
SHIFTED = 0.1
DECIDED = ["state", "decided_by", "decided_because"]
HELD_COLUMNS = ["fund_code", "nav_date", *OBSERVED_NAMES, "rule", "reason", *DECIDED]
NOT_HELD = dict.fromkeys(["rule", "reason", *DECIDED], "")


@dataclass(frozen=True)
class Alone:
    """What the rules on single rows leave, and what they hold.

    Attributes:
        emptied: how many rows lost their every figure to rules.
    """

    rest: pd.DataFrame
    held: pd.DataFrame
    emptied: int
    verdicts: list[Verdict]


@dataclass(frozen=True)
class Settled:
    """What is left when no holding rule is breached any more."""

    laid_out: LaidOut
    held: pd.DataFrame
    passed: pd.DataFrame
    judged: pd.DataFrame
    verdicts: list[Verdict]


def judge_alone(observed: pd.DataFrame) -> Alone:
    """The rules on single rows."""
    found = _breaches(rules.ALONE, observed)
    held, _ = _held(rules.ALONE, observed, found)
    rest, emptied = _without_cells(observed, found)
    verdicts = [rules.verdict(rule, observed, found[rule.id]) for rule in rules.ALONE]
    return Alone(rest, held, emptied, verdicts)


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


def judge_accumulated(timeline: Timeline, known: Known) -> tuple[pd.DataFrame, list[Verdict]]:
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


def settle(timeline: Timeline) -> Settled:
    """Drop candidates until no holding rule is breached.

    A wrong NAV makes the next, right one look wrong too. So only the earliest breach of
    each fund is held at a time, and the fund's other rows are judged again without it.
    """
    parts = []
    while True:
        laid_out = lay_out(timeline)
        frame = in_context(laid_out)
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
