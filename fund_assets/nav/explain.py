"""The proof of a fund's total-return index: what each witness says of each step.

Belongs here: the three estimates side by side and a verdict over all steps. Does not belong
here: reading the rows (`warehouse/`), showing them (`cli/`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fund_assets.nav.returns import last_digit
from fund_assets.schemas.columns import RETURN_STATUSES


@dataclass(frozen=True)
class Proof:
    """What can be said for and against the index of one fund.

    Attributes:
        steps: one for each NAV date: nav_date, return_pct (used), by_events_pct, growth_pct,
            by_acc_pct (the reading of the accumulated NAV that is nearer to the return used),
            disagreement_pct (largest less smallest of the estimates), rounding_pct,
            return_status. What nobody tells is NaN.
        counts: status → how many steps.
        start, end: the index on the first and the last date.
        verdict: `proven`, `explained` or `unproven`.
    """

    steps: list[dict[str, Any]]
    counts: dict[str, int]
    start: float
    end: float
    verdict: str

    @property
    def disagreements(self) -> list[dict[str, Any]]:
        """The steps that are not proven by events and growth together."""
        return [
            step
            for step in self.steps
            if step["return_status"] not in ("first", "proven")
            and not np.isnan(step["by_events_pct"])  # money-market funds have no unit NAV
        ]


def prove(rows: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]) -> Proof:
    """Lay the estimates of every step side by side.

    Args:
        rows: nav_date, unit_nav, acc_nav, growth_pct, total_return_index and return_status of
            one fund, ascending and at least one; None where nothing is told.
        events: ex_date, kind, value, status of the same fund.
    """
    dates = np.array([row["nav_date"] for row in rows], dtype=np.int64)
    unit, acc, growth, index = (
        np.array([row[name] for row in rows], dtype=float)
        for name in ("unit_nav", "acc_nav", "growth_pct", "total_return_index")
    )
    dividend, split = np.zeros(len(rows)), np.ones(len(rows))
    for event in events:
        at = int(np.searchsorted(dates, event["ex_date"]))
        if event["status"] != "recorded" or at == len(rows):
            continue
        if event["kind"] == "dividend":
            dividend[at] += event["value"]
        else:
            split[at] *= event["value"]
    before, acc_before, index_before = (_before(values) for values in (unit, acc, index))
    used = 100 * (index / index_before - 1)
    by_events = 100 * ((unit * split + dividend) / before - 1)
    added, scaled = 100 * (acc - acc_before) / before, 100 * (acc / acc_before - 1)
    by_acc = np.where(np.abs(added - used) <= np.abs(scaled - used), added, scaled)
    estimates = (by_events, growth, by_acc)
    columns = {
        "nav_date": dates,
        "return_pct": used,
        "by_events_pct": by_events,
        "growth_pct": growth,
        "by_acc_pct": by_acc,
        "disagreement_pct": np.fmax.reduce(estimates) - np.fmin.reduce(estimates),
        "rounding_pct": 200 * last_digit(unit, before) / before,
    }
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    steps = [
        {**dict(zip(columns, step, strict=True)), "return_status": row["return_status"]}
        for step, row in zip(values, rows, strict=True)
    ]
    found = Counter(row["return_status"] for row in rows)
    counts = {name: found[name] for name in RETURN_STATUSES}
    verdict = (
        "unproven"
        if counts["unproven"]
        else "explained"
        if counts["suspected_event"] or counts["single_source"]
        else "proven"
    )
    return Proof(steps, counts, float(index[0]), float(index[-1]), verdict)


def _before(values: np.ndarray) -> np.ndarray:
    shifted = np.full(len(values), np.nan)
    shifted[1:] = values[:-1]
    return shifted
