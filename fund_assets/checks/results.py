"""How a rule's verdict is shown as a Dagster asset check.

Belongs here: one factory for specs and one for results, and when automation runs a check. Does
not belong here: the rules (`nav/rules.py`), or which asset shows which of them.
"""

from collections.abc import Iterable

import dagster as dg

from fund_assets.nav.rules import Rule, Severity, Verdict

#: Of a check that is a step of its own: whenever automation renews its asset, it runs in the
#: same run. Without it a blocking check would count as not passed from then on, and nothing
#: behind it would be asked for again.
WITH_ITS_ASSET = dg.AutomationCondition.any_deps_match(
    dg.AutomationCondition.will_be_requested()
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
    """The check result of a verdict; None is a rule that had nothing to look at."""
    found = verdict or Verdict(rule.id, rule.severity.value, 0, 0)
    metadata: dict[str, object] = {
        "looked_at": found.looked_at,
        "failed": found.failed,
        "consequence": rule.severity.value,
        **{f"threshold_{name}": value for name, value in rule.thresholds.items()},
    }
    if found.cases:
        metadata["cases"] = dg.MetadataValue.table(
            [dg.TableRecord({"case": case}) for case in found.cases],
            schema=dg.TableSchema([dg.TableColumn("case")]),
        )
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=rule.id,
        passed=found.passed,
        severity=dg.AssetCheckSeverity.ERROR
        if rule.severity is Severity.BLOCK
        else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
    )


_CONSEQUENCE = {
    Severity.BLOCK: "a batch that fails is not merged",
    Severity.HOLD: "what fails is held in quarantine, the rest goes on",
    Severity.WARN: "what fails is told and goes on",
    Severity.INFO: "counted, never fails",
}
