"""The exchange's sessions as Sina publishes them, through akshare.

Belongs here: fetching and reading them. Does not belong here: whether they can be trusted
(`calendar.check_refresh`): a cut answer decodes to wrong days without an error.
"""

import re
from collections.abc import Mapping

from fund_assets.calendar import to_key
from fund_assets.settings import Settings
from fund_assets.sources.akshare_client import run
from fund_assets.sources.base import TruncatedError
from fund_assets.sources.gateway import Answer, Gateway

#: The whole of the encoded days, its closing quote included: a cut answer has none.
_WHOLE = re.compile(rb'="[A-Za-z0-9+/]+"')


def announced_sessions(settings: Settings) -> list[int]:
    """Every session since 1990 that Sina knows, ascending yyyymmdd.

    Raises:
        SourceError: no answer, a cut one, or one that akshare cannot read.
    """
    gateway = Gateway.from_settings(settings)

    def fetch(
        url: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None
    ) -> Answer:
        answer = gateway.fetch("trading_days", url, params, headers)
        if not _WHOLE.search(answer.body):
            raise TruncatedError(
                f"trading_days: the answer of {url} holds no whole list of sessions, "
                f"{len(answer.body):,} bytes; try again later"
            )
        return answer

    frame = run("tool_trade_date_hist_sina", fetch).frame
    return sorted({to_key(day) for day in frame["trade_date"]})
