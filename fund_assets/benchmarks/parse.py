"""A benchmark text as weights of series: `parse_benchmark`.

Belongs here: what became of a whole text, and when it counts as parsed. Does not belong here:
how texts are spelt (`spelling.py`), formulas (`formula.py`), names (`series.py`).
"""

import re
from dataclasses import dataclass

from fund_assets.benchmarks.formula import Term, shown, terms_of
from fund_assets.benchmarks.series import FIXED, read_series
from fund_assets.benchmarks.spelling import Formula, formula_of, spell

#: Counted up when a text may be read in another way than before: stored texts are read anew.
PARSER_VERSION = 1
PARSED, PARTLY, UNKNOWN = "parsed", "partly", "unknown"
#: How far the sum of weights may be from 1: 33.33 % three times is meant to be a whole.
TOLERANCE = 0.0005
#: What stands where a fund discloses none.
_NONE = re.compile(
    r"^$|^-+$|暂未披露|未披露|暂无|不设(?:定|置)?业绩比较基准|无业绩比较基准|^无$|^未公布$"
)
_TRACKED = re.compile(
    r"^(?:本基金|该基金|经[^*+]{0,14}的)?(?:所跟踪的?|跟踪的?)?(?:标的指数|跟踪标的|跟踪指数)(?:的?(?:同期)?收益率|价格收益率|收益)?(?P<note>(?:\([^()]*\))*)$"
)


@dataclass(frozen=True)
class Component:
    """A part of a benchmark.

    Attributes:
        kind, series, variant, currency, code: as of `series.Series`.
        weight: share of the benchmark; None for a rate that is put on top of it.
        annual_rate: of kind `fixed`, the return per year as a fraction; else None.
    """

    kind: str
    series: str
    weight: float | None
    variant: str = ""
    currency: str = ""
    code: str = ""
    annual_rate: float | None = None


@dataclass(frozen=True)
class Benchmark:
    """What a text says.

    Attributes:
        status: `parsed`: every part is understood and the weights sum to 1. `partly`: some part
            is. `unknown`: none is, or there is no text.
        components: the parts that are understood, in the order of the text.
        not_understood: the rest of it, in words; empty when the text was parsed, or is none.
        since: day from which it holds, yyyymmdd, where the text says so.
    """

    status: str
    components: tuple[Component, ...] = ()
    not_understood: str = ""
    since: int | None = None


def parse_benchmark(text: str, tracked_index: str = "") -> Benchmark:
    """What a benchmark text says, without guessing.

    Args:
        text: 业绩比较基准 as the fund publishes it.
        tracked_index: name of the index that the fund tracks, for texts that speak of
            标的指数 alone.
    """
    if _NONE.search(spell(text)):
        return Benchmark(UNKNOWN)
    formula = formula_of(text)
    readings = [
        _read(lines, formula, tracked_index)
        for lines in (formula.lines, ("+".join(formula.lines),))
        if lines
    ]
    best = next((found for found in readings if found.status == PARSED), None)
    return best or (readings[0] if readings else Benchmark(UNKNOWN, (), text.strip()))


def _read(lines: tuple[str, ...], formula: Formula, tracked: str) -> Benchmark:
    """The first line as the benchmark; the others must say the same, or are left over."""
    components, left = _components(terms_of(lines[0]), tracked)
    for line in lines[1:]:
        if _components(terms_of(line), tracked) != (components, []):
            left.append(shown(line))
    total = sum(part.weight for part in components if part.weight is not None)
    if not left and abs(total - 1) > TOLERANCE:
        left.append(f"weights sum to {total:.6g}")
    status = UNKNOWN if not components else PARTLY if left else PARSED
    return Benchmark(status, tuple(components), "; ".join(left), formula.since)


def _components(terms: list[Term], tracked: str) -> tuple[list[Component], list[str]]:
    series = [term for term in terms if term.text]
    found, left = [], []
    for term in terms:
        weight = term.weight
        if term.rate is not None:
            if weight is None and len(terms) == 1:
                weight = 1.0
            found.append(Component(FIXED, "固定利率", weight, annual_rate=round(term.rate, 10)))
            continue
        if weight is None and len(series) == 1:
            weight = 1.0
        if not weight:
            left.append(f"{shown(term.text)}: no weight")
            continue
        read = read_series(_named(term.text, tracked))
        if read.rest:
            left.append(shown(read.rest if read.rest in term.text else term.text))
            continue
        found.append(
            Component(
                read.kind,
                shown(read.name),
                round(weight, 10),
                read.variant,
                "CNY" if term.converted else read.currency,
                read.code,
            )
        )
    return found, left


def _named(text: str, tracked: str) -> str:
    """A name in the place of words that mean the tracked index."""
    told = _TRACKED.match(text)
    return spell(tracked) + told["note"] if told and tracked else text
