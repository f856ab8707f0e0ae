"""The definitions of the simulated year: one wave an evening, of a market that can be bent.

Belongs here: what differs from the project's own definitions. Does not belong here: what goes
wrong on which evening (`year.py`).

One tick a day in the place of six: a year then has 365 of them. Skipping, retries, the gap
sensor and automation are the project's own.
"""

from functools import cached_property
from typing import Any
from unittest import mock

from fund_assets import definitions
from fund_assets.automation import jobs, schedules
from fund_assets.resources import Platform
from fund_assets_tests.faults.installed import SENSORS
from fund_assets_tests.integration.evenings import Tampered

#: How the market is bent at this moment: arguments of `Tampered`.
BENT: dict[str, Any] = {}


class BentPlatform(Platform):
    """The platform of the settings, its market bent."""

    @cached_property
    def source(self):
        return Tampered(super().source, **BENT)


EVERY_EVENING = schedules._schedule(
    "every_evening", jobs.daily_pipeline, "0 23 * * *", "The whole chain."
)

with (
    mock.patch.object(definitions, "SENSORS", SENSORS),
    mock.patch.object(definitions, "SCHEDULES", [EVERY_EVENING]),
):
    defs = definitions.build_defs(BentPlatform())
