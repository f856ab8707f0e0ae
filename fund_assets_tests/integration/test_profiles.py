"""One profile more, and nothing else: it is shown, watched, told of and renewed everywhere."""

import io
from datetime import datetime

import dagster as dg
import pytest
from rich.console import Console

from fund_assets.assets._profiles import profiled_asset
from fund_assets.automation.jobs import _job
from fund_assets.cli._progress import describe
from fund_assets.language import speaking
from fund_assets.observability import findings
from fund_assets.observability.alerts import current, facts
from fund_assets.observability.dagster_tables import Ledger
from fund_assets.observability.dashboard import dashboard
from fund_assets.observability.server.exposition import encode
from fund_assets.observability.server.page import Page
from fund_assets.observability.status_reader import gather
from fund_assets.resources import Platform
from fund_assets.schemas.profile import EVENING, EVENING_JOB, EVERY_MORNING, AssetProfile
from fund_assets.schemas.profiles import PROFILES
from fund_assets.schemas.tables import FUND_SCORES
from fund_assets.settings import SHANGHAI
from fund_assets_tests import stores

MADE = AssetProfile(
    name="made_asset",
    label="试制资产",
    description="An asset that a test makes, to see who else must be told that it is there.",
    group=EVENING,
    jobs=(EVENING_JOB,),
    upstream=("fund_info",),
    deadline=EVERY_MORNING,
    table=FUND_SCORES,
    date_column="calc_date",
    read_by_users=True,
    words=lambda figures: f"{figures['stirred']} stirred",
)


@pytest.fixture
def made(monkeypatch):
    """The asset of one profile more."""
    monkeypatch.setitem(PROFILES, MADE.name, MADE)

    @profiled_asset(MADE, kinds={"python"}, code_version="1")
    def made_asset():
        return dg.MaterializeResult(metadata={"stirred": 7, "dagster/row_count": 3})

    return made_asset


@pytest.fixture
def platform(tmp_path, monkeypatch):
    for name, value in {**stores.environment(tmp_path), "FUND_SOURCE": "simulated"}.items():
        monkeypatch.setenv(name, str(value))
    platform = Platform()
    yield platform
    platform.warehouse.close()


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def shown(status, language):
    written = io.StringIO()
    with speaking(language):
        Console(file=written, width=124).print(dashboard(status, 124))
    return written.getvalue()


def test_it_is_the_asset_of_its_profile(made):
    """Stops Dagster from showing another group, description, table or deadline."""
    (spec,) = made.specs
    assert (spec.group_name, spec.description) == (MADE.group, MADE.description)
    assert [dep.asset_key.to_user_string() for dep in spec.deps] == ["fund_info"]
    assert spec.metadata["dagster/table_name"] == "fund_scores"
    assert spec.freshness_policy.deadline_cron == EVERY_MORNING.cron
    selection = _job(EVENING_JOB, "").selection
    assert dg.AssetKey(MADE.name) in selection.selected_keys


def test_it_is_shown_and_measured(made, platform, instance):
    """Stops dashboard, status page and metrics from each having a list of its own."""
    assert dg.materialize([made], instance=instance, selection=[made]).success
    now = datetime.now(SHANGHAI)
    status = gather(platform.settings, platform.warehouse, Ledger.of(instance), now)
    assert [f.table for f in status.freshness][-1] == MADE.name
    assert [(s.asset, s.updates, s.rows) for s in status.assets] == [(MADE.name, 1, 3)]
    assert [u.asset for u in status.updates] == [MADE.name]
    assert MADE.name in shown(status, "en") and MADE.label in shown(status, "zh")
    assert MADE.label in Page("http://127.0.0.1:3000").render(status)
    published = 'fund_last_publish_timestamp_seconds{asset="made_asset"}'
    assert published in encode(status, "")[0].decode()


def test_it_is_watched(made, platform, instance):
    """Stops an asset that is late from being late in silence."""
    assert dg.materialize([made], instance=instance, selection=[made]).success
    assert platform.warehouse.exists()  # made now
    found = facts.look(platform, instance, datetime.now(SHANGHAI))
    assert MADE.name in found.dagster.renewed
    assert found.stored.newest[MADE.name] is None
    behind = [row for row in found.freshness if row.table == MADE.name]
    (late,) = findings.late(behind, first_wave=20200102)
    assert late.level is findings.Level.HARM and late.about == (MADE.name,)
    assert MADE.name in current._late_by_calendar(found)


def test_a_run_tells_of_it_in_its_words(made):
    """Stops the terminal from telling rows where a profile has words."""
    assert describe(MADE.name, {"stirred": 7}) == "7 stirred"
    with speaking("en"):
        assert describe("no_asset", {"dagster/row_count": 1200}) == "1,200 rows"
