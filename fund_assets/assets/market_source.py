"""The asset `market_source`: what all the others are made from, and none of them makes.

Belongs here: that it is there, for the canary's check to stand on. Does not belong here: asking
it (`sources/`), or what the check looks at (`checks/canary.py`).
"""

import dagster as dg

from fund_assets.assets.common import OWNERS

MARKET_SOURCE = dg.AssetSpec(
    "market_source",
    group_name="source",
    owners=OWNERS,
    description="The market as its hosts answer: asked here, made elsewhere.",
)
