"""One fund's accepted history, as it is and as it was known at a past time, and finding funds.

Belongs here: reads for people who look at one fund. Does not belong here: reads of the
pipeline's steps, or of the whole market.
"""

from collections.abc import Sequence
from typing import Any

from fund_assets.calendar import from_key
from fund_assets.schemas.columns import GROWTH_ROUNDING, OBSERVED_NAMES
from fund_assets.schemas.tables import LEGAL_LEVELS
from fund_assets.warehouse.warehouse import Warehouse

VALUES = ", ".join(OBSERVED_NAMES)
#: More rows than a fund will ever have.
ALL = 2**31


def history(
    warehouse: Warehouse, fund_code: str, *, since: int = 0, limit: int = ALL
) -> list[dict[str, Any]]:
    """The accepted rows of a fund, oldest first.

    Args:
        since: yyyymmdd of the first date; 0: from the beginning.
        limit: at most this many, the newest ones.

    Returns:
        nav_date, the five observed figures, days_covered, total_return_index,
        return_status, first_seen_at, batch_id.
    """
    found = warehouse.rows(
        f"SELECT nav_date, {VALUES}, days_covered, total_return_index, return_status, "
        "first_seen_at, batch_id FROM validated_nav "
        "WHERE fund_code = :code AND nav_date >= :since ORDER BY nav_date DESC LIMIT :limit",
        code=fund_code,
        since=since,
        limit=limit,
    )
    return found[::-1]


def history_as_of(
    warehouse: Warehouse, fund_code: str, known_at: int, *, since: int = 0, limit: int = ALL
) -> list[dict[str, Any]]:
    """The rows of a fund as they were known at a past time, oldest first.

    Of the values that a date ever had, the one known at T is the first that was corrected
    after T, and the present one when none was; it must have been seen by T. A correction
    seen at T itself is known at T, and so is a figure that was filled in at T, unit NAV,
    accumulated NAV, growth, income and yield alike. Decimals added to a growth count as known
    from the beginning.

    Args:
        known_at: T, yyyymmddhhmmss.
        since, limit: as in `history`.

    Returns:
        nav_date, the five observed figures, first_seen_at, batch_id. The index is left out:
        it is chained anew with every correction and keeps no past.
    """
    found = warehouse.rows(
        f"SELECT nav_date, {VALUES}, first_seen_at, batch_id FROM nav_versions "
        "WHERE fund_code = :code AND nav_date >= :since "
        "AND known_from <= :known_at AND known_to > :known_at "
        "ORDER BY nav_date DESC LIMIT :limit",
        code=fund_code,
        known_at=known_at,
        since=since,
        limit=limit,
    )
    return found[::-1]


def nav_asof(
    warehouse: Warehouse, fund_code: str, nav_date: int, observed_at: int
) -> dict[str, Any] | None:
    """The row of a fund and date (yyyymmdd) as it was known at a time (yyyymmddhhmmss).

    Returns:
        As a row of `history_as_of`; None when no value was accepted by then.
    """
    found = warehouse.rows(
        f"SELECT nav_date, {VALUES}, first_seen_at, batch_id FROM nav_versions "
        "WHERE fund_code = :code AND nav_date = :nav_date "
        "AND known_from <= :known_at AND known_to > :known_at",
        code=fund_code,
        nav_date=nav_date,
        known_at=observed_at,
    )
    return found[0] if found else None


def corrections(
    warehouse: Warehouse,
    *,
    since: int = 0,
    fund_code: str | None = None,
    levels: Sequence[str] = LEGAL_LEVELS,
) -> list[dict[str, Any]]:
    """The corrections seen since a time (yyyymmddhhmmss), oldest first.

    Args:
        levels: of these legal levels alone.

    Returns:
        superseded_at, fund_code, name, nav_date, change_pct (of unit NAV), legal_level,
        superseded_by, and `figures`: {figure: [before, after]} of each of the five observed
        figures that was accepted and then replaced, by name; `after` is None where a growth
        went with the unit NAV that it belonged to and none has come since.
    """
    names = {f"level{n}": level for n, level in enumerate(levels)}
    before = ", ".join(f"r.{name} AS {name}" for name in OBSERVED_NAMES)
    after = ", ".join(
        f"CASE WHEN e.fund_code IS NULL THEN v.{name} ELSE e.{name} END AS {name}_after"
        for name in OBSERVED_NAMES
    )
    rows = warehouse.rows(
        f"""
        SELECT r.superseded_at, r.fund_code, i.name, r.nav_date, r.change_pct, r.legal_level,
               r.superseded_by, {before}, {after}
        FROM nav_revision AS r
        JOIN fund_info AS i ON i.fund_code = r.fund_code
        JOIN validated_nav AS v ON v.fund_code = r.fund_code AND v.nav_date = r.nav_date
        LEFT JOIN nav_revision AS e ON e.fund_code = r.fund_code AND e.nav_date = r.nav_date
          AND e.superseded_at = (
            SELECT MIN(l.superseded_at) FROM nav_revision AS l WHERE l.fund_code = r.fund_code
            AND l.nav_date = r.nav_date AND l.superseded_at > r.superseded_at
        )
        WHERE r.superseded_at >= :since AND (r.fund_code = :code OR :code IS NULL)
          AND r.kind = 'correction'
          AND r.legal_level IN ({", ".join(f":{name}" for name in names)})
        ORDER BY r.superseded_at, r.fund_code, r.nav_date
        """,
        since=since,
        code=fund_code,
        **names,
    )
    return [_by_figure(row) for row in rows]


def _by_figure(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the ledger with what changed in place of all figures of two versions."""
    pairs = {name: [row.pop(name), row.pop(f"{name}_after")] for name in OBSERVED_NAMES}
    changed = {
        name: [was, now]
        for name, (was, now) in pairs.items()
        if was is not None
        and (now is None or abs(now - was) > (GROWTH_ROUNDING if name == "growth_pct" else 0))
    }
    return {**row, "figures": changed}


def fund(warehouse: Warehouse, fund_code: str) -> dict[str, Any] | None:
    """The row of fund_info of a fund; None for an unknown one."""
    found = warehouse.rows("SELECT * FROM fund_info WHERE fund_code = :code", code=fund_code)
    return found[0] if found else None


def classes_of(warehouse: Warehouse, family: str) -> list[str]:
    """The codes of all share classes of a portfolio (`fund_info.family`)."""
    return warehouse.column(
        str,
        "SELECT fund_code FROM fund_info WHERE family = :family ORDER BY fund_code",
        family=family,
    )


def find_funds(warehouse: Warehouse, text: str, limit: int) -> list[dict[str, Any]]:
    """Funds whose code or pinyin begins with a text, or whose name holds it.

    Returns:
        fund_code, name, fund_type, kind, status; by how early the name holds it, then code.
    """
    return warehouse.rows(
        "SELECT fund_code, name, fund_type, kind, status FROM fund_info "
        "WHERE substr(fund_code, 1, length(:text)) = :text OR instr(name, :text) > 0 "
        "OR substr(upper(pinyin), 1, length(:text)) = upper(:text) "
        "ORDER BY instr(name, :text), fund_code LIMIT :limit",
        text=text,
        limit=limit,
    )


def first_known(warehouse: Warehouse, fund_code: str) -> int | None:
    """When the first of a fund's accepted NAVs was seen, yyyymmddhhmmss; None without any."""
    return warehouse.number(
        "SELECT MIN(first_seen_at) FROM validated_nav WHERE fund_code = :code", code=fund_code
    )


def listed_codes(warehouse: Warehouse) -> list[str]:
    """The funds that the market's list has now, ascending."""
    return warehouse.column(
        str, "SELECT fund_code FROM fund_info WHERE status = 'listed' ORDER BY fund_code"
    )


def why_no_nav(warehouse: Warehouse, fund_code: str) -> str:
    """What is known of a fund that has no NAV where some were asked for, in words."""
    rows: list[dict[str, Any]] = warehouse.rows(
        "SELECT (SELECT name FROM fund_info WHERE fund_code = :code) AS name, "
        "(SELECT MIN(nav_date) FROM validated_nav WHERE fund_code = :code) AS oldest, "
        "(SELECT MAX(nav_date) FROM validated_nav WHERE fund_code = :code) AS newest, "
        "(SELECT evidence FROM fund_state WHERE fund_code = :code AND until IS NULL) AS state",
        code=fund_code,
    )
    (found,) = rows
    if found["name"] is None:
        return f"{fund_code} is in no list of funds, only in one of events"
    words = f"{fund_code} {found['name']}"
    if found["newest"]:
        return (
            f"{words} has them from {from_key(found['oldest'])} to {from_key(found['newest'])}"
        )
    return f"{words} has none" + (f": {found['state']}" if found["state"] else "")


def codes_in_events(warehouse: Warehouse) -> list[str]:
    """Codes of funds that have a dividend or split."""
    return warehouse.column(str, "SELECT DISTINCT fund_code FROM fund_events")


def codes(warehouse: Warehouse) -> list[str]:
    """Every known fund code, ascending."""
    return warehouse.column(str, "SELECT fund_code FROM fund_info ORDER BY fund_code")
