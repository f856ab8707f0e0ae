"""One of akshare's functions, called on answers that are there already.

Belongs here: giving the function our answers in place of the network, and its frame as JSON.
Does not belong here: the process that this happens in (`akshare_child.py`), fetching
(`akshare_client.py`).

akshare calls `requests.get` without timeout, retry or status check. While a call lasts, what
sends a request is ours: whichever helper of akshare's asks, and by whatever name it knows
requests, the prepared request comes to us at the adapter, and no socket connects. In the same
way the engine for JavaScript works in a child process with limits, `pd.read_excel` has a
workbook come like everything else, and `pd.read_html` leaves texts such as `NaN` as they are
and refuses tables without bounds. The process is one of its own (`akshare_child.py`), and
afterwards all is as it was.

akshare takes 0.8 s and 100 MB to import: it is imported by the first call, not before.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import pandas as pd
import requests
from requests.adapters import HTTPAdapter

from fund_assets.sources.eastmoney.javascript import ChildEngine
from fund_assets.sources.eastmoney.table_limits import check_tables

#: Requests that one call may make; a function in use makes three at the most.
MOST_REQUESTS = 4


@dataclass(frozen=True)
class Said:
    """The part of an answer that akshare looks at."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class _ElsewhereError(BaseException):
    """The function sends its requests by a way that we do not see; no error, as below."""


class _AskedError(BaseException):
    """The function asks for what is not there; no error, so that nothing catches it."""

    def __init__(self, request: requests.PreparedRequest) -> None:
        address = urlsplit(str(request.url))
        usual = requests.utils.default_headers()
        self.request = {
            "method": request.method,
            "url": urlunsplit(address._replace(query="")),
            "params": dict(parse_qsl(address.query, keep_blank_values=True)) or None,
            "headers": {
                name: value
                for name, value in request.headers.items()
                if usual.get(name) != value and name != "Content-Length"
            },
            "json": _json_of(request),
            "form": _form_of(request),
        }


def _json_of(request: requests.PreparedRequest) -> Any:
    """What a request sends as JSON; None when it sends nothing, or something else."""
    with suppress(ValueError, TypeError):
        return json.loads(request.body)  # type: ignore[arg-type]  # a stream is a TypeError
    return None


def call(
    function: str, answers: Sequence[Said], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Call akshare's `function`, its requests answered by `answers` in their order.

    Returns:
        What JSON can hold: `asks`, a request (method, url, params, headers) for which there
        is no answer; or `frame` and `tables`, each as `packed` makes it; or `raised`, what
        akshare raised, or why it was not called, in words.
    """
    import akshare

    name = f"akshare {akshare.__version__}"
    reader = _HtmlReader()
    try:
        with _sent_here(_Replies(answers), reader):
            frame = getattr(akshare, function)(*args, **kwargs)
        if not isinstance(frame, pd.DataFrame):
            return {"raised": f"{name} returns a {type(frame).__name__} from {function}"}
        return {"frame": packed(frame), "tables": [packed(t) for t in reader.tables]}
    except _AskedError as asked:
        return {"asks": asked.request}
    except _ElsewhereError as way:
        return {"raised": f"{name} calls {function} without requests: {way}"}
    except Exception as error:
        if not hasattr(akshare, function):
            return {"raised": f"{name} has no function {function}"}
        return {
            "raised": f"{name} cannot read the answer to {function}: "
            f"{type(error).__name__}: {error}"[:400]
        }


def _form_of(request: requests.PreparedRequest) -> dict[str, str] | None:
    """The fields that a request sends; None when it sends nothing, or something else."""
    kind = request.headers.get("Content-Type") or ""
    if not str(kind).startswith("application/x-www-form-urlencoded"):
        return None
    return dict(parse_qsl(str(request.body or ""), keep_blank_values=True))


def _read_workbook(read: Any) -> Any:
    """`pandas.read_excel` that asks for an address as everything else is asked for."""

    def read_excel(book: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(book, str):
            book = BytesIO(requests.get(book, timeout=60).content)
        return read(book, *args, **kwargs)

    return read_excel


@contextmanager
def _sent_here(replies: "_Replies", reader: "_HtmlReader") -> Iterator[None]:
    """While it lasts, requests get these replies and nothing leaves the process."""
    import socket
    import sys

    import py_mini_racer
    from akshare.utils import demjson

    engine = py_mini_racer.MiniRacer
    replaced = [
        (HTTPAdapter, "send", replies.send),
        *((socket.socket, name, _elsewhere(name)) for name in ("connect", "connect_ex")),
        (socket, "getaddrinfo", _elsewhere("getaddrinfo")),
        (pd, "read_html", reader.read_html),
        (pd, "read_excel", _read_workbook(pd.read_excel)),
        (demjson.decode_state, "push_exception", _push_exception),
        # The class itself, because modules may have taken it by its name.
        *((engine, name, getattr(ChildEngine, name)) for name in _ENGINE),
        (engine, "__del__", lambda _: None),
    ]
    if "curl_cffi" in sys.modules:  # opens its connections where Python does not see them
        replaced.append((sys.modules["curl_cffi"].Curl, "perform", _elsewhere("curl_cffi")))
    with ExitStack() as stack:
        for owner, name, value in replaced:
            stack.callback(setattr, owner, name, getattr(owner, name))
            setattr(owner, name, value)
        yield


_ENGINE = ("__init__", "eval", "execute", "call")


def _elsewhere(way: str) -> Any:
    def refuse(*_: Any, **__: Any) -> None:
        raise _ElsewhereError(way)

    return refuse


def _push_exception(state: Any, error: Any) -> None:
    """Its decoder ends at the first error.

    Its own goes on and looks at all errors again at each token: 20 kB took it 6 s.
    """
    if error.severity in ("fatal", "error"):
        raise error
    state.errors = [error]


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


class _Replies:
    """Stands where requests would send what it has prepared."""

    def __init__(self, answers: Sequence[Said]) -> None:
        self._answers = iter(answers)

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        answer = next(self._answers, None)
        if answer is None:
            raise _AskedError(request)
        response = _Response()
        response.request = request
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
