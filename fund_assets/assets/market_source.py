"""The asset `market_source`: what all the others are made from, and none of them makes.

Belongs here: that it is there, for the canary's check to stand on. Does not belong here: asking
it (`sources/`), or what the check looks at (`checks/canary.py`).
"""

import dagster as dg

from fund_assets.assets._profiles import shown
from fund_assets.schemas import profiles

MARKET_SOURCE = dg.AssetSpec(profiles.MARKET_SOURCE.name, **shown(profiles.MARKET_SOURCE))
