"""How what was found is shown as a Dagster asset check.

Belongs here: the one function that makes check results, what is made of rules with it, and
when automation runs a check. Does not belong here: the rules (`nav/rules.py`), or which asset
shows which of them.

Whoever reads a result, the command line, the status page and the alerts, finds the same
three things in each: `looked_at`, `failed`, and a table `cases` of one column.
"""

from collections.abc import Iterable, Mapping, Sequence

import dagster as dg

from fund_assets.nav.rules import Rule, Severity, Verdict

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
    name: str,
    *,
    looked_at: int,
    cases: Sequence[str] = (),
    failed: int | None = None,
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.WARN,
    told: Mapping[str, Told] | None = None,
) -> dg.AssetCheckResult:
    """The result of the check `name`, which passes when nothing is wrong.

    Args:
        looked_at: how many things were looked at.
        cases: what is wrong, each in words.
        failed: how many are wrong; the number of cases by default.
        told: more metadata.
    """
    failed = len(cases) if failed is None else failed
    found = Verdict(name, Severity.WARN.value, looked_at, failed, tuple(cases))
    return _made(found, severity, told or {})


def _made(
    found: Verdict,
    severity: dg.AssetCheckSeverity,
    told: Mapping[str, Told],
    asset: str | None = None,
) -> dg.AssetCheckResult:
    shown = {"cases": case_table(found.cases[:SHOWN])} if found.failed and found.cases else {}
    figures = {"looked_at": found.looked_at, "failed": found.failed}
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=found.rule,
        passed=found.passed,
        severity=severity,
        metadata={**figures, **told, **shown},
    )


def case_table(cases: Iterable[str]) -> dg.TableMetadataValue:
    """Cases in words as a table of one column."""
    return dg.MetadataValue.table(
        [dg.TableRecord({"case": case}) for case in cases],
        schema=dg.TableSchema([dg.TableColumn("case")]),
    )


def specs_for(asset: str, rules: Iterable[Rule]) -> list[dg.AssetCheckSpec]:
    """A check of `asset` for each rule; rules that block a batch block what follows."""
    return [
        dg.AssetCheckSpec(
            rule.id,
            asset=asset,
            description=f"{rule.title}: {_CONSEQUENCE[rule.severity]}",
            blocking=rule.severity is Severity.BLOCK,
        )
        for rule in rules
    ]


def result_of(
    rule: Rule, verdict: Verdict | None, asset: str | None = None
) -> dg.AssetCheckResult:
    """The check result of a verdict; None is a rule that had nothing to look at.

    Args:
        asset: whose check it is, where the step does not say it.
    """
    found = verdict or Verdict(rule.id, rule.severity.value, 0, 0)
    told: dict[str, Told] = {"consequence": rule.severity.value}
    if not found.passed:
        told["lifted_by"] = rule.way_out
    told |= {f"threshold_{name}": value for name, value in rule.thresholds.items()}
    blocks = rule.severity is Severity.BLOCK
    return _made(
        found,
        dg.AssetCheckSeverity.ERROR if blocks else dg.AssetCheckSeverity.WARN,
        told,
        asset,
    )


_CONSEQUENCE = {
    Severity.BLOCK: "a batch that fails is not merged",
    Severity.HOLD: "what fails is held in quarantine, the rest goes on",
    Severity.WARN: "what fails is told and goes on",
    Severity.INFO: "counted, never fails",
}
