"""A few hundred mutated answers; the command decodes 20,000."""

import sys

import pytest

from fund_assets_tests.reliability import fuzz

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux tells it"),
]


def test_no_answer_ends_a_decoder_otherwise_than_it_says():
    """Stops untyped errors, answers that cost seconds or memory, and texts that act."""
    found = fuzz.run(500, seed=11)
    assert all(part.well for part in found.values()), found
    assert sum(part.count for part in found.values()) == 500
    assert sum(part.ends["read"] for part in found.values()) > 50, "some must get through"


def test_the_judge_sees_what_must_not_be():
    """Stops a fuzz that would call anything well."""

    def breaks(body: bytes) -> list:
        raise KeyError("x")

    found = fuzz.Found()
    fuzz._try(fuzz.Decoder("broken", breaks, ()), b"", found, "broken 1/1")
    assert found.ends == {"untyped": 1} and "KeyError at test_fuzz.py" in found.untyped[0]
    frame = fuzz.pd.DataFrame(
        {"fund_code": ["\x1b[2J"], "nav_date": [2026], "unit_nav": [1e999]}
    )
    found = fuzz.Found()
    fuzz._try(fuzz.Decoder("lax", lambda _: [frame], ()), b"", found, "lax")
    assert len(found.unclean) == 3 and not found.well
    found = fuzz.Found()
    fuzz._try(
        fuzz.Decoder("hungry", lambda _: [frame, b"x" * (400 * 2**20)][:1], ()), b"", found, "x"
    )
    assert len(found.large) == 1
