"""Benchmark texts as weights of series."""

import csv
from pathlib import Path

import pytest

from fund_assets.benchmarks import Benchmark, parse_benchmark
from fund_assets_tests.unit.benchmarks.texts import NOT_PARSED, written

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


def test_real_texts_are_parsed(real_data: Path) -> None:
    """A form that funds use and nobody thought of: 95 in 100 sum to 1."""
    with (real_data / "benchmark_texts.csv").open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    found = {text: parse_benchmark(text) for text in (",".join(row[1:]) for row in rows)}
    for text, one in found.items():
        if one.status == "parsed":
            weights = [part.weight for part in one.components if part.weight is not None]
            assert sum(weights) == pytest.approx(1, abs=0.0005), text
            assert not one.not_understood, text
    parsed = [text for text, one in found.items() if one.status == "parsed"]
    assert len(rows) >= 70 and len(parsed) >= 0.95 * len(rows), set(found) - set(parsed)
