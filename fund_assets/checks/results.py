"""How checks are told to Dagster: their specs, and what was found.

Belongs here: the one function that makes check results, the specs, and when automation runs a
check. Does not belong here: which checks there are and whose they are (`catalog.py`), or what
they find.

Whoever reads a result, the command line, the status page and the alerts, finds the same in
each: `looked_at`, `failed`, `consequence`, `threshold_…`, and where something failed
`lifted_by` and a table `cases` of one column, a case in each row.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import dagster as dg

from fund_assets.checks.catalog import (
    BLOCK,
    ERROR,
    INFO,
    OF_ASSETS,
    RULES_OF,
    Check,
    of_rule,
)
from fund_assets.nav.rules import Rule, Verdict

#: Of a check that is a step of its own: whenever automation renews its asset, it runs in the
#: same run. Without it a blocking check would count as not passed from then on, and nothing
#: behind it would be asked for again.
WITH_ITS_ASSET = dg.AutomationCondition.any_deps_match(
    dg.AutomationCondition.will_be_requested()
)
#: What metadata is made of beside the table of cases.
Told = str | int | float
#: Cases that are shown; `failed` counts all of them.
SHOWN = 10


def check_result(
    check: Check,
    *,
    looked_at: int,
    cases: Sequence[str] = (),
    failed: int | None = None,
    severity: dg.AssetCheckSeverity | None = None,
    told: Mapping[str, Told] | None = None,
    asset: str | None = None,
) -> dg.AssetCheckResult:
    """The result of a check, which passes when nothing is wrong.

    Args:
        looked_at: how many things were looked at.
        cases: what is wrong, each in words.
        failed: how many are wrong; the number of cases by default.
        severity: of a breach, where it is not the usual one.
        told: more metadata.
        asset: whose check it is, where the step does not say it.
    """
    failed = len(cases) if failed is None else failed
    metadata: dict[str, Any] = {
        "looked_at": looked_at,
        "failed": failed,
        "consequence": check.consequence,
        **{f"threshold_{name}": value for name, value in check.thresholds.items()},
        **(told or {}),
    }
    passed = not failed or check.consequence == INFO
    if not passed:
        metadata["lifted_by"] = check.way_out
    if failed and cases:
        metadata["cases"] = case_table(cases[:SHOWN])
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=check.name,
        passed=passed,
        severity=severity or severity_of(check),
        metadata=metadata,
    )


def result_of(
    rule: Rule, verdict: Verdict | None, asset: str | None = None
) -> dg.AssetCheckResult:
    """The check result of a verdict; None is a rule that had nothing to look at.

    Args:
        asset: whose check it is, where the step does not say it.
    """
    found = verdict or Verdict(rule.id, rule.severity.value, 0, 0)
    return check_result(
        of_rule(rule),
        looked_at=found.looked_at,
        cases=found.cases,
        failed=found.failed,
        asset=asset,
    )


def severity_of(check: Check) -> dg.AssetCheckSeverity:
    """How severe a breach is, where a result says nothing else."""
    loud = check.consequence in (BLOCK, ERROR)
    return dg.AssetCheckSeverity.ERROR if loud else dg.AssetCheckSeverity.WARN


def case_table(cases: Iterable[str]) -> dg.TableMetadataValue:
    """Cases in words as a table of one column."""
    return dg.MetadataValue.table(
        [dg.TableRecord({"case": case}) for case in cases],
        schema=dg.TableSchema([dg.TableColumn("case")]),
    )


def specs_of(asset: str) -> list[dg.AssetCheckSpec]:
    """The checks that an asset makes while it is renewed, but for its rules."""
    return [_spec(check, asset) for check in OF_ASSETS if asset in check.assets]


def rule_specs(asset: str) -> list[dg.AssetCheckSpec]:
    """A check of an asset for each rule that it shows."""
    return [_spec(of_rule(rule), asset) for rule in RULES_OF.get(asset, ())]


def _spec(check: Check, asset: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        check.name,
        asset=asset,
        description=check.demand,
        blocking=check.consequence == BLOCK,
    )


def own_step(
    check: Check, asset: str = "", *, by_automation: bool = True
) -> Callable[[Callable[..., Any]], dg.AssetChecksDefinition]:
    """Make a function the check, as a step of its own.

    Args:
        asset: whose check it is, when it is that of several.
        by_automation: it runs whenever automation renews its asset.
    """
    return dg.asset_check(
        name=check.name,
        asset=asset or check.assets[0],
        blocking=check.consequence == BLOCK,
        description=check.demand,
        automation_condition=WITH_ITS_ASSET if by_automation else None,
    )
