"""Codes of indices with dividends in them."""

import pytest

from fund_assets.benchmarks.twins import twin_of


@pytest.mark.parametrize(
    ("code", "variant", "twin"),
    [
        ("000300", "total_return", "H00300"),
        ("000905", "total_return", "H00905"),
        ("000016", "total_return", "H00016"),
        ("000852", "total_return", "H00852"),
        ("000300", "net_return", "N00300"),
        ("H30269", "total_return", "H20269"),
        ("930955", "total_return", "H20955"),
        ("399006", "total_return", "399606"),
        ("399330", "total_return", "399004"),
        # No rule is certain, or there is no twin.
        ("930050", "total_return", ""),
        ("931071", "total_return", ""),
        ("399006", "net_return", ""),
        ("000012", "total_return", ""),
        ("H00300", "total_return", ""),
        ("HSI", "total_return", ""),
        ("000300", "price", ""),
        ("000300", "", ""),
        ("", "total_return", ""),
    ],
)
def test_a_twin_by_its_code(code: str, variant: str, twin: str) -> None:
    """Stops closes of a code that is nobody's, or another index's."""
    assert twin_of(code, variant) == twin
