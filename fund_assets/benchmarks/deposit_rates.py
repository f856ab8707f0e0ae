"""Deposit rates that benchmarks name, as dated steps.

Belongs here: the benchmark deposit rates of the People's Bank of China and the tax on interest.
Does not belong here: which text means which rate (`series.py`), counting interest
(`composites.py`).

The rates have not been changed since 2015-10-24. What banks pay is less; a benchmark that names
the published rate means these. For five years no rate is published since 2014-11-22, so
there is none here.

Sources: the central bank's own table 金融机构人民币存款基准利率 (pbc.gov.cn), as recorded in
dingningpei/SmartBeta. baostock's `query_deposit_rate_data` has the same since 2010, as recorded
in RyougiTale/StockCode. The table has no rates for notice and agreement deposits: those below
are in hexun's table of 2015-10-24, and their first day is that of the last change of the demand
rate, which no source here confirms. The tax is that of Caishui [2008] 132: 20 % since
1999-11-01, 5 % since 2007-08-15, none since 2008-10-09.
"""

from bisect import bisect_right

from fund_assets.benchmarks.series import AFTER_TAX

_TERMS = ("活期", "3个月", "6个月", "1年", "2年", "3年")
#: First day, yyyymmdd → percent a year for each term.
_PERCENT = {
    20020221: (0.72, 1.71, 1.89, 1.98, 2.25, 2.52),
    20041029: (0.72, 1.71, 2.07, 2.25, 2.70, 3.24),
    20060819: (0.72, 1.80, 2.25, 2.52, 3.06, 3.69),
    20070318: (0.72, 1.98, 2.43, 2.79, 3.33, 3.96),
    20070519: (0.72, 2.07, 2.61, 3.06, 3.69, 4.41),
    20070721: (0.81, 2.34, 2.88, 3.33, 3.96, 4.68),
    20070822: (0.81, 2.61, 3.15, 3.60, 4.23, 4.95),
    20070915: (0.81, 2.88, 3.42, 3.87, 4.50, 5.22),
    20071221: (0.72, 3.33, 3.78, 4.14, 4.68, 5.40),
    20081009: (0.72, 3.15, 3.51, 3.87, 4.41, 5.13),
    20081030: (0.72, 2.88, 3.24, 3.60, 4.14, 4.77),
    20081127: (0.36, 1.98, 2.25, 2.52, 3.06, 3.60),
    20081223: (0.36, 1.71, 1.98, 2.25, 2.79, 3.33),
    20101020: (0.36, 1.91, 2.20, 2.50, 3.25, 3.85),
    20101226: (0.36, 2.25, 2.50, 2.75, 3.55, 4.15),
    20110209: (0.40, 2.60, 2.80, 3.00, 3.90, 4.50),
    20110406: (0.50, 2.85, 3.05, 3.25, 4.15, 4.75),
    20110707: (0.50, 3.10, 3.30, 3.50, 4.40, 5.00),
    20120608: (0.40, 2.85, 3.05, 3.25, 4.10, 4.65),
    20120706: (0.35, 2.60, 2.80, 3.00, 3.75, 4.25),
    20141122: (0.35, 2.35, 2.55, 2.75, 3.35, 4.00),
    20150301: (0.35, 2.10, 2.30, 2.50, 3.10, 3.75),
    20150511: (0.35, 1.85, 2.05, 2.25, 2.85, 3.50),
    20150628: (0.35, 1.60, 1.80, 2.00, 2.60, 3.25),
    20150826: (0.35, 1.35, 1.55, 1.75, 2.35, 3.00),
    20151024: (0.35, 1.10, 1.30, 1.50, 2.10, 2.75),
}
#: Rates that are known from one day on.
_LATER = {"7天通知": (20120706, 1.35), "1天通知": (20120706, 0.80), "协定": (20120706, 1.15)}
#: First day, yyyymmdd → share of the interest that the tax takes.
_TAX = {20020221: 0.20, 20070815: 0.05, 20081009: 0.0}

#: A rate as it holds from each day on: (yyyymmdd, fraction a year), ascending.
Steps = tuple[tuple[int, float], ...]


def deposit_rate(series: str, variant: str) -> Steps | None:
    """The steps of a deposit rate; None for one that is not known.

    Args:
        series: as `series.read_series` names it: 活期存款利率, 1年存款利率, 7天通知存款利率.
        variant: after_tax takes the tax on interest off; all others leave it.
    """
    term = series.removesuffix("存款利率")
    if term in _LATER:
        first, percent = _LATER[term]
        steps: Steps = ((first, percent / 100),)
    elif term in _TERMS:
        at = _TERMS.index(term)
        steps = tuple((day, row[at] / 100) for day, row in _PERCENT.items())
    else:
        return None
    return _taxed(steps) if variant == AFTER_TAX else steps


def _taxed(steps: Steps) -> Steps:
    days = sorted({day for day, _ in steps} | {day for day in _TAX if day > steps[0][0]})
    return tuple((day, _on(steps, day) * (1 - _on(tuple(_TAX.items()), day))) for day in days)


def _on(steps: Steps, day: int) -> float:
    return steps[bisect_right([first for first, _ in steps], day) - 1][1]
