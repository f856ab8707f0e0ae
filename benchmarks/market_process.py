"""A program: the benchmarks' market at one evening, served in eastmoney's wire formats.

Its own process, so that making the answers costs the measured one nothing: all of them are
made before it says, as one line of JSON, in which environment it is reached. Ends when its
standard input does.
"""

import json
import sys
from datetime import date

import data

from fund_assets_tests.server import MarketServer, Reply, content_from_source

ENDPOINTS = ("open_funds", "money_funds", "exchange_funds", "fund_list")


class Made:
    """Answers made beforehand."""

    def __init__(self, day: date) -> None:
        content = content_from_source(data.market_source(data.evening(day)))
        self.replies = {name: content.reply(name, "") for name in ENDPOINTS}

    def reply(self, endpoint: str, fund_code: str) -> Reply | None:
        """The answer of an endpoint."""
        return self.replies.get(endpoint)


def main() -> None:
    """Serve the evening of the day given as yyyy-mm-dd."""
    content = Made(date.fromisoformat(sys.argv[1]))
    with MarketServer(content) as server:
        print(json.dumps(server.env), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
