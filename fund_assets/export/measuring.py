"""The measures of funds on any past date, computed when they are asked for.

Belongs here: what a computation is made from, and keeping it for the next question. Does not
belong here: formulas (`metrics/`), storing (`pipeline/fund_metrics.py`).

It is made from what is known now, up to the date: a NAV that came or was corrected later
counts, and so does a fund that ended since. A row that the pipeline stored is what was known
when it was stored; while nothing came or changed later, both are equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.metrics import Benchmarks, FundSeries, RiskFreeRate, compute_metrics
from fund_assets.nav.timeline import SILENCE_DAYS
from fund_assets.schemas.table import DATE_LIMITS
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries.data_versions import data_version
from fund_assets.warehouse.stores import landing
from fund_assets.warehouse.stores import metrics as store
from fund_assets.warehouse.stores.yardsticks import read_yardsticks

#: `status` of a row that was computed for a question: nobody judged its coverage.
COMPUTED = "computed"
INPUTS = (
    "validated_nav", "fund_info", "history_progress", "benchmark_index", "fund_benchmark",
    "risk_free_rate",
)  # fmt: skip


@dataclass(frozen=True)
class Inputs:
    """What measures of some funds are made from.

    Attributes:
        series: their whole index, what is before a silence too.
        whole: codes as numbers of the funds whose whole history is stored.
    """

    series: FundSeries
    benchmarks: Benchmarks
    rate: RiskFreeRate
    whole: NDArray[np.int32]


class Measuring:
    """Computes measures of a warehouse's funds.

    Keeps what the last question about the whole market was answered from, and the last about
    some funds, until the warehouse changes.

    Args:
        default_rate: the risk-free rate where none is stored.
    """

    def __init__(self, warehouse: Warehouse, default_rate: float) -> None:
        self._warehouse = warehouse
        self._default_rate = default_rate
        self._kept: dict[bool, tuple[object, Inputs]] = {}

    def inputs(self, codes: Sequence[str] | None) -> Inputs:
        """Read them, unless they are those of a question before.

        Args:
            codes: of these funds alone; None: of all.
        """
        state = data_version(self._warehouse, *INPUTS), None if codes is None else tuple(codes)
        before = self._kept.pop(codes is None, None)
        if before and before[0] == state:
            self._kept[codes is None] = before
            return before[1]
        del before  # its room is needed
        series = store.read_part(self._warehouse, DATE_LIMITS[1], 0, codes)
        funds = landing.fund_info(self._warehouse)
        if codes is not None:
            funds = funds[funds["fund_code"].isin(codes)]
        found = Inputs(
            series,
            read_yardsticks(self._warehouse, funds, series),
            store.read_rate(self._warehouse, self._default_rate),
            store.whole_histories(self._warehouse),
        )
        self._kept[codes is None] = state, found
        return found

    def on(self, day: int, windows: Sequence[str], inputs: Inputs) -> pd.DataFrame:
        """The rows of fund_metrics on a date (yyyymmdd); `status` is COMPUTED."""
        series = inputs.series.until(day).since_silence(SILENCE_DAYS)
        series = store.by_day(self._warehouse, series, day)
        found = compute_metrics(
            series, day, windows, inputs.rate, benchmarks=inputs.benchmarks, whole=inputs.whole
        )
        return found.assign(status=COMPUTED)
