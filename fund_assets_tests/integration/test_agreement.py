"""Our returns next to those that the source states, through the pipeline."""

from dataclasses import replace

import numpy as np
import pytest

from fund_assets.checks.agreement import agreement_result
from fund_assets.nav.history import HistoryChoice
from fund_assets.pipeline.agreement import UNEXPLAINED, compare_stated
from fund_assets.pipeline.fund_info import refresh
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.pipeline.validated_nav import validate
from fund_assets.warehouse.queries import agreement as queries
from fund_assets_tests.integration.evenings import THURSDAY, Market, Tampered


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    return Market(tmp_path_factory.mktemp("agreement"), sim_funds=60, sim_years=1.5)


@pytest.fixture(scope="module")
def platform(market):
    found = market.platform(THURSDAY)
    yield found
    found.warehouse.close()


def _land(platform, source, codes=()):
    warehouse, now = platform.warehouse, platform.now
    report = collect_histories(warehouse, source, now, HistoryChoice(codes=codes))
    assert not report.refused
    validate(warehouse, platform.calendar, now())
    return compare_stated(warehouse, now())


def test_a_dividend_without_record_becomes_an_event(platform):
    """Stops a false accusation of a true market, and a conviction without an event: of one class
    the history has lost the record of a dividend and the growth of its day."""
    source, warehouse = platform.source, platform.warehouse
    refresh(warehouse, source, 20260917)
    report = _land(platform, source)
    counts = queries.verdict_counts(warehouse)
    assert counts == {"equal": report.returns} and report.returns > 150
    assert report.events == [] and queries.owed(warehouse).empty
    assert agreement_result(counts, []).passed

    events = warehouse.rows(
        "SELECT e.fund_code, e.ex_date, e.value FROM fund_events AS e JOIN validated_nav AS v "
        "ON v.fund_code = e.fund_code AND v.nav_date = e.ex_date AND v.acc_nav <> v.unit_nav "
        "WHERE e.kind = 'dividend' AND e.ex_date BETWEEN 20251020 AND 20260810 AND NOT EXISTS "
        "(SELECT 1 FROM fund_events AS o WHERE o.fund_code = e.fund_code AND o.kind = 'split')"
    )
    lost = events[0]
    code, day = lost["fund_code"], lost["ex_date"]

    def without(history):
        seen, told = history.observations, history.events
        growth = seen["growth_pct"].where(seen["nav_date"] != day, np.nan)
        return replace(
            history,
            observations=seen.assign(growth_pct=growth),
            events=told[told["ex_date"] != day].reset_index(drop=True),
        )

    with warehouse.transaction(writes=True) as connection:
        for table in ("fund_events", "validated_nav", "source_agreement", "history_progress"):
            connection.exec_driver_sql(f"DELETE FROM {table} WHERE fund_code = '{code}'")
    report = _land(platform, Tampered(source, history=without), (code,))
    differing = queries.differences(warehouse, UNEXPLAINED, 10)
    assert differing and {row["fund_code"] for row in differing} == {code}
    assert {row["verdict"] for row in differing} == {"unrecorded_dividend"}
    assert {row["located_on"] for row in differing} == {day}
    (event,) = warehouse.rows(
        "SELECT * FROM fund_events WHERE fund_code = :code AND ex_date = :day",
        code=code, day=day,
    )  # fmt: skip
    assert (event["status"], event["kind"]) == ("inferred", "dividend")
    assert event["value"] == pytest.approx(lost["value"], abs=0.0011)
    assert event["evidence"].startswith("by the source's returns +") and event["batch_id"]
    result = agreement_result(queries.verdict_counts(warehouse), differing)
    assert not result.passed and result.metadata["failed"].value == len(differing)

    # The record comes: all agree again, and the inferred event has given way to it.
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql("UPDATE source_agreement SET compared_at = 1")
    _land(platform, source, (code,))
    assert set(queries.verdict_counts(warehouse)) == {"equal"}
    (event,) = warehouse.rows(
        "SELECT status, value FROM fund_events WHERE fund_code = :code AND ex_date = :day",
        code=code, day=day,
    )  # fmt: skip
    assert event == {"status": "recorded", "value": lost["value"]}
