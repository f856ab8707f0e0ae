"""Turning what a source answered into a batch that can land.

Belongs here: the batch's identity, which is its content, and what cannot land at all. Does
not belong here: judging values (`rules.py`), or writing (`warehouse/stores/landing.py`).
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fund_assets.calendar import days_to_keys, keys_to_days
from fund_assets.nav.rules import valid_codes
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.schemas.table import DATE_LIMITS
from fund_assets.schemas.tables import COLLECTION_BATCH, FUND_NAV, NAV_QUARANTINE

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


@dataclass(frozen=True)
class Landing:
    """A batch ready to land: one row of COLLECTION_BATCH, and rows of the other tables.

    Attributes:
        landed: columns of FUND_NAV.
        refused: columns of NAV_QUARANTINE: observations without a valid code or date.
    """

    batch: pd.DataFrame
    landed: pd.DataFrame
    refused: pd.DataFrame

    @property
    def batch_id(self) -> str:
        """The batch's id."""
        return str(self.batch["batch_id"].iloc[0])

    @property
    def kind(self) -> str:
        """`wave`, `history`, `events` or `desk`."""
        return str(self.batch["kind"].iloc[0])


def content_digest(observations: pd.DataFrame, *labels: object) -> str:
    """sha256 of the observations, whatever their order, and of `labels`."""
    ordered = observations.sort_values(["fund_code", "nav_date"], kind="stable")
    digest = hashlib.sha256(json.dumps(labels).encode())
    for name in ("fund_code", "defect"):
        texts = pa.chunked_array(pa.array(ordered[name], pa.string())).combine_chunks()
        if len(texts):
            whole = pa.ListArray.from_arrays([0, len(texts)], texts)
            digest.update(pc.binary_join(whole, "\x1f")[0].as_buffer())
    digest.update(ordered["nav_date"].to_numpy(dtype="<i4").tobytes())
    for name in OBSERVED_NAMES:
        values = ordered[name].to_numpy(dtype="<f8").copy()
        values[np.isnan(values)] = np.nan  # one bit pattern for every NaN
        digest.update(values.tobytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Origin:
    """What a batch is of.

    Attributes:
        kind: `wave`, `history`, `events` or `desk`.
        source: the source's name.
        newest_date, previous_date: yyyymmdd, the dates it is about.
        collected_at: yyyymmddhhmmss.
    """

    kind: str
    source: str
    newest_date: int
    previous_date: int | None
    collected_at: int


def prepare(
    observations: pd.DataFrame,
    events: pd.DataFrame | None = None,
    *,
    origin: Origin,
    payloads: Iterable["DataclassInstance"],
    labels: Iterable[str] = (),
) -> Landing:
    """Make a batch of observations (`sources.base.OBSERVATION_COLUMNS`).

    The same observations and events (`sources.base.EVENT_COLUMNS`) make the same batch id
    whenever and in whatever order they come. An infinite figure becomes a defect.

    Args:
        labels: what tells batches of the same observations apart.

    Raises:
        ValueError: a fund and date stand twice; a source must unite or mark them.
    """
    kind, source, newest_date = origin.kind, origin.source, origin.newest_date
    told = (
        [] if events is None else sorted(map(repr, events.itertuples(index=False, name=None)))
    )
    digest = content_digest(
        observations, kind, source, newest_date, origin.previous_date, *told, *labels
    )
    batch_id = f"{kind[0]}{newest_date}-{digest[:12]}"
    observations = _finite(observations)
    code_ok = valid_codes(observations["fund_code"])
    good = code_ok & _are_dates(observations["nav_date"].to_numpy())
    landed = observations[good].assign(batch_id=batch_id)
    landed["defect"] = landed["defect"].str.slice(0, 400)
    twice = landed[landed.duplicated(["fund_code", "nav_date"])]
    if len(twice):
        one = twice.iloc[0]
        raise ValueError(
            f"the source {source} gave {len(twice)} rows of a fund and date twice, first "
            f"{one['fund_code']} {one['nav_date']}"
        )
    batch = pd.DataFrame(
        {
            "batch_id": [batch_id],
            "kind": kind,
            "source": source,
            "newest_date": newest_date,
            "previous_date": pd.array([origin.previous_date], dtype="Int32"),
            "collected_at": origin.collected_at,
            "rows_read": len(told) if kind == "events" else len(observations),
            "payloads": json.dumps(
                [asdict(payload) for payload in payloads], ensure_ascii=False
            ),
            "state": "landed",
            "held_because": "",
        }
    )
    return Landing(
        batch=COLLECTION_BATCH.conform(batch),
        landed=FUND_NAV.conform(landed).sort_values(list(FUND_NAV.primary_key)),
        refused=quarantine_rows(
            _refused(observations[~good], code_ok[~good]), batch_id, origin.collected_at
        ),
    )


def _finite(observations: pd.DataFrame) -> pd.DataFrame:
    """`observations` with a defect in place of each infinite figure: no table holds one."""
    changed: dict[str, pd.Series] = {}
    defect = observations["defect"]
    for name in OBSERVED_NAMES:
        infinite = np.isinf(observations[name])
        if infinite.any():
            told = f"{name}: not a number: " + observations[name].astype("str")
            before = defect.where(defect == "", defect + "; ")
            defect = (before + told).where(infinite, defect)
            changed[name] = observations[name].mask(infinite)
    return observations.assign(**changed, defect=defect) if changed else observations


def _are_dates(keys: np.ndarray) -> np.ndarray:
    inside = (keys >= DATE_LIMITS[0]) & (keys <= DATE_LIMITS[1])
    real = days_to_keys(keys_to_days(np.where(inside, keys, DATE_LIMITS[0])))
    return np.asarray(inside & (real == keys))


def _refused(bad: pd.DataFrame, code_ok: np.ndarray) -> pd.DataFrame:
    """What cannot land, with the rule and the reason."""
    codes = bad["fund_code"].str.slice(0, 64)
    reasons = [
        f"{code}: nav_date {date} is not a date; unit_nav {nav:g}"
        if ok
        else f"fund_code {code!r} is not six ASCII digits; nav_date {date}, unit_nav {nav:g}"
        for code, date, nav, ok in zip(
            codes, bad["nav_date"], bad["unit_nav"], code_ok, strict=True
        )
    ]
    dates = bad["nav_date"].astype("Int32")
    return bad.assign(
        fund_code=codes,
        nav_date=dates.where(_are_dates(bad["nav_date"].to_numpy())),
        rule=np.where(code_ok, "R05_nav_date", "R01_fund_code"),
        reason=pd.Series(reasons, index=bad.index, dtype="str"),
    )


def quarantine_rows(held: pd.DataFrame, batch_id: str, created_at: int) -> pd.DataFrame:
    """Rows of NAV_QUARANTINE for held observations with `rule` and `reason`.

    The id is a digest of what is held, so holding the same again adds nothing. Without a
    `state`, it is held.
    """
    rows = held.assign(
        batch_id=batch_id,
        created_at=created_at,
        decided_in="",
        reason=held["reason"].astype("str").str.slice(0, 600),
    )
    for name, default in (("state", "held"), ("decided_by", ""), ("decided_because", "")):
        if name not in rows:
            rows[name] = default
    rows["decided_at"] = rows["created_at"].astype("Int64").where(rows["state"] != "held")
    fields = ["batch_id", "fund_code", "nav_date", "rule", *OBSERVED_NAMES]
    rows["id"] = [
        hashlib.sha256(repr(values).encode()).hexdigest()[:32]
        for values in rows[fields].itertuples(index=False, name=None)
    ]
    return NAV_QUARANTINE.conform(rows.drop_duplicates("id"))
