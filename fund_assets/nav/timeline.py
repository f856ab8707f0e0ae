"""The accepted rows and the candidates of a batch, in one order: by fund, then by date.

Belongs here: laying what a batch observed over what is stored, and taking a candidate out
again. Does not belong here: judging candidates (`rules.py`), or returns (`returns.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import TradingCalendar, keys_to_days
from fund_assets.nav.batch import Batch, Known
from fund_assets.nav.money import MOST_DAYS
from fund_assets.nav.rules import legal_levels
from fund_assets.nav.witness import BACKED
from fund_assets.schemas.columns import GROWTH_ROUNDING, OBSERVED_NAMES
from fund_assets.schemas.tables import NAV_REVISION

#: How far a published sum may be from the days that it sums up, yuan a day.
SUM_ROUNDING = 0.0001
#: The same as a share, where the 7-day yield is the stored one.
SUM_SLACK = 0.03
#: After more days without a NAV a new series begins.
SILENCE_DAYS = 366
#: What rules want to know of a candidate; stored rows have the neutral values.
CONTEXT = {
    "kind": "",
    "jump_warn": 0.0,
    "jump_hold": 0.0,
    "is_recorded": False,
    "decided": False,
    "refuted": "",
    **dict.fromkeys(BACKED.values(), np.int8(0)),
}
STORED_NAMES = [f"stored_{name}" for name in OBSERVED_NAMES]
COLUMNS = [
    "key",
    "fund_code",
    "nav_date",
    *OBSERVED_NAMES,
    *STORED_NAMES,
    "stored_batch_id",
    "days_covered",
    "stored",
    "candidate",
    "total_return_index",
    "return_status",
    "first_seen_at",
    "batch_id",
    *CONTEXT,
]


def keys_of(codes: pd.Series, dates: pd.Series) -> NDArray[np.int64]:
    """(six-digit code, yyyymmdd) as one sortable number."""
    numbers = codes.astype("int64").to_numpy()
    return np.asarray(numbers * 100_000_000 + dates.to_numpy(dtype="int64"))


def sorted_by_key(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` with its `key`, ordered by it."""
    keyed = frame.assign(key=keys_of(frame["fund_code"], frame["nav_date"]))
    return keyed.sort_values("key", ignore_index=True)


@dataclass
class Timeline:
    """Rows by fund and date; `frame` keeps its order and length while candidates drop out.

    Attributes:
        frame: every row with its current values (`OBSERVED_NAMES`), the stored values
            (`STORED_NAMES`), whether it is `stored` and a `candidate`, its events, and the
            context rules need.
        present: which rows are in: stored ones and candidates that were not dropped.
        unchanged: observations equal to what is stored; they are no candidates.
        stored_dates: nav_date of every observation that has a stored counterpart.
        is_recorded: the observations are the past as histories tell it.
        emptied: new rows of which no figure is left, because each was withheld.
    """

    frame: pd.DataFrame
    present: NDArray[np.bool_]
    unchanged: int
    stored_dates: NDArray[np.integer]
    is_recorded: bool
    calendar: TradingCalendar = field(repr=False)
    emptied: int = 0

    @classmethod
    def build(
        cls, observed: pd.DataFrame, known: Known, batch: Batch, calendar: TradingCalendar
    ) -> "Timeline":
        """Lay `observed` (rows that passed the rules on single rows) over what is stored."""
        stored = sorted_by_key(known.stored)
        stored = stored.assign(days_covered=stored["days_covered"].astype("float64"))
        observed, differs = _beside_stored(sorted_by_key(observed), stored, batch)
        candidates = observed[differs]
        funds = set(candidates["fund_code"].unique())
        if batch.kind == "events":  # one of theirs may be new, or withdrawn
            funds = set(stored["fund_code"].unique())
        elif not batch.is_wave:  # an event of theirs may be new
            funds |= set(known.events["fund_code"]) & set(observed["fund_code"].unique())
        others = stored[
            stored["fund_code"].isin(funds) & ~stored["key"].isin(candidates["key"])
        ]
        others = others.assign(
            stored=True,
            candidate=False,
            stored_batch_id=others["batch_id"],
            **CONTEXT,
            **{f"stored_{name}": others[name] for name in OBSERVED_NAMES},
        )
        parts = [part[COLUMNS] for part in (others, candidates) if len(part)]
        frame = pd.concat(parts) if parts else candidates[COLUMNS]
        frame = frame.sort_values("key", ignore_index=True)
        moved = frame["unit_nav"] / frame["stored_unit_nav"] - 1.0
        frame["revision"] = moved.where(frame["candidate"] & (moved != 0.0))
        dividend, split = steps_of_events(frame["key"].to_numpy(), known.events)
        frame = frame.assign(dividend=dividend, split=split, refined=False)
        return cls(
            frame=frame,
            present=np.ones(len(frame), dtype=bool),
            unchanged=int((~differs).sum()),
            stored_dates=observed.loc[observed["stored"], "nav_date"].to_numpy(),
            is_recorded=batch.is_recorded,
            calendar=calendar,
        )

    def note_refined(self, rows: pd.Series, days_covered: NDArray[np.float64]) -> None:
        """Mark candidates that put days' own incomes in the place of a stored sum.

        Args:
            rows: positions in `frame`.
            days_covered: what the figures of these rows cover now.
        """
        at = rows.to_numpy()
        smaller = days_covered < self.frame["days_covered"].to_numpy()[at]
        refined = np.zeros(len(self.frame), dtype=bool)
        refined[at] = smaller & self.frame["candidate"].to_numpy(dtype=bool)[at]
        self.frame["refined"] = refined

    def drop(self, rows: NDArray[np.integer]) -> None:
        """Take candidates out: a stored row gets its stored values back."""
        frame = self.frame
        has_stored = frame["stored"].to_numpy()[rows]
        frame.loc[rows, "candidate"] = False
        self.present[rows] = has_stored
        back = rows[has_stored]
        frame.loc[back, OBSERVED_NAMES] = frame.loc[back, STORED_NAMES].to_numpy()
        frame.loc[back, "batch_id"] = frame.loc[back, "stored_batch_id"]
        frame.loc[back, "revision"] = np.nan

    def withhold(self, rows: NDArray[np.integer], names: Sequence[str]) -> None:
        """Take single figures of candidates out: they get their stored values back, if any."""
        if not len(rows):
            return
        frame = self.frame
        stored = [f"stored_{name}" for name in names]
        frame.loc[rows, list(names)] = frame.loc[rows, stored].to_numpy()
        now, before = frame.loc[rows, OBSERVED_NAMES], frame.loc[rows, STORED_NAMES]
        same = (now.to_numpy() == before.to_numpy()) | (now.isna() & before.isna().to_numpy())
        same = same.all(axis=1).to_numpy() & frame.loc[rows, "stored"].to_numpy(dtype=bool)
        nothing = now.isna().all(axis=1).to_numpy()
        self.unchanged += int(same.sum())
        self.emptied += int((nothing & ~same).sum())
        self.drop(rows[same | nothing])

    def kept(self) -> pd.DataFrame:
        """The candidates that are still in."""
        return self.frame[self.frame["candidate"]]

    def first(self, rows: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of `rows` (ascending positions) are the first of their fund."""
        return first_of_funds(self.frame["key"].to_numpy()[rows])

    def gaps(self, rows: NDArray[np.integer], first: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Sessions without a NAV between each of `rows` and the one before it."""
        return gaps_between(self.frame["nav_date"].to_numpy()[rows], first, self.calendar)

    def revisions(self, batch: Batch) -> pd.DataFrame:
        """The stored values that kept candidates replace, columns of NAV_REVISION.

        With them what was empty and is filled in, for it was not known before; more decimals of
        the same growth replace nothing.
        """
        kept = self.kept()
        kinds = ledger_kinds(kept)
        rows = kept[kinds != ""]
        if rows.empty:
            return NAV_REVISION.empty()
        return NAV_REVISION.conform(
            rows[["fund_code", "nav_date", "first_seen_at", *STORED_NAMES]]
            .rename(columns=dict(zip(STORED_NAMES, OBSERVED_NAMES, strict=True)))
            .assign(
                superseded_at=batch.collected_at,
                superseded_by=batch.batch_id,
                kind=kinds[kinds != ""],
                batch_id=rows["stored_batch_id"],
                change_pct=rows["revision"] * 100.0,
                legal_level=legal_levels(rows["revision"]),
            )
        )


def ledger_kinds(rows: pd.DataFrame) -> NDArray[np.object_]:
    """Why each row stands in the ledger: one of LEDGER_KINDS, or "": it does not.

    A row that only puts a day's own income in the place of a sum (`refined`) corrects nothing,
    nor does one that only fills in what was empty.
    """
    by_figure = corrections(rows)
    others = [changed for name, changed in by_figure.items() if name != "yield_per_10k"]
    refined = by_figure["yield_per_10k"] & rows["refined"].to_numpy(dtype=bool)
    corrected = np.logical_or.reduce(others) | (by_figure["yield_per_10k"] & ~refined)
    filled = rows["stored"].to_numpy(dtype=bool) & np.logical_or.reduce(
        [rows[f"stored_{name}"].isna() & rows[name].notna() for name in OBSERVED_NAMES]
    )
    kinds = ("correction", "refinement", "filling")
    return np.select([corrected, refined, filled], kinds, "").astype(object)


def corrections(rows: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
    """Of each figure, the rows in which a stored value is corrected.

    Filling in what was empty, and more decimals of the same growth, correct nothing.
    """
    found = {}
    for name in OBSERVED_NAMES:
        slack = GROWTH_ROUNDING if name == "growth_pct" else 0.0
        change = (rows[name] - rows[f"stored_{name}"]).abs().to_numpy()
        found[name] = rows["stored"].to_numpy(dtype=bool) & (change > slack)
    return found


def _beside_stored(
    observed: pd.DataFrame, stored: pd.DataFrame, batch: Batch
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Observations with the stored values beside them, and which of them differ.

    An empty cell never overwrites a value, but for a growth that belongs to a unit NAV that
    is corrected. Of two growths that differ in rounding alone, the one of the history,
    which has more decimals, is taken.
    """
    keys = stored["key"].to_numpy()
    at = np.searchsorted(keys, observed["key"].to_numpy())
    found = np.zeros(len(observed), dtype=bool)
    inside = at < len(keys)
    found[inside] = keys[at[inside]] == observed["key"].to_numpy()[inside]
    differs = ~found
    new: dict[str, object] = {"stored": found, "candidate": True}
    for name in OBSERVED_NAMES:
        seen = observed[name].to_numpy(dtype=float)
        before = np.full(len(observed), np.nan)
        before[found] = stored[name].to_numpy(dtype=float)[at[found]]
        value = np.where(np.isnan(seen), before, seen)
        if name == "yield_per_10k" and not batch.is_recorded:
            told = np.flatnonzero(found & (np.abs(value - before) > 0))
            told = told[~observed["decided"].to_numpy(dtype=bool)[told]]
            sums = are_sums(
                stored,
                at[told],
                value[told],
                week_pct=observed["yield_7d_pct"].to_numpy(dtype=float)[told],
            )
            value[told] = np.where(sums, before[told], value[told])
        if name == "unit_nav":
            corrected = np.abs(value - before) > 0
        if name == "growth_pct":
            value = np.where(corrected, seen, value)
            if not batch.is_recorded:
                value = np.where(np.abs(value - before) <= GROWTH_ROUNDING, before, value)
        differs |= ~((value == before) | (np.isnan(value) & np.isnan(before)))
        new[name], new[f"stored_{name}"] = value, before
    for name, absent in (
        ("days_covered", np.nan),
        ("total_return_index", np.nan),
        ("return_status", "first"),
        ("first_seen_at", batch.collected_at),
        ("batch_id", ""),
    ):
        column = np.full(len(observed), absent, dtype=stored[name].to_numpy().dtype)
        column[found] = stored[name].to_numpy()[at[found]]
        new[name] = column
    new["stored_batch_id"] = new["batch_id"]
    new["batch_id"] = batch.batch_id
    return observed.assign(**new), differs


def are_sums(
    stored: pd.DataFrame,
    at: NDArray[np.intp],
    income: NDArray[np.float64],
    week_pct: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Which incomes are the sum of stored days that end with the row's own.

    A page shows what a fund has earned since its last disclosure; where the history has told
    each day's own, such a sum is no news. What it sums up is rounded once, the days each; a
    page that shows the stored 7-day yield says that the days are right, and may be further off.

    Args:
        stored: accepted rows by fund and date.
        at: for each income, the position of the stored row of its date.
        week_pct: the 7-day yields beside the incomes.
    """
    same_week = np.abs(week_pct - stored["yield_7d_pct"].to_numpy(dtype=float)[at]) < 0.0005
    days = keys_to_days(stored["nav_date"].to_numpy()).astype(np.int64)
    codes = stored["key"].to_numpy() // 100_000_000
    own = stored["yield_per_10k"].to_numpy(dtype=float)
    total, found = own[at].copy(), np.zeros(len(at), dtype=bool)
    together = np.ones(len(at), dtype=bool)
    for back in range(1, MOST_DAYS):
        before = np.maximum(at - back, 0)
        together &= (at >= back) & (codes[before] == codes[at])
        together &= days[at] - days[before] < MOST_DAYS
        total = total + np.where(together, own[before], 0.0)
        rounding = SUM_ROUNDING * (back + 1)
        rough = np.maximum(rounding, SUM_SLACK * np.abs(total))
        slack = np.where(same_week, rough, rounding)
        found |= together & (np.abs(income - total) <= slack)
    return found


def first_of_funds(keys: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of ascending keys (`keys_of`) begin a series: a fund's first, or after a silence.

    Nobody knows what a fund did in more than a year without a NAV, nor whether its code is
    still the same fund's: no return is made over that.
    """
    codes, dates = np.divmod(keys, 100_000_000)
    first = np.ones(len(keys), dtype=bool)
    first[1:] = codes[1:] != codes[:-1]
    far = np.flatnonzero(~first[1:] & (np.diff(dates) >= 10_000)) + 1
    if len(far):
        days = keys_to_days(dates[far]).astype(np.int64) - keys_to_days(dates[far - 1])
        first[far] = days > SILENCE_DAYS
    return first


def gaps_between(
    dates: NDArray[np.integer], first: NDArray[np.bool_], calendar: TradingCalendar
) -> NDArray[np.int64]:
    """Sessions without a NAV between each date (yyyymmdd) and the one before it; 0 at first."""
    position = calendar.positions(dates)
    gap = np.zeros(len(dates), dtype=np.int64)
    gap[1:] = np.maximum(position[1:] - position[:-1] - 1, 0)
    gap[first] = 0
    return gap


def steps_of_events(
    keys: NDArray[np.int64], events: pd.DataFrame
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """`dividend` (0 without one) and `split` (1 without one) of rows with ascending keys.

    An event whose ex-date has no NAV takes effect on the fund's next NAV; several before
    the same NAV add up. Inferred events have no effect: the return follows their witnesses.
    """
    events = events[events["status"] == "recorded"]
    event_keys = keys_of(events["fund_code"], events["ex_date"])
    at = np.searchsorted(keys, event_keys)
    inside = at < len(keys)
    inside[inside] = keys[at[inside]] // 100_000_000 == event_keys[inside] // 100_000_000
    rows, kinds = at[inside], events["kind"].to_numpy()[inside]
    values = events["value"].to_numpy(dtype=float)[inside]
    dividend, split = np.zeros(len(keys)), np.ones(len(keys))
    np.add.at(dividend, rows[kinds == "dividend"], values[kinds == "dividend"])
    np.multiply.at(split, rows[kinds == "split"], values[kinds == "split"])
    return dividend, split
