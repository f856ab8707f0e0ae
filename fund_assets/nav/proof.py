"""The proof of a fund's total-return index: what each witness says of each step.

Belongs here: the three estimates side by side and a verdict over all steps. Does not belong
here: reading the rows (`warehouse/`), showing them (`cli/`).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fund_assets.nav.returns import last_digit
from fund_assets.schemas.columns import RETURN_STATUSES


@dataclass(frozen=True)
class Proof:
    """What can be said for and against the index of one fund.

    Attributes:
        steps: one row per NAV date: nav_date, return_pct (used), by_events_pct, growth_pct,
            by_acc_pct (the reading of the accumulated NAV that is nearer to the return used),
            disagreement_pct (largest less smallest of the estimates), return_status.
        counts: status → how many steps.
        start, end: the index on the first and the last date.
        verdict: `proven`, `explained` or `unproven`.
    """

    steps: pd.DataFrame
    counts: dict[str, int]
    start: float
    end: float
    verdict: str

    @property
    def disagreements(self) -> pd.DataFrame:
        """The steps that are not proven by events and growth together."""
        status = self.steps["return_status"]
        money = self.steps["by_events_pct"].isna()
        return self.steps[~status.isin(["first", "proven"]) & ~money]


def prove(rows: pd.DataFrame, events: pd.DataFrame) -> Proof:
    """Lay the estimates of every step side by side.

    Args:
        rows: nav_date, unit_nav, acc_nav, growth_pct, yield_per_10k, total_return_index and
            return_status of one fund, ascending and at least one.
        events: ex_date, kind, value, status of the same fund.
    """
    dates = rows["nav_date"].to_numpy()
    unit, acc = (rows[name].to_numpy(dtype=float) for name in ("unit_nav", "acc_nav"))
    growth = rows["growth_pct"].to_numpy(dtype=float)
    index = rows["total_return_index"].to_numpy(dtype=float)
    dividend, split = np.zeros(len(rows)), np.ones(len(rows))
    recorded = events[events["status"] == "recorded"]
    at = np.searchsorted(dates, recorded["ex_date"].to_numpy())
    for row, kind, value in zip(at, recorded["kind"], recorded["value"], strict=True):
        if row < len(rows) and kind == "dividend":
            dividend[row] += value
        elif row < len(rows):
            split[row] *= value
    before, acc_before, index_before = (_before(values) for values in (unit, acc, index))
    used = 100 * (index / index_before - 1)
    by_events = 100 * ((unit * split + dividend) / before - 1)
    added, scaled = 100 * (acc - acc_before) / before, 100 * (acc / acc_before - 1)
    by_acc = np.where(np.abs(added - used) <= np.abs(scaled - used), added, scaled)
    estimates = pd.DataFrame({"e": by_events, "g": growth, "a": by_acc})
    steps = pd.DataFrame(
        {
            "nav_date": dates,
            "return_pct": used,
            "by_events_pct": by_events,
            "growth_pct": growth,
            "by_acc_pct": by_acc,
            "disagreement_pct": (estimates.max(axis=1) - estimates.min(axis=1)).to_numpy(),
            "rounding_pct": 200 * last_digit(unit, before) / before,
            "return_status": rows["return_status"].to_numpy(),
        }
    )
    found = rows["return_status"].value_counts()
    counts = {name: int(found.get(name, 0)) for name in RETURN_STATUSES}
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
