"""The profiles of all assets, in the order in which a run renews them.

Belongs here: one `AssetProfile` for each asset, after the words for its materializations where
it has any of its own; and the selections of profiles that more than one room asks for. Does not
belong here: Dagster (`assets/`), SQL (`warehouse/`).

They are read when they are needed, not when a module is imported.
"""

from typing import Any

from fund_assets.language import say
from fund_assets.schemas import tables
from fund_assets.schemas.profile import (
    EVENING,
    EVERY_MORNING,
    EVERY_SUNDAY,
    SOURCE,
    WEEKLY,
    AssetProfile,
    Figures,
)

MARKET_SOURCE = AssetProfile(
    name="market_source",
    label="数据源",
    description="The market data at its source hosts, outside this platform.",
    group=SOURCE,
    jobs=(),
)


def _listed(figures: Figures) -> str:
    return say(
        "{funds} listed: {added:,} added, {gone:,} delisted, {renamed:,} renamed",
        **{**_numbers(figures), "funds": funds(figures["listed"])},
    )


FUND_INFO = AssetProfile(
    name="fund_info",
    label="基金名录",
    description="Every share class ever seen: name, type, kind, first and last seen.",
    group=EVENING,
    jobs=("daily_pipeline", "daily_collection", "weekly_full_calc"),
    table=tables.FUND_INFO,
    date_column="last_seen_on",
    words=_listed,
)


def _events(figures: Figures) -> str:
    stored = sum(
        n
        for name, n in _numbers(figures).items()
        if name.startswith(("recorded_", "inferred_"))
    )
    if not figures["asked"]:
        return say(
            "lists already fetched today; {stored:,} dividends and splits stored", stored=stored
        )
    return say(
        "{listed:,} listed; {stored:,} dividends and splits stored",
        listed=figures["listed"], stored=stored,
    )  # fmt: skip


FUND_EVENTS = AssetProfile(
    name="fund_events",
    label="分红拆分",
    description="Dividends and splits: from the market's lists, from histories, inferred.",
    group=EVENING,
    jobs=("daily_pipeline", "daily_collection"),
    upstream=("fund_info",),
    table=tables.FUND_EVENTS,
    date_column="ex_date",
    words=_events,
)


def _collected(figures: Figures) -> str:
    return "; ".join([_wave(figures), *_histories(figures)])


def _wave(figures: Figures) -> str:
    if "rows_read" not in figures:
        return say("no wave")
    told = say(
        "wave of {date}: {read:,} read, {pending:,} not yet published",
        date=figures["nav_date"], read=figures["rows_read"],
        pending=figures["not_yet_published"],
    )  # fmt: skip
    return told if figures["is_new"] else told + say(", the same as before")


def _histories(figures: Figures) -> list[str]:
    if not figures["history_funds_asked"]:
        return []
    asked = say(
        "histories of {funds}: {rows:,} rows",
        funds=funds(figures["history_funds_asked"]), rows=figures["history_rows"],
    )  # fmt: skip
    missed = missed_histories(figures)
    return [asked, *([say("{funds} without a result", funds=funds(missed))] if missed else [])]


FUND_NAV = AssetProfile(
    name="fund_nav",
    label="采集净值",
    description="The landing zone: observations of each collection wave, as they were seen.",
    group=EVENING,
    jobs=("daily_pipeline", "daily_collection"),
    upstream=("fund_info",),
    deadline=EVERY_MORNING,
    table=tables.FUND_NAV,
    date_column="nav_date",
    read_by_users=True,
    words=_collected,
)


def _whole_histories(figures: Figures) -> str:
    if not figures["history_funds_asked"]:
        return say("no history left to fetch: all funds are done")
    counts = say(
        "{rows_new:,} new, {rows_changed:,} corrected, {rows_filled:,} filled in, "
        "{rows_quarantined:,} quarantined", **_numbers(figures),
    )  # fmt: skip
    asked, *without = _histories(figures)
    return "; ".join([f"{asked}, {counts}", *without])


NAV_HISTORY = AssetProfile(
    name="nav_history",
    label="历史补采",
    description="Whole histories, requested once, landed and merged like every other batch.",
    group=EVENING,
    jobs=("history_backfill",),
    upstream=("fund_info",),
    table=tables.HISTORY_PROGRESS,
    words=_whole_histories,
)


def _merged(figures: Figures) -> str:
    covered = say(
        "{coverage:.1%} of the funds have NAVs of {date}",
        coverage=figures["coverage"], date=figures["nav_date"],
    )  # fmt: skip
    if not figures["batches"]:
        return f"{say('no batch was waiting')}; {covered}"
    counts = say(
        "{rows_new:,} new, {rows_changed:,} corrected, {rows_filled:,} filled in, "
        "{rows_unchanged:,} unchanged, {rows_quarantined:,} quarantined, "
        "{rows_pending:,} pending", **_numbers(figures),
    )  # fmt: skip
    return f"{counts}; {covered}"


VALIDATED_NAV = AssetProfile(
    name="validated_nav",
    label="校验净值",
    description="The accepted NAV of every fund and day, with its total-return index.",
    group=EVENING,
    jobs=("daily_pipeline", "daily_validation", "weekly_full_calc"),
    upstream=("fund_events", "fund_nav", "nav_history", "history_refetch"),
    deadline=EVERY_MORNING,
    table=tables.VALIDATED_NAV,
    date_column="nav_date",
    read_by_users=True,
    words=_merged,
)


def _closes(figures: Figures) -> str:
    n = _numbers(figures)
    rows = n.get("dagster/row_count", 0)
    told = say("{indices:,} indices: {rows:,} closes, {rows_written:,} written", rows=rows, **n)
    return told + (say(", {failed:,} indices failed", **n) if n["failed"] else "")


BENCHMARK_INDEX = AssetProfile(
    name="benchmark_index",
    label="基准指数",
    description="Closes of the indices that funds are compared with: those that they name, and "
    "those of their types.",
    group=EVENING,
    jobs=("daily_pipeline", "daily_collection", "weekly_full_calc"),
    upstream=("fund_benchmark",),
    deadline=EVERY_MORNING,
    table=tables.BENCHMARK_INDEX,
    date_column="nav_date",
    words=_closes,
)


def _measured(figures: Figures) -> str:
    n = _numbers(figures)
    rows = n.get("dagster/row_count", 0)
    return say(
        "{funds} as of {date}: {rows:,} rows, {rows_written:,} written",
        **{**n, "funds": funds(n["funds"]), "date": figures["nav_date"], "rows": rows},
    )


FUND_METRICS = AssetProfile(
    name="fund_metrics",
    label="基金指标",
    description="Return and risk of every fund over nine windows, and its place among peers.",
    group=EVENING,
    jobs=("daily_pipeline", "daily_metrics", "weekly_full_calc"),
    upstream=("validated_nav", "benchmark_index"),
    deadline=EVERY_MORNING,
    table=tables.FUND_METRICS,
    date_column="calc_date",
    read_by_users=True,
    words=_measured,
)

HISTORY_RECHECK = AssetProfile(
    name="history_recheck",
    label="重算核对",
    description="Index and metrics of every fund recomputed from the accepted history, and "
    "compared with what is stored; differences are reported, and the index is "
    "corrected.",
    group=WEEKLY,
    jobs=("weekly_full_calc",),
    deadline=EVERY_SUNDAY,
)

HISTORY_REFETCH = AssetProfile(
    name="history_refetch",
    label="历史重采",
    description="Whole histories of a quarter of the market, fetched again to find "
    "corrections of the past; funds requested since Monday are skipped.",
    group=WEEKLY,
    jobs=("weekly_full_calc",),
    upstream=("fund_info", "history_recheck"),
    deadline=EVERY_SUNDAY,
)


def _benchmarks(figures: Figures) -> str:
    n = _numbers(figures)
    parsed, known = n.get("status_parsed", 0), n.get("dagster/row_count", 0)
    told = say(
        "{funds} requested: {rows_written:,} new or changed; {parsed:,} of {known:,} "
        "benchmarks parsed", funds=funds(n["asked"]), rows_written=n["rows_written"],
        parsed=parsed, known=known,
    )  # fmt: skip
    return told + (say(", {failed:,} without an answer", **n) if n["failed"] else "")


FUND_BENCHMARK = AssetProfile(
    name="fund_benchmark",
    label="业绩比较基准",
    description="The benchmark that every fund states, read into weights and series. New funds "
    "are requested in the evening, every fund once a quarter.",
    group=EVENING,
    jobs=("daily_pipeline", "daily_collection", "weekly_full_calc"),
    upstream=("fund_info",),
    deadline=EVERY_SUNDAY,
    table=tables.FUND_BENCHMARK,
    words=_benchmarks,
)


def _terms(figures: Figures) -> str:
    n = _numbers(figures)
    told = say(
        "{funds} requested: {rows_written:,} new or changed; {rows:,} terms of managers",
        funds=funds(n["asked"]), rows_written=n["rows_written"],
        rows=n.get("dagster/row_count", 0),
    )  # fmt: skip
    return told + (say(", {failed:,} without an answer", **n) if n["failed"] else "")


FUND_MANAGER_TERM = AssetProfile(
    name="fund_manager_term",
    label="基金经理任期",
    description="Who has managed every fund since when. A page is requested when the managers "
    "of the history are not those of the running term.",
    group=WEEKLY,
    jobs=("weekly_full_calc",),
    upstream=("fund_info", "history_refetch"),
    deadline=EVERY_SUNDAY,
    table=tables.FUND_MANAGER_TERM,
    words=_terms,
)

FUND_SCORES = AssetProfile(
    name="fund_scores",
    label="基金评分",
    description="Weekly score, 4433 flags, MRAR and stars of every fund within its kind: "
    "research statistics of the past, no ratings.",
    group=WEEKLY,
    jobs=("weekly_full_calc",),
    upstream=("fund_metrics",),
    deadline=EVERY_SUNDAY,
    table=tables.FUND_SCORES,
    date_column="calc_date",
)

WALK_FORWARD = AssetProfile(
    name="walk_forward",
    label="前推检验",
    description="Performance of past screens' picks in the following quarter, and whether it "
    "is more than luck.",
    group=WEEKLY,
    jobs=("weekly_full_calc",),
    upstream=("fund_scores",),
    deadline=EVERY_SUNDAY,
)

WAREHOUSE_UPKEEP = AssetProfile(
    name="warehouse_upkeep",
    label="清理整理",
    description="Merged observations, raw answers, old metrics and records of runs past their "
    "retention are deleted, and the database is tidied.",
    group=WEEKLY,
    jobs=("weekly_full_calc",),
    upstream=("fund_scores",),
    deadline=EVERY_SUNDAY,
)

WEEKLY_REPORT = AssetProfile(
    name="weekly_report",
    label="周报",
    description="The week in one HTML file: market, best and worst, watch list, scores, "
    "corrections, data quality, provenance.",
    group=WEEKLY,
    jobs=("weekly_full_calc",),
    upstream=("fund_scores", "walk_forward", "warehouse_upkeep"),
    deadline=EVERY_SUNDAY,
)

#: Name → profile, in the order in which they stand here.
PROFILES: dict[str, AssetProfile] = {
    value.name: value for value in list(globals().values()) if isinstance(value, AssetProfile)
}


def every_evening() -> list[str]:
    """The assets that every evening renews."""
    return [profile.name for profile in PROFILES.values() if profile.every_evening]


def with_date() -> list[AssetProfile]:
    """Those of them whose table must keep up with the market."""
    return [p for p in PROFILES.values() if p.every_evening and p.table and p.date_column]


def due_every_morning() -> list[str]:
    """The assets that must have been renewed by every morning."""
    return [p.name for p in PROFILES.values() if p.deadline == EVERY_MORNING]


def read_by_users() -> set[str]:
    """What those who use the data read; that another table is late harms them less."""
    return {profile.name for profile in PROFILES.values() if profile.read_by_users}


def renewed_by(job: str) -> list[str]:
    """The assets that a job renews."""
    return [profile.name for profile in PROFILES.values() if job in profile.jobs]


def label(asset: str) -> str:
    """What a Chinese reader calls an asset; of one without a profile, its name."""
    return PROFILES[asset].label if asset in PROFILES else asset


def funds(count: float) -> str:
    """So many funds, in words."""
    return say("{count} fund", count=1) if count == 1 else say("{count:,} funds", count=count)


def missed_histories(figures: Figures) -> int:
    """Histories that were asked for and not had."""
    return int(figures.get("history_failed", 0) + figures.get("history_refused", 0))


def _numbers(figures: Figures) -> dict[str, Any]:
    return {name: n for name, n in figures.items() if isinstance(n, int | float)}
