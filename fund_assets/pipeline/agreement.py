"""Part of step 3: our returns next to those that the source states with a history.

Belongs here: which comparisons are owed, and the missing dividends that become inferred events.
Does not belong here: comparing (`metrics/agreement.py`), what kind of event it is
(`nav/inference.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from fund_assets.calendar import days_to_keys, from_key, keys_to_days, to_key, to_stamp
from fund_assets.metrics.agreement import MISSING, Agreement, compare
from fund_assets.metrics.kernel import START_TOLERANCE_DAYS
from fund_assets.metrics.windows import start_days
from fund_assets.nav.inference import infer
from fund_assets.nav.returns import GROWTH_TOLERANCE_PCT, SUSPECTED_EVENT, last_digit
from fund_assets.schemas.columns import RETURN_STATUSES
from fund_assets.schemas.tables import FUND_EVENTS, SOURCE_AGREEMENT
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import agreement as queries
from fund_assets.warehouse.stores import agreement as store
from fund_assets.warehouse.stores import landing

#: Classes that are compared at once, and how far before their date the NAVs of those are read
#: that differ: the longest window, and what may pass before its start.
AT_ONCE, REACH = 500, timedelta(days=366 + 40)
#: What a check names: the others are explained.
UNEXPLAINED = ("unrecorded_dividend", "unknown")
#: Steps of these statuses are made of published growth, two decimals of percent.
_SURE = [RETURN_STATUSES.index(status) for status in ("first", "proven")]


@dataclass
class AgreementReport:
    """What comparing brought.

    Attributes:
        returns: how many were compared.
        events: inferred events that were written, columns of FUND_EVENTS.
    """

    returns: int = 0
    events: list[pd.DataFrame] = field(default_factory=list)


def compare_stated(warehouse: Warehouse, now: datetime) -> AgreementReport:
    """Compare what the newest histories state and what is not compared yet.

    A history that waits for the rules is compared when it is merged.
    """
    report = AgreementReport()
    for stated in _parts(queries.owed(warehouse)):
        found, events = _compare(warehouse, stated)
        rows = found.rows.assign(compared_at=to_stamp(now))
        if len(rows):
            store.write_agreement(warehouse, SOURCE_AGREEMENT.conform(rows), events)
        report.returns += len(rows)
        report.events += [events] if len(events) else []
    return report


def _parts(owed: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Some hundred classes at a time, whole ones, of one date."""
    number = owed.groupby(["nav_date", "fund_code"], sort=False).ngroup() // AT_ONCE
    for _, part in owed.groupby(["nav_date", number]):
        yield part


def _compare(warehouse: Warehouse, stated: pd.DataFrame) -> tuple[Agreement, pd.DataFrame]:
    """Nearly all are equal, and need the NAVs at the ends of their windows alone."""
    codes = stated["fund_code"].unique().tolist()
    date = int(stated["nav_date"].iloc[0])
    ends = queries.index_near(
        warehouse, codes, _spans(date, stated["window"].unique().tolist())
    )
    absent = dict.fromkeys(("unit_nav", "acc_nav", "digit", "unsure"), np.nan)
    rows = compare(ends.assign(**absent), stated).rows
    odd = rows.loc[~rows["verdict"].isin(["equal", "not_compared"]), "fund_code"].unique()
    if not len(odd):
        return Agreement(rows, pd.DataFrame(columns=MISSING)), FUND_EVENTS.empty()
    since = to_key(from_key(date) - REACH)
    series = _with_digits(queries.navs_since(warehouse, odd.tolist(), since))
    corrected = queries.corrected_since(warehouse, odd.tolist(), since)
    found = compare(series, stated[stated["fund_code"].isin(odd)], corrected)
    rows = pd.concat([rows[~rows["fund_code"].isin(odd)], found.rows], ignore_index=True)
    convicted = found.missing["fund_code"].unique()
    mine = series[series["fund_code"].isin(convicted)].reset_index(drop=True)
    events = missing_events(mine, found.missing, _recorded(warehouse, convicted))
    return Agreement(rows, found.missing), events


def _spans(date: int, windows: list[str]) -> list[tuple[int, int]]:
    """The dates of which one may be the start of each window, and its end."""
    starts = start_days(keys_to_days(np.array([date])), windows)[0]
    firsts = days_to_keys(starts - START_TOLERANCE_DAYS).tolist()
    return [*zip(firsts, days_to_keys(starts).tolist(), strict=True), (date, date)]


def _with_digits(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with what `compare` wants to know of each step."""
    before = rows.groupby("fund_code", sort=False)[["unit_nav", "acc_nav"]].shift()
    status = rows["return_status"].map(RETURN_STATUSES.index).to_numpy()
    unit, previous = rows["unit_nav"].to_numpy(), before["unit_nav"].to_numpy()
    by_growth = ~np.isin(status, _SURE) & ~np.isnan(rows["growth_pct"].to_numpy())
    return rows.assign(
        status=status,
        digit=last_digit(unit, previous),
        unsure=np.where(by_growth, GROWTH_TOLERANCE_PCT / 200, 0.0),
        prev_unit_nav=previous,
        prev_acc_nav=before["acc_nav"].to_numpy(),
    )


def _recorded(warehouse: Warehouse, codes: np.ndarray) -> pd.DataFrame:
    if not len(codes):
        return FUND_EVENTS.empty()
    events = landing.stored_events(warehouse, codes.tolist())
    return events[events["status"] == "recorded"]


def missing_events(
    rows: pd.DataFrame, missing: pd.DataFrame, recorded: pd.DataFrame
) -> pd.DataFrame:
    """Inferred rows of FUND_EVENTS for dividends that the source's returns convict.

    The same inference as of a suspected step; what the source's returns imply for the step is
    in the place of its published growth.

    Args:
        rows: of these classes, with status, prev_unit_nav and prev_acc_nav; ascending.
        missing: fund_code, ex_date and gain.
        recorded: their recorded events.
    """
    if missing.empty:
        return FUND_EVENTS.empty()
    day = rows.merge(
        missing,
        how="left",
        left_on=["fund_code", "nav_date"],
        right_on=["fund_code", "ex_date"],
    )
    convicted = day["gain"].notna()
    known = pd.MultiIndex.from_frame(rows[["fund_code", "nav_date"]]).isin(
        pd.MultiIndex.from_frame(recorded[["fund_code", "ex_date"]])
    )
    before, unit = rows["prev_unit_nav"], rows["unit_nav"]
    implied = 100 * (unit * (1 + day["gain"]) / before - 1)
    found = infer(
        rows.assign(
            growth_pct=implied.where(convicted, rows["growth_pct"]),
            status=rows["status"].where(~convicted, SUSPECTED_EVENT),
            by_events=unit / before - 1,
            dividend=0.0,
            # A recorded event of the day: whatever the source adds to it is not known.
            split=np.where(known, np.nan, 1.0),
        ),
        "",
    )
    keys = pd.MultiIndex.from_frame(missing[["fund_code", "ex_date"]])
    found = found[pd.MultiIndex.from_frame(found[["fund_code", "ex_date"]]).isin(keys)]
    batch = rows.set_index(["fund_code", "nav_date"])["batch_id"]
    batch_ids = [batch[key] for key in zip(found["fund_code"], found["ex_date"], strict=True)]
    words = found["evidence"].str.replace("published growth", "by the source's returns")
    return found.assign(
        first_batch_id=pd.Series(batch_ids, index=found.index, dtype="str"),
        batch_id=pd.Series(batch_ids, index=found.index, dtype="str"),
        evidence=words,
    )
