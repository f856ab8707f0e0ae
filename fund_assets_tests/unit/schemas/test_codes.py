"""Fund codes as people write them."""

import pytest

from fund_assets.schemas.codes import read_code, read_codes


@pytest.mark.parametrize(
    "written", ["000001", " 000001 ", "000001.OF", "000001.of", "000001.SZ", 1]
)
def test_the_forms_of_one_code(written):
    """Stops a vendor's suffix, or the number that a spreadsheet made of a code, from naming
    no fund."""
    assert read_code(written) == "000001"


@pytest.mark.parametrize(
    "written", ["1", "", "00000１", "0000010", "000001.HK", -1, 1_000_000, True]
)
def test_what_is_no_code(written):
    """Stops another fund from being meant by a typing error, or full-width digits from passing."""
    with pytest.raises(
        ValueError, match="is not a fund code: write six digits, such as 000001"
    ):
        read_code(written)


def test_several_codes_each_once():
    assert read_codes(["000003,000001", "000001.OF；000002"]) == ["000003", "000001", "000002"]
