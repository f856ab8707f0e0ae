"""Step 2: a wave of the market into the landing zone, and the statuses of its classes.

The NAVs land first: a list of purchases that cannot be had holds up none of them.

Does not belong here: whole histories of funds (`nav_history.py`), judging what has landed
(`validated_nav.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pandas as pd

from fund_assets.calendar import to_key, to_stamp
from fund_assets.nav.landing_rows import Landing, Origin, prepare
from fund_assets.nav.list_rules import acceptable, described
from fund_assets.nav.statuses import united
from fund_assets.pipeline.fund_info import with_unlisted
from fund_assets.sources.protocol import FundSource, Payload, Wave
from fund_assets.transport.errors import SourceError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import landing
from fund_assets.warehouse.stores.fund_status import write_statuses


@dataclass(frozen=True)
class WaveReport:
    """What a wave brought, and the list of purchases after it.

    Attributes:
        statuses: what both say of each class, as `nav.statuses.united` returns it.
        statuses_written: rows of fund_status that are new or ended.
        purchases: the answers of the list.
        purchases_failed: why the list could not be had; what it says stays as it was.
    """

    landing: Landing
    wave: Wave
    is_new: bool
    statuses: pd.DataFrame | None = None
    statuses_written: int = 0
    purchases: tuple[Payload, ...] = ()
    purchases_failed: str = ""


def collect_wave(
    warehouse: Warehouse, source: FundSource, now: Callable[[], datetime]
) -> WaveReport:
    """Fetch the market's newest two dates and land them; the same answer lands once.

    Raises:
        SourceError: the wave failed; nothing landed.
    """
    wave = source.wave()
    collected = now()
    prepared = prepare(
        wave.observations,
        origin=Origin(
            kind="wave",
            source=source.name,
            newest_date=to_key(wave.newest),
            previous_date=to_key(wave.previous),
            collected_at=to_stamp(collected),
        ),
        payloads=wave.payloads,
    )
    listed = wave.listing[acceptable(wave.listing)]
    new_funds = described(listed.drop_duplicates("fund_code"), to_key(collected.date()))
    is_new = landing.land(
        warehouse,
        prepared,
        new_funds=with_unlisted(new_funds, prepared),
    )
    listed, failure = None, ""
    try:
        listed = source.purchases()
    except SourceError as error:
        failure = f"{type(error).__name__}: {error}"
    seen = united(wave.statuses, listed.frame if listed else None)
    written = write_statuses(warehouse, prepared.batch, seen)
    payloads = listed.payloads if listed else ()
    return WaveReport(prepared, wave, is_new, seen, written, payloads, failure)
