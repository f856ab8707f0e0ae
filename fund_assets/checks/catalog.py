"""Every check of the platform, declared once: what it demands, of which asset, what ends it.

Belongs here: the checks that are no rule of `nav/`, and which asset shows which rules. Does not
belong here: finding out whether one is met; Dagster, to which `results.py` tells them.

The specs of assets, the results, and the pages `docs/rules.md` and `docs/zh/rules.md` are made
of these; the Chinese words stand in `catalog_zh.py`.
"""

from dataclasses import dataclass, field

from fund_assets.nav import events, list_rules, rules
from fund_assets.nav.rules import Rule, Severity
from fund_assets.observability import conditions
from fund_assets.pipeline.benchmark_index import OLDEST_CLOSE_DAYS
from fund_assets.pipeline.history_recheck import MOST_REPAIRED
from fund_assets.pipeline.source_canary import LEAST_OF_BEFORE, MOST_ODD, SAMPLE
from fund_assets.schemas.profiles import PROFILES
from fund_assets.schemas.table import Table

#: What a breach leads to, where no rule says it.
WARN, ERROR, BLOCK, INFO = "warn", "error", "block", "info"


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: as Dagster shows it.
        assets: whose check it is.
        demand: what it demands, in words.
        consequence: of a breach: `warn` and `hold` have severity WARN, `error` and `block`
            ERROR; `block` keeps what comes behind the asset from running; `info` counts.
        sometimes: when a breach is milder or more severe than that.
        thresholds: the numbers in it.
        way_out: what ends a breach.
    """

    name: str
    assets: tuple[str, ...]
    demand: str
    consequence: str = WARN
    sometimes: str = ""
    thresholds: dict[str, float] = field(default_factory=dict)
    way_out: str = ""


#: Asset → the table whose newest rows its check `schema` looks at.
TABLE_OF: dict[str, Table] = {p.name: p.table for p in PROFILES.values() if p.table}
#: Asset → the rules of `nav/` that it shows, each as a check of its own.
RULES_OF: dict[str, tuple[Rule, ...]] = {
    "fund_info": tuple(list_rules.RULES),
    "fund_events": tuple(events.RULES),
    "fund_nav": rules.WHOLE,
    "validated_nav": (
        *rules.ALONE,
        *rules.ACCUMULATED,
        *rules.IN_CONTEXT,
        rules.PENDING,
        rules.TAKEN_BACK,
    ),
}

SCHEMA = Check(
    "schema",
    tuple(TABLE_OF),
    "the newest rows have the declared columns, types, limits and key",
    BLOCK,
    way_out="rows that meet the declaration",
)
LIST_CURRENT = Check(
    "R26_list_current",
    ("fund_info",),
    "the market's list could be fetched; when it cannot, the stored one is used",
    ERROR,
    way_out="the next list that can be fetched",
)
LISTS_CURRENT = Check(
    "R18_events_current",
    ("fund_events",),
    "the market's lists of events could be fetched and read whole; when they cannot, the "
    "stored events stay in use",
    ERROR,
    way_out="the next lists that can be fetched and read",
)
LISTS_STILL = Check(
    "R18_events_moved",
    ("fund_events",),
    "no event stands on two pages of the market's lists, each time they are read; one that "
    "does means that pages moved meanwhile, and others may be missing until the next day",
    way_out="the next day's lists",
)
#: The rule of the same name; what it refuses is told as an error.
LISTS_WHOLE = Check(
    events.SHRINK.id,
    ("fund_events",),
    f"{events.SHRINK.title}: one that is, is held as a batch and changes nothing",
    ERROR,
    thresholds=events.SHRINK.thresholds,
    way_out=events.SHRINK.way_out,
)
HISTORY_KEPT = Check(
    "R18_history_shrink",
    ("fund_nav", "nav_history"),
    "no history is shorter than the stored one: one that is, is refused",
    way_out="a history that is as long again; the stored one stays",
)
OWN_DECODER = Check(
    "R01_own_decoder",
    ("fund_nav", "nav_history"),
    "the strict decoder understood every answer: akshare's was not needed",
    way_out="answers that it understands; a changed form needs a new release",
)
INDICES_CURRENT = Check(
    "indices_current",
    ("benchmark_index",),
    f"every index has been had and has a close of the last {OLDEST_CLOSE_DAYS} days before the "
    "session that is due; without it metrics go on with the closes that are stored",
    ERROR,
    thresholds={"days": OLDEST_CLOSE_DAYS},
    way_out="closes of every index",
)
#: A smaller share of parsed texts means that their wording has changed, or ours has a hole.
LEAST_PARSED = 0.9
BENCHMARK_PARSED = Check(
    "benchmark_parsed",
    ("fund_benchmark",),
    f"of the benchmarks that funds disclose, {LEAST_PARSED:.0%} are read into weights that sum "
    "to 1; what is not understood is named, and nothing is guessed",
    thresholds={"share": LEAST_PARSED},
    way_out="a release that understands what is named",
)
INDEX_AS_STORED = Check(
    "index_as_stored",
    ("history_recheck",),
    "the total-return index and its status, chained anew from every fund's first NAV, are "
    f"those that are stored; up to {MOST_REPAIRED:.1%} of rows are set right",
    ERROR,
    "WARN where the rows are set right",
    {"share": MOST_REPAIRED},
    "the next recheck, once the rows are set right: by itself, or with `repair_all: true`",
)
METRICS_AS_STORED = Check(
    "metrics_as_stored",
    ("history_recheck",),
    "the metrics of the newest date, computed anew, are those that are stored; the next step "
    "writes the new ones",
    way_out="the next recheck, once the new ones are written",
)
REPORT_MAILED = Check(
    "report_mailed",
    ("weekly_report",),
    "the report was accepted by the mail server, where FUND_ALERT_MAIL_TO is set",
    way_out="a run of the asset whose mail is accepted; the report stays",
)
SOURCE_CANARY = Check(
    "source_canary",
    ("market_source",),
    f"at 18:30 on trading days: list, wave, an index and {SAMPLE} histories have the known "
    "form, as many rows as before, the dates that are due and the stored figures",
    ERROR,
    thresholds={"sample": SAMPLE, "least_of_before": LEAST_OF_BEFORE, "most_odd": MOST_ODD},
    way_out="the next look that finds nothing wrong",
)
TRADING_DAY_FRESHNESS = Check(
    "trading_day_freshness",
    ("validated_nav",),
    "the newest published date is the last session whose NAVs are due (23:30)",
    ERROR,
    way_out="NAVs of the session that is due",
)
#: The two limits of the table of conditions.
ALARM_DAYS, CRITICAL_DAYS = (
    int(conditions.CALENDAR_HORIZON.limit.of(severity))
    for severity in (conditions.Severity.WARNING, conditions.Severity.CRITICAL)
)
CALENDAR_HORIZON = Check(
    "calendar_horizon",
    ("validated_nav",),
    f"the trading calendar is known for {ALARM_DAYS} more days",
    WARN,
    f"ERROR below {CRITICAL_DAYS} days",
    {"days": ALARM_DAYS, "critical_days": CRITICAL_DAYS},
    "`fund-assets calendar refresh`, or `fund-assets calendar import FILE` with the year's "
    "notices",
)

#: The checks that assets make while they are renewed, in the order in which they show them.
OF_ASSETS = (
    LIST_CURRENT,
    LISTS_CURRENT,
    LISTS_STILL,
    LISTS_WHOLE,
    HISTORY_KEPT,
    OWN_DECODER,
    INDICES_CURRENT,
    BENCHMARK_PARSED,
    INDEX_AS_STORED,
    METRICS_AS_STORED,
    REPORT_MAILED,
)
#: Every check that is no rule of `nav/`.
CHECKS = (*OF_ASSETS, SOURCE_CANARY, TRADING_DAY_FRESHNESS, CALENDAR_HORIZON, SCHEMA)


def of_rule(rule: Rule, *assets: str) -> Check:
    """The check that shows a rule."""
    return Check(
        rule.id,
        assets,
        f"{rule.title}: {_LEADS_TO[rule.severity]}",
        rule.severity.value,
        thresholds=rule.thresholds,
        way_out=rule.way_out,
    )


_LEADS_TO = {
    Severity.BLOCK: "a batch that fails is not merged",
    Severity.HOLD: "what fails is held in quarantine, the rest goes on",
    Severity.WARN: "what fails is told and goes on",
    Severity.INFO: "counted, never fails",
}
