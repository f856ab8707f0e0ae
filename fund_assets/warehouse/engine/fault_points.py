"""Named moments at which a test can end the process, as a power cut would.

Belongs here: ending it. Does not belong here: the names (`settings.CRASH_POINTS`), or what
must be true afterwards (`fund_assets_tests/reliability`).
"""

import os

from fund_assets.settings import CRASH_POINTS

VARIABLE = "FUND_CRASH_AT"
EXIT_CODE = 137


def crash_point(name: str) -> None:
    """End the process here, without any cleaning up, when FUND_CRASH_AT names this moment."""
    if name not in CRASH_POINTS:
        raise KeyError(f"{name} is not in settings.CRASH_POINTS")
    if os.environ.get(VARIABLE) == name:
        os._exit(EXIT_CODE)
