"""Looking up stored metrics, peers and rates: of one fund, of some, of those that fit.

Belongs here: the reads of `metrics`, `compare`, `screen` and `rate show`. Does not belong
here: computing (`metrics/`), storing (`warehouse/stores/metrics.py`).
"""

from collections.abc import Sequence
from typing import Any

from fund_assets.metrics.screen import FEES, NUMBERS, OPERATORS, SIZES, Screen
from fund_assets.schemas.statuses import PURCHASABLE
from fund_assets.schemas.tables import PEER_METRICS
from fund_assets.warehouse.warehouse import Warehouse


def newest_calc_date(warehouse: Warehouse) -> int | None:
    """The newest calculation date of the market, yyyymmdd; None without metrics."""
    return warehouse.number("SELECT MAX(calc_date) FROM fund_metrics")


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
) -> tuple[int | None, int, list[dict[str, Any]]]:
    """The listed funds that meet all conditions as of the newest calculation date.

    Args:
        kind: only funds of this kind; None: of all.
        sort: column, highest first.
        fund_type: only funds of this type, the source's word; None: of all.

    Returns:
        The calculation date (None without any), how many funds meet them, and the first
        `limit`: the columns of fund_metrics, name, kind and fees, and `size` where a
        condition names it.
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
        if name not in (*NUMBERS, *FEES, *SIZES) or sign not in OPERATORS:
            raise ValueError(f"{name}{sign} is not a condition")
        wheres.append(f'{_table_of(name)}."{name}" {sign} :v{at}')
        values[f"v{at}"] = value
    if screen.bases:
        names = {f"basis{at}": basis for at, basis in enumerate(screen.bases)}
        wheres.append(f"m.benchmark_basis IN ({', '.join(f':{name}' for name in names)})")
        values |= names
    if screen.purchasable is not None:
        marks = ", ".join(f"'{status}'" for status in PURCHASABLE)
        wheres.append(f"f.purchase {'' if screen.purchasable else 'NOT '}IN ({marks})")
    if sort not in NUMBERS:
        raise ValueError(f"{sort} is not a metric")
    sized = any(name in SIZES for name, _, _ in screen.conditions)
    size_join, size = (_SIZE_JOIN, ", z.size") if sized else ("", "")
    source = (
        "FROM fund_metrics AS m JOIN fund_info AS i ON i.fund_code = m.fund_code "
        "LEFT JOIN fund_status AS f ON f.fund_code = m.fund_code AND f.superseded_at IS NULL "
        f"{size_join}WHERE {' AND '.join(wheres)}"
    )
    count = warehouse.count(f"SELECT COUNT(*) {source}", **values)
    rows = warehouse.rows(
        f"SELECT m.*, i.name, i.kind, f.fee, f.full_fee{size} {source} "
        f'ORDER BY m."{sort}" IS NULL, m."{sort}" DESC, m.fund_code LIMIT :limit',
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


def _table_of(name: str) -> str:
    """The alias of the table that a condition is about."""
    if name in FEES:
        return "f"
    return "z" if name in SIZES else "m"


def _peer_columns() -> str:
    return "p.peer_group, " + ", ".join(
        f"p.{name}_{part}" for name in PEER_METRICS for part in ("rank", "peers", "percentile")
    )


def rates(warehouse: Warehouse) -> list[dict[str, Any]]:
    """The entered risk-free rates, oldest first: since (yyyymmdd), rate (a fraction), note."""
    return warehouse.rows("SELECT since, rate, note FROM risk_free_rate ORDER BY since")
