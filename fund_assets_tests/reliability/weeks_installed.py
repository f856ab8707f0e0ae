"""The definitions of the walked weeks: the project's own, over a market that can be away.

Belongs here: what differs from the project's definitions. Does not belong here: when the
market is away (`weeks.py`).

`alert_sensor` looks at the machine's clock; the walk makes the same look at its own.
"""

from functools import cached_property
from typing import Any
from unittest import mock

import pandas as pd

from fund_assets import definitions
from fund_assets.resources import Platform
from fund_assets.transport.errors import TransportError
from fund_assets_tests.faults.installed import SENSORS
from fund_assets_tests.integration.evenings import Tampered

#: What is wrong with the market now: "away", "half".
TROUBLE: set[str] = set()


def _half(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[: len(frame) // 2] if "half" in TROUBLE else frame


class Market(Tampered):
    """A market that answers nothing while it is away, and half of its funds at times."""

    def __getattribute__(self, name: str) -> Any:
        if "away" in TROUBLE and name in {
            "fund_list", "wave", "events", "index_history", "histories", "history",
        }:  # fmt: skip
            raise TransportError(f"{name}: connection refused")
        return super().__getattribute__(name)


class WalkedPlatform(Platform):
    """The platform of the settings, over that market."""

    @cached_property
    def source(self):
        return Market(super().source, observations=_half)


with mock.patch.object(definitions, "SENSORS", SENSORS):
    defs = definitions.build_defs(WalkedPlatform())
