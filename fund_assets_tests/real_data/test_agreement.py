"""The returns that recorded answers state, by the machinery of the pipeline."""

import pytest

from fund_assets_tests.real_data import evidence

pytestmark = pytest.mark.real_data


def test_each_return_of_the_recorded_answers_is_ours(real_data):
    """Stops one of 8 returns from differing from the source's in the last digit."""
    for name in evidence.RECORDED:
        payload = evidence.recorded_payload(real_data, name)
        found = evidence.agreement_of(payload, name.partition("_")[0])
        assert found["verdict"].tolist() == ["equal"] * 4, name
        assert dict(zip(found["window"], found["theirs"], strict=True)) == evidence.own_returns(
            payload
        )
