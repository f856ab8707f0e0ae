"""Reads of the quarantine for people: which held rows fit, and whose ids begin so.

Belongs here: rows as they are shown and named, without pandas. Does not belong here: deciding
about them (`warehouse/stores/quarantine.py`).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from fund_assets.schemas.columns import GROWTH_ROUNDING, OBSERVED_NAMES
from fund_assets.schemas.tables import NAV_QUARANTINE
from fund_assets.warehouse.warehouse import Warehouse

#: What `rows` tells of the batch and the fund of a held row.
BESIDE = {
    "fund_name": "i.name",
    "fund_kind": "i.kind",
    "batch_kind": "b.kind",
    "newest_date": "b.newest_date",
    "previous_date": "b.previous_date",
    "source": "b.source",
    "collected_at": "b.collected_at",
}
STATES = ("held", "accepted", "rejected")
#: So many characters of an id must be written.
SHORTEST_ID = 6


@dataclass(frozen=True)
class Wanted:
    """Which rows of the quarantine are meant: those that fit every filter that is given.

    Attributes:
        ids, rules, funds, batches: as they stand in nav_quarantine.
        kinds: of funds, as in fund_info; dates: nav_date, yyyymmdd.
        states: of STATES.
    """

    ids: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    funds: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    dates: tuple[int, ...] = ()
    batches: tuple[str, ...] = ()
    states: tuple[str, ...] = ("held",)


def rows(warehouse: Warehouse, wanted: Wanted) -> list[dict[str, Any]]:
    """The rows that are wanted, oldest first: NAV_QUARANTINE, BESIDE and `superseded`.

    A held row is superseded when a batch collected after its own shows another figure of
    the same fund and date, landed or accepted already.
    """
    parameters: dict[str, object] = {}
    conditions = [
        _within(column, values, parameters)
        for column, values in (
            ("q.id", wanted.ids),
            ("q.rule", wanted.rules),
            ("q.fund_code", wanted.funds),
            ("i.kind", wanted.kinds),
            ("q.nav_date", wanted.dates),
            ("q.batch_id", wanted.batches),
            ("q.state", wanted.states),
        )
        if values
    ]
    columns = [f"q.{name} AS {name}" for name in NAV_QUARANTINE.names]
    columns += [f"{expression} AS {name}" for name, expression in BESIDE.items()]
    found = warehouse.rows(
        f"""
        SELECT {", ".join(columns)}, CASE WHEN q.state = 'held' AND (EXISTS (
            SELECT 1 FROM collection_batch AS later JOIN fund_nav AS n
                ON n.batch_id = later.batch_id AND n.nav_date = q.nav_date
                AND n.fund_code = q.fund_code
            WHERE later.collected_at > b.collected_at AND ({_other("n")})
        ) OR EXISTS (
            SELECT 1 FROM validated_nav AS v JOIN collection_batch AS later
                ON later.batch_id = v.batch_id
            WHERE v.nav_date = q.nav_date AND v.fund_code = q.fund_code
              AND later.collected_at > b.collected_at AND ({_other("v")})
        )) THEN 1 ELSE 0 END AS superseded
        FROM nav_quarantine AS q
        JOIN collection_batch AS b ON b.batch_id = q.batch_id
        LEFT JOIN fund_info AS i ON i.fund_code = q.fund_code
        WHERE {" AND ".join(conditions)}
        ORDER BY b.collected_at, q.batch_id, q.fund_code, q.nav_date, q.rule, q.id
        """,
        **parameters,
    )
    return [{**row, "superseded": bool(row["superseded"])} for row in found]


def codes(warehouse: Warehouse) -> list[str]:
    """Codes with held rows, also such as no fund can have."""
    return warehouse.column(
        str, "SELECT DISTINCT fund_code FROM nav_quarantine ORDER BY fund_code"
    )


def full_ids(warehouse: Warehouse, beginnings: Iterable[str]) -> tuple[str, ...]:
    """The ids that begin so, each of one row.

    Raises:
        UnknownIdError: no row, or several, have an id that begins so.
    """
    found, wrong = [], []
    for beginning in beginnings:
        if not re.fullmatch(rf"[0-9a-f]{{{SHORTEST_ID},40}}", beginning):
            wrong.append(
                f"{beginning!r} is not an id: write {SHORTEST_ID} or more of its characters"
            )
            continue
        same = warehouse.rows(
            "SELECT id FROM nav_quarantine WHERE id LIKE :pattern ORDER BY id LIMIT 3",
            pattern=f"{beginning}%",
        )
        if len(same) == 1:
            found.append(str(same[0]["id"]))
        elif same:
            wrong.append(
                f"{beginning} matches several ids, such as {same[0]['id']}: write more "
                "characters"
            )
        else:
            wrong.append(f"{beginning}: no row of the quarantine has this id")
    if wrong:
        from fund_assets.nav.decisions import UnknownIdError

        raise UnknownIdError(f"{'; '.join(wrong)}; `fund-assets quarantine list` shows the ids")
    return tuple(dict.fromkeys(found))


def _within(column: str, values: tuple[object, ...], parameters: dict[str, object]) -> str:
    names = [f"p{len(parameters) + n}" for n in range(len(values))]
    parameters.update(zip(names, values, strict=True))
    return f"{column} IN ({', '.join(f':{name}' for name in names)})"


def _other(table: str) -> str:
    """That `table` has another figure than the held row, where both have one."""
    slack = {"growth_pct": GROWTH_ROUNDING}
    return " OR ".join(
        f"ABS({table}.{name} - q.{name}) > {slack.get(name, 0.0)}" for name in OBSERVED_NAMES
    )
