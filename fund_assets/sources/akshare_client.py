"""akshare as a decoder over our own transport.

Belongs here: running one of akshare's functions so that its requests go through a
`fetch` of ours, and turning whatever it raises into a `FormatError`. Does not belong here:
what its frames mean (`pages.py`).

akshare calls `requests.get` without timeout, retry or status check. Instead of patching
requests for the whole process, the function is rebuilt with the same code and other names:
in the copy, `requests` is our transport, `py_mini_racer` an engine in a child process with
limits, and `pd.read_html` leaves texts such as `NaN` as they are. Nothing outside the copy
changes, so it is safe in any number of threads.

akshare takes 0.8 s and 100 MB to import: it is imported by the first call, not before.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from types import FunctionType, SimpleNamespace
from typing import Any

import pandas as pd
import requests

from fund_assets.sources.base import FormatError, SourceError
from fund_assets.sources.gateway import Answer
from fund_assets.sources.javascript import ChildEngine

Fetch = Callable[[str, Mapping[str, str] | None, Mapping[str, str] | None], Answer]


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

    Raises:
        SourceError: what `fetch` raised.
        FormatError: anything that akshare raised; its own types tell nothing apart.
    """
    import akshare

    original: FunctionType = getattr(akshare, function)
    door = _Door(fetch)
    reader = _HtmlReader()
    names = {
        **original.__globals__,
        "requests": door,
        "py_mini_racer": SimpleNamespace(MiniRacer=ChildEngine),
        "pd": SimpleNamespace(**{**vars(pd), "read_html": reader.read_html}),
    }
    rebuilt = FunctionType(
        original.__code__, names, function, original.__defaults__, original.__closure__
    )
    try:
        frame = rebuilt(*args, **kwargs)
    except SourceError:
        raise
    except Exception as error:
        raise FormatError(
            f"akshare {akshare.__version__} cannot read the answer to {function}: "
            f"{type(error).__name__}: {error}"[:400]
            + "; the source may have changed its format: upgrade akshare, or report it"
        ) from error
    return Decoded(frame, tuple(door.answers), tuple(reader.tables))


def replay(answer: Answer) -> Fetch:
    """A fetch that gives `answer` to every request, without the network."""
    return lambda url, params, headers: answer


class _Door:
    """Stands where akshare's functions expect the requests module."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self.answers: list[Answer] = []

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        answer = self._fetch(url, params, headers)
        self.answers.append(answer)
        response = _Response()
        response.url = answer.url
        response.status_code = answer.status
        response.headers.update(answer.headers)
        response.raw = BytesIO(answer.body)
        response.encoding = "utf-8-sig"
        return response


class _Response(requests.Response):
    """A response that reads `gb2312`, which pages claim, as its superset GB 18030."""

    @property
    def encoding(self) -> str | None:
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        self._encoding = "gb18030" if value == "gb2312" else value


class _HtmlReader:
    """`pandas.read_html` that parses a page once and keeps every text as it stands."""

    def __init__(self) -> None:
        self.tables: list[pd.DataFrame] = []
        self._read = partial(pd.read_html, keep_default_na=False, na_values=[])

    def read_html(self, page: Any) -> list[pd.DataFrame]:
        if not self.tables:
            self.tables = self._read(page)
        return self.tables
