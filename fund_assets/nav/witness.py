"""Witnesses: who besides a batch tells of what it shows, and what they settle.

Belongs here: which sights are independent of each other, the evidence for a doubted figure, and
what becomes of observations held before. Does not belong here: what is doubted (`rules.py`),
marking rows (`warehouse/stores/publish.py`).

The waves of an evening read one page, so a second look at it says nothing new: a witness has
another voice. The history of a fund is one against the page and the page one against the
history; a person is one. The next NAV is one by its published growth, which leads back to the
value it grew from.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.nav.batch import VOICES, Batch, Known
from fund_assets.nav.rules import RULES, SUSPECT_PCT
from fund_assets.schemas.columns import OBSERVED_NAMES

KEY = ["fund_code", "nav_date"]
#: A row of a frame: column → value, of the type that the column has.
Row = dict[str, Any]
#: Who can back a figure, by number: small numbers cost nothing on millions of rows.
WITNESSES = ("", "page", "history", "growth")
PAGE, HISTORY, GROWTH = 1, 2, 3
#: Two sights are of one figure when they differ by no more than their rounding.
ROUNDING = {
    "unit_nav": 0.000051,
    "acc_nav": 0.000051,
    "growth_pct": 0.00501,
    "yield_per_10k": 0.000051,
    "yield_7d_pct": 0.00051,
}
BACKED = {name: f"backed_{name}" for name in OBSERVED_NAMES}
#: Who decides about a value that was refuted before and is shown again by the same voice.
AGAIN = "witness:before"
SETTLED = ["id", "state", "decided_by", "decided_because"]
#: Held rows as they are read: what `settle` looks at.
SIGHTINGS = ["id", "batch_id", *KEY, *OBSERVED_NAMES, "rule", "voice"]
EVIDENCE = [*KEY, "decided_by", "decided_because"]


def voices_of(batch_ids: pd.Series) -> pd.Series:
    """The voices of batches by their ids, which begin with the first letter of the kind."""
    return batch_ids.str[0].map({kind[0]: voice for kind, voice in VOICES.items()}).fillna("")


def backing(landed: pd.DataFrame, sightings: pd.DataFrame, voice: str) -> pd.DataFrame:
    """Columns of BACKED: which witness showed each figure too, by number.

    Args:
        landed: the observations of a batch; voice: what it speaks with.
        sightings: columns of SIGHTINGS, held before.
    """
    found = {column: np.zeros(len(landed), dtype=np.int8) for column in BACKED.values()}
    others = sightings[sightings["voice"].isin(WITNESSES[1:]) & (sightings["voice"] != voice)]
    if len(others):
        shown = landed[[*KEY, *OBSERVED_NAMES]].reset_index(drop=True)
        shown = shown.assign(at=np.arange(len(shown)))
        shown = shown[shown["fund_code"].isin(others["fund_code"].unique())]
        pairs = shown.merge(others, on=KEY, suffixes=("", "_held"))
        number = pairs["voice"].map(WITNESSES.index).to_numpy(dtype=np.int8)
        for name, column in BACKED.items():
            same = _same(pairs[name], pairs[f"{name}_held"], name).to_numpy()
            found[column][pairs.loc[same, "at"].to_numpy()] = number[same]
    return pd.DataFrame(found, index=landed.index)


def evidence(rows: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Columns of EVIDENCE for rows that a witness of the figures `names` lets pass.

    Args:
        rows: with columns of BACKED, and for the next NAV `next_date`, `next_unit_nav` and
            `next_growth_pct`.
    """
    found: list[dict[str, object]] = []
    for row in rows.to_dict("records"):
        for name in names:
            witness = WITNESSES[int(row[BACKED[name]])]
            if witness == "growth":
                because = (
                    f"the NAV {row['next_unit_nav']:g} of {row['next_date']:.0f} and its "
                    f"growth {row['next_growth_pct']:g} % imply {name} {row[name]:g}"
                )
            elif witness:
                because = f"the {witness} showed {name} {row[name]:g} too"
            else:
                continue
            found.append(
                {
                    **{key: row[key] for key in KEY},
                    "decided_by": f"witness:{witness}",
                    "decided_because": because,
                }
            )
            break
    return pd.DataFrame(found, columns=EVIDENCE)


def settle(
    batch: Batch,
    known: Known,
    observed: pd.DataFrame,
    held: pd.DataFrame,
    rows: pd.DataFrame,
    passed: pd.DataFrame,
) -> pd.DataFrame:
    """What this batch says of observations that were held before: columns of SETTLED.

    Args:
        observed: what it shows, without what is not yet published.
        held: of that, what is held now.
        rows: the accepted rows of its funds after it, ascending, each with `status` (number of
            its return_status), `gap`, `growth_pct`, `dividend` and `split`.
        passed: columns of EVIDENCE.
    """
    # What this batch itself repeats word for word is settled with the others.
    mine = known.sightings[known.sightings["fund_code"].isin(observed["fund_code"].unique())]
    if mine.empty:
        return pd.DataFrame(columns=SETTLED)
    funds = mine["fund_code"].unique()
    observed = observed[observed["fund_code"].isin(funds) & (observed["defect"] == "")]
    shown = {
        (row["fund_code"], row["nav_date"]): row
        for row in observed.loc[
            pd.MultiIndex.from_frame(observed[KEY]).isin(pd.MultiIndex.from_frame(mine[KEY]))
        ].to_dict("records")
    }
    still = set(held[[*KEY, "rule"]].itertuples(index=False, name=None))
    whole = {key[:2] for key in still if not _cells(key[2])}
    why = {(r["fund_code"], r["nav_date"]): r for r in passed.to_dict("records")}
    spans = observed.groupby("fund_code")["nav_date"].agg(["min", "max"])
    of_fund = dict(list(rows[rows["fund_code"].isin(funds)].groupby("fund_code")))
    found = []
    for one in mine.to_dict("records"):
        key = (one["fund_code"], one["nav_date"])
        if key in shown:
            if key in whole or (*key, one["rule"]) in still:
                continue
            said = _by_sight(batch, one, shown[key], why.get(key))
        elif batch.voice == "history" and _lacks(spans, *key):
            said = (
                "rejected",
                "witness:history",
                f"the history of batch {batch.batch_id} has later NAVs and none of this date",
            )
        else:
            said = _by_growth(one, of_fund.get(one["fund_code"]))
        if said:
            found.append((one["id"], *said))
    return pd.DataFrame(found, columns=SETTLED)


def refused_before(observed: pd.DataFrame, decisions: pd.DataFrame, voice: str) -> pd.Series:
    """Why each observation was rejected when this voice showed it before; empty where not.

    Args:
        decisions: columns of NAV_QUARANTINE: what witnesses rejected.
    """
    found = pd.Series("", index=observed.index, dtype="object")
    before = decisions[voices_of(decisions["batch_id"]) == voice]
    if before.empty:
        return found
    shown = observed[[*KEY, *OBSERVED_NAMES]].assign(at=observed.index)
    shown = shown[shown["fund_code"].isin(before["fund_code"].unique())]
    pairs = shown.merge(before, on=KEY, suffixes=("", "_held"))
    same = pd.Series(True, index=pairs.index)
    for name in OBSERVED_NAMES:
        absent = pairs[name].isna() | pairs[f"{name}_held"].isna()
        same &= absent | _same(pairs[name], pairs[f"{name}_held"], name)
    pairs = pairs[same]
    found.loc[pairs["at"]] = pairs["decided_because"].to_numpy()
    return found


def _by_sight(
    batch: Batch,
    one: Row,
    seen: Row,
    passed: Row | None,
) -> tuple[str, str, str] | None:
    """What an observation that passed says of one held before of the same fund and date."""
    told = [
        (name, one[name], seen[name])
        for name in _about(one["rule"])
        if seen[name] == seen[name]
    ]
    if not told:
        return None
    other = batch.voice != one["voice"] and batch.voice in WITNESSES
    same = all(now == now and abs(now - then) <= ROUNDING[name] for name, then, now in told)
    words = ", ".join(f"{name} {now:g}" for name, _, now in told)
    if other:
        shows = f"the {batch.voice} of batch {batch.batch_id} shows {words}"
        return "accepted" if same else "rejected", f"witness:{batch.voice}", shows
    if not same:
        took_back = f"batch {batch.batch_id} of the same {batch.voice} shows {words} instead"
        return "rejected", "source:withdrawn", took_back
    if passed:
        return "accepted", passed["decided_by"], passed["decided_because"]
    return "accepted", "rules", f"batch {batch.batch_id} shows it again with what is known now"


def _by_growth(one: Row, rows: pd.DataFrame | None) -> tuple[str, str, str] | None:
    """What the next accepted NAV says of a held unit NAV that is not shown again."""
    value = one["unit_nav"]
    if rows is None or "unit_nav" not in _about(one["rule"]) or value != value:
        return None
    dates = rows["nav_date"].to_numpy()
    at = int(np.searchsorted(dates, one["nav_date"], side="right"))
    if at == 0 or at >= len(rows):
        return None
    after, before = rows.iloc[at], rows.iloc[at - 1]
    there = before["nav_date"] == one["nav_date"]
    # One session, whether the date of the held value has an accepted NAV or none.
    if after["gap"] != (0 if there else 1) or np.isnan(after["growth_pct"]):
        return None
    leads = (after["unit_nav"] * after["split"] + after["dividend"]) / (
        1 + after["growth_pct"] / 100
    )
    near = abs(leads / before["unit_nav"] - 1) < abs(value / before["unit_nav"] - 1) / 2
    if not near or abs(leads / value - 1) <= SUSPECT_PCT / 100:
        return None
    return (
        "rejected",
        "witness:growth",
        f"the NAV {after['unit_nav']:g} of {after['nav_date']} and its growth "
        f"{after['growth_pct']:g} % imply {leads:.4f}, not to {value:g}",
    )


def _lacks(spans: pd.DataFrame, fund: str, date: int) -> bool:
    return fund in spans.index and bool(spans.loc[fund, "min"] <= date < spans.loc[fund, "max"])


def _about(rule: str) -> Iterator[str]:
    yield from RULES[rule].about if rule in RULES else OBSERVED_NAMES


def _cells(rule: str) -> bool:
    """Whether a rule holds cells alone and lets the rest of the row go on."""
    return rule in RULES and RULES[rule].cells


def _same(one: pd.Series, other: pd.Series, name: str) -> pd.Series:
    return (one - other).abs() <= ROUNDING[name]


def leads_back(
    status: NDArray[np.int8], first: NDArray[np.bool_], gap: NDArray[np.int64], proven: int
) -> NDArray[np.bool_]:
    """Whether the row after each, of the next session, grew from it by its published growth."""
    found = np.zeros(len(status), dtype=bool)
    found[:-1] = (status[1:] == proven) & ~first[1:] & (gap[1:] == 0)
    return found
