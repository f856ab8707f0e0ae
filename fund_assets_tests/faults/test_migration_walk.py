"""A migration ended at every statement, on both engines: minutes each.

Of its own and beside the year, so that neither is the last to end alone.
"""

import pytest

from fund_assets_tests.unit.test_migrations import walked


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["mariadb", "sqlite"])
def test_ended_at_every_statement_it_goes_on(engine):
    """Stops a step that the next run neither finishes nor takes back, wherever it is."""
    found = walked(engine)
    assert found["points"] > 400 and found["wrong"] == {}
