"""A migration ended at every 41st statement, on both engines; the command walks all."""

import pytest

from fund_assets_tests.unit.warehouse.test_migrations import walked


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["mariadb", "sqlite"])
def test_ended_at_every_41st_statement_it_goes_on(engine):
    """Stops a step that the next run neither finishes nor takes back, wherever it is."""
    found = walked(engine, "--every", "41", "--twice", "3")
    assert found["points"] > 14 and found["wrong"] == {}
