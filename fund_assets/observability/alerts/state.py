"""Where the states of alerts are kept: in the warehouse, or beside it while that is dead.

Belongs here: states and silences as rows and back, and the file that remembers what was told
while the warehouse could not be read. Does not belong here: SQL (`warehouse/stores/alerts.py`).

The file is `FUND_STATE/<source>/alerts.json`. It exists only from the first look that found no
warehouse to the first that found it again, which takes its states over.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from fund_assets.calendar import from_stamp, to_stamp
from fund_assets.locks import lock
from fund_assets.observability.alerts.lifecycle import Silence, State
from fund_assets.observability.conditions import Severity

FILE = "alerts.json"
_TIMES = ("first_at", "resolved_at", "told_at", "ends_at", "created_at")
_SEVERITIES = ("severity", "told_as")


def as_row(item: State | Silence) -> dict[str, Any]:
    """A state or silence as a row of its table."""
    return {name: _plain(value) for name, value in asdict(item).items()}


def state_of(row: Mapping[str, Any]) -> State:
    """The state that a row tells."""
    return State(**{f.name: _read(f.name, row[f.name]) for f in fields(State)})


def silence_of(row: Mapping[str, Any]) -> Silence:
    """The silence that a row tells."""
    return Silence(**{f.name: _read(f.name, row[f.name]) for f in fields(Silence)})


class StateFile:
    """The file beside the warehouse; one process at a time holds it.

    Args:
        folder: `Settings.state_dir`.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    @contextmanager
    def held(self) -> Iterator[None]:
        """Alone with the file, until the end of the block."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("w") as file:
            lock(file)
            yield

    def read(self) -> dict[str, State]:
        """The states in it by fingerprint; none without the file."""
        try:
            rows = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return {row["fingerprint"]: state_of(row) for row in rows}

    def write(self, states: Mapping[str, State]) -> None:
        """Replace what is in it, wholly or not at all."""
        rows = [as_row(state) for state in states.values()]
        draft = self.path.with_suffix(".new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(rows, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    def drop(self) -> None:
        """The warehouse has taken the states over."""
        self.path.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_stamp(value)
    return value.name.lower() if isinstance(value, Severity) else value


def _read(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _TIMES:
        return from_stamp(value)
    return Severity[value.upper()] if name in _SEVERITIES else value
