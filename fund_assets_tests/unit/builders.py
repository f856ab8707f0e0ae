"""Small batches and known states for tests of merging."""

import numpy as np
import pandas as pd

from fund_assets.calendar import TradingCalendar
from fund_assets.nav.batch import Batch, Known
from fund_assets.nav.witness import SIGHTINGS
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.tables import FUND_EVENTS, FUND_NAV, VALIDATED_NAV

CALENDAR = TradingCalendar.build()
#: Monday to Friday of an ordinary week.
MON, TUE, WED, THU, FRI = 20260914, 20260915, 20260916, 20260917, 20260918


def observed(*rows, **more):
    """Rows of (code, date, unit, acc, growth) as FUND_NAV; `more` sets whole columns."""
    frame = pd.DataFrame(
        rows, columns=["fund_code", "nav_date", "unit_nav", "acc_nav", "growth_pct"]
    )
    for name in OBSERVED_NAMES:
        if name not in frame:
            frame[name] = np.nan
    frame = frame.assign(batch_id="w20260918-test", defect="").assign(**more)
    return FUND_NAV.conform(frame)


def wave(*rows, newest=FRI, previous=THU, refused=0, **more):
    """A wave of the market."""
    landed = observed(*rows, **more)
    return Batch(
        batch_id="w20260918-test",
        kind="wave",
        newest_date=newest,
        previous_date=previous,
        collected_at=20260918_190000,
        rows_read=len(landed) + refused,
        landed=landed,
        refused=refused,
    )


def history(*rows, **more):
    """A batch of histories."""
    landed = observed(*rows, **more).assign(batch_id="h20260918-test")
    return Batch(
        batch_id="h20260918-test",
        kind="history",
        newest_date=int(landed["nav_date"].max()),
        previous_date=None,
        collected_at=20260918_191000,
        rows_read=len(landed),
        landed=landed,
    )


def stored(*rows):
    """Rows of (code, date, unit, acc, growth, index, status) as VALIDATED_NAV."""
    frame = pd.DataFrame(
        rows,
        columns=["fund_code", "nav_date", "unit_nav", "acc_nav", "growth_pct",
                 "total_return_index", "return_status"],
    )  # fmt: skip
    return VALIDATED_NAV.conform(
        frame.assign(
            yield_per_10k=np.nan,
            yield_7d_pct=np.nan,
            days_covered=pd.NA,
            first_seen_at=20260917_190000,
            batch_id="w20260917-old",
        )
    )


def events(*rows):
    """Rows of (code, ex-date, kind, value) as FUND_EVENTS."""
    frame = pd.DataFrame(rows, columns=["fund_code", "ex_date", "kind", "value"])
    return FUND_EVENTS.conform(
        frame.assign(
            status="recorded",
            history_value=frame["value"],
            list_value=np.nan,
            text="",
            evidence="",
            first_batch_id="h",
            batch_id="h",
        )
    )


def held_before(*rows, rule="R08_jump_unconfirmed", voice="page", **figures):
    """Rows of (code, date, unit NAV) that were held, columns of `witness.SIGHTINGS`."""
    frame = pd.DataFrame(rows, columns=["fund_code", "nav_date", "unit_nav"]).assign(
        id=[f"{n:032x}" for n in range(len(rows))],
        batch_id=f"{voice[0].replace('p', 'w')}20260917-before",
        rule=rule,
        voice=voice,
        **figures,
    )
    for name in OBSERVED_NAMES:
        if name not in frame:
            frame[name] = np.nan
    dtypes = {"fund_code": "str", "nav_date": "int32", **dict.fromkeys(OBSERVED_NAMES, float)}
    return frame.astype(dtypes)[SIGHTINGS]


def known(stored_rows=None, *, event_rows=None, kinds=None, sightings=(), **more):
    """What the warehouse knows; by default nothing.

    `sightings`: rows of (code, date, unit NAV) that the page showed, or `held_before`.
    """
    defaults = {"members_before": frozenset(), "usual_rows": None, "published_date": None}
    if not isinstance(sightings, pd.DataFrame):
        sightings = held_before(*sightings)
    return Known(
        stored=VALIDATED_NAV.empty() if stored_rows is None else stored_rows,
        events=FUND_EVENTS.empty() if event_rows is None else event_rows,
        kinds=kinds or {},
        sightings=sightings,
        **{**defaults, **more},
    )
