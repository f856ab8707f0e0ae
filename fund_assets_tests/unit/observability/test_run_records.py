"""What is read from Dagster's records: real runs of small assets on an instance in memory."""

from datetime import datetime, timedelta

import dagster as dg
import pytest
from dagster._core.storage.dagster_run import FINISHED_STATUSES
from dagster._daemon.types import DaemonHeartbeat

from fund_assets.observability import check_records, run_events, run_records
from fund_assets.observability.dagster_tables import ENDS, STATUSES, Ledger, value
from fund_assets.observability.updates import Update, asset_statistics, updates_since
from fund_assets.settings import SHANGHAI

LONG_AGO = datetime(2000, 1, 1, tzinfo=SHANGHAI)


class Config(dg.Config):
    passes: bool = True
    crashes: bool = False
    severity: str = "ERROR"


@dg.asset
def fund_nav(config: Config):
    if config.crashes:
        raise ValueError("fund 000001 2026-09-18: no such luck")
    return dg.MaterializeResult(metadata={"rows_read": 76, "nav_date": "2026-09-18"})


@dg.asset(
    deps=[fund_nav],
    check_specs=[dg.AssetCheckSpec("R05", asset="validated_nav", blocking=True)],
)
def validated_nav(config: Config):
    table = dg.MetadataValue.table(
        [dg.TableRecord({"case": "first [case]"}), dg.TableRecord({"case": "second"})],
        schema=dg.TableSchema([dg.TableColumn("case")]),
    )
    return dg.MaterializeResult(
        metadata={"rows_read": 10, "rows_new": 7, "rows_changed": 1, "duration_seconds": 2.5},
        check_results=[
            dg.AssetCheckResult(
                passed=config.passes,
                severity=dg.AssetCheckSeverity(config.severity),
                metadata={"looked_at": 10, "failed": 2, "cases": table},
            )
        ],
    )


DEFS = dg.Definitions(
    assets=[fund_nav, validated_nav],
    jobs=[dg.define_asset_job("evening", "*")],
    executor=dg.in_process_executor,
)


def run(instance, **config):
    nav = {"crashes": config.pop("crashes", False)}
    job = DEFS.resolve_job_def("evening")
    job.execute_in_process(
        run_config={"ops": {"fund_nav": {"config": nav}, "validated_nav": {"config": config}}},
        instance=instance,
        raise_on_error=False,
    )


def states(instance):
    return run_events.check_states(
        Ledger.of(instance), Ledger.of(instance).runs_since(LONG_AGO)
    )


@pytest.fixture
def instance():
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def test_a_failed_blocking_check_is_a_failure(instance):
    """Stops a materialization whose run failed from counting as an update that succeeded."""
    run(instance)
    run(instance, passes=False)
    runs = Ledger.of(instance).runs_since(LONG_AGO)
    updates = updates_since(Ledger.of(instance), runs, LONG_AGO)
    found = [(u.asset, u.status, u.rows, u.rows_written, u.data_date) for u in updates]
    assert found == [
        ("validated_nav", "failed", 10, 8, ""),
        ("fund_nav", "succeeded", 76, None, "2026-09-18"),
        ("validated_nav", "succeeded", 10, 8, ""),
        ("fund_nav", "succeeded", 76, None, "2026-09-18"),
    ]
    assert updates[0].duration_s == 2.5
    nav, validated = asset_statistics(updates)
    assert (nav.asset, nav.updates, nav.failed, nav.rows, nav.success_rate) == (
        "fund_nav", 2, 0, 152, 1.0,
    )  # fmt: skip
    assert (validated.updates, validated.succeeded, validated.failed) == (2, 1, 1)
    assert (validated.rows, validated.rows_written, validated.success_rate) == (10, 8, 0.5)
    assert validated.mean_duration_s == 2.5


def test_a_failed_check_of_its_own_step_fails_the_asset_it_judges(instance):
    """Stops a batch that the rules refused from counting as collected well."""

    @dg.asset
    def fund_info():
        return dg.MaterializeResult(metadata={"rows_read": 5})

    @dg.asset_check(asset=fund_info, blocking=True)
    def rules():
        return dg.AssetCheckResult(passed=False)

    @dg.asset(deps=[fund_info])
    def fund_events():
        raise AssertionError("it waits behind the check")

    result = dg.materialize(
        [fund_info, rules, fund_events], instance=instance, raise_on_error=False
    )
    assert not result.success
    found = updates_since(
        Ledger.of(instance), Ledger.of(instance).runs_since(LONG_AGO), LONG_AGO
    )
    assert ("fund_info", "failed", 5) in [(u.asset, u.status, u.rows) for u in found]
    (statistics,) = asset_statistics(found)
    assert (statistics.asset, statistics.failed, statistics.rows) == ("fund_info", 1, 0)


def test_statistics_without_updates():
    """Stops a rate from nothing, and a running update from counting as not succeeded."""
    assert asset_statistics([]) == []
    going = Update(LONG_AGO, "fund_nav", "run", "running")
    (found,) = asset_statistics([going])
    assert (found.updates, found.success_rate, found.mean_duration_s) == (1, None, None)


def test_a_crash_before_anything_was_written_is_an_update_too(instance):
    """Stops failed attempts from vanishing because no materialization tells of them."""
    run(instance, crashes=True)
    runs = Ledger.of(instance).runs_since(LONG_AGO)
    (update,) = updates_since(Ledger.of(instance), runs, LONG_AGO)
    assert (update.asset, update.status, update.rows) == ("fund_nav", "failed", None)
    assert update.reason == "ValueError: fund 000001 2026-09-18: no such luck"


def test_statistics(instance):
    """Stops a success rate over runs that have not ended, or a division by none."""
    assert run_records.job_statistics([]) == []
    for passes in (True, True, False):
        run(instance, passes=passes)
    instance.create_run_for_job(DEFS.resolve_job_def("evening"))  # made, never started
    (found,) = run_records.job_statistics(Ledger.of(instance).runs_since(LONG_AGO))
    assert (found.job, found.runs, found.succeeded, found.failed) == ("evening", 4, 2, 1)
    assert found.success_rate == pytest.approx(2 / 3)
    assert 0 < found.mean_duration_s < 60


def test_only_unstarted_runs_have_no_rate(instance):
    """Stops 0 % where nothing has ended yet."""
    instance.create_run_for_job(DEFS.resolve_job_def("evening"))
    (found,) = run_records.job_statistics(Ledger.of(instance).runs_since(LONG_AGO))
    assert (found.runs, found.success_rate, found.mean_duration_s) == (1, None, None)


def test_failing_checks_are_the_newest_ones(instance):
    """Stops a check that passes again from being shown as failing for a week."""
    run(instance, passes=False, severity="WARN")
    (found,) = check_records.failing_checks(states(instance))
    assert (found.asset, found.check, found.severity) == ("validated_nav", "R05", "WARN")
    assert (found.failed, found.looked_at, found.words) == (2, 10, "first [case]")
    run(instance)
    assert check_records.failing_checks(states(instance)) == []
    (state,) = states(instance)
    assert (state.asset, state.check, state.severity) == ("validated_nav", "R05", "ERROR")


def test_windows_are_respected(instance):
    """Stops last month's runs from standing in this week's statistics."""
    run(instance)
    ahead = datetime.now(SHANGHAI) + timedelta(hours=1)
    runs = Ledger.of(instance).runs_since(LONG_AGO)
    assert Ledger.of(instance).runs_since(ahead) == []
    assert updates_since(Ledger.of(instance), runs, ahead) == []


def later():
    return datetime.now(SHANGHAI) + timedelta(minutes=1)


def failed_runs(instance):
    return run_records.failed_runs(
        Ledger.of(instance), Ledger.of(instance).runs_since(LONG_AGO), later()
    )


def test_a_job_whose_newest_run_failed(instance):
    """Stops a failure from being counted by its runs, and from lasting after a success."""
    assert failed_runs(instance) == []
    for _ in range(2):
        run(instance, crashes=True)
    (found,) = failed_runs(instance)
    assert (found.job, found.in_a_row, found.blocked) == ("evening", 2, False)
    assert found.lost == ("fund_nav", "validated_nav")
    assert found.words == "fund_nav: ValueError: fund 000001 2026-09-18: no such luck"
    run(instance)
    assert failed_runs(instance) == []


def test_another_job_that_succeeds_hides_nothing(instance):
    """Stops a failed collection from looking well because a canary ran after it, and a run that
    a person started from counting only when the daemon could not try it again any more."""
    run(instance, crashes=True)
    canary = dg.Definitions(
        assets=[dg.AssetSpec("elsewhere")],
        jobs=[dg.JobDefinition(graph_def=dg.GraphDefinition("canary"))],
    ).resolve_job_def("canary")
    assert canary.execute_in_process(instance=instance).success
    assert [found.job for found in failed_runs(instance)] == ["evening"]
    (_, run_made) = Ledger.of(instance).runs_since(LONG_AGO)
    instance.add_run_tags(run_made.run_id, {"dagster/max_retries": "0"})
    runs = Ledger.of(instance).runs_since(LONG_AGO)
    at_once = run_records.failed_runs(Ledger.of(instance), runs, run_records.ended(run_made))
    assert [found.job for found in at_once] == ["evening"]


def test_a_blocked_run_is_told_from_a_crash(instance):
    """Stops a crash from hiding behind a failing check, and all that was refused from counting."""
    run(instance, passes=False)
    (found,) = failed_runs(instance)
    assert (found.blocked, found.lost) == (True, ("fund_nav", "validated_nav"))


def test_another_run_that_renews_what_was_lost_makes_it_good(instance):
    """Stops a job that runs once a day from being shown as failed until tomorrow."""
    run(instance, crashes=True)
    other = dg.Definitions(
        assets=[fund_nav, validated_nav],
        jobs=[dg.define_asset_job("other", "*")],
        executor=dg.in_process_executor,
    ).resolve_job_def("other")
    other.execute_in_process(instance=instance)
    assert failed_runs(instance) == []


def test_a_run_under_way_hides_no_renewal_before_it(instance):
    """Stops yesterday's failure, long made good, from being told again while today's run goes on."""
    run(instance, crashes=True)
    seen = []

    @dg.asset(deps=[fund_nav])
    def looking():
        seen.append(failed_runs(instance))

    for assets in ([fund_nav, validated_nav], [fund_nav, looking]):
        dg.materialize(assets, instance=instance)
    assert seen == [[]]


def test_a_process_that_died_without_a_word(instance):
    """Stops a killed run from not being a failure because it has no failed step."""
    made = instance.create_run_for_job(DEFS.resolve_job_def("evening"))
    instance.report_run_failed(made)
    (found,) = failed_runs(instance)
    assert (found.job, found.words, found.blocked) == ("evening", "", False)


def test_what_is_under_way_canceled_or_tried_again_is_no_failure(instance):
    """Stops a person's own stop, or a run whose retry is coming, from waking somebody."""
    run(instance, crashes=True)
    (run_made,) = Ledger.of(instance).runs_since(LONG_AGO)
    instance.add_run_tags(run_made.run_id, {"dagster/will_retry": "true"})
    assert failed_runs(instance) == []
    made = instance.create_run_for_job(DEFS.resolve_job_def("evening"))
    instance.report_run_canceled(made)
    assert failed_runs(instance) == []


def test_a_run_that_failed_this_moment_waits_for_its_tag(instance):
    """Stops a false page in the moment between a failure and the note that it is tried again."""
    run(instance, crashes=True)
    runs = Ledger.of(instance).runs_since(LONG_AGO)
    assert run_records.failed_runs(Ledger.of(instance), runs, datetime.now(SHANGHAI)) == []
    assert len(run_records.failed_runs(Ledger.of(instance), runs, later())) == 1


def test_ended_runs_are_read_once(instance):
    """Stops a look every 20 seconds from reading a week of runs each time."""
    run(instance, passes=False)
    first = (failed_runs(instance), states(instance))

    class Gone:
        def __getattr__(self, name):
            if name == "get_records_for_run":
                raise AssertionError("read again")
            return getattr(instance, name)

    assert (failed_runs(Gone()), states(Gone())) == first


def test_a_case_is_never_taken_apart():
    """Stops the words of one case from being told as several, and a text from failing its reader."""
    (found,) = check_records.check_cases({"failed": 1, "cases": "index SPX: closed; and late"})
    assert found == "index SPX: closed; and late"
    assert check_records.check_cases({"failed": 1, "cases": ""}) == []


def test_the_ledger_reads_what_dagster_reads(instance):
    """Stops Dagster's tables or their JSON from changing without this project noticing."""
    run(instance)
    run(instance, passes=False, severity="WARN")
    chosen = DEFS.resolve_implicit_global_asset_job_def()
    chosen.execute_in_process(instance=instance, asset_selection=[dg.AssetKey("fund_nav")])
    instance.add_daemon_heartbeat(
        DaemonHeartbeat(timestamp=1795976777.5, daemon_type="SENSOR", daemon_id="1")
    )
    book = Ledger.of(instance)
    assert tuple(status.name for status in dg.DagsterRunStatus) == STATUSES
    assert {s for s in STATUSES if dg.DagsterRunStatus[s] in FINISHED_STATUSES} == set(ENDS)
    assert [(beat.daemon, beat.at_s) for beat in book.beats()] == [("SENSOR", 1795976777.5)]
    told = instance.get_run_records(dg.RunsFilter(created_after=LONG_AGO))
    assert [
        (r.run_id, r.job_name, r.status, dict(r.tags), set(r.selection), r.created, r.updated,
         r.started_s, r.ended_s)
        for r in book.runs_since(LONG_AGO)
    ] == [
        (t.dagster_run.run_id, t.dagster_run.job_name, t.dagster_run.status.name,
         t.dagster_run.tags,
         {key.to_user_string() for key in t.dagster_run.asset_selection or ()},
         t.create_timestamp, t.update_timestamp, t.start_time, t.end_time)
        for t in told
    ]  # fmt: skip
    assert [r.selection for r in book.runs_since(LONG_AGO, most=1)] == [("fund_nav",)]
    events = instance.fetch_materializations(dg.AssetKey("fund_nav"), limit=9).records
    assert [(e.run_id, e.at_s) for e in book.materializations("fund_nav")] == [
        (e.run_id, e.timestamp) for e in events
    ]
    instance.wipe_assets([dg.AssetKey("fund_nav")])
    assert book.materializations("fund_nav") == []
    assert len(book.materializations("validated_nav", LONG_AGO)) == 2


@pytest.mark.parametrize(
    "given",
    [3, 2.5, "text", True, dg.MetadataValue.path("/a"), dg.MetadataValue.url("http://a"),
     dg.MetadataValue.md("**a**"), dg.MetadataValue.json({"a": [1]})],
)  # fmt: skip
def test_the_ledger_reads_every_kind_of_metadata(instance, given):
    """Stops a figure of a run from being told as an object of Dagster's storage."""

    @dg.asset
    def told():
        return dg.MaterializeResult(metadata={"it": given})

    dg.materialize([told], instance=instance)
    (event,) = Ledger.of(instance).materializations("told")
    (entry,) = event.data.materialization.metadata_entries
    assert value(entry.entry_data) == getattr(given, "value", given)
