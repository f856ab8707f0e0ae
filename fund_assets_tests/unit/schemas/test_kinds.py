"""The kinds of funds: their limits, and how people write them."""

import pytest

from fund_assets.schemas.kinds import KINDS, read_kind


def test_limits_are_in_order() -> None:
    """Stops a kind whose rows are held before they warn."""
    for kind in KINDS.values():
        assert 0 < kind.nav_range[0] < 1 < kind.nav_range[1], kind
        assert 0 < kind.jump_warn < kind.jump_hold < 1, kind
        assert kind.lag >= 1, kind


@pytest.mark.parametrize(
    ("written", "kind"),
    [("mixed", "mixed"), ("Mixed", "mixed"), ("混合型", "mixed"), ("货币", "money"), ("QDII", "qdii"),
     ("fof", "fof"), ("REITs", "reit"), ("其他", "other")],
)  # fmt: skip
def test_kinds_as_people_write_them(written, kind):
    """Stops the market's own words from being refused where a kind is asked for."""
    assert read_kind(written) == kind


@pytest.mark.parametrize("written", ["", "bonds", "股"])
def test_what_is_no_kind(written):
    """Stops a mistyped kind from choosing nobody, or somebody else."""
    with pytest.raises(ValueError, match="unknown kind"):
        read_kind(written)
