"""Data versions: a short text for each table that changes when its content does.

Belongs here: the few facts that tell one content of a table from another, read without reading
the table. Does not belong here: who needs to know (`assets/`, `pipeline/`).

A large table is told by the account of the batches that changed it, not by its rows: a batch's
id is its content, and every change of the history goes through one, but for the repair of the
weekly recheck, which is in its log.
"""

import hashlib
import json
from collections.abc import Callable

from fund_assets.warehouse.warehouse import Warehouse

_LAST = (
    "SELECT COUNT(*) AS n, COALESCE((SELECT batch_id FROM collection_batch "
    "WHERE kind IN ({kinds}) ORDER BY collected_at DESC, batch_id DESC LIMIT 1), '') AS newest "
    "FROM collection_batch WHERE kind IN ({kinds})"
)
_EVENTS = (
    "SELECT status, kind, COUNT(*) AS n, SUM(ex_date) AS days, SUM(value) AS total, "
    "MAX(batch_id) AS newest FROM fund_events GROUP BY status, kind ORDER BY status, kind"
)
_CHANGES = (
    "SELECT COUNT(*) AS n, MAX(published_at) AS newest FROM publish_log "
    "WHERE rows_new + rows_changed + rows_filled > 0"
)
_FUNDS = (
    "SELECT fund_code, name, fund_type, kind, family, status FROM fund_info ORDER BY fund_code"
)


def data_version(warehouse: Warehouse, *tables: str) -> str:
    """The version of some tables together: 16 hex digits.

    Equal content has equal versions as long as it came by the same batches. `fund_info` has
    none for the day on which the list was seen last.

    Args:
        tables: fund_info, fund_events, fund_nav, nav_history, history_progress (the funds that
            have a whole history), validated_nav, benchmark_index, fund_benchmark,
            fund_manager_term or risk_free_rate.
    """
    return digest(*(_CONTENT_OF[table](warehouse) for table in tables))


def digest(*facts: object) -> str:
    """16 hex digits of anything that JSON can hold."""
    text = json.dumps(facts, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _batches(*kinds: str) -> Callable[[Warehouse], object]:
    query = _LAST.format(kinds=", ".join(f"'{kind}'" for kind in kinds))
    return lambda warehouse: warehouse.rows(query)


def _history(warehouse: Warehouse) -> object:
    """Batches that changed something, events, and repairs of the weekly recheck."""
    logs = warehouse.rows(
        "SELECT week, figures FROM weekly_log WHERE step = 'recheck' ORDER BY week"
    )
    repaired = {
        str(log["week"]): json.loads(str(log["figures"])).get("index_repaired", 0)
        for log in logs
    }
    repairs = {week: rows for week, rows in repaired.items() if rows}
    return warehouse.rows(_CHANGES), warehouse.rows(_EVENTS), repairs


_CONTENT_OF: dict[str, Callable[[Warehouse], object]] = {
    "fund_info": lambda warehouse: warehouse.rows(_FUNDS),
    "fund_events": lambda warehouse: warehouse.rows(_EVENTS),
    "fund_nav": _batches("wave", "history"),
    "nav_history": _batches("history"),
    "validated_nav": _history,
    # Whose histories are stored; a history that changes nothing is in no log.
    "history_progress": lambda warehouse: warehouse.rows(
        "SELECT COUNT(*) AS n FROM history_progress WHERE stored_at IS NOT NULL"
    ),
    "benchmark_index": lambda warehouse: warehouse.rows(
        "SELECT index_code, COUNT(*) AS n, MAX(nav_date) AS newest, SUM(close) AS total "
        "FROM benchmark_index GROUP BY index_code ORDER BY index_code"
    ),
    "fund_benchmark": lambda warehouse: warehouse.rows(
        "SELECT parser_version, status, COUNT(*) AS n, MAX(first_seen_on) AS newest, "
        "SUM(tracked_code <> '') AS codes, (SELECT COUNT(*) FROM fund_benchmark_part "
        "WHERE index_code <> '') AS parts "
        "FROM fund_benchmark GROUP BY parser_version, status ORDER BY parser_version, status"
    ),
    "fund_manager_term": lambda warehouse: warehouse.rows(
        "SELECT COUNT(*) AS n, COUNT(superseded_at) AS ended, MAX(since) AS newest, "
        "SUM(published_return) AS total FROM fund_manager_term"
    ),
    "risk_free_rate": lambda warehouse: warehouse.rows(
        "SELECT since, rate FROM risk_free_rate ORDER BY since"
    ),
}
