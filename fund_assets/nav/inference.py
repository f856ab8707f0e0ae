"""Events that nobody recorded, told by published growth and accumulated NAV.

Belongs here: what kind of event and how large, and the evidence in words. Does not belong
here: noticing that one is missing (`returns.py`), events that are recorded (`events.py`).

A dividend is added to the accumulated NAV, which therefore grows by ΔC = ΔU + D. A split
is scaled into it by most managers: C moves in proportion, C/C₋₁ = U·S/U₋₁. Which of the
two fits the published growth tells the kind. Where both do, as on a fund's first event, the
days after tell: by a scaled split C begins to move S times as far as U, beside a dividend it
goes on as before. Some managers add splits up like dividends; then it is the NAV that tells: a
split's ratio is made so that it is 1 afterwards to the last digit, which no round payout does.
Where nothing else tells, on the evening itself, a fall of nearly half is called a split.
"""

import numpy as np
import pandas as pd

from fund_assets.nav.events import SPLIT_BOUNDS, SPLIT_LIMITS
from fund_assets.nav.returns import SUSPECTED_EVENT, last_digit
from fund_assets.schemas.tables import FUND_EVENTS

#: Where nothing tells the kind, a fall of more than this share of the NAV is a split.
LARGEST_DIVIDEND = 0.45
#: A split to 1 takes at least this share of the NAV; smaller ones may end there by chance.
LEAST_TO_ONE = 0.05
#: Payouts are announced in whole cents.
ROUND_PAYOUT = 0.01
#: Days before and after an event that tell how far C moves with U, and how many there must be.
DAYS_BESIDE, LEAST_DAYS = 20, 5
#: A split must change the moves of C by so many times their rounding.
SURE = 3.0


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
    if found.empty:
        return FUND_EVENTS.empty()
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
    scaled_after = _scales_after(rows, found.index, split)
    copied = (acc == unit) & (acc_before == before)  # then growth led back to a NAV of 1
    to_one = copied | _ends_at_one(unit, digit, dividend, before)
    small = dividend < LARGEST_DIVIDEND * before
    unclear = np.where(scaled_after.isna(), small, scaled_after == 0.0)
    pays = can_pay & ~to_one & np.where(adds & scales, unclear, adds | ~scales)
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
            _why(adds[kept], scales[kept], to_one[kept], scaled_after[kept]),
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


def _ends_at_one(
    unit: pd.Series, digit: np.ndarray, dividend: pd.Series, before: pd.Series
) -> pd.Series:
    """Whether a fall ends at a NAV of 1 that no round payout would have led to."""
    cents = (dividend / ROUND_PAYOUT).round() * ROUND_PAYOUT
    falls = dividend >= LEAST_TO_ONE * before
    return falls & ((unit - 1).abs() < digit / 2) & ((dividend - cents).abs() > digit)


def _scales_after(rows: pd.DataFrame, at: pd.Index, split: pd.Series) -> pd.Series:
    """1 where C moves with U S times as far after a row as before it, 0 where as before.

    NaN where too few days, or moves too small beside their rounding, tell.
    """
    told = pd.Series(np.nan, index=at)
    code = rows["fund_code"].to_numpy()
    acc = (rows["acc_nav"] - rows["prev_acc_nav"]).to_numpy(dtype=float)
    unit = (rows["unit_nav"] - rows["prev_unit_nav"]).to_numpy(dtype=float)
    digit = last_digit(
        rows["unit_nav"].to_numpy(dtype=float), rows["prev_unit_nav"].to_numpy(dtype=float)
    )
    plain = (rows["status"] != SUSPECTED_EVENT).to_numpy() & ~np.isnan(acc + unit)
    plain &= ((rows["dividend"] == 0) & (rows["split"] == 1)).to_numpy()
    place = rows.index.get_indexer(at)
    for label, row, times in zip(at, place, split, strict=True):
        moves, unsure = [], 0.0
        for days in (
            slice(max(row - DAYS_BESIDE, 0), row),
            slice(row + 1, row + 1 + DAYS_BESIDE),
        ):
            mine = plain[days] & (code[days] == code[row])
            size = float((unit[days][mine] ** 2).sum())
            if mine.sum() < LEAST_DAYS or size == 0:
                break
            moves.append(float((unit[days][mine] * acc[days][mine]).sum()) / size)
            unsure += digit[row] / size**0.5
        if len(moves) < 2 or min(moves) <= 0 or not times > 0:
            continue
        ratio, as_split = np.log(moves[1] / moves[0]), np.log(times)
        if abs(as_split) > SURE * unsure:
            told[label] = float(abs(ratio - as_split) < abs(ratio))
    return told


def _why(
    adds: pd.Series, scales: pd.Series, to_one: pd.Series, scaled_after: pd.Series
) -> np.ndarray:
    return np.select(
        [to_one, adds & scales & scaled_after.notna(), adds & scales, adds, scales],
        [
            "the NAV is 1 afterwards: the ratio was chosen for that",
            "both kinds fit, the following days decide",
            "both kinds fit, the size decides",
            "it was paid out",
            "the shares were split",
        ],
        default="the accumulated NAV does not show the kind",
    )
