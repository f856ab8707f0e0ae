"""What every fund is measured against, from what is stored.

Belongs here: pages, closes and types of the warehouse as the benchmarks that metrics take. Does
not belong here: the choice itself (`benchmarks/yardsticks.py`).
"""

import numpy as np
import pandas as pd

from fund_assets.benchmarks.composites import Formula, Market
from fund_assets.benchmarks.yardsticks import Yardstick, choose_yardstick
from fund_assets.calendar import days_to_keys
from fund_assets.metrics import Benchmarks, FundSeries
from fund_assets.metrics.computation import ABOUT_BENCHMARK
from fund_assets.schemas.age import VALUE_AGE_DAYS
from fund_assets.schemas.fund_types import FundType, type_of
from fund_assets.schemas.portfolios import currency_of
from fund_assets.warehouse.stores import benchmarks as store
from fund_assets.warehouse.warehouse import Warehouse


def tracks_index(fund_type: FundType) -> bool:
    """Whether funds of a type follow an index."""
    return fund_type.kind == "index" or fund_type.pool == "overseas_index"


def read_yardsticks(
    warehouse: Warehouse, funds: pd.DataFrame, series: FundSeries
) -> Benchmarks:
    """The benchmark of every fund, as far back as its own history needs it.

    Args:
        funds: columns fund_code, name and fund_type.
        series: of the funds that are measured.
    """
    first = int(series.days.min()) if series.rows else 0
    since = days_to_keys(np.array([first - VALUE_AGE_DAYS]))[0]
    market = Market(store.read_closes(warehouse, since))
    statements = store.read_statements(warehouse)
    known: dict[tuple[object, ...], Yardstick] = {}
    chosen: dict[int, Yardstick] = {}
    for code, name, written in zip(
        funds["fund_code"].tolist(),
        funds["name"].tolist(),
        funds["fund_type"].tolist(),
        strict=True,
    ):
        fund_type = type_of(written, name)
        page = statements.get(code, ())
        currency, tracks = currency_of(name), tracks_index(fund_type)
        key = id(page), fund_type.index, currency, tracks
        if key not in known:
            known[key] = choose_yardstick(
                page, fund_type.index, currency, market.codes, tracks=tracks
            )
        chosen[int(code)] = known[key]
    return _benchmarks(market, chosen, series)


def _benchmarks(market: Market, chosen: dict[int, Yardstick], series: FundSeries) -> Benchmarks:
    firsts = dict(
        zip(series.codes.tolist(), series.days[series.offsets[:-1]].tolist(), strict=True)
    )
    since: dict[Formula, int] = {}
    for fund, stick in chosen.items():
        if stick.formula and fund in firsts:
            earliest = since.get(stick.formula, firsts[fund])
            since[stick.formula] = min(firsts[fund], earliest)
    numbers = {formula: at for at, formula in enumerate(since)}
    levels = [(formula.label, *market.levels(formula, day)) for formula, day in since.items()]
    choice = {
        fund: numbers[stick.formula]
        for fund, stick in chosen.items()
        if stick.formula in numbers
    }
    rows = [
        (stick.basis or None, stick.why or None, stick.returns or None, stick.currency or None)
        for stick in chosen.values()
    ]
    index = np.fromiter(chosen, np.int64, len(chosen))
    return Benchmarks.from_levels(
        levels, choice, pd.DataFrame(rows, index=index, columns=list(ABOUT_BENCHMARK))
    )
