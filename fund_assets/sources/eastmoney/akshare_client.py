"""akshare as a decoder over our own transport.

Belongs here: having one of akshare's functions called in a child process, so that its requests
go through a `fetch` of ours, and turning whatever it raises into a `FormatError`. Does not
belong here: what its frames mean (`akshare_tables.py`), how it is called (`akshare_calls.py`).
"""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import pandas as pd

from fund_assets.sources.eastmoney import akshare_child, sandbox
from fund_assets.sources.eastmoney.akshare_calls import MOST_REQUESTS, unpacked
from fund_assets.transport.errors import FormatError
from fund_assets.transport.http_answer import Answer
from fund_assets.transport.request import Post

Fetch = Callable[..., Answer]
_CHINABOND = "https://yield.chinabond.com.cn/cbweb-mn/indices/singleIndexQueryResult"
_SAFE = "https://www.safe.gov.cn/"
#: The addresses that each function in use asks for, a blank between them, with POST before what
#: is no GET. Another one is no business of it.
ADDRESSES = {
    "fund_name_em": "https://fund.eastmoney.com/js/fundcode_search.js",
    "fund_open_fund_daily_em": "https://fund.eastmoney.com/Data/Fund_JJJZ_Data.aspx",
    "fund_open_fund_info_em": "https://fund.eastmoney.com/pingzhongdata/",
    "fund_money_fund_daily_em": "https://fund.eastmoney.com/HBJJ_pjsyl.html",
    "fund_etf_fund_daily_em": "https://fund.eastmoney.com/cnjy_dwjz.html",
    "fund_overview_em": "https://fundf10.eastmoney.com/jbgk_",
    "stock_zh_index_daily_em": "https://push2his.eastmoney.com/api/qt/stock/kline/get",
    "index_global_hist_em": "https://push2his.eastmoney.com/api/qt/stock/kline/get",
    "index_csindex_all": "POST:https://www.csindex.com.cn/csindex-home/exportExcel/indexAll/CH",
    "stock_zh_index_hist_csindex": "https://www.csindex.com.cn/csindex-home/perf/index-perf",
    "index_all_cni": "https://www.cnindex.com.cn/index/indexList",
    "index_hist_cni": "http://hq.cnindex.com.cn/market/market/getIndexDailyDataWithDataFormat",
    "bond_available_index_cbond": "",
    "bond_index_general_cbond": f"POST:{_CHINABOND}",
    "bond_treasury_index_cbond": f"POST:{_CHINABOND}",
    "index_us_stock_sina": "https://finance.sina.com.cn/staticdata/us/",
    "stock_hk_index_daily_sina": "https://finance.sina.com.cn/stock/hkstock/",
    "spot_hist_sge": "POST:https://www.sge.com.cn/graph/Dailyhq",
    "currency_boc_safe": f"{_SAFE} POST:{_SAFE}AppStructured/hlw/RMBQuery.do",
    "tool_trade_date_hist_sina": "https://finance.sina.com.cn/realstock/company/klc_td_sh.txt",
}
_ADVICE = "; the source may have changed its format: upgrade akshare, or report it"


@dataclass(frozen=True)
class Decoded:
    """What an akshare function returned.

    Attributes:
        frame: its result.
        answers: the answers it asked for, in order.
        tables: the HTML tables it parsed, as they stood in the page.
    """

    frame: pd.DataFrame
    answers: tuple[Answer, ...]
    tables: tuple[pd.DataFrame, ...]


def run(function: str, fetch: Fetch, *args: Any, **kwargs: Any) -> Decoded:
    """Call akshare's `function`, its requests answered by `fetch(url, params, headers)`.

    Of a POST, what it sends (`Post`) is a fourth argument. The function begins anew after each
    answer: what it computes depends on nothing else.

    Raises:
        SourceError: what `fetch` raised.
        FormatError: anything that akshare raised, and when it needed too much time or memory;
            its own types tell nothing apart. Also when it has no such function, or asks for
            another address than in ADDRESSES.
    """
    answers: list[Answer] = []
    while True:
        found = _child.call(function, answers, args, kwargs)
        if "frame" in found:
            tables = tuple(unpacked(table) for table in found["tables"])
            return Decoded(unpacked(found["frame"]), tuple(answers), tables)
        if "asks" not in found:
            raise FormatError(found["raised"] + _ADVICE)
        if len(answers) == MOST_REQUESTS:
            raise FormatError(f"{function} makes more than {MOST_REQUESTS} requests" + _ADVICE)
        asks = found["asks"]
        posts = asks["method"] == "POST"
        asked, usual = ("POST:" if posts else "") + asks["url"], ADDRESSES[function].split()
        if asks["method"] not in ("GET", "POST") or not asked.startswith(tuple(usual)):
            told = f"{asks['method']} {asks['url']}, not {' or '.join(usual) or 'nothing'}"
            raise FormatError(f"{function} sends {told}" + _ADVICE)
        sent = [Post(asks["json"], asks["form"])] if posts else []
        answers.append(fetch(asks["url"], asks["params"], asks["headers"], *sent))


def replay(answer: Answer) -> Fetch:
    """A fetch that gives `answer` to every request, without the network."""
    return lambda url, params, headers: answer


class _Child:
    """The process that calls akshare: one for this process, one call at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def call(
        self, function: str, answers: list[Answer], args: tuple[Any, ...], kwargs: Any
    ) -> dict[str, Any]:
        head = {
            "function": function,
            "args": args,
            "kwargs": kwargs,
            "answers": [
                {"url": a.url, "status": a.status, "headers": dict(a.headers)} for a in answers
            ],
        }
        with self._lock:
            pipes = self._process if self._owner == os.getpid() else None
            if pipes is None or pipes.poll() is not None:
                pipes = self._process = sandbox.start(akshare_child.__name__)
                self._owner = os.getpid()
            assert pipes.stdin and pipes.stdout
            try:
                akshare_child.send(pipes.stdin, head, [a.body for a in answers])
                found = akshare_child.receive(pipes.stdout)
            except OSError:
                found = None
        if found is None:
            return {"raised": f"the process that calls akshare for {function} ended: reinstall "
                    "akshare, and see that there is memory"}  # fmt: skip
        if "over" in found[0]:
            return {
                "raised": f"the answer to {function} takes akshare more than "
                f"{akshare_child.CPU_S} s or {akshare_child.MEMORY_BYTES >> 20:,} MB to read "
                f"({found[0]['over']})"
            }
        return found[0]


_child = _Child()
