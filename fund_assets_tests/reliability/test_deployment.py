"""A part of `python -m fund_assets_tests.reliability.deployment`."""

import pytest

from fund_assets_tests.reliability import deployment, machine


@pytest.mark.slow
def test_the_pages_run_as_written_on_a_fresh_debian(tmp_path, capfd):
    """Stops a package, folder, right or order that the author's machine had and a page lacks;
    a boot that does not wait for its database, and a backup that lacks a day."""
    if absence := machine.absence():
        pytest.skip(absence)
    found = deployment.walk(tmp_path, ("install", "everyday", "lost_day", "late_database"))
    with capfd.disabled():
        print(f"\n{deployment.report(found)}")
    assert found.wrong == []
