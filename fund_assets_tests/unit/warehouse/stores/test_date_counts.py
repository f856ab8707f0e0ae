"""Rows of the accepted history that vanish are seen, and those that were never there are not."""

from datetime import date, timedelta

import pytest

from fund_assets.calendar import to_key
from fund_assets.observability.findings import lost_words
from fund_assets.schemas.tables import FUND_INFO, VALIDATED_NAV
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import date_counts
from fund_assets.warehouse.stores.date_counts import DAYS_COUNTED, Loss
from fund_assets_tests import stores
from fund_assets_tests.unit.warehouse.stores.test_publish import FRI, MON, THU, put

TODAY = date(2026, 9, 18)
SINCE = date_counts.counted_since(TODAY)
OLD = 20260105
FUNDS = [f"{n:06d}" for n in range(200)]


@pytest.fixture
def warehouse(tmp_path):
    warehouse = Warehouse(stores.at(tmp_path))
    warehouse.init("simulated")
    put(warehouse, FUND_INFO, *({"fund_code": code} for code in FUNDS))
    yield warehouse
    warehouse.close()


def publish(warehouse, day, codes=FUNDS):
    """Rows of a date, counted as publishing does."""
    put(warehouse, VALIDATED_NAV, *({"fund_code": code, "nav_date": day} for code in codes))
    with warehouse.transaction(writes=True) as connection:
        date_counts.count_dates(connection, [day] * len(codes), TODAY)


def delete(warehouse, which):
    with warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(f"DELETE FROM validated_nav WHERE {which}")


def stored(warehouse):
    rows = warehouse.rows("SELECT * FROM date_count ORDER BY nav_date")
    return [tuple(row.values()) for row in rows]


def test_a_session_that_vanishes_is_seen_until_it_is_back(warehouse):
    """Stops rows that somebody deleted, or a bad restore lost, from being missed by nobody."""
    for day in (MON, THU, FRI):
        publish(warehouse, day)
    assert date_counts.losses(warehouse, SINCE) == []
    delete(warehouse, f"nav_date = {THU}")
    loss = Loss(date(2026, 9, 17), 200, 0)
    assert date_counts.losses(warehouse, SINCE) == [loss]
    assert loss.repair == ("fund-assets collect --no-wave --missing 2026-09-17 --history 200")
    assert lost_words([loss]) == (
        "2026-09-17 的净值少了：曾有 200 行，现有 0 行；补回：" + loss.repair
        + "，再 fund-assets validate"
    )  # fmt: skip
    assert "（共 2 个日期，少 400 行）" in lost_words([loss, loss])
    publish(warehouse, THU, FUNDS[:150])
    assert date_counts.losses(warehouse, SINCE) == [Loss(date(2026, 9, 17), 200, 150)]
    publish(warehouse, THU, FUNDS[150:])
    assert date_counts.losses(warehouse, SINCE) == []
    assert stored(warehouse) == [(MON, 200, 200), (THU, 200, 200), (FRI, 200, 200)]


def test_some_rows_of_a_date_are_no_alarm_and_more_are(warehouse):
    """Stops a single row that a person took away from alarming for ever."""
    publish(warehouse, FRI)
    delete(warehouse, "fund_code IN ('000001', '000002')")
    assert date_counts.losses(warehouse, SINCE) == []
    delete(warehouse, "fund_code = '000003'")
    assert date_counts.losses(warehouse, SINCE) == [Loss(TODAY, 200, 197)]


def test_old_dates_are_counted_on_sundays_and_when_they_come_back(warehouse):
    """Stops an evening from reading the whole history, and an old loss from being told for ever
    though its rows are back."""
    edge = to_key(TODAY - timedelta(days=DAYS_COUNTED))
    for day in (OLD, edge):
        publish(warehouse, day)
    assert stored(warehouse) == [(edge, 200, 200)], "a backfill counts no old date"
    assert date_counts.count_all(warehouse) == []
    assert stored(warehouse) == [(OLD, 200, 200), (edge, 200, 200)]
    delete(warehouse, f"nav_date = {OLD}")
    assert date_counts.losses(warehouse, SINCE) == [], "not looked at in an evening"
    loss = Loss(date(2026, 1, 5), 200, 0)
    assert date_counts.losses(warehouse, 0) == [loss], "by doctor"
    assert date_counts.count_all(warehouse) == [loss]
    assert date_counts.losses(warehouse, SINCE) == [loss], "known since Sunday"
    publish(warehouse, OLD)
    assert date_counts.losses(warehouse, SINCE) == date_counts.count_all(warehouse) == []
