"""The names by which Dagster knows what is ours: owner, time zone, pools, the tag of a week.

Belongs here: what assets, jobs, schedules and `dagster.yaml` must call the same. Does not
belong here: names of assets and jobs (`schemas/profiles.py`).
"""

from fund_assets.settings import SHANGHAI

OWNERS = ["team:fund-assets"]
TIMEZONE = SHANGHAI.key
#: ISO week that a run of the weekly job is about; tries again and re-executions keep it.
WEEK_TAG = "fund/week"
#: Pools of the assets that ask the source: however runs were launched, dagster.yaml lets one
#: at a time be in each, and the others wait in the queue.
WAVES, HISTORIES, QUARTER = "waves", "histories", "quarter"
