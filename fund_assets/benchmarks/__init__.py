"""What funds say they are measured against: their benchmark texts, read without guessing.

From a text such as 沪深300指数收益率×80%+中债综合财富(总值)指数收益率×20% come weights and
series.
Belongs here: pure functions over such texts and names. Does not belong here: fetching them
(`sources/`), keeping them (`warehouse/`), measuring against them (`metrics/`).
"""

from fund_assets.benchmarks.parse import Benchmark, Component, parse_benchmark

__all__ = ["Benchmark", "Component", "parse_benchmark"]
