"""A local market server: real sockets and TLS in eastmoney's wire formats, with faults."""

from fund_assets_tests.server.content import (
    Content,
    RealContent,
    Reply,
    SourceContent,
    content_from_source,
)
from fund_assets_tests.server.market_server import Fault, MarketServer

__all__ = [
    "Content",
    "Fault",
    "MarketServer",
    "RealContent",
    "Reply",
    "SourceContent",
    "content_from_source",
]
