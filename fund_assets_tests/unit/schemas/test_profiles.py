"""The profiles of assets: what each must say, and what the selections of them are."""

import pytest

from fund_assets.schemas import profiles
from fund_assets.schemas.profile import EVENING_JOB, AssetProfile
from fund_assets.schemas.profiles import PROFILES


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_fits_what_it_names(name):
    """Stops a profile under another name, one made from an asset that is not there, and a date
    that its table has not."""
    profile = PROFILES[name]
    assert profile.name == name and profile.label and profile.description.endswith(".")
    assert set(profile.upstream) <= PROFILES.keys() - {name}
    assert not profile.date_column or profile.date_column in profile.table.names
    if profile.every_evening:
        assert profile.date_column, "every evening it must be seen whether it is late"


def test_labels_tell_assets_apart():
    """Stops two assets from being one to a Chinese reader."""
    labels = [profile.label for profile in PROFILES.values()]
    assert len(labels) == len(set(labels))
    assert profiles.label("fund_nav") == "采集净值"
    assert profiles.label("no_asset") == "no_asset"


def test_the_selections():
    """Stops a flag of a profile from being read as another one."""
    assert profiles.every_evening() == [
        "fund_info", "fund_events", "fund_nav", "validated_nav", "benchmark_index",
        "fund_metrics",
    ]  # fmt: skip
    assert [p.name for p in profiles.with_date()] == profiles.every_evening()
    assert profiles.due_every_morning() == [
        "fund_nav", "validated_nav", "benchmark_index", "fund_metrics"
    ]  # fmt: skip
    assert profiles.read_by_users() == {"fund_nav", "validated_nav", "fund_metrics"}
    assert profiles.renewed_by("daily_validation") == ["validated_nav"]
    assert profiles.renewed_by("history_backfill") == ["nav_history"]


def test_a_profile_is_found_without_a_list_of_them():
    """Stops a profile of the module from being declared and forgotten."""
    declared = [v for v in vars(profiles).values() if isinstance(v, AssetProfile)]
    assert declared == list(PROFILES.values()) and len(declared) > 10
    assert EVENING_JOB in PROFILES["fund_info"].jobs
