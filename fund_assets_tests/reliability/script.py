"""An evening as a list of deeds: what is landed, validated and decided, each repeatable.

Belongs here: writing such an evening down from the simulated market, and doing it, in a
process that a trial may end at any moment. Does not belong here: ending it (`trials.py`).
"""

import os
import pickle
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from fund_assets.calendar import TradingCalendar
from fund_assets.nav.history import HistoryChoice
from fund_assets.nav.landing_rows import Landing
from fund_assets.pipeline import nav_history
from fund_assets.pipeline import quarantine as quarantine_step
from fund_assets.pipeline.fund_events import refresh_events
from fund_assets.pipeline.fund_info import refresh
from fund_assets.pipeline.fund_nav import collect_wave
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.pipeline.quarantine import Decision
from fund_assets.pipeline.validated_nav import explain_block, validate
from fund_assets.resources import Platform
from fund_assets.settings import SHANGHAI
from fund_assets.sources.protocol import FundSource
from fund_assets.warehouse import Warehouse, WarehouseError
from fund_assets.warehouse.queries.quarantine import Wanted
from fund_assets.warehouse.stores import landing
from fund_assets_tests.integration.evenings import Tampered

BEFORE, EVENING = "2026-09-17T21:40:00", "2026-09-18T21:40:00"
NIGHT, DESK = "2026-09-18T23:00:00", datetime(2026, 9, 19, 9, 0, tzinfo=SHANGHAI)
THU, FRI = 20260917, 20260918
#: Funds whose histories land in the evening; and in each batch of those that land apart.
HISTORIES, APART_BATCHES, APART = 20, 6, 5
CALENDAR = TradingCalendar.build()


@dataclass(frozen=True)
class Land:
    """Land a batch."""

    batch: Landing
    arguments: dict[str, Any]

    def __call__(self, warehouse: Warehouse, committed: Callable[[str], None]) -> list[Any]:
        is_new = landing.land(warehouse, self.batch, **self.arguments)
        committed(f"{self.batch.kind} landed")
        return [(self.batch.batch_id, is_new)]


@dataclass(frozen=True)
class Validate:
    """Publish what waits."""

    def __call__(self, warehouse: Warehouse, committed: Callable[[str], None]) -> list[Any]:
        outcomes = validate(
            warehouse, CALENDAR, DESK, lambda done: committed(f"{done.kind} published")
        )
        if words := explain_block(outcomes):
            raise RuntimeError(words)
        return [(o.batch_id, not o.already) for o in outcomes]


@dataclass(frozen=True)
class Accept:
    """Accept the value that is out of bounds."""

    def __call__(self, warehouse: Warehouse, committed: Callable[[str], None]) -> list[Any]:
        told = quarantine_step.accept(
            warehouse, CALENDAR, DESK, Wanted(rules=("R07_nav_bounds",)),
            Decision("desk", "as the manager says"),
        )  # fmt: skip
        committed("accepted")
        return [(o.batch_id, True) for o in told.outcomes]


@dataclass
class Script:
    """The deeds of the evening, and batches of histories of other funds."""

    evening: list[Any] = field(default_factory=list)
    apart: list[Land] = field(default_factory=list)


def prepare(url: str, folder: Path, *, funds: int, years: float) -> Script:
    """Fill a new warehouse with the evening before, and write the evening down."""
    settings = {
        "source": "simulated", "state": str(folder), "warehouse_url": url,
        "sim_funds": funds, "sim_years": years, "sim_seed": 5,
    }  # fmt: skip
    before = Platform(overrides={**settings, "clock": BEFORE})
    warehouse = before.warehouse
    refresh(warehouse, before.source, THU)
    codes = sorted(before.source.fund_list().frame["fund_code"])
    later = codes[-(HISTORIES + APART * APART_BATCHES) :]
    collect_wave(warehouse, before.source, before.now)
    known = tuple(code for code in codes if code not in later)
    collect_histories(warehouse, before.source, before.now, HistoryChoice(codes=known))
    if words := explain_block(validate(warehouse, CALENDAR, before.now())):
        raise RuntimeError(words)

    script = Script()
    evening = Platform(overrides={**settings, "clock": EVENING})
    night = Platform(overrides={**settings, "clock": NIGHT})
    seen = evening.source.wave().observations
    published = seen[seen["unit_nav"].between(0.3, 5.0) & ~seen["fund_code"].isin(later)]
    both = published.groupby("fund_code")["nav_date"].nunique() == 2
    odd = both.index[both][:7].tolist()
    with _written_to(script.evening):
        collect_wave(warehouse, _odd(evening.source, odd, at_night=False), evening.now)
        collect_histories(
            warehouse,
            evening.source,
            evening.now,
            HistoryChoice(codes=tuple(later[:HISTORIES])),
        )
        refresh_events(warehouse, evening.source, evening.now)
    script.evening.append(Validate())
    with _written_to(script.evening):
        collect_wave(warehouse, _odd(night.source, odd, at_night=True), night.now)
    script.evening += [Validate(), Accept()]
    with _written_to(script.apart), mock.patch.object(nav_history, "FUNDS_PER_BATCH", APART):
        collect_histories(
            warehouse,
            evening.source,
            evening.now,
            HistoryChoice(codes=tuple(later[HISTORIES:])),
        )
    for platform in (before, evening, night):
        platform.warehouse.close()
    return script


def _odd(source: FundSource, codes: list[str], *, at_night: bool) -> FundSource:
    """The market with four small corrections, a large one, a jump, and an impossible value."""

    def change(frame: Any) -> Any:
        frame = frame.copy()
        for code, date, factor in (
            *((code, THU, 1.003) for code in codes[:4]),
            (codes[4], THU, 1.02),
            (codes[5], FRI, 1.6),
            (codes[6], FRI, 20_000.0),
        ):
            at = (frame["fund_code"] == code) & (frame["nav_date"] == date)
            frame.loc[at, "unit_nav"] = (frame.loc[at, "unit_nav"] * factor).round(4)
            if factor > 1.1:
                frame.loc[at, "growth_pct"] = np.nan
            if factor > 2 and at_night:  # the fund's cell is empty again
                frame.loc[at, ["unit_nav", "acc_nav"]] = np.nan
        return frame

    return Tampered(source, observations=change)  # type: ignore[return-value]


@contextmanager
def _written_to(deeds: list[Any]) -> Iterator[None]:
    """What would land is written down instead."""

    def note(_warehouse: Warehouse, batch: Landing, **arguments: Any) -> bool:
        deeds.append(Land(batch, {n: _kept(value) for n, value in arguments.items()}))
        return True

    with mock.patch.object(landing, "land", note):
        yield


def _kept(value: Any) -> Any:
    return list(value) if isinstance(value, list | tuple) else value


def perform(
    url: str,
    deeds: bytes,
    pipe: Connection,
    *,
    crash_at: str = "",
    file_limit: int = 0,
    in_process: bool = False,
) -> None:
    """Do deeds in a process of its own: say `ready`, wait for a word, say what came of it.

    Args:
        deeds: pickled.
        crash_at: FUND_CRASH_AT of this process.
        file_limit: bytes that no file may grow beyond.
        in_process: read what is stored in this process. The columnar reader starts a child
            for each query, and most random kills would meet one that is starting.
    """
    if in_process:
        Warehouse.columns = Warehouse.frame  # type: ignore[method-assign]
    os.environ["FUND_CRASH_AT"] = crash_at
    warehouse = Warehouse(url)
    try:
        todo = pickle.loads(deeds)
        warehouse.init("simulated")
        pipe.send("ready")
        pipe.recv()
        if file_limit:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
        done: list[Any] = []
        for deed in todo:
            done += deed(warehouse, lambda label: None)
        pipe.send(("done", done))
    except WarehouseError as error:
        pipe.send(("refused", str(error)))
    finally:
        warehouse.close()
