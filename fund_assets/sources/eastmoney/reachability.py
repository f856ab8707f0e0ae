"""Whether the real market can be used from here.

Belongs here: trying what every collection needs. Does not belong here: reading an answer
(`source.py`), whose libraries a person who asks would wait for.
"""

from time import monotonic

from fund_assets.sources.eastmoney.addresses import HEADERS, HISTORY_URL, HOST
from fund_assets.sources.eastmoney.javascript import ChildEngine, JavaScriptError
from fund_assets.transport.errors import SourceError
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.request import OneFund

#: A fund that has existed since 2001, for the reachability test.
OLDEST_FUND = "000001"


def ping_host(gateway: Gateway) -> tuple[str, bool, str]:
    """Whether a fund's history can be fetched: (what, is it well, in words)."""
    start = monotonic()
    try:
        answer = gateway.fetch(
            "history",
            HISTORY_URL.format(fund_code=OLDEST_FUND),
            headers=HEADERS,
            form="script",
            about=OneFund(OLDEST_FUND, keep=False),
        )
    except SourceError as error:
        return HOST, False, str(error)
    size, seconds = len(answer.body), monotonic() - start
    return HOST, True, f"{size:,} bytes of fund {OLDEST_FUND} in {seconds:.1f} s"


def ping_engine() -> tuple[str, bool, str]:
    """Whether JavaScript can be evaluated: (what, is it well, in words)."""
    name = "JavaScript engine"
    try:
        well = ChildEngine().execute("1+1") == 2
    except JavaScriptError as error:
        return name, False, f"{error}: reinstall akshare with py-mini-racer and akracer"
    return name, well, "akshare can read the calendar of sessions"
