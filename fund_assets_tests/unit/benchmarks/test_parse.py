"""Benchmark texts as weights of series."""

import os
from pathlib import Path

import pytest

from fund_assets.benchmarks import Benchmark, parse_benchmark
from fund_assets_tests.unit.benchmarks.texts import NOT_PARSED, written

REAL = Path(os.environ.get("FUND_REAL_DATA", "../shared/data")) / "benchmark_texts.csv"
WRITTEN = written()


def said(found: Benchmark) -> str:
    """What was understood, as `texts.py` writes it."""
    parts = []
    for part in found.components:
        if part.annual_rate is not None:
            rate = f"{part.annual_rate:g}"
            parts.append(f"+{rate}" if part.weight is None else f"{part.weight:g} {rate}")
        else:
            words = (f"{part.weight:g}", part.series, part.variant, part.currency)
            parts.append(" ".join(word for word in words if word))
    return "; ".join(parts)


def test_there_are_enough_texts() -> None:
    """A list that shrinks would go on passing."""
    assert len(WRITTEN) >= 230


@pytest.mark.parametrize("text", WRITTEN)
def test_a_written_text_says_what_it_was_written_to_say(text: str) -> None:
    """A form that is read as another series, variant, currency or weight."""
    found = parse_benchmark(text)
    assert (found.status, said(found), found.not_understood) == ("parsed", WRITTEN[text], "")


@pytest.mark.parametrize("text", NOT_PARSED)
def test_nothing_is_guessed(text: str) -> None:
    """A text without one answer that is given one."""
    found = parse_benchmark(text)
    assert found.status != "parsed"
    if found.status == "partly":
        assert found.not_understood
