"""Plays cells of the matrix: an evening with the fault, and one round without it.

Belongs here: what is looked at, and when. Does not belong here: the cells (`cells.py`).
"""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from unittest import mock

import pandas as pd

from fund_assets.observability.alerts.catalog import KINDS
from fund_assets.observability.alerts.lifecycle import Event, Notification
from fund_assets.observability.conditions import Severity
from fund_assets_tests.faults.cells import MORNING, Cell
from fund_assets_tests.faults.daemon import at
from fund_assets_tests.faults.harm import AWAY, REFUSES
from fund_assets_tests.faults.invariants import violations
from fund_assets_tests.faults.world import (
    DATE,
    EVE,
    LATER,
    TONIGHT,
    WAVE,
    Street,
    World,
    a_market,
    first_evening,
)
from fund_assets_tests.server import MarketServer
from fund_assets_tests.server.robots import RobotServer

SETTLED = timedelta(seconds=60)
#: Storage in memory, where the machine has it.
SHM = Path("/dev/shm")


@dataclass
class Played:
    """What became of a cell.

    Attributes:
        wrong: everything that is not as it must be; empty when the cell holds.
    """

    cell: Cell
    end: str = ""
    told: frozenset[str] = frozenset()
    seconds: float = 0.0
    wrong: list[str] = field(default_factory=list)


class Stage:
    """The evening before, and an evening without faults to compare with.

    Args:
        folder: of its own.
    """

    def __init__(self, folder: Path, server: MarketServer) -> None:
        self.folder, self.server = folder, server
        self.street: Street = server.content  # type: ignore[assignment]
        first_evening(folder / "before", server)
        self._clean: dict[str, pd.DataFrame] = {}

    def clean(self, when: str) -> pd.DataFrame:
        """The accepted history at a moment of an evening without faults."""
        if when not in self._clean:
            with self._world("clean") as world:
                for moment in (EVE, WAVE, LATER, MORNING):
                    world.at(moment)
                    self._clean[moment] = world.accepted()
        return self._clean[when]

    def play(self, cell: Cell) -> Played:
        """One cell, from the evening before to the repair."""
        started = time.monotonic()
        played = Played(cell)
        self.server.reset()
        self.street.change.clear()
        self.street.repeat.clear()
        try:
            (self._message if cell.channel[0] else self._play)(cell, played)
        except Exception as error:
            played.wrong.append(f"it could not be played: {type(error).__name__}: {error}")
        if played.end != cell.end:
            played.wrong.append(f"end {played.end}, expected {cell.end}")
        if played.told != cell.alerts:
            played.wrong.append(f"told {sorted(played.told)}, expected {sorted(cell.alerts)}")
        played.seconds = time.monotonic() - started
        return played

    def _play(self, cell: Cell, played: Played) -> None:
        with self._world("cell") as world:
            world.at(EVE)
            if early := [t.state.fingerprint for t in world.look()]:
                played.wrong.append(f"alerts before the fault: {early}")
            before = world.accepted()
            with cell.doing(world):
                tellings = []
                for when in cell.rounds:
                    world.at(when)
                    tellings += world.look()
                # A run that has just failed may be tried again: it is not told at once.
                tellings += world.look(world.now + SETTLED)
            began = [t for t in tellings if t.event is Event.BEGAN]
            played.told = frozenset(map(_label, began))
            if over := [t.state.fingerprint for t in tellings if t.event is Event.OVER]:
                played.wrong.append(f"told as over while the fault lasts: {over}")
            if len({t.state.fingerprint for t in began}) < len(began):
                played.wrong.append("an alert was told twice")
            played.end = world.end(measured=cell.stage == "metrics")
            self._judge(world, played, "with the fault")
            if played.end == "held" and not world.accepted().equals(before):
                played.wrong.append("a held batch changed the accepted history")
            for when in cell.after:
                world.at(when)
            over = {t.state.fingerprint for t in world.look() if t.event is Event.OVER}
            self._judge(world, played, "after the repair")
            self._recovered(world, played, cell)
            for when in cell.over:
                world.at(when)
                over |= {t.state.fingerprint for t in world.look() if t.event is Event.OVER}
            lasting = {
                t.state.fingerprint
                for t in began
                if not KINDS[t.state.kind].momentary and t.state.severity > Severity.NOTICE
            }
            if over != lasting:
                played.wrong.append(f"told as over: {sorted(over)}, began: {sorted(lasting)}")

    def _message(self, cell: Cell, played: Played) -> None:
        """An alert over a channel that does not take it, and takes it later."""
        name, how = cell.channel
        with self._world("cell") as world, RobotServer(name) as server:
            setting, robot = f"FUND_ALERT_{name.upper()}_URL", server.robot
            url = server.url if how != AWAY else f"http://127.0.0.1:9{server.path}"
            with mock.patch.dict(os.environ, {setting: url}):
                world.at(EVE)
                if how == REFUSES:
                    robot.most = 0
                elif isinstance(how, int):
                    robot.fault = how
                played.told = frozenset(map(_label, world.look(at(f"{TONIGHT}T19:20:00"))))
                waiting = world.outbox("waiting")
                if len(waiting) == 1 and waiting[0]["error"] and not robot.accepted:
                    played.end = "retried"
            robot.most, robot.fault = 10**9, None
            with mock.patch.dict(os.environ, {setting: server.url}):
                told = len(robot.accepted)
                for moment in ("19:21:05", "19:22:10"):
                    if world.look(at(f"{TONIGHT}T{moment}")):
                        played.wrong.append("the alert began twice")
                if len(robot.accepted) - told != 1 or world.outbox("waiting"):
                    played.wrong.append(f"{len(robot.accepted)} messages arrived, not one")
                world.at(f"{TONIGHT}T19:30:30")
                over = {t.state.kind for t in world.look() if t.event is Event.OVER}
                if over != cell.alerts or "已恢复" not in robot.texts[-1]:
                    played.wrong.append(f"its end was not told: {sorted(over)}")
            self._judge(world, played, "with the fault")

    @contextmanager
    def _world(self, name: str) -> Iterator[World]:
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.folder / "before", folder)
        with World(folder, self.server) as world:
            yield world

    def _judge(self, world: World, played: Played, when: str) -> None:
        with world.warehouse() as warehouse:
            played.wrong += [f"{when}: {law}" for law in violations(warehouse)]

    def _recovered(self, world: World, played: Played, cell: Cell) -> None:
        """The accepted history is that of an evening without the fault, and is measured."""
        clean, now = self.clean(cell.after[-1]), world.accepted()
        keys = ["nav_date", "fund_code"]
        if not cell.complete:
            both = clean.merge(now, on=keys)
            same = both["unit_nav_x"].fillna(-1) == both["unit_nav_y"].fillna(-1)
            if not same.all() or len(both) < 0.99 * len(clean):
                played.wrong.append("after the repair NAVs differ, or one in a hundred is lost")
        elif not now.equals(clean):
            beside = clean.merge(now, on=keys, how="outer", indicator=True)
            lost = int((beside["_merge"] != "both").sum())
            both = clean.merge(now[keys], on=keys), now.merge(clean[keys], on=keys)
            differ = int((both[0].fillna(-1) != both[1].fillna(-1)).any(axis=1).sum())
            played.wrong.append(
                f"after the repair {lost} rows are missing or too many, {differ} differ"
            )
        if world.table("fund_metrics")["calc_date"].max() != DATE:
            played.wrong.append("after the repair the date is not measured")


def _label(telling: Notification) -> str:
    """The kind of an alert; of one that is worth a look and no action, `notice`."""
    return telling.state.kind if telling.state.severity > Severity.NOTICE else "notice"


@contextmanager
def a_stage() -> Iterator[Stage]:
    """A stage that cleans up after itself."""
    folder = Path(mkdtemp(prefix="faults-", dir=SHM if SHM.is_dir() else None))
    try:
        with a_market() as server:
            yield Stage(folder, server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
