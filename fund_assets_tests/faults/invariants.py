"""What must be true of the tables after anything whatsoever, read by plain SQL.

Belongs here: laws that hold whatever happened, each checked by another way than the one that
wrote the tables. Does not belong here: what a certain fault must lead to (`cells.py`).
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from fund_assets.nav.rules import OF_CELLS, RULES
from fund_assets.schemas.columns import OBSERVED_NAMES
from fund_assets.warehouse import Warehouse

COUNTED = (
    "rows_new + rows_changed + rows_filled + rows_unchanged + rows_quarantined + rows_pending"
)
#: Each query must find nothing: (law, query).
NOTHING = [
    (
        "rows are conserved",
        f"SELECT batch_id, rows_read, {COUNTED} AS counted FROM publish_log "
        f"WHERE rows_read <> {COUNTED}",
    ),
    (
        "a batch is published exactly when the log has it",
        "SELECT b.batch_id, b.state FROM collection_batch AS b "
        "LEFT JOIN publish_log AS p ON p.batch_id = b.batch_id "
        "WHERE (b.state = 'published') <> (p.batch_id IS NOT NULL)",
    ),
    (
        "every logged batch was collected",
        "SELECT batch_id FROM publish_log "
        "WHERE batch_id NOT IN (SELECT batch_id FROM collection_batch)",
    ),
    (
        "the log's figures are the batch's",
        "SELECT p.batch_id FROM publish_log AS p JOIN collection_batch AS b "
        "ON b.batch_id = p.batch_id "
        "WHERE p.rows_read <> b.rows_read OR p.newest_date <> b.newest_date",
    ),
    (
        "accepted values come from published batches",
        "SELECT DISTINCT batch_id FROM validated_nav WHERE batch_id NOT IN "
        "(SELECT batch_id FROM publish_log)",
    ),
    (
        "corrections come from published batches",
        "SELECT DISTINCT superseded_by FROM nav_revision WHERE superseded_by NOT IN "
        "(SELECT batch_id FROM publish_log)",
    ),
    (
        "what is staged belongs to a batch",
        "SELECT DISTINCT batch_id FROM fund_nav WHERE batch_id NOT IN "
        "(SELECT batch_id FROM collection_batch)",
    ),
    (
        "what is staged belongs to a known fund",
        "SELECT DISTINCT fund_code FROM fund_nav WHERE fund_code NOT IN "
        "(SELECT fund_code FROM fund_info)",
    ),
    (
        "quarantined rows belong to a batch",
        "SELECT DISTINCT batch_id FROM nav_quarantine WHERE batch_id NOT IN "
        "(SELECT batch_id FROM collection_batch)",
    ),
    (
        "nothing corrected is later than its correction",
        "SELECT fund_code, nav_date FROM nav_revision WHERE first_seen_at > superseded_at",
    ),
    (
        "metrics are of accepted dates",
        "SELECT DISTINCT calc_date FROM fund_metrics WHERE calc_date NOT IN "
        "(SELECT DISTINCT nav_date FROM validated_nav)",
    ),
]


def violations(warehouse: Warehouse) -> list[str]:
    """Every law that is broken, with what breaks it; empty when all hold."""
    found = []
    for law, query in NOTHING:
        if rows := warehouse.rows(query):
            found.append(f"{law}: {len(rows)} are not, first {rows[0]}")
    found += _log_equals_data(warehouse)
    found += _every_row_landed(warehouse)
    found += _returns_chain(warehouse)
    return found


def _log_equals_data(warehouse: Warehouse) -> Iterator[str]:
    """Each accepted row was new once, and each held one was counted as held."""
    accepted = (
        "SELECT COALESCE(SUM(p.rows_new), 0) FROM publish_log AS p "
        "JOIN collection_batch AS b ON b.batch_id = p.batch_id WHERE b.kind <> 'events'"
    )
    quarantined = "SELECT COALESCE(SUM(rows_quarantined), 0) FROM publish_log"
    there = {
        "accepted rows": (accepted, warehouse.count("SELECT COUNT(*) FROM validated_nav")),
        "held observations": (quarantined, _held_whole(warehouse)),
    }
    for what, (logged, stored) in there.items():
        told, found = warehouse.count(logged), stored
        if told != found:
            yield f"the log equals the data: it tells of {told} {what}, there are {found}"


def _held_whole(warehouse: Warehouse) -> int:
    """Observations of which nothing went on: not those whose one figure is held."""
    figures = ", ".join(f"n.{name}" for name in OBSERVED_NAMES)
    rows = warehouse.rows(
        f"SELECT q.batch_id, q.fund_code, q.nav_date, q.rule, {figures} "
        "FROM nav_quarantine AS q JOIN publish_log AS p ON p.batch_id = q.batch_id "
        "LEFT JOIN fund_nav AS n ON n.batch_id = q.batch_id AND n.fund_code = q.fund_code "
        "AND n.nav_date = q.nav_date"
    )
    goes_on: dict[tuple[object, ...], set[str]] = {}
    for row in rows:
        key = (row["batch_id"], row["fund_code"], row["nav_date"])
        rest = {name for name in OBSERVED_NAMES if row[name] is not None}
        rest -= set(RULES[row["rule"]].about) if row["rule"] in OF_CELLS else rest
        goes_on[key] = goes_on.get(key, rest) & rest
    return sum(not rest for rest in goes_on.values())


def _every_row_landed(warehouse: Warehouse) -> Iterator[str]:
    """Of each batch of observations every row is staged, or refused and in quarantine."""
    for row in warehouse.rows(
        "SELECT b.batch_id, b.rows_read, "
        "(SELECT COUNT(*) FROM fund_nav AS n WHERE n.batch_id = b.batch_id) AS staged, "
        "(SELECT COUNT(*) FROM nav_quarantine AS q WHERE q.batch_id = b.batch_id "
        " AND q.rule IN ('R01_fund_code', 'R05_nav_date') AND NOT EXISTS "
        " (SELECT 1 FROM fund_nav AS n WHERE n.batch_id = q.batch_id "
        "  AND n.fund_code = q.fund_code AND n.nav_date = q.nav_date)) AS refused "
        "FROM collection_batch AS b WHERE b.kind <> 'events'"
    ):
        if row["rows_read"] != row["staged"] + row["refused"]:
            yield f"every row read is staged or refused: {row}"


def _returns_chain(warehouse: Warehouse) -> Iterator[str]:
    """The index of each fund begins at 1 and grows by what its NAVs, events and yields say."""
    rows = pd.DataFrame(
        warehouse.rows(
            "SELECT v.fund_code, v.nav_date, v.unit_nav, v.yield_per_10k, v.growth_pct, "
            "v.total_return_index, v.return_status FROM validated_nav AS v "
            "ORDER BY v.fund_code, v.nav_date"
        )
    )
    if rows.empty:
        return
    events = warehouse.rows(
        "SELECT DISTINCT fund_code, ex_date FROM fund_events WHERE status = 'recorded'"
    )
    index = rows["total_return_index"].to_numpy(dtype=float)
    if not (np.isfinite(index) & (index > 0)).all():
        yield "returns chain: an index is not above zero"
    first = ~rows["fund_code"].duplicated().to_numpy()
    if not (index[first] == 1.0).all():
        yield f"returns chain: {(index[first] != 1.0).sum()} funds do not begin at 1"
    step = np.ones(len(rows))
    step[1:] = index[1:] / index[:-1]
    income = rows["yield_per_10k"].to_numpy(dtype=float)
    unit = rows["unit_nav"].to_numpy(dtype=float)
    by_unit = np.ones(len(rows))
    by_unit[1:] = unit[1:] / unit[:-1]
    expected = np.where(np.isnan(income), by_unit, 1.0 + income / 10_000.0)
    # Where an event lies between the two NAVs, or the growth is believed, unit NAV is not.
    dated = {(e["fund_code"], e["ex_date"]) for e in events}
    near = _since_event(rows, dated)
    told = rows["return_status"].isin(["suspected_event", "unproven"]).to_numpy()
    checked = ~first & (~np.isnan(income) | ~(near | told))
    wrong = checked & ~(np.abs(step / expected - 1.0) < 1e-9)
    if wrong.any():
        row = rows[wrong].iloc[0]
        yield (
            f"returns chain: {wrong.sum()} steps differ from their NAVs, first "
            f"{row['fund_code']} {row['nav_date']}"
        )


def _since_event(rows: pd.DataFrame, dated: set[tuple[str, int]]) -> np.ndarray:
    """Which rows are the first NAV on or after an ex-date of their fund."""
    near = np.zeros(len(rows), dtype=bool)
    by_fund: dict[str, list[int]] = {}
    for code, day in dated:
        by_fund.setdefault(code, []).append(day)
    for code, part in rows.groupby("fund_code", sort=False):
        days = part["nav_date"].to_numpy()
        at = np.searchsorted(days, by_fund.get(code, []))
        near[part.index[at[at < len(days)]]] = True
    return near
