"""Events that nobody recorded, told by published growth and accumulated NAV.

Belongs here: what kind of event and how large, and the evidence in words. Does not belong
here: noticing that one is missing (`returns.py`), events that are recorded (`events.py`).

A dividend is added to the accumulated NAV, which therefore grows by ΔC = ΔU + D. A split
is scaled into it by most managers: C moves in proportion, C/C₋₁ = U·S/U₋₁. Which of the
two fits the published growth tells the kind; where both do, as on a fund's first event,
only the size can: nobody pays out half a fund.
"""

import numpy as np
import pandas as pd

from fund_assets.nav.events import SPLIT_BOUNDS, SPLIT_LIMITS
from fund_assets.nav.returns import SUSPECTED_EVENT, last_digit
from fund_assets.schemas.tables import FUND_EVENTS

#: Where both kinds fit, a fall of more than this share of the NAV is a split.
LARGEST_DIVIDEND = 0.45


def infer(rows: pd.DataFrame, batch_id: str) -> pd.DataFrame:
    """Rows of FUND_EVENTS, status inferred, for steps with an event missing.

    Args:
        rows: fund_code, nav_date, unit_nav, acc_nav, growth_pct, dividend, split, status
            (index into RETURN_STATUSES), by_events (fraction), prev_unit_nav and
            prev_acc_nav.
        batch_id: of the batch that is judged.

    Returns:
        At most one event a row; none where a recorded one has the same day, or where no
        possible event explains the step.
    """
    alone = (rows["dividend"] == 0) & (rows["split"] == 1)
    found = rows[(rows["status"] == SUSPECTED_EVENT) & alone]
    unit, before = found["unit_nav"], found["prev_unit_nav"]
    acc, acc_before = found["acc_nav"], found["prev_acc_nav"]
    growth = found["growth_pct"] / 100
    added = (acc - acc_before) / before
    scaled = acc / acc_before - 1
    digit = last_digit(unit.to_numpy(dtype=float), before.to_numpy(dtype=float))
    close = 0.0001 + 2 * digit / before
    adds, scales = (added - growth).abs() <= close, (scaled - growth).abs() <= close
    dividend = ((acc - acc_before) - (unit - before)).where(adds, before * (1 + growth) - unit)
    dividend = dividend.round(4)
    split = (before * (1 + growth) / unit).round(4)
    can_pay = (dividend > 0) & (dividend < before)
    small = dividend < LARGEST_DIVIDEND * before
    pays = can_pay & np.where(adds & scales, small, adds | ~scales)
    # What is unusual needs the accumulated NAV as a witness beside the growth.
    usual = split.between(*SPLIT_LIMITS, inclusive="neither")
    proven = (adds | scales) & split.between(*SPLIT_BOUNDS, inclusive="neither")
    splits = ~pays & (usual | proven) & (split != 1)
    kept = pays | splits
    evidence = [
        f"published growth {g:+.2%}, unit NAV {u:+.2%}, accumulated NAV {a:+.2%} added or "
        f"{s:+.2%} scaled: {why}"
        for g, u, a, s, why in zip(
            growth[kept],
            found["by_events"][kept],
            added[kept],
            scaled[kept],
            _why(adds[kept].to_numpy(), scales[kept].to_numpy()),
            strict=True,
        )
    ]
    value = dividend.where(pays, split)[kept]
    return FUND_EVENTS.conform(
        pd.DataFrame(
            {
                "fund_code": found.loc[kept, "fund_code"],
                "ex_date": found.loc[kept, "nav_date"],
                "kind": np.where(pays[kept], "dividend", "split"),
                "value": value,
                "status": "inferred",
                "history_value": np.nan,
                "list_value": np.nan,
                "text": "",
                "evidence": pd.Series(evidence, index=value.index, dtype="str"),
                "first_batch_id": batch_id,
                "batch_id": batch_id,
            }
        ).reset_index(drop=True)
    )


def _why(adds: np.ndarray, scales: np.ndarray) -> np.ndarray:
    return np.select(
        [adds & scales, adds, scales],
        ["both kinds fit, the size decides", "it was paid out", "the shares were split"],
        default="the accumulated NAV does not tell the kind",
    )
