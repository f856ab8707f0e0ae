"""A reader that looks at the warehouse again and again while something happens to it.

Belongs here: looking, in a process of its own. Does not belong here: which sights are right.
"""

import contextlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from fund_assets.warehouse import Warehouse, WarehouseError
from fund_assets_tests.reliability.places import Glance, glance

PAUSE_S = 0.02


@dataclass
class Sights:
    """What the reader saw: each state once, how often it looked, and what it was refused."""

    states: set[Glance] = field(default_factory=set)
    looks: int = 0
    refused: list[str] = field(default_factory=list)


def look(url: str, pipe: Connection) -> None:
    """Look until a word comes through the pipe, then tell what was seen."""
    seen = Sights()
    warehouse = Warehouse(url, read_only=True)
    pipe.send("ready")
    while not pipe.poll(PAUSE_S):
        try:
            seen.states.add(glance(warehouse))
            seen.looks += 1
        except WarehouseError as error:
            seen.refused.append(str(error))
            time.sleep(0.05)
    warehouse.close()
    pipe.send(seen)


@contextmanager
def watched(context: Any, url: str) -> Iterator[Sights]:
    """What a reader sees while the block runs; filled in when it ends."""
    ours, theirs = context.Pipe()
    reader = context.Process(target=look, args=(url, theirs), daemon=True)
    reader.start()
    ours.recv()
    seen = Sights()
    try:
        yield seen
    finally:
        ours.send("enough")
        with contextlib.suppress(EOFError):
            told: Sights = ours.recv()
            seen.states, seen.looks, seen.refused = told.states, told.looks, told.refused
        reader.join()
