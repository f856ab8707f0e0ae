"""Looking up stored metrics, peers and rates: of one fund, of some, of those that fit.

Belongs here: the reads of `metrics`, `compare`, `screen` and `rate show`. Does not belong
here: computing (`metrics/`), storing (`warehouse/stores/metrics.py`).
"""

from collections.abc import Sequence
from typing import Any

from fund_assets.metrics.screen import (
    FACTS,
    NUMBERS,
    OPERATORS,
    SCORES,
    SIZES,
    TENURES,
    TERMS,
    YIELDS,
    Screen,
)
from fund_assets.schemas.statuses import NO_LIMIT_FROM, PURCHASABLE
from fund_assets.schemas.tables import PEER_METRICS
from fund_assets.warehouse.queries.yields import YIELD_JOIN
from fund_assets.warehouse.warehouse import Warehouse


def newest_calc_date(warehouse: Warehouse) -> int | None:
    """The newest calculation date of the market, yyyymmdd; None without metrics."""
    return warehouse.number("SELECT MAX(calc_date) FROM fund_metrics")


def calc_dates(warehouse: Warehouse, table: str) -> list[int]:
    """The calculation dates of a table that has them, ascending, yyyymmdd."""
    return warehouse.column(int, f"SELECT DISTINCT calc_date FROM {table} ORDER BY calc_date")


def is_measured(warehouse: Warehouse, day: int, version: int | None) -> bool:
    """Whether metrics of a date are stored, by this version of the definitions if given."""
    same = "" if version is None else f" AND definition_version = {version:d}"
    sql = f"SELECT 1 FROM fund_metrics WHERE calc_date = :day{same} LIMIT 1"
    return bool(warehouse.number(sql, day=day))


def facts_then(warehouse: Warehouse, seen_by: int | None) -> list[dict[str, Any]]:
    """Of each class purchase and FACTS as this warehouse had seen them by a time.

    Args:
        seen_by: yyyymmddhhmmss; None: now.
    """
    then = 99_991_231_235_959 if seen_by is None else seen_by
    holds = (
        "{0}.first_seen_at <= :then "
        "AND ({0}.superseded_at IS NULL OR {0}.superseded_at > :then)"
    )
    day = (newest_calc_date(warehouse) or 0) if seen_by is None else seen_by // 1_000_000
    return warehouse.rows(
        f"SELECT i.fund_code, f.purchase, {_terms()}, z.net_assets AS size, "
        f"{_tenure('t', day)} AS manager_tenure, "
        f"{', '.join(f'c.{name}' for name in SCORES)} "
        "FROM fund_info AS i LEFT JOIN fund_status AS f ON f.fund_code = i.fund_code AND "
        f"{holds.format('f')} LEFT JOIN (SELECT s.fund_code, s.net_assets FROM fund_size AS s "
        "JOIN (SELECT t.fund_code, MAX(t.period_end) AS period_end FROM fund_size AS t WHERE "
        f"{holds.format('t')} AND t.net_assets IS NOT NULL GROUP BY t.fund_code) AS n "
        "ON n.fund_code = s.fund_code AND n.period_end = s.period_end WHERE "
        f"{holds.format('s')}) AS z ON z.fund_code = i.fund_code "
        "LEFT JOIN fund_manager_term AS t ON t.fund_code = i.fund_code AND t.until IS NULL "
        f"AND {holds.format('t')} LEFT JOIN fund_scores AS c ON c.fund_code = i.fund_code AND "
        "c.calc_date = (SELECT MAX(calc_date) FROM fund_scores WHERE scored_at <= :then) "
        "ORDER BY i.fund_code",
        then=then,
    )


def newest_metrics(warehouse: Warehouse, fund_code: str) -> list[dict[str, Any]]:
    """All windows of a fund as of its newest calculation date, with its peers' columns."""
    return warehouse.rows(
        f"SELECT m.*, {_peer_columns()} FROM fund_metrics AS m LEFT JOIN fund_peers AS p "
        'USING (calc_date, fund_code, "window") WHERE m.fund_code = :code AND m.calc_date = '
        "(SELECT MAX(calc_date) FROM fund_metrics WHERE fund_code = :code)",
        code=fund_code,
    )


def basis_counts(warehouse: Warehouse, calc_date: int) -> dict[str, int]:
    """What funds are measured against (tracked, own, type or none) → how many of them."""
    return warehouse.mapping(
        str,
        int,
        "SELECT COALESCE(benchmark_basis, 'none') AS basis, COUNT(*) AS n FROM fund_metrics "
        "WHERE calc_date = :date AND \"window\" = 'inception' "
        "GROUP BY COALESCE(benchmark_basis, 'none') ORDER BY 1 DESC",
        date=calc_date,
    )


def of_window(
    warehouse: Warehouse, fund_codes: Sequence[str], window: str
) -> list[dict[str, Any]]:
    """One window of some funds as of the newest calculation date, in the order asked for."""
    found = []
    for code in fund_codes:
        found += [row for row in newest_metrics(warehouse, code) if row["window"] == window]
    return found


def screened(
    warehouse: Warehouse,
    screen: Screen,
    kind: str | None,
    sort: str,
    limit: int,
    fund_type: str | None = None,
    *,
    lowest: bool = False,
) -> tuple[int | None, int, list[dict[str, Any]]]:
    """The listed funds that meet all conditions as of the newest calculation date.

    Args:
        kind: only funds of this kind; None: of all.
        sort: column, highest first; what is missing comes last.
        fund_type: only funds of this type, the source's word; None: of all.
        lowest: whether the lowest comes first.

    Returns:
        The calculation date (None without any), how many funds meet them, and the first
        `limit`: the columns of fund_metrics, name, kind, fees and amounts, and `size`, the
        tenure, the scores and the yields where they are named. A `daily_limit` of
        NO_LIMIT_FROM is none.
    """
    newest = newest_calc_date(warehouse)
    if newest is None:
        return None, 0, []
    wheres = ['m.calc_date = :newest AND m."window" = :window', "i.status = 'listed'"]
    values: dict[str, object] = {"newest": newest, "window": screen.window}
    if kind:
        wheres.append("i.kind = :kind")
        values["kind"] = kind
    if fund_type:
        wheres.append("i.fund_type = :fund_type")
        values["fund_type"] = fund_type
    for at, (name, sign, value) in enumerate(screen.conditions):
        if name not in (*NUMBERS, *FACTS, *YIELDS) or sign not in OPERATORS:
            raise ValueError(f"{name}{sign} is not a condition")
        wheres.append(f"{_value_of(name)} {sign} :v{at}")
        values[f"v{at}"] = value
    names = {f"basis{at}": basis for at, basis in enumerate(screen.bases)}
    if names:
        wheres.append(f"m.benchmark_basis IN ({', '.join(f':{name}' for name in names)})")
        values |= names
    if screen.purchasable is not None:
        marks = ", ".join(f"'{status}'" for status in PURCHASABLE)
        wheres.append(f"f.purchase {'' if screen.purchasable else 'NOT '}IN ({marks})")
    if sort not in (*NUMBERS, *FACTS, *YIELDS):
        raise ValueError(f"{sort} is not a metric")
    besides, joins = _besides({sort, *(name for name, _, _ in screen.conditions)}, newest)
    source = (
        "FROM fund_metrics AS m JOIN fund_info AS i ON i.fund_code = m.fund_code "
        "LEFT JOIN fund_status AS f ON f.fund_code = m.fund_code AND f.superseded_at IS NULL "
        f"{joins}WHERE {' AND '.join(wheres)}"
    )
    count = warehouse.count(f"SELECT COUNT(*) {source}", **values)
    order = _value_of(sort)
    rows = warehouse.rows(
        f"SELECT m.*, i.name, i.kind, {_terms()}{besides} {source} ORDER BY {order} IS NULL, "
        f"{order} {'ASC' if lowest else 'DESC'}, m.fund_code LIMIT :limit",
        **values,
        limit=limit,
    )
    return newest, count, rows


#: Of each class net assets at the newest quarter that has some.
_SIZE_JOIN = (
    "LEFT JOIN (SELECT s.fund_code, s.net_assets AS size FROM fund_size AS s JOIN "
    "(SELECT fund_code, MAX(period_end) AS period_end FROM fund_size "
    "WHERE superseded_at IS NULL AND net_assets IS NOT NULL GROUP BY fund_code) AS n "
    "ON n.fund_code = s.fund_code AND n.period_end = s.period_end "
    "WHERE s.superseded_at IS NULL) AS z ON z.fund_code = m.fund_code "
)


def _tenure(table: str, day: int) -> str:
    """SQL of `nav.managers.years` from a running term's `unbroken_since` to a day."""
    since = f"{table}.unbroken_since"
    months = (
        f"12 * (({since} - {since} % 10000) / 10000) + ({since} % 10000 - {since} % 100) / 100"
    )
    until = day // 10_000 * 12 + day // 100 % 100
    return f"(({until} - ({months})) + ({day % 100} - {since} % 100) / 31e0) / 12e0"


def _besides(asked: set[str], day: int) -> tuple[str, str]:
    """The columns and joins of what metrics have not, on a day."""
    columns, joins = "", ""
    if asked & set(SIZES):
        columns, joins = ", z.size", _SIZE_JOIN
    if asked & set(TENURES):
        columns += ", t.manager_tenure"
        joins += (
            f"LEFT JOIN (SELECT r.fund_code, {_tenure('r', day)} AS manager_tenure "
            "FROM fund_manager_term AS r WHERE r.until IS NULL AND r.superseded_at IS NULL) "
            "AS t ON t.fund_code = m.fund_code "
        )
    if asked & set(SCORES):
        columns += "".join(f", c.{name}" for name in SCORES)
        joins += (
            "LEFT JOIN fund_scores AS c ON c.fund_code = m.fund_code AND "
            "c.calc_date = (SELECT MAX(calc_date) FROM fund_scores) "
        )
    if asked & set(YIELDS):
        columns += "".join(f", y.{name}" for name in YIELDS)
        joins += YIELD_JOIN
    return columns, joins


#: A class without a limit passes each `>=`.
_LIMIT = (
    f"CASE WHEN f.limit_state = 'unlimited' THEN {NO_LIMIT_FROM:.1f} ELSE f.daily_limit END"
)


def _value_of(name: str) -> str:
    """What a condition or an order is about, in SQL."""
    if name == "daily_limit":
        return _LIMIT
    places = {"f": TERMS, "t": TENURES, "c": SCORES, "y": YIELDS, "z": SIZES}
    table = next((alias for alias, names in places.items() if name in names), "m")
    return f'{table}."{name}"'


def _terms() -> str:
    return ", ".join(f"{_value_of(name)} AS {name}" for name in TERMS)


def _peer_columns() -> str:
    return "p.peer_group, " + ", ".join(
        f"p.{name}_{part}" for name in PEER_METRICS for part in ("rank", "peers", "percentile")
    )


def rates(warehouse: Warehouse) -> list[dict[str, Any]]:
    """The entered risk-free rates, oldest first: since (yyyymmdd), rate (a fraction), note."""
    return warehouse.rows("SELECT since, rate, note FROM risk_free_rate ORDER BY since")
