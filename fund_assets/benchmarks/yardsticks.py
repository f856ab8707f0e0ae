"""What each fund is measured against, and why.

Belongs here: choosing among the index that a fund tracks, the benchmark that it states and the
index of its type. Does not belong here: reading texts (`parse.py`), levels (`composites.py`).

A fund that tracks an index is measured against this index alone: its benchmark text puts some
cash beside it. Any other fund is measured against the benchmark that it states. Where it has
none that can be used, the index of its type takes the place, and `why` says it.
"""

from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import dataclass

from fund_assets.benchmarks.composites import Formula, Leg
from fund_assets.benchmarks.parse import PARSED
from fund_assets.benchmarks.quotes import Quote, exchange, index_quote, quote_of
from fund_assets.schemas.tables import BENCHMARK_BASES, BENCHMARK_REASONS

TRACKED, OWN, TYPE = BENCHMARK_BASES
#: Why a fund is not measured against its own benchmark.
(
    NOT_REQUESTED,
    NOT_DISCLOSED,
    NOT_UNDERSTOOD,
    NO_CODE,
    NO_CLOSES,
    ONLY_INTEREST,
) = BENCHMARK_REASONS
MIXED = "mixed"


@dataclass(frozen=True)
class Part:
    """A part of a stated benchmark, as `fund_benchmark_part` has it."""

    kind: str
    series: str
    weight: float | None
    variant: str
    currency: str
    index_code: str
    annual_rate: float | None


@dataclass(frozen=True)
class Statement:
    """What a fund's page said from a day on, as `fund_benchmark` has it.

    Attributes:
        since: yyyymmdd from which it holds; 0: as far back as is known.
        tracked_code: code of the index that it tracks; empty when it tracks none.
        tracked_variant: of a bond index, as of `series.Series`; else empty.
        status: parsed, partly or unknown.
        disclosed: whether there is a text.
    """

    since: int
    tracked_code: str
    tracked_variant: str
    status: str
    disclosed: bool
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Yardstick:
    """What a fund is measured against.

    Attributes:
        formula: None: nothing fits.
        basis: tracked, own or type; empty without a formula.
        why: one of BENCHMARK_REASONS: why it is not its own benchmark; empty when it is.
        returns: price, total_return, net_return or mixed; empty when all is interest.
        currency: that its returns are counted in; empty for the currencies of its parts.
    """

    formula: Formula | None
    basis: str = ""
    why: str = ""
    returns: str = ""
    currency: str = ""


class _Unusable(Exception):
    """A benchmark cannot be used; says one of BENCHMARK_REASONS."""


def choose_yardstick(
    statements: Sequence[Statement],
    type_index: str,
    currency: str,
    closes: Container[str],
    *,
    tracks: bool,
) -> Yardstick:
    """What a share class is measured against.

    Args:
        statements: of its page, oldest first; none: it was not requested.
        type_index: code of the index of its type; empty for none.
        currency: that the class counts in.
        closes: the codes that have closes.
        tracks: whether it is a fund of an index: only then the index alone is the benchmark.
    """
    try:
        return _own(statements, currency, closes, tracks=tracks)
    except _Unusable as error:
        why = str(error)
    quote = index_quote(type_index) if type_index else None
    if quote is None or quote.closes not in closes:
        return Yardstick(None, why=why)
    try:
        leg, counted = _leg(quote, 1.0, currency, closes), currency
    except _Unusable:  # no exchange rate: in its own currency, which is told
        leg, counted = Leg(1.0, quote.closes), quote.currency
    formula = Formula(_label(((quote, leg),)), ((0, (leg,)),))
    return Yardstick(formula, TYPE, why, quote.returns, counted)


def _own(
    statements: Sequence[Statement], currency: str, closes: Container[str], *, tracks: bool
) -> Yardstick:
    if not statements:
        raise _Unusable(NOT_REQUESTED)
    newest = statements[-1]
    basis = OWN
    found: tuple[tuple[Quote, Leg], ...] = ()
    if tracks:
        with suppress(_Unusable):
            found = _resolved(newest, currency, closes, TRACKED)
            basis = TRACKED
    found = found or _resolved(newest, currency, closes, OWN)
    pieces = [(newest.since, tuple(leg for _, leg in found))]
    for older in reversed(statements[:-1]):
        try:
            legs = tuple(leg for _, leg in _resolved(older, currency, closes, basis))
        except _Unusable:
            legs = ()
        pieces.insert(0, (older.since, legs))
    returns = {quote.returns for quote, _ in found if quote.returns}
    return Yardstick(
        Formula(_label(found), tuple(pieces)),
        basis,
        "",
        returns.pop() if len(returns) == 1 else MIXED if returns else "",
        currency,
    )


def _resolved(
    statement: Statement, currency: str, closes: Container[str], basis: str
) -> tuple[tuple[Quote, Leg], ...]:
    """The parts with their quotes.

    Raises:
        _Unusable: one of them cannot be used.
    """
    if basis == TRACKED:
        code, variant = statement.tracked_code, statement.tracked_variant
        quote = index_quote(code, variant) if code else None
        if quote is None:
            raise _Unusable(NO_CODE)
        return ((quote, _leg(quote, 1.0, currency, closes)),)
    if not statement.disclosed:
        raise _Unusable(NOT_DISCLOSED)
    if statement.status != PARSED:
        raise _Unusable(NOT_UNDERSTOOD)
    found = []
    for part in statement.parts:
        quote = quote_of(
            part.kind, part.series, part.variant, part.index_code, part.annual_rate
        )
        if quote is None:
            raise _Unusable(NO_CODE if part.kind == "index" else NO_CLOSES)
        weight = 1.0 if part.weight is None else part.weight
        found.append((quote, _leg(quote, weight, currency, closes)))
    if all(leg.rate is not None for _, leg in found):
        raise _Unusable(ONLY_INTEREST)
    return tuple(found)


def _leg(quote: Quote, weight: float, currency: str, closes: Container[str]) -> Leg:
    """A part in the currency of the class."""
    if quote.rate is not None:
        return Leg(weight, rate=quote.rate)
    times = exchange(quote.currency) if quote.currency not in ("CNY", currency) else ""
    over = exchange(currency) if currency not in ("CNY", quote.currency) else ""
    if not quote.currency or any(
        code and code not in closes for code in (quote.closes, times, over)
    ):
        raise _Unusable(NO_CLOSES)
    return Leg(weight, quote.closes, times, over)


def _label(found: Sequence[tuple[Quote, Leg]]) -> str:
    """A formula as people read it: 000300, or 0.9 000300 + 0.1 H11001."""
    if len(found) == 1 and found[0][1].weight == 1.0:
        return found[0][1].closes
    return " + ".join(f"{leg.weight:.6g} {leg.closes or 'interest'}" for _, leg in found)


def codes_needed(statement: Statement) -> set[str]:
    """The codes of closes that a statement needs, exchange rates included."""
    found: set[Quote | None] = set()
    if statement.tracked_code:
        found.add(index_quote(statement.tracked_code, statement.tracked_variant))
    if statement.status == PARSED:
        found |= {
            quote_of(part.kind, part.series, part.variant, part.index_code, part.annual_rate)
            for part in statement.parts
        }
    quotes = {quote for quote in found if quote is not None and quote.closes}
    return {quote.closes for quote in quotes} | {
        exchange(quote.currency) for quote in quotes if quote.currency not in ("", "CNY")
    }
