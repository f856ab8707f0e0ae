"""Step 2: a wave of the market into the landing zone.

Does not belong here: whole histories of funds (`nav_history.py`), judging what has landed
(`validated_nav.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from fund_assets.calendar import to_key, to_stamp
from fund_assets.nav.landing_rows import Landing, Origin, prepare
from fund_assets.nav.list_rules import acceptable, described
from fund_assets.pipeline.fund_info import with_unlisted
from fund_assets.sources.protocol import FundSource, Wave
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import landing
from fund_assets.warehouse.stores.fund_status import write_statuses


@dataclass(frozen=True)
class WaveReport:
    """What a wave brought."""

    landing: Landing
    wave: Wave
    is_new: bool


def collect_wave(
    warehouse: Warehouse, source: FundSource, now: Callable[[], datetime]
) -> WaveReport:
    """Fetch the market's newest two dates and land them; the same answer lands once.

    Raises:
        SourceError: the source failed; nothing landed.
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
        more=(partial(write_statuses, batch=prepared.batch, seen=wave.statuses),),
    )
    return WaveReport(prepared, wave, is_new)
