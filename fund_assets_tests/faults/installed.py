"""The project's definitions without `alert_sensor`, which looks at the machine's clock.

The daemon of a test lives at another time; the test looks for alerts itself, at that time,
by the same function.
"""

from unittest import mock

from fund_assets import definitions

SENSORS = [sensor for sensor in definitions.SENSORS if sensor.name != "alert_sensor"]

with mock.patch.object(definitions, "SENSORS", SENSORS):
    defs = definitions.build_defs()
