"""Lists of past dates: files as users have them."""

import pytest

from fund_assets.nav.past_lists import PastListError, read_past_list

GIVEN = 20261124210000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("000003\n000001\n", [("000001", "", ""), ("000003", "", "")]),
        ("\ufeff000001, 000003;000001", [("000001", "", ""), ("000003", "", "")]),
        (
            ",code,abbreviation,name,type\n0,000001,HX,华夏成长混合,混合型\n",
            [("000001", "华夏成长混合", "混合型")],
        ),
        (
            '基金代码,基金简称,基金类型\n"000003.OF","中海,可转债",债券型\n000001\n\n',
            [("000001", "", ""), ("000003", "中海,可转债", "债券型")],
        ),
    ],
)
def test_lists_as_users_have_them(text, expected):
    """Stops a list of a known form from being read wrongly."""
    found = read_past_list(text, 20201013, GIVEN)
    assert (
        list(zip(found["fund_code"], found["name"], found["fund_type"], strict=True))
        == expected
    )
    assert set(found["list_date"]) == {20201013} and set(found["given_at"]) == {GIVEN}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no codes"),
        ("code,name\n", "no codes"),
        ("000001\n12a", "'12a' is not a fund code"),
    ],
)
def test_what_is_no_list(text, words):
    """Stops half of a file from being stored as a list."""
    with pytest.raises(PastListError, match=words):
        read_past_list(text, 20201013, GIVEN)
