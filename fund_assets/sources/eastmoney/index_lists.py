"""The official lists of indices, through akshare: code, names and currency of each.

Belongs here: which lists there are and asking for them. Does not belong here: finding a name in
them (`benchmarks/index_names.py`).
"""

from collections.abc import Mapping

import pandas as pd

from fund_assets.sources.eastmoney.akshare_client import run
from fund_assets.sources.eastmoney.index_providers import treasury_list
from fund_assets.sources.eastmoney.unlisted_indices import unlisted
from fund_assets.sources.eastmoney.world_indices import world_list
from fund_assets.sources.protocol import IndexLists
from fund_assets.transport.errors import FormatError, SourceError
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.http_answer import Answer
from fund_assets.transport.request import Post

ENDPOINT = "index_list"
#: akshare's function → the columns of its list that are used. The last one asks nobody.
LISTS = {
    "index_csindex_all": ("指数代码", "指数简称", "指数全称", "指数币种"),
    "index_all_cni": ("指数代码", "指数简称"),
    "bond_available_index_cbond": ("value",),
}


def index_lists(gateway: Gateway) -> IndexLists:
    """Every list that can be had; one that fails is named with its reason."""
    frames: list[pd.DataFrame] = []
    failures: dict[str, str] = {}
    for function, columns in LISTS.items():
        try:
            frames.append(_list(gateway, function, list(columns)))
        except SourceError as error:
            failures[function] = f"{type(error).__name__}: {error}"
    return IndexLists((*frames, world_list(), treasury_list(), *unlisted()), failures)


def _list(gateway: Gateway, function: str, columns: list[str]) -> pd.DataFrame:
    def fetch(
        url: str,
        params: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        post: Post | None = None,
    ) -> Answer:
        return gateway.fetch(ENDPOINT, url, params, headers, post=post)

    frame = run(function, fetch).frame
    if missing := set(columns) - set(map(str, frame.columns)):
        raise FormatError(
            f"the list of {function} has no {', '.join(sorted(missing))}: the source changed "
            "it; upgrade akshare, or report it"
        )
    return frame[columns].fillna("").astype("str")
