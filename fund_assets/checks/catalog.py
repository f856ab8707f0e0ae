"""Every check of the platform, declared once: what it demands, of which asset, what ends it.

Belongs here: the checks that are no rule of `nav/`, and which asset shows which rules. Does not
belong here: finding out whether one is met; Dagster, to which `results.py` tells them.

The specs of assets, the results, and the pages `docs/rules.md` and `docs/zh/rules.md` are made
of these; the Chinese words stand in `catalog_zh.py`.
"""

from dataclasses import dataclass, field

from fund_assets.nav import arrivals, events, list_rules, rules
from fund_assets.nav.reports import SIZE_OFF
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
    "the market's list could be fetched; otherwise the stored one is used",
    ERROR,
    way_out="the next list that can be fetched",
)
LISTS_CURRENT = Check(
    "R18_events_current",
    ("fund_events",),
    "the market's lists of events could be fetched and read completely; otherwise the stored "
    "events are used",
    ERROR,
    way_out="the next lists that can be fetched and read",
)
LISTS_STILL = Check(
    "R18_events_moved",
    ("fund_events",),
    "no event is on two pages of the market's lists; if one is, the pages moved during the "
    "read, and others may be missing until the next day",
    way_out="the next day's lists",
)
#: The rule of the same name; what it refuses is told as an error.
LISTS_WHOLE = Check(
    events.SHRINK.id,
    ("fund_events",),
    f"{events.SHRINK.title}; a shorter list is held as a batch and changes nothing",
    ERROR,
    thresholds=events.SHRINK.thresholds,
    way_out=events.SHRINK.way_out,
)
HISTORY_KEPT = Check(
    "R18_history_shrink",
    ("fund_nav", "nav_history"),
    "no history is shorter than the stored one; a shorter one is refused",
    way_out="a history of full length; until then the stored one is kept",
)
OWN_DECODER = Check(
    "R01_own_decoder",
    ("fund_nav", "nav_history"),
    "the strict decoder could read every answer; akshare's decoder was not needed",
    way_out="answers that it can read; a changed format needs a new release",
)
HISTORY_VARIABLES = Check(
    "R01_history_variables",
    ("fund_nav", "nav_history"),
    "every variable of a history is declared, as decoded or as ignored",
    way_out="a release that declares it; its bytes are in the archive until then",
)
STATUS_CELLS_KNOWN = Check(
    "status_cells_known",
    ("fund_nav",),
    "every purchase and redemption status of the wave and of the list of purchases is a known "
    "word, and every fee and amount a number; an unknown word is stored as published, with the "
    "status unknown",
    way_out="a wave without such cells; a word that stays needs a new release",
)
PURCHASES_CURRENT = Check(
    "purchase_list_current",
    ("fund_nav",),
    "the list of purchases could be fetched and read completely; otherwise limits, least "
    "amounts and the statuses of funds that the market page does not have stay as they were",
    ERROR,
    way_out="the next list that can be fetched and read",
)
REPORTS_SOUND = Check(
    "reports_sound",
    ("fund_nav", "nav_history"),
    "what the histories say of size, holders, portfolio and managers, and of the source's own "
    "return, rank and score, can be used and adds up, and no period is taken back; a figure "
    "that cannot be used is refused, the others are stored",
    way_out="a later answer with figures that can be used",
)
AGREES_WITH_SOURCE = Check(
    "agrees_with_source",
    ("validated_nav",),
    "the returns over 1, 3, 6 and 12 months that the source states with the newest history of "
    "each class are ours to the last digit, or the difference is explained: rounding, another "
    "window, a NAV that was corrected later",
    way_out="a record of the dividend that is missing, or a later history whose returns agree",
)
INDICES_CURRENT = Check(
    "indices_current",
    ("benchmark_index",),
    f"every index was fetched and has a close of the last {OLDEST_CLOSE_DAYS} days before the "
    "due session; otherwise metrics use the stored closes",
    ERROR,
    thresholds={"days": OLDEST_CLOSE_DAYS},
    way_out="closes of every index",
)
OWN_INDICES_CURRENT = Check(
    "own_indices_current",
    ("benchmark_index",),
    "every index that funds name and some source has was fetched, as far as it was due; "
    "otherwise metrics use the stored closes",
    WARN,
    way_out="closes of these indices on the next evening",
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
TERMS_FOLLOW = Check(
    "terms_follow",
    ("fund_manager_term",),
    "no term of a fund's managers begins before the one before it has ended; terms that "
    "overlap are stored as the page has them",
    way_out="a page whose terms follow each other",
)
ARRIVALS_USUAL = Check(
    conditions.ARRIVAL_BAND,
    ("validated_nav",),
    "after each wave, of the funds of each type that are due as many have published as on "
    "earlier evenings at that time: the median, less the widest of 8 %, five funds and four "
    "times the median distance from it, and what chance explains",
    thresholds={
        "width": arrivals.WIDTH,
        "least_width": arrivals.LEAST_WIDTH,
        "few_funds": arrivals.FEW_FUNDS,
        "sigmas": arrivals.SIGMAS,
        "from_funds": arrivals.LEAST_DUE,
    },
    way_out="a wave in which the missing NAVs have come; or the date is older than the lag of "
    "its kind: the gaps of its funds are then requested one by one",
)
INDEX_AS_STORED = Check(
    "index_as_stored",
    ("history_recheck",),
    "the total-return index and its status, recomputed from every fund's first NAV, equal "
    f"the stored ones; up to {MOST_REPAIRED:.1%} of rows are corrected",
    ERROR,
    "WARN when the rows are corrected",
    {"share": MOST_REPAIRED},
    "the next recheck after the rows are corrected: automatically, or with `repair_all: true`",
)
METRICS_AS_STORED = Check(
    "metrics_as_stored",
    ("history_recheck",),
    "the metrics of the newest date, computed again, equal the stored ones; the next step "
    "writes the new ones",
    way_out="the next recheck after the new ones are written",
)
SIZE_AS_SHARES = Check(
    "size_as_shares",
    ("history_recheck",),
    f"net assets of a class at the newest quarters equal its shares times its NAV, but for "
    f"{SIZE_OFF:.1%} and the rounding of both; others are reported and stay",
    thresholds={"share": SIZE_OFF},
    way_out="a later report, or a correction of the NAV",
)
REPORT_MAILED = Check(
    "report_mailed",
    ("weekly_report",),
    "the mail server accepted the report, if FUND_ALERT_MAIL_TO is set",
    way_out="a run of the asset whose mail is accepted; the report is kept",
)
SOURCE_CANARY = Check(
    "source_canary",
    ("market_source",),
    f"at 18:30 on trading days: list, wave, an index and {SAMPLE} histories have the known "
    "format, as many rows as before, the due dates and the stored figures",
    ERROR,
    thresholds={"sample": SAMPLE, "least_of_before": LEAST_OF_BEFORE, "most_odd": MOST_ODD},
    way_out="the next check that finds nothing wrong",
)
TRADING_DAY_FRESHNESS = Check(
    "trading_day_freshness",
    ("validated_nav",),
    "the newest published date is the last session whose NAVs are due (23:30)",
    ERROR,
    way_out="NAVs of the due session",
)
#: The two limits of the table of conditions.
ALARM_DAYS, CRITICAL_DAYS = (
    int(conditions.CALENDAR_HORIZON.limit.of(severity))
    for severity in (conditions.Severity.WARNING, conditions.Severity.CRITICAL)
)
CALENDAR_HORIZON = Check(
    "calendar_horizon",
    ("validated_nav",),
    f"the trading calendar covers at least {ALARM_DAYS} more days",
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
    HISTORY_VARIABLES,
    STATUS_CELLS_KNOWN,
    PURCHASES_CURRENT,
    REPORTS_SOUND,
    AGREES_WITH_SOURCE,
    INDICES_CURRENT,
    OWN_INDICES_CURRENT,
    BENCHMARK_PARSED,
    TERMS_FOLLOW,
    ARRIVALS_USUAL,
    INDEX_AS_STORED,
    METRICS_AS_STORED,
    SIZE_AS_SHARES,
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
    Severity.HOLD: "what fails is held in quarantine, the rest is merged",
    Severity.WARN: "what fails is reported and merged",
    Severity.INFO: "counted, never fails",
}
