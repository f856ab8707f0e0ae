"""One of akshare's functions, called on answers that are there already.

Belongs here: giving the function our answers in place of the network, and its frame as JSON.
Does not belong here: the process that this happens in (`akshare_child.py`), fetching
(`akshare_client.py`).

akshare calls `requests.get` without timeout, retry or status check. Instead of patching
requests for the whole process, the function is rebuilt with the same code and other names: in
the copy, `requests` is our transport, `py_mini_racer` an engine in a child process with limits,
and `pd.read_html` leaves texts such as `NaN` as they are and refuses tables without bounds.
Nothing outside the copy changes.

akshare takes 0.8 s and 100 MB to import: it is imported by the first call, not before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache, partial
from importlib.util import module_from_spec, spec_from_file_location
from io import BytesIO
from types import FunctionType, ModuleType, SimpleNamespace
from typing import Any

import pandas as pd
import requests

from fund_assets.sources.javascript import ChildEngine
from fund_assets.sources.tables import check_tables

#: Requests that one call may make; each of the functions in use makes one.
MOST_REQUESTS = 4


@dataclass(frozen=True)
class Said:
    """The part of an answer that akshare looks at."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class _AskedError(BaseException):
    """The function asks for what is not there; no error, so that nothing catches it."""

    def __init__(self, url: str, params: Any, headers: Any) -> None:
        self.request = {"url": url, "params": params, "headers": headers}


def call(
    function: str, answers: Sequence[Said], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Call akshare's `function`, its requests answered by `answers` in their order.

    Returns:
        What JSON can hold: `asks`, a request (url, params, headers) for which there is no
        answer; or `frame` and `tables`, each as `packed` makes it; or `raised`, what akshare
        raised, in words.
    """
    import akshare

    original: FunctionType = getattr(akshare, function)
    reader = _HtmlReader()
    names = {
        **original.__globals__,
        "requests": _Door(answers),
        "py_mini_racer": SimpleNamespace(MiniRacer=ChildEngine),
        "pd": SimpleNamespace(**{**vars(pd), "read_html": reader.read_html}),
        "demjson": _demjson(),
    }
    rebuilt = FunctionType(
        original.__code__, names, function, original.__defaults__, original.__closure__
    )
    try:
        frame = rebuilt(*args, **kwargs)
        return {"frame": packed(frame), "tables": [packed(t) for t in reader.tables]}
    except _AskedError as asked:
        return {"asks": asked.request}
    except Exception as error:
        return {
            "raised": f"akshare {akshare.__version__} cannot read the answer to {function}: "
            f"{type(error).__name__}: {error}"[:400]
        }


def packed(frame: pd.DataFrame) -> dict[str, Any]:
    """A frame as what JSON can hold: columns, dtypes and cells by column."""
    columns, dtypes, cells = [], [], []
    for at, name in enumerate(frame.columns):
        column = frame.iloc[:, at]
        values = column.to_list()
        kind = str(column.dtype)
        if kind == "object" and values and all(type(cell) is date for cell in values):
            kind, values = "date", [day.isoformat() for day in values]
        elif kind not in ("float64", "int64", "bool"):
            kind = "str" if kind in ("str", "string") else "object"
            values = [_plain(cell) for cell in values]
        columns.append(name if isinstance(name, int) else str(name))
        dtypes.append(kind)
        cells.append(values)
    return {"columns": columns, "dtypes": dtypes, "cells": cells, "rows": len(frame)}


def unpacked(found: Mapping[str, Any]) -> pd.DataFrame:
    """The frame of what `packed` made."""
    series = [
        pd.Series([date.fromisoformat(cell) for cell in cells], dtype="object")
        if kind == "date"
        else pd.Series(cells, dtype=kind)
        for kind, cells in zip(found["dtypes"], found["cells"], strict=True)
    ]
    frame = pd.DataFrame(dict(enumerate(series)), index=range(found["rows"]))
    frame.columns = pd.Index(found["columns"])
    return frame


def _plain(cell: Any) -> Any:
    if cell is None or isinstance(cell, str | int | float | list | dict):
        return cell
    return None if cell is pd.NaT or cell is pd.NA else str(cell)


@cache
def _demjson() -> ModuleType:
    """A copy of the decoder that akshare brings, which ends at the first error.

    The original goes on and looks at all errors again at each token: 20 kB took it 6 s.
    """
    from akshare.utils import demjson

    spec = spec_from_file_location("fund_assets_demjson", demjson.__file__)
    assert spec and spec.loader
    copy = module_from_spec(spec)
    spec.loader.exec_module(copy)

    def push_exception(state: Any, error: Any) -> None:
        if error.severity in ("fatal", "error"):
            raise error
        state.errors = [error]

    copy.decode_state.push_exception = push_exception
    return copy


class _Door:
    """Stands where akshare's functions expect the requests module."""

    def __init__(self, answers: Sequence[Said]) -> None:
        self._answers = iter(answers)

    def get(
        self,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        answer = next(self._answers, None)
        if answer is None:
            raise _AskedError(url, params, headers)
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
        self._read = partial(pd.read_html, flavor="lxml", keep_default_na=False, na_values=[])

    def read_html(self, page: Any) -> list[pd.DataFrame]:
        if not self.tables:
            check_tables(page.getvalue())
            self.tables = self._read(page)
        return self.tables
