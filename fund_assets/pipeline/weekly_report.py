"""The report of a week: its facts are read from the warehouse, and its file is written.

Belongs here: reading and choosing. Does not belong here: words and pictures (`report/`), what
Dagster's records say (`observability/operations.py`), mailing
(`observability/alerts/weekly_mail.py`).

Everything is of the week asked for; what is told of the present alone (the quarantine) says so.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.calendar import from_key, keys_to_days, to_key, to_stamp, week_start
from fund_assets.labels import BENCHMARK_BASES
from fund_assets.language import say
from fund_assets.metrics import DEFINITION_VERSION, FundSeries
from fund_assets.metrics.peers import standing_among
from fund_assets.metrics.scores import SCORE_VERSION, stability
from fund_assets.metrics.walk_forward import summed
from fund_assets.nav.arrivals import ALL, band_of
from fund_assets.nav.trades import KINDS as CHANGES
from fund_assets.pipeline.agreement import UNEXPLAINED
from fund_assets.report.curve import Curve
from fund_assets.report.files import weekly_file, write_page
from fund_assets.report.page import weekly_page
from fund_assets.report.week import KindWeek, Mover, Operations, WeekFacts
from fund_assets.schemas.age import VALUE_AGE_DAYS
from fund_assets.schemas.fund_types import group_order
from fund_assets.schemas.kinds import KINDS
from fund_assets.settings import SHANGHAI, Settings
from fund_assets.version import __version__
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries import agreement as agreement_queries
from fund_assets.warehouse.queries import arrivals as arrival_queries
from fund_assets.warehouse.queries import coverage as coverage_queries
from fund_assets.warehouse.queries import life
from fund_assets.warehouse.queries import metrics as metric_queries
from fund_assets.warehouse.queries import nav as nav_queries
from fund_assets.warehouse.queries import status as status_queries
from fund_assets.warehouse.queries import weekly as weekly_queries
from fund_assets.warehouse.queries.fund_status import (
    StatusChange,
    count_kinds,
    status_changes,
)
from fund_assets.warehouse.stores import landing, weekly_log
from fund_assets.warehouse.stores import metrics as metrics_store
from fund_assets.warehouse.stores import scores as stored_scores

MOVERS, BEST_SCORES, SHOWN_CORRECTIONS, SHOWN_BATCHES = 3, 5, 30, 40
SHOWN_PURCHASES = 40
SPARK_DAYS, CURVE_DAYS = 92, 366
SHOWN_DIFFERENCES = 20
MARKS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Written:
    """A report that was written: where, how many bytes, and what it tells."""

    path: Path
    size: int
    facts: WeekFacts


def write_weekly(
    warehouse: Warehouse, settings: Settings, week: str, operations: Operations
) -> Written:
    """Write the report of a week, in the place of an earlier one of the same week.

    Raises:
        ReportError: it is too large, or cannot be written.
        ValueError: `week` is not an ISO week.
    """
    found = week_facts(warehouse, settings, week)
    path = weekly_file(settings, week)
    return Written(path, write_page(path, weekly_page(found, operations)), found)


def week_facts(warehouse: Warehouse, settings: Settings, week: str) -> WeekFacts:
    """Read everything that the report of a week tells.

    Raises:
        ValueError: `week` is not an ISO week.
    """
    monday = week_start(week)
    sunday = monday + timedelta(days=6)
    first, last = to_key(monday), to_key(sunday)
    funds = landing.fund_info(warehouse)
    series = metrics_store.read_series(warehouse, last, to_key(monday - timedelta(SPARK_DAYS)))
    newest = weekly_queries.newest_date(warehouse, first, last)
    calc_date = weekly_queries.newest_scored(warehouse, first, last)
    scores = _scores(warehouse, calc_date, funds)
    returns = _week_returns(series, funds, monday, sunday)
    ytd = _ytd(warehouse, weekly_queries.newest_measured(warehouse, first, last))
    log = weekly_log.week_log(warehouse, week)
    walk = log.get("walk_forward", {})
    until = to_stamp(
        datetime(sunday.year, sunday.month, sunday.day, 23, 59, 59, tzinfo=SHANGHAI)
    )
    corrections = [
        row
        for row in nav_queries.corrections(warehouse, since=first * 1_000_000)
        if row["superseded_at"] <= until
    ]
    corrections.sort(key=lambda row: -abs(row["change_pct"] or 0.0))
    batches = weekly_queries.batches_between(warehouse, first * 1_000_000, until)
    codes = settings.watched or _best_of_each(scores)
    curves = _curves(warehouse, codes, funds, sunday)
    purchases = status_changes(warehouse, first * 1_000_000, until)
    before = stored_scores.scored_before(warehouse, calc_date) if calc_date else None
    return WeekFacts(
        week=week,
        monday=monday,
        sunday=sunday,
        made_at=settings.now(),
        source=settings.source,
        calc_date=calc_date,
        newest=newest,
        kinds=_kinds(returns, series, ytd),
        states=life.state_counts(warehouse, last),
        changed=life.change_counts(warehouse, first, last),
        curves=curves,
        chosen=bool(settings.watched),
        absent=tuple(sorted(set(codes) - {curve.code for curve in curves})),
        purchases=_purchases(purchases, settings.watched),
        purchase_kinds=dict(count_kinds(purchases)),
        scores=_best(warehouse, scores, before),
        stability=_stability(warehouse, scores, before),
        compared_with=before,
        corrections=tuple(corrections[:SHOWN_CORRECTIONS]),
        corrected=dict(pd.Series([row["legal_level"] for row in corrections], dtype="str")
                       .value_counts()),
        coverage=_coverage(warehouse, newest),
        arrivals=_arrivals(warehouse, first, last),
        rows_per_date={
            key: rows
            for key, rows in status_queries.rows_per_date(warehouse, first).items()
            if key <= last
        },
        quarantine=tuple(weekly_queries.quarantine(warehouse, first * 1_000_000, until)),
        held_batches=tuple(status_queries.held_batches(warehouse)),
        agreement=agreement_queries.verdict_counts(warehouse),
        differences=tuple(
            agreement_queries.differences(warehouse, UNEXPLAINED, SHOWN_DIFFERENCES)
        ),
        log=log,
        walk=tuple(summed(walk.get("outcomes", []), walk.get("tried", 0))),
        batches=tuple(_batch(row) for row in batches[:SHOWN_BATCHES]),
        more_batches=max(len(batches) - SHOWN_BATCHES, 0),
        provenance=_provenance(warehouse, settings, series, scores, calc_date),
    )  # fmt: skip


def _purchases(
    changes: Sequence[StatusChange], watched: Sequence[str]
) -> tuple[dict[str, Any], ...]:
    """The changes that are shown: of the watch list first, then by kind, the newest first."""
    ordered = sorted(
        changes,
        key=lambda one: (
            one.fund_code not in watched,
            CHANGES.index(one.kind),
            -one.at,
        ),
    )
    return tuple(
        {
            "at": one.at, "fund_code": one.fund_code, "name": one.name, "kind": one.kind,
            "words": one.words, "watched": one.fund_code in watched,
        }
        for one in ordered[:SHOWN_PURCHASES]
    )  # fmt: skip


def _week_returns(
    series: FundSeries, funds: pd.DataFrame, monday: date, sunday: date
) -> pd.DataFrame:
    """Fund (place in the series), fund_code, name, kind, value; one class a portfolio."""
    start = keys_to_days(np.array([to_key(monday)]))[0]
    end = start + (sunday - monday).days
    offsets, days, values = series.offsets, series.days, series.values
    fund = np.repeat(np.arange(len(series)), np.diff(offsets))
    before = np.bincount(fund[days < start], minlength=len(series))
    until = np.bincount(fund[days <= end], minlength=len(series))
    able = np.flatnonzero((before > 0) & (until > before))
    starts, ends = offsets[able] + before[able] - 1, offsets[able] + until[able] - 1
    fresh = start - days[starts] <= VALUE_AGE_DAYS
    able, starts, ends = able[fresh], starts[fresh], ends[fresh]
    found = pd.DataFrame(
        {
            "fund": able,
            "fund_code": [f"{code:06d}" for code in series.codes[able]],
            "value": values[ends] / values[starts] - 1,
        }
    )
    known = funds[["fund_code", "name", "kind", "family"]]
    merged = found.merge(known, on="fund_code")
    stands = merged["fund_code"].map(standing_among(merged))
    return merged[merged["fund_code"] == stands].reset_index(drop=True)


def _kinds(
    returns: pd.DataFrame, series: FundSeries, ytd: Mapping[str, float]
) -> tuple[KindWeek, ...]:
    found = []
    for kind in KINDS:
        rows = returns[returns["kind"] == kind]
        if rows.empty:
            continue
        ordered = rows.sort_values(["value", "fund_code"], ascending=[False, True])
        years = [ytd[code] for code in rows["fund_code"] if code in ytd]
        marks = rows["value"].quantile(list(MARKS)).tolist()
        # A kind of few funds shows no fund twice.
        shown = min(MOVERS, (len(ordered) + 1) // 2)
        found.append(
            KindWeek(
                kind=kind,
                funds=len(rows),
                marks=tuple(marks),
                mean=float(rows["value"].mean()),
                up=float((rows["value"] > 0).mean()),
                ytd=float(np.median(years)) if years else None,
                best=tuple(_mover(row, series) for row in ordered.head(shown).itertuples()),
                worst=tuple(
                    _mover(row, series)
                    for row in ordered.tail(min(MOVERS, len(ordered) // 2))[::-1].itertuples()
                ),
            )
        )
    return tuple(found)


def _mover(row: Any, series: FundSeries) -> Mover:
    part = slice(series.offsets[row.fund], series.offsets[row.fund + 1])
    path: NDArray[np.float64] = series.values[part] / series.values[part][0]
    return Mover(row.fund_code, row.name, float(row.value), path)


def _coverage(warehouse: Warehouse, newest: int | None) -> tuple[dict[str, Any], ...]:
    """Of each kind the share of funds that have published for a date, in the order of KINDS."""
    found = coverage_queries.coverage(warehouse, newest) if newest else []
    return tuple(sorted(found, key=lambda row: list(KINDS).index(row["kind"])))


def _arrivals(warehouse: Warehouse, first: int, last: int) -> tuple[dict[str, Any], ...]:
    """How the dates of a week arrived, all funds together, beside earlier evenings."""
    looks = arrival_queries.looks(warehouse, 0, ALL)
    found = []
    for look in looks:
        if look.ago == 0 and first <= look.nav_date <= last:
            band = band_of(looks, look)
            usual, lowest = (band.usual, band.lowest) if band else (None, None)
            of_band = {"share": look.share, "usual": usual, "lowest": lowest}
            found.append({**look._asdict(), **of_band})
    return tuple(found)


def _ytd(warehouse: Warehouse, calc_date: int | None) -> dict[str, float]:
    """Fund → its return of the year so far, of those that have one."""
    if calc_date is None:
        return {}
    return weekly_queries.returns_of(warehouse, calc_date, "ytd")


def _scores(
    warehouse: Warehouse, calc_date: int | None, funds: pd.DataFrame
) -> pd.DataFrame | None:
    """The scores of a date with names; None without any."""
    if calc_date is None:
        return None
    scores = stored_scores.read_scores(warehouse, calc_date)
    return scores.merge(funds[["fund_code", "name"]], on="fund_code", how="left")


def _best(
    warehouse: Warehouse, scores: pd.DataFrame | None, before: int | None
) -> dict[str, list[dict[str, Any]]]:
    """Peer group → its best by score, each with its rank of the scored date before."""
    if scores is None:
        return {}
    ranks: Mapping[str, Any] = {}
    if before is not None:
        earlier = stored_scores.read_scores(warehouse, before)
        ranks = earlier.set_index("fund_code")["composite_rank"].to_dict()
    stand = scores[
        (scores["fund_code"] == scores["standing_for"]) & scores["composite_rank"].notna()
    ]
    found: dict[str, list[dict[str, Any]]] = {}
    for group in sorted(_groups(stand).unique(), key=group_order):
        best = stand[_groups(stand) == group].sort_values(["composite_rank", "fund_code"])
        rows = [
            {**row, "previous_rank": ranks.get(row["fund_code"])}
            for row in best.head(BEST_SCORES).to_dict("records")
        ]
        if rows:
            found[group] = [{name: _plain(v) for name, v in row.items()} for row in rows]
    return found


def _stability(
    warehouse: Warehouse, scores: pd.DataFrame | None, before: int | None
) -> tuple[dict[str, Any], ...]:
    if scores is None or before is None:
        return ()
    alike = stability(scores, stored_scores.read_scores(warehouse, before))
    rows = sorted(alike.to_dict("records"), key=lambda row: group_order(row["peer_group"]))
    return tuple({name: _plain(v) for name, v in row.items()} for row in rows)


def _groups(scores: pd.DataFrame) -> pd.Series:
    """Each row's group; of rows that are older than groups, the kind."""
    return scores["peer_group"].fillna(scores["kind"])


def _best_of_each(scores: pd.DataFrame | None) -> list[str]:
    """The best fund of each kind's greatest group, but of money-market funds."""
    if scores is None:
        return []
    first = scores[(scores["composite_rank"] == 1) & (scores["kind"] != "money")]
    first = first[first["fund_code"] == first["standing_for"]]
    order = first.sort_values(["composite_peers", "fund_code"], ascending=[False, True])
    chosen = order.drop_duplicates("kind").set_index("kind")
    return [str(chosen.loc[kind, "fund_code"]) for kind in KINDS if kind in chosen.index][:8]


def _curves(
    warehouse: Warehouse, codes: Sequence[str], funds: pd.DataFrame, sunday: date
) -> tuple[Curve, ...]:
    names = funds.set_index("fund_code")["name"]
    since, last = to_key(sunday - timedelta(CURVE_DAYS)), to_key(sunday)
    found = []
    for code in codes:
        rows = [
            row
            for row in nav_queries.history(warehouse, code, since=since)
            if row["nav_date"] <= last
        ]
        if len(rows) > 1:
            days = keys_to_days(np.array([row["nav_date"] for row in rows]))
            index = np.array([row["total_return_index"] for row in rows], dtype=float)
            found.append(Curve(code, names[code], days.astype("datetime64[D]"), index))
    return tuple(found)


def _batch(row: Mapping[str, Any]) -> dict[str, Any]:
    """A batch with one digest of all its answers' digests."""
    answers = "".join(str(part["sha256"]) for part in json.loads(row["payloads"]))
    digest = hashlib.sha256(answers.encode()).hexdigest()[:16] if answers else "—"
    return {**row, "digest": digest}


def _provenance(
    warehouse: Warehouse,
    settings: Settings,
    series: FundSeries,
    scores: pd.DataFrame | None,
    calc_date: int | None,
) -> tuple[tuple[str, str], ...]:
    used = hashlib.sha256()
    for array in (series.codes, series.offsets, series.days, series.values):
        used.update(np.ascontiguousarray(array).tobytes())
    lines = [
        ("程序", f"fund-assets {__version__}"),
        ("仓库表版本", str(warehouse.revision())),
        ("指标定义 / 评分定义", f"{DEFINITION_VERSION} / {SCORE_VERSION}"),
        ("无风险利率", f"{settings.risk_free_rate:.2%}（risk_free_rate 表有利率时以表为准）"),
        ("三个月总收益指数", f"{series.rows:,} 行，SHA-256 {used.hexdigest()}"),
    ]
    if bases := metric_queries.basis_counts(warehouse, calc_date) if calc_date else {}:
        told = (f"{say(BENCHMARK_BASES[basis])} {count:,}" for basis, count in bases.items())
        lines.append(("基金的比较对象", "，".join(told)))
    if scores is not None and calc_date is not None:
        content = scores.drop(columns="scored_at").to_csv(index=False).encode()
        lines += [
            ("评分权重", str(scores["weights"].iloc[0])),
            (
                f"评分 {from_key(calc_date)}",
                f"{len(scores):,} 行，SHA-256 {hashlib.sha256(content).hexdigest()}",
            ),
        ]
    return tuple(lines)


def _plain(value: Any) -> Any:
    """Python's own number; None for what is missing."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    return value.item() if isinstance(value, np.generic) else value
