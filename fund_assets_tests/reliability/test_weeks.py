"""A part of the weeks that are walked by `python -m fund_assets_tests.reliability.weeks`."""

import pytest

from fund_assets_tests.reliability.weeks import EVENING, report, walk


@pytest.mark.slow
def test_an_evening_without_the_source_is_two_messages(capfd):
    """Stops a recovery while retries run or a wave waits, a message for each consequence of one
    cause, and an end that is not told."""
    account = walk(EVENING)
    with capfd.disabled():
        print(f"\n{report(account, EVENING)}")
    assert (account.false, account.missing) == ([], [])
    events = [event for _, event, _, severity in account.told if severity > 0]
    assert events == ["began", "over"] and len(account.messages) == 2
