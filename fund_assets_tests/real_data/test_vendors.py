"""The distances of vendors' formulas that docs/metrics.md states."""

from pathlib import Path

import pytest

from fund_assets_tests.real_data import vendors

pytestmark = [pytest.mark.real_data, pytest.mark.slow]


def test_the_docs_state_the_distances_as_they_are(real_data):
    """Stops figures of an older definition from standing on the page."""
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text("utf-8")
    assert vendors.table(real_data) in page
