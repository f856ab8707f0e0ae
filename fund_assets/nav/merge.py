"""What merging a batch into the accepted history would change: the plan, as pure data.

Belongs here: what becomes of each observation, and the re-chained total-return index. Does not
belong here: what the rules find (`verdicts.py`), or reading and writing tables
(`warehouse/stores/publish.py` does both in one transaction).

Every observation of a batch ends in exactly one of five places: new, changed, unchanged,
quarantined or pending (not yet published).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import TradingCalendar
from fund_assets.nav import rule_frames, rules, witness
from fund_assets.nav.batch import Batch, Known, Plan
from fund_assets.nav.events import KEY
from fund_assets.nav.inference import infer
from fund_assets.nav.laid_out import LaidOut, described, lay_out, with_status
from fund_assets.nav.returns import chain
from fund_assets.nav.silence import describe_funds
from fund_assets.nav.timeline import Timeline, keys_of, ledger_kinds
from fund_assets.nav.verdicts import (
    HELD_COLUMNS,
    NOT_HELD,
    judge_accumulated,
    judge_alone,
    settle,
)
from fund_assets.schemas.columns import RETURN_STATUSES
from fund_assets.schemas.tables import VALIDATED_NAV


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
    alone = judge_alone(observed)

    timeline = Timeline.build(alone.rest, known, batch, calendar)
    accumulated, verdicts = judge_accumulated(timeline, known)
    settled = settle(timeline)
    timeline.note_refined(settled.laid_out.rows["row"], settled.laid_out.income.days_covered)
    chained = _chained(settled.laid_out, from_start=not batch.is_wave)
    inferred, outdated = _inferred(settled.laid_out, chained.anew, known, batch)

    verdicts += [*alone.verdicts, *settled.verdicts]
    verdicts.append(rules.verdict(rules.PENDING, rows, pending))
    if batch.kind != "desk":
        shown = rule_frames.describe_shown(batch, known, rows)
        gone = (shown["gone"] != "").to_numpy()
        verdicts.append(rules.verdict(rules.TAKEN_BACK, shown, gone))
    for subject, frame in (
        (
            "batch",
            rule_frames.describe_batch(batch, known, calendar, today, rows["stale"].to_numpy()),
        ),
        ("kind", rule_frames.describe_kinds(batch, known)),
        ("date", rule_frames.describe_dates(batch, known, timeline, settled.judged)),
        ("fund", describe_funds(batch, known, timeline, calendar)),
    ):
        verdicts += rules.judge([r for r in rules.WHOLE if r.subject == subject], frame)
    order = list(rules.RULES)

    held = pd.concat([alone.held, accumulated, settled.held], ignore_index=True)
    kept = timeline.kept()
    corrected = ledger_kinds(kept) == "correction"
    whole = held[~held["rule"].isin(rules.OF_CELLS)]
    emptied = alone.emptied + timeline.emptied
    lost = len(whole.drop_duplicates(["fund_code", "nav_date"])) + emptied
    return Plan(
        upserts=chained.upserts,
        rechained=chained.rechained,
        inferred=inferred,
        outdated=outdated,
        revisions=timeline.revisions(batch),
        held=held,
        settled=witness.settle(
            batch, known, observed, held, with_status(settled.laid_out), settled.passed
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
    laid_out = lay_out(timeline)
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
    judged = described(laid_out)[anew].reset_index(drop=True)
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
