"""Reading what our returns are compared with, and what came of it.

Belongs here: the returns stated that are not compared yet, the NAVs of these classes, and the
comparisons of the newest history of each class. Does not belong here: comparing
(`metrics/agreement.py`), writing (`stores/agreement.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fund_assets.schemas.tables import RETURNS_STATED, VALIDATED_NAV, VERDICTS
from fund_assets.warehouse.warehouse import Warehouse

if TYPE_CHECKING:  # a look at the state of things waits for none of it
    import pandas as pd

_STATED = ", ".join(f"'{what}'" for what in RETURNS_STATED)
_NEWEST = (
    "FROM source_agreement AS a JOIN history_progress AS p "
    "ON p.fund_code = a.fund_code AND p.last_nav_date = a.nav_date"
)


def owed(warehouse: Warehouse) -> pd.DataFrame:
    """Returns of the newest histories that are not compared since: the oldest date first.

    Returns:
        fund_code, nav_date, window, theirs.
    """
    import pandas as pd

    found = warehouse.tuples(
        f"""
        SELECT s.fund_code, s.nav_date, s.what, s.value
        FROM history_progress AS p
        JOIN source_statement AS s ON s.fund_code = p.fund_code AND s.what IN ({_STATED})
          AND s.nav_date = p.last_nav_date AND s.superseded_at IS NULL
        LEFT JOIN source_agreement AS a ON a.fund_code = p.fund_code
          AND a.nav_date = p.last_nav_date AND a."window" = SUBSTR(s.what, 8)
        WHERE p.stored_at IS NOT NULL
          AND (a.compared_at IS NULL OR a.compared_at < p.stored_at)
        ORDER BY s.nav_date, s.fund_code, s.what
        """
    )
    frame = pd.DataFrame(found, columns=["fund_code", "nav_date", "what", "theirs"])
    frame["window"] = frame.pop("what").map(RETURNS_STATED)
    return frame


def index_near(
    warehouse: Warehouse, codes: Sequence[str], spans: Sequence[tuple[int, int]]
) -> pd.DataFrame:
    """fund_code, nav_date and total_return_index of some classes, by code and date.

    Args:
        spans: first and last date of each part that is read, yyyymmdd.
    """
    import pandas as pd

    where, marks = _of(codes)
    parts = " OR ".join(f"nav_date BETWEEN {first:d} AND {last:d}" for first, last in spans)
    found = warehouse.tuples(
        "SELECT fund_code, nav_date, total_return_index FROM validated_nav "
        f"WHERE fund_code IN ({where}) AND ({parts}) ORDER BY fund_code, nav_date",
        **marks,
    )
    return pd.DataFrame(found, columns=["fund_code", "nav_date", "total_return_index"])


def navs_since(warehouse: Warehouse, codes: Sequence[str], since: int) -> pd.DataFrame:
    """Accepted rows of some classes from a date on, by code and date."""
    where, marks = _of(codes)
    return warehouse.frame(
        f"SELECT * FROM validated_nav WHERE fund_code IN ({where}) AND nav_date >= :since "
        "ORDER BY fund_code, nav_date",
        VALIDATED_NAV,
        since=since,
        **marks,
    )


def corrected_since(warehouse: Warehouse, codes: Sequence[str], since: int) -> pd.DataFrame:
    """NAVs before their corrections over those after: fund_code, nav_date, ratio."""
    import pandas as pd

    where, marks = _of(codes)
    found = warehouse.tuples(
        f"""
        SELECT r.fund_code, r.nav_date, r.unit_nav / v.unit_nav
        FROM nav_revision AS r
        JOIN validated_nav AS v ON v.fund_code = r.fund_code AND v.nav_date = r.nav_date
        WHERE r.kind = 'correction' AND r.fund_code IN ({where}) AND r.nav_date >= :since
          AND r.unit_nav IS NOT NULL AND v.unit_nav IS NOT NULL
        """,
        since=since,
        **marks,
    )
    return pd.DataFrame(found, columns=["fund_code", "nav_date", "ratio"])


def verdict_counts(warehouse: Warehouse) -> dict[str, int]:
    """Verdict → how many returns of the newest histories, in the order of VERDICTS."""
    found = warehouse.mapping(
        str, int, f"SELECT a.verdict, COUNT(*) {_NEWEST} GROUP BY a.verdict"
    )
    return {verdict: found[verdict] for verdict in VERDICTS if verdict in found}


def differences(
    warehouse: Warehouse, verdicts: Sequence[str], most: int
) -> list[dict[str, Any]]:
    """Comparisons of the newest histories with some verdicts, the greatest difference first."""
    marks = {f"verdict{n}": verdict for n, verdict in enumerate(verdicts)}
    return warehouse.rows(
        f'SELECT a.fund_code, i.name, a.nav_date, a."window", a.theirs, a.ours, '
        f"a.difference, a.verdict, a.located_on, a.evidence {_NEWEST} "
        "JOIN fund_info AS i ON i.fund_code = a.fund_code "
        f"WHERE a.verdict IN ({', '.join(f':{name}' for name in marks)}) "
        'ORDER BY ABS(a.difference) DESC, a.fund_code, a."window" LIMIT :most',
        most=most,
        **marks,
    )


def _of(codes: Sequence[str]) -> tuple[str, Mapping[str, str]]:
    marks = {f"code{n}": code for n, code in enumerate(codes)}
    return ", ".join(f":{name}" for name in marks), marks
