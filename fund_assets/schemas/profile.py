"""What a profile of an asset is: `AssetProfile`, and how late an asset may be.

From one profile come Dagster's asset (`assets/_profiles.py`), the jobs that renew it, its check
`schema`, its row on dashboard and status page, its metrics, its alert of lateness and its line
on the terminal. Does not belong here: any concrete asset (`profiles.py`); what only Dagster
asks for (pool, kinds, code version), which stands at the asset.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fund_assets.language import say
from fund_assets.schemas.table import Table

#: Metadata of a materialization: name → value.
Figures = Mapping[str, Any]
#: The job that renews every asset of an evening in one run.
EVENING_JOB = "daily_pipeline"
EVENING, WEEKLY, SOURCE = "evening", "weekly", "source"


@dataclass(frozen=True)
class Deadline:
    """By when an asset must have been renewed.

    Attributes:
        cron: each deadline, in Asia/Shanghai.
        within: how long before it the renewal counts.
    """

    cron: str
    within: timedelta


#: The three waves after 20:30 and the one at 07:30, which runs on closed days too, each
#: renew the assets: one of them must have succeeded by 08:30 every morning. Whether the
#: data itself is as new as the exchange's sessions is the check `trading_day_freshness`.
EVERY_MORNING = Deadline("30 8 * * *", timedelta(hours=12))
#: The weekly job begins at 02:00 on Sunday; one that was missed is made up on the days after.
EVERY_SUNDAY = Deadline("0 12 * * 0", timedelta(hours=12))


def rows(figures: Figures) -> str:
    """What a materialization did, of which nothing but rows is to be told."""
    return say("{count:,} rows", count=figures.get("dagster/row_count", 0))


@dataclass(frozen=True, kw_only=True)
class AssetProfile:
    """All that is true of one asset, for whoever shows, renews, judges or tells of it.

    Attributes:
        name: of the asset, of its file in `assets/` and of its function there.
        label: what a Chinese reader calls it.
        description: what the Dagster UI says of it.
        group: evening, weekly or source.
        jobs: those that renew it; with EVENING_JOB among them it is watched every evening.
        upstream: the assets that it is made from.
        deadline: by when it must have been renewed; None where nothing is late.
        table: the one it writes, which then has the check `schema`.
        date_column: of that table, the date that follows the market; empty where none does.
        read_by_users: whether those who use the data read it: late, it harms them.
        words: what a materialization did, from its metadata, for the terminal.
    """

    name: str
    label: str
    description: str
    group: str
    jobs: tuple[str, ...]
    upstream: tuple[str, ...] = ()
    deadline: Deadline | None = None
    table: Table | None = None
    date_column: str = ""
    read_by_users: bool = False
    words: Callable[[Figures], str] = rows

    @property
    def every_evening(self) -> bool:
        """Whether every evening renews it whole, so that it is late without that."""
        return EVENING_JOB in self.jobs and self.deadline != EVERY_SUNDAY
