"""When automation renews an asset: what it depends on has other content, and that is sound.

Belongs here: the conditions that assets name. Does not belong here: the sensor that evaluates
them (`automation/sensors.py`), in the code server, for one of them is ours.
"""

import json

import dagster as dg

from fund_assets.assets._common import tags_of_last
from fund_assets.instance.dagster_private import DATA_VERSION_TAG, get_input_data_version_tag

Versions = dict[str, str]


class ContentChanged(dg.AutomationCondition[dg.AssetKey]):
    """Whether what the asset depends on has other content than its last run has read.

    That is what Dagster's lineage calls stale. Each content is asked for once: should the run
    fail, the next content is. Dagster's own conditions go by what was updated first, and cannot
    always tell between two looks, half a minute apart: a wave that landed just after a run had
    ended was taken for read, and never asked for.
    """

    def __init__(self, ignored: frozenset[str] = frozenset()) -> None:
        self.ignored = ignored

    @property
    def name(self) -> str:
        """As the UI shows it."""
        return "content_changed"

    @property
    def requires_cursor(self) -> bool:
        """The contents that were seen and asked for."""
        return True

    def evaluate(
        self, context: dg.AutomationContext[dg.AssetKey]
    ) -> dg.AutomationResult[dg.AssetKey]:
        """True of the whole asset, or of nothing."""
        told = json.loads(context.cursor or "{}")
        asked = context.get_previous_requested_subset(context.key)
        last: Versions = told.get("seen" if asked and not asked.is_empty else "asked", {})
        seen, read = self._versions(context)
        true = bool(seen) and seen != read and seen != last
        view = context.asset_graph_view
        return dg.AutomationResult(
            context,
            (view.get_full_subset if true else view.get_empty_subset)(key=context.key),
            cursor=json.dumps({"seen": seen, "asked": last}, sort_keys=True),
        )

    def _versions(
        self, context: dg.AutomationContext[dg.AssetKey]
    ) -> tuple[Versions, Versions]:
        """Dependency → its data version now, and the one that the asset's last run has read."""
        instance = context.asset_graph_view.instance
        told = tags_of_last(instance, context.key)
        now, read = {}, {}
        for key in context.asset_graph.get(context.key).parent_keys:
            name = key.to_user_string()
            if name in self.ignored:
                continue
            if version := tags_of_last(instance, key).get(DATA_VERSION_TAG):
                now[name] = version
                read[name] = told.get(get_input_data_version_tag(key), "")
        return now, read


def when_input_is_sound(
    *ignored: str, renewed_with: bool = False
) -> dg.AutomationCondition[dg.AssetKey]:
    """When what it depends on has other content, and every blocking check of that has passed.

    `eager() & all_deps_blocking_checks_passed()`, but for two things. What was renewed without
    a change (the same data version) asks for nothing. And it has fewer parts: Dagster stores
    every evaluation with all of them, about 700 bytes each for every check and dependency, and
    MySQL's column for it ends at 65,535 bytes.

    Args:
        ignored: dependencies that neither ask for anything nor hold anything up.
        renewed_with: what it depends on may be renewed in the same run. Should a check fail
            there, Dagster stops the run before what comes behind.
    """
    busy = dg.AutomationCondition.run_in_progress()
    with_it = dg.AutomationCondition.will_be_requested()
    passed = dg.AutomationCondition.check_passed()
    left_out = dg.AssetSelection.assets(*ignored)
    wanted: dg.AutomationCondition[dg.AssetKey] = ContentChanged(frozenset(ignored))
    idle = ~busy
    if renewed_with:
        wanted |= dg.AutomationCondition.any_deps_match(with_it).ignore(left_out)
        idle &= ~dg.AutomationCondition.any_deps_match(busy).ignore(left_out)
        passed |= with_it
    checked = dg.AutomationCondition.all_checks_match(passed, blocking_only=True)
    return wanted & idle & dg.AutomationCondition.all_deps_match(checked).ignore(left_out)
