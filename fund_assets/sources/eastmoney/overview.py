"""The page of a fund's facts (基本概况) at eastmoney, through akshare: its benchmark.

Belongs here: asking for the page and reading what the fund is measured against. Does not belong
here: what the text means (`benchmarks/`).
"""

from collections.abc import Mapping

from fund_assets.safe_text import plain
from fund_assets.sources.eastmoney.addresses import OVERVIEW_HOST
from fund_assets.sources.eastmoney.akshare_client import run
from fund_assets.sources.eastmoney.cells import quote
from fund_assets.sources.protocol import Overview, Payload
from fund_assets.transport.errors import (
    FormatError,
    StatusError,
    TruncatedError,
    UnknownFundError,
    WrongFundError,
)
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.http_answer import Answer, banned
from fund_assets.transport.request import OneFund

ENDPOINT = "overview"
_CODE, _BENCHMARK, _TRACKED = "基金代码", "业绩比较基准", "跟踪标的"
#: What the page writes where a fund tracks nothing.
_NO_INDEX = "无跟踪标的"


def check_overview(answer: Answer) -> None:
    """Refuse a cut page, and a page of another kind."""
    body, what = answer.body, f"the page {answer.url}"
    if _BENCHMARK.encode() not in body:
        raise banned(what, body)
    if not body.rstrip()[-64:].lower().endswith(b"</html>"):
        raise TruncatedError(f"{what} is incomplete, without </html>; try again later")


def overview(gateway: Gateway, fund_code: str) -> Overview:
    """What a fund's page says it is measured against, and which index it tracks.

    Raises:
        UnknownFundError: there is not a page of it.
        SourceError: no answer, or one of another form or fund.
    """
    answers = []

    def fetch(
        url: str, params: Mapping[str, str] | None, headers: Mapping[str, str] | None
    ) -> Answer:
        answer = gateway.fetch(
            ENDPOINT,
            url,
            params,
            headers,
            form="html",
            about=OneFund(fund_code),
            check=check_overview,
        )
        answers.append(answer)
        return answer

    try:
        frame = run("fund_overview_em", fetch, symbol=fund_code).frame
    except StatusError as error:
        if error.status == 404:
            raise UnknownFundError(f"{OVERVIEW_HOST} has no fund {fund_code}") from error
        raise
    what = f"the facts of fund {fund_code}"
    if missing := {_CODE, _BENCHMARK, _TRACKED} - set(map(str, frame.columns)):
        raise FormatError(
            f"{what} have no {', '.join(sorted(missing))}: the source changed the page; "
            "upgrade akshare, or report it"
        )
    facts = {name: plain(str(frame[name].iloc[0])) for name in (_CODE, _BENCHMARK, _TRACKED)}
    if fund_code not in facts[_CODE]:
        raise WrongFundError(f"{what} were requested, the page is of {quote(facts[_CODE])}")
    tracked = "" if _NO_INDEX in facts[_TRACKED] or facts[_TRACKED] == "--" else facts[_TRACKED]
    (answer,) = answers[-1:]
    payload = Payload(ENDPOINT, answer.sha256, len(answer.body), 1, decoder="akshare")
    return Overview(fund_code, facts[_BENCHMARK], tracked, (payload,))
