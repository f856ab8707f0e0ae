"""How verdicts and breaches of a schema become Dagster check results."""

from contextlib import contextmanager

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from fund_assets.checks import catalog
from fund_assets.checks.batch import fund_nav_rules
from fund_assets.checks.catalog import Check, of_rule
from fund_assets.checks.results import (
    SHOWN,
    check_result,
    result_of,
    rule_specs,
    severity_of,
    specs_of,
)
from fund_assets.checks.schema import SCHEMA_CHECKS, breaches
from fund_assets.nav import list_rules, rules
from fund_assets.nav.list_rules import described
from fund_assets.nav.rules import Severity, Verdict
from fund_assets.resources import Platform
from fund_assets.schemas.tables import FUND_INFO, FUND_METRICS, FUND_NAV, TABLES, VALIDATED_NAV
from fund_assets.warehouse.engine.diff_writes import insert
from fund_assets.warehouse.stores import landing
from fund_assets_tests.unit.builders import FRI, THU, stored

EVERY = [*rules.RULES.values(), *list_rules.RULES]


@pytest.fixture
def platform(tmp_path):
    platform = Platform(
        overrides={"source": "simulated", "state": str(tmp_path), "clock": "2026-09-18T21:40"}
    )
    yield platform
    platform.warehouse.close()


def shown(result):
    return {
        name: [r.data for r in entry.records]
        if isinstance(entry, dg.TableMetadataValue)
        else entry.value
        for name, entry in result.metadata.items()
    }


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.id)
def test_a_verdict_that_passes(rule):
    """Stops a rule that found nothing from alarming."""
    result = result_of(rule, Verdict(rule.id, rule.severity.value, 120, 0), asset="x")
    assert result.passed and result.check_name == rule.id
    assert shown(result) == {
        "looked_at": 120,
        "failed": 0,
        "consequence": rule.severity.value,
        **{f"threshold_{name}": value for name, value in rule.thresholds.items()},
    }


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.id)
def test_a_verdict_that_fails(rule):
    """Stops a breach from being hidden, told without its rows or without what lifts it, or
    told too loudly."""
    verdict = Verdict(rule.id, rule.severity.value, 120, 2, ("000001 20260918: a", "000002: b"))
    result = result_of(rule, verdict)
    assert result.passed == (rule.severity is Severity.INFO)
    loud = (
        dg.AssetCheckSeverity.ERROR
        if rule.severity is Severity.BLOCK
        else dg.AssetCheckSeverity.WARN
    )
    assert result.severity is loud
    assert shown(result)["failed"] == 2
    assert shown(result)["cases"] == [{"case": "000001 20260918: a"}, {"case": "000002: b"}]
    assert shown(result).get("lifted_by", "") == rule.way_out
    assert bool(rule.way_out) == (rule.severity is not Severity.INFO)


def test_a_rule_with_nothing_to_look_at_passes():
    """Stops an evening without a batch from failing, or from showing old counts."""
    result = result_of(rules.RULES["R04_unique"], None, asset="fund_nav")
    assert result.passed and shown(result)["looked_at"] == 0


@pytest.mark.parametrize("rule", EVERY, ids=lambda rule: rule.id)
def test_a_spec_says_what_a_breach_leads_to(rule):
    """Stops the UI from leaving open whether a failed check stopped anything."""
    (asset,) = [asset for asset, shown in catalog.RULES_OF.items() if rule in shown]
    (spec,) = [spec for spec in rule_specs(asset) if spec.name == rule.id]
    assert spec.asset_key == dg.AssetKey(asset)
    assert spec.blocking == (rule.severity is Severity.BLOCK)
    consequence = {
        Severity.BLOCK: "a batch that fails is not merged",
        Severity.HOLD: "what fails is held in quarantine, the rest is merged",
        Severity.WARN: "what fails is reported and merged",
        Severity.INFO: "counted, never fails",
    }[rule.severity]
    assert spec.description == f"{rule.title}: {consequence}"


def test_the_batch_checks_of_an_empty_warehouse_pass(platform):
    """Stops a fresh installation from beginning with failed checks."""
    results = list(fund_nav_rules(platform))
    assert [r.check_name for r in results] == [r.id for r in rules.WHOLE]
    assert all(r.passed and shown(r)["looked_at"] == 0 for r in results)


@pytest.mark.parametrize("check", catalog.CHECKS, ids=lambda check: check.name)
def test_every_check_tells_the_same(check):
    """Stops a check whose result lacks its numbers, its severity or what ends a breach."""
    assert check.demand and check.way_out
    always = {
        "consequence": check.consequence,
        **{f"threshold_{name}": value for name, value in check.thresholds.items()},
    }
    passed = check_result(check, looked_at=7, told={"more": 1})
    assert passed.passed and shown(passed) == {"looked_at": 7, "failed": 0, **always, "more": 1}
    failed = check_result(check, looked_at=7, cases=["one; and why", "two"])
    assert not failed.passed and failed.check_name == check.name
    assert failed.severity is severity_of(check)
    assert shown(failed) == {
        "looked_at": 7, "failed": 2, **always, "lifted_by": check.way_out,
        "cases": [{"case": "one; and why"}, {"case": "two"}],
    }  # fmt: skip


def test_the_severity_is_that_of_the_consequence_or_the_one_given():
    """Stops an error from being shown as a warning, and a repaired one as an error."""
    severities = {
        name: severity_of(Check("x", (), "", name)).value
        for name in ("info", "warn", "hold", "error", "block")
    }
    assert severities == {
        "info": "WARN", "warn": "WARN", "hold": "WARN", "error": "ERROR", "block": "ERROR",
    }  # fmt: skip
    warn = dg.AssetCheckSeverity.WARN
    mild = check_result(catalog.INDEX_AS_STORED, looked_at=2, failed=2, severity=warn)
    assert (mild.passed, mild.severity) == (False, warn)


def test_an_asset_declares_its_own_checks_without_its_rules():
    """Stops a check of an asset from being declared for another, or twice."""
    assert [spec.name for spec in specs_of("fund_events")] == [
        "R18_events_current", "R18_events_moved", "R18_events_shrink",
    ]  # fmt: skip
    assert [spec.name for spec in specs_of("nav_history")] == [
        "R18_history_shrink", "R01_own_decoder", "R01_history_variables", "reports_sound",
    ]  # fmt: skip
    of_wave = [spec.name for spec in specs_of("fund_nav")]
    assert of_wave[-3:] == ["status_cells_known", "purchase_list_current", "reports_sound"]
    of_merge = [spec.name for spec in specs_of("validated_nav")]
    assert of_merge == ["agrees_with_source", "arrival_band"], (
        "freshness and calendar are steps of their own"
    )
    (spec,) = specs_of("fund_info")
    assert (spec.name, spec.blocking) == ("R26_list_current", False)
    assert spec.description == catalog.LIST_CURRENT.demand


def test_a_rule_that_counts_passes_whatever_it_counts():
    """Stops empty cells of an evening from being told as a failed check."""
    result = check_result(
        of_rule(rules.PENDING), looked_at=9, failed=9, cases=["000001: not yet"]
    )
    assert result.passed and shown(result)["failed"] == 9 and "lifted_by" not in shown(result)


ROW = ("000001", FRI, 1.5, 1.5, 0.1, 1.0, "first")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"unit_nav": 0.0}, ("unit_nav", "unit_nav > 0", "0.0")),
        ({"unit_nav": np.inf}, ("unit_nav", "unit_nav is finite", "inf")),
        ({"growth_pct": -100.0}, ("growth_pct", "growth_pct > -100", "-100.0")),
        ({"total_return_index": np.nan}, ("total_return_index", "not_nullable", "nan")),
        ({"fund_code": "１２３４５６"}, ("fund_code", "fund_code is six ASCII digits", "１２３４５６")),
        ({"nav_date": 20260918.5}, ("nav_date", "dtype('int32')", "float64")),
        ({"nav_date": 1}, ("nav_date", "nav_date is yyyymmdd", "1")),
        ({"return_status": "sure"}, ("return_status", "return_status is one of (", "sure")),
        ({"extra": 1}, ("validated_nav", "column_in_schema", "extra")),
    ],
)  # fmt: skip
def test_a_breach_of_the_schema_is_named(changes, expected):
    """Stops a breach from being told without its column, demand and value."""
    good = stored(("000002", FRI, 1.5, 1.5, 0.1, 1.0, "first"), ROW)
    assert breaches(VALIDATED_NAV, good) == []
    bad = good.copy()
    for name, value in changes.items():
        old = good.get(name, pd.Series([0, 0]))
        bad[name] = pd.Series([old[0], value])
    found = breaches(VALIDATED_NAV, bad)
    column, demand, value = expected
    assert any(c == column and demand in d and v == value for c, d, v in found), found


def test_a_missing_column_and_a_doubled_key_are_named():
    """Stops a frame that lacks a column, or has a key twice, from passing."""
    good = stored(ROW)
    (missing,) = breaches(VALIDATED_NAV, good.drop(columns="acc_nav"))
    assert missing[1:] == ("column_in_dataframe", "acc_nav")
    doubled = breaches(VALIDATED_NAV, pd.concat([good, good], ignore_index=True))
    assert {c for c, _, _ in doubled} == {"nav_date", "fund_code"}


def check_of(table):
    (found,) = [c for c in SCHEMA_CHECKS if c.check_key.asset_key == dg.AssetKey(table)]
    return found


@pytest.mark.parametrize(
    "table", [FUND_INFO, FUND_NAV, VALIDATED_NAV, FUND_METRICS], ids=lambda t: t.name
)
def test_the_schema_check_of_an_empty_table_passes(platform, table):
    """Stops a fresh installation from being blocked by its own schema check."""
    result = check_of(table.name)(platform)
    assert result.passed and shown(result) == {
        "looked_at": 0, "failed": 0, "consequence": "block", "rows": 0,
    }  # fmt: skip


@contextmanager
def unchecked(warehouse):
    """A transaction in which the database does not evaluate its constraints."""
    with (
        warehouse.transaction(writes=True) as connection,
        warehouse.backend.unchecked(connection),
    ):
        yield connection


def test_the_schema_check_shows_what_the_database_let_through(platform):
    """Stops rows that came past the constraints from reaching what follows."""
    funds = pd.DataFrame({"fund_code": ["000001"], "name": "x", "fund_type": "", "pinyin": ""})
    landing.write_fund_info(platform.warehouse, described(funds, FRI))
    rows = stored(*(("000001", day, 1.5, 1.5, 0.1, 1.0, "first") for day in (THU, FRI)))
    with platform.warehouse.transaction(writes=True) as connection:
        insert(connection, VALIDATED_NAV, rows)
    check = check_of("validated_nav")
    found = shown(check(platform))
    assert (found["rows"], found["failed"]) == (1, 0), "the newest date alone"
    assert found["looked_at"] == len(VALIDATED_NAV.names), "each cell of it"
    with unchecked(platform.warehouse) as connection:
        connection.exec_driver_sql(
            "UPDATE validated_nav SET unit_nav = -1, total_return_index = 0"
        )
    result = check(platform)
    assert not result.passed and result.severity is dg.AssetCheckSeverity.ERROR
    assert shown(result)["failed"] == 2
    assert shown(result)["cases"] == [
        {"case": "unit_nav: '-1.0', but unit_nav > 0"},
        {"case": "total_return_index: '0.0', but total_return_index > 0"},
    ]


def test_many_breaches_are_counted_and_some_are_shown(platform):
    """Stops 26,000 breaches from filling the run's metadata."""
    codes = [f"{n:06d}" for n in range(30)]
    funds = pd.DataFrame({"fund_code": codes, "name": "x", "fund_type": "", "pinyin": ""})
    landing.write_fund_info(platform.warehouse, described(funds, FRI))
    with unchecked(platform.warehouse) as connection:
        connection.exec_driver_sql("UPDATE fund_info SET kind = 'crypto'")
    found = shown(check_of("fund_info")(platform))
    assert (found["rows"], found["failed"], len(found["cases"])) == (30, 30, SHOWN)


def test_every_public_table_has_its_check():
    """Stops a table that assets write from having no schema check."""
    keys = {check.check_key.asset_key.to_user_string() for check in SCHEMA_CHECKS}
    tables = {
        "fund_info",
        "fund_events",
        "fund_nav",
        "validated_nav",
        "benchmark_index",
        "fund_metrics",
        "fund_benchmark",
        "fund_manager_term",
        "fund_scores",
    }
    assert tables <= set(TABLES) and keys == {*tables, "nav_history"}
