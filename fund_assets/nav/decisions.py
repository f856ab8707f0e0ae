"""What a person decides about held observations, and what a decision covers.

Belongs here: which observations may be accepted, as a batch of their own, and recognising
them when they come again. Does not belong here: reading or marking rows
(`warehouse/stores/quarantine.py`), the rules (`rules.py`).

A decision is about an observation: a fund, a date and its five figures. It covers every
held row of it, whichever rule held it and in whichever batch it came.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.errors import FundAssetsError
from fund_assets.nav.landing_rows import Landing, Origin, prepare
from fund_assets.nav.rules import valid_codes
from fund_assets.schemas.columns import GROWTH_ROUNDING, OBSERVED, OBSERVED_NAMES
from fund_assets.schemas.table import Column

KEY = ["fund_code", "nav_date"]
SIGHT = [*KEY, *OBSERVED_NAMES]
#: A cell that nobody could read has no value to accept.
UNREADABLE = "R01_readable"


class DecisionError(FundAssetsError, ValueError):
    """What was asked of the quarantine cannot be done; the message says what to do."""


class UnknownIdError(DecisionError):
    """An id was named that there is not."""

    exit_code = 2


def decided(observed: pd.DataFrame, decisions: pd.DataFrame) -> NDArray[np.object_]:
    """What a person decided of each observation: `accepted`, `rejected`, or empty.

    It is the observation decided on when every figure it shows is that one's; a growth may
    differ in rounding. One with another figure, or a cell that cannot be read, is news.

    Args:
        decisions: columns of NAV_QUARANTINE; of several on the same, the last counts.
    """
    found = np.full(len(observed), "", dtype=object)
    if decisions.empty:
        return found
    at = pd.Series(np.arange(len(observed)), name="at")
    shown = pd.concat([observed[[*SIGHT, "defect"]].reset_index(drop=True), at], axis=1)
    pairs = shown.merge(decisions[[*SIGHT, "state"]], on=KEY, suffixes=("", "_decided"))
    same = (pairs["defect"] == "") & pairs[OBSERVED_NAMES].notna().any(axis=1)
    for name in OBSERVED_NAMES:
        slack = GROWTH_ROUNDING if name == "growth_pct" else 0.0
        close = (pairs[name] - pairs[f"{name}_decided"]).abs() <= slack
        same &= pairs[name].isna() | close
    found[pairs.loc[same, "at"]] = pairs.loc[same, "state"]
    return found


def same_observation(rows: pd.DataFrame, chosen: pd.DataFrame) -> NDArray[np.bool_]:
    """Which of `rows` show an observation of `chosen`: the same fund, date and figures."""
    return np.asarray(_sights(rows).isin(_sights(chosen)))


def obstacles(rows: pd.DataFrame, today: int) -> list[str]:
    """Why each held row can never become part of the history; empty where it can.

    Args:
        today: yyyymmdd; no NAV is dated after it.
    """
    no_code = ~valid_codes(rows["fund_code"])
    found = []
    for row, bad in zip(rows.itertuples(), no_code, strict=True):
        figures = {column: getattr(row, column.name) for column in OBSERVED}
        told = {column: value for column, value in figures.items() if not pd.isna(value)}
        unfit = [c.name for c, value in told.items() if not _fits(c, value)]
        if bad or pd.isna(row.nav_date):
            found.append("it has no valid fund code and date")
        elif row.rule == UNREADABLE:
            found.append("one of its cells could not be read")
        elif not told:
            found.append("it has no NAV value")
        elif unfit:
            found.append(f"{', '.join(unfit)}: a value that the history cannot store")
        else:
            found.append("it is dated after today" if row.nav_date > today else "")
    return found


def as_observations(rows: pd.DataFrame) -> pd.DataFrame:
    """Held rows without obstacle as observations, each once (`protocol.OBSERVATION_COLUMNS`).

    Raises:
        DecisionError: two rows have different figures of one fund and date.
    """
    once = rows.drop_duplicates(SIGHT)
    twice = once[once.duplicated(KEY, keep=False)].sort_values(KEY)
    if len(twice):
        told = "".join(f"\n  {name}" for name in names(twice))
        raise DecisionError(
            f"these rows have different values for one date, accept one of each:{told}"
        )
    return once[SIGHT].astype({"nav_date": "int32"}).assign(defect="")


def names(rows: pd.DataFrame) -> list[str]:
    """Held rows in words: the beginning of the id, fund, date and reason."""
    return [
        f"{row.id[:8]} {row.fund_code} {'' if pd.isna(row.nav_date) else row.nav_date} "
        f"{row.rule}: {row.reason}"
        for row in rows.itertuples()
    ]


def batch_of(
    rows: pd.DataFrame,
    observations: pd.DataFrame,
    *,
    now: int,
    newest: int | None = None,
    previous: int | None = None,
) -> Landing:
    """The batch of the desk with these observations.

    Its id is made from them and from the held rows: to decide the same on the same rows is
    the same batch, and a value that is held anew, after a correction of it, is another.

    Args:
        rows: the held rows behind the observations, with `source` of their batches.
        now: yyyymmddhhmmss; from then on the accepted values are known.
        newest, previous: the dates of the batch that is judged again.
    """
    return prepare(
        observations,
        origin=Origin(
            kind="desk",
            source=str(rows["source"].iloc[0]),
            newest_date=newest or int(observations["nav_date"].max()),
            previous_date=previous,
            collected_at=now,
        ),
        payloads=(),
        labels=sorted(rows["id"]),
    )


def _sights(rows: pd.DataFrame) -> pd.Index:
    return pd.Index(
        [
            (
                code,
                None if pd.isna(date) else int(date),
                *(None if v != v else v for v in figures),
            )
            for code, date, *figures in rows[SIGHT].itertuples(index=False, name=None)
        ],
        tupleize_cols=False,
    )


def _fits(column: Column, value: float) -> bool:
    above = column.gt is None or value > column.gt
    return above and (column.lt is None or value < column.lt)
