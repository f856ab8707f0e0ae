"""Which rows or batch a command of the quarantine is about.

Belongs here: ids and filters, and refusing those that fit nothing. Does not belong here: the
options (`quarantine.py`), which rows fit (`warehouse/queries/quarantine.py`).
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from fund_assets.cli._arguments import NotThere, nearest

if TYPE_CHECKING:
    from fund_assets.warehouse import Warehouse
    from fund_assets.warehouse.queries.quarantine import Wanted


@dataclass(frozen=True)
class Chosen:
    """The rows that a decision is about: by their ids, or by filters.

    Attributes:
        all_allowed: neither names all of them.
    """

    ids: tuple[str, ...]
    filters: dict[str, tuple[Any, ...]]
    all_allowed: bool = False

    def check(self) -> None:
        """Refuses both at once, and neither where that is not allowed."""
        given = any(self.filters.values())
        if self.ids and given:
            raise click.UsageError("give ids or filters, not both")
        if not self.ids and not given and not self.all_allowed:
            raise click.UsageError("no rows chosen: give ids, or filters such as --rule")


def is_batch(text: str) -> bool:
    """Whether it is the id of a batch."""
    return re.fullmatch(r"[a-z]\d{8}-[0-9a-f]{12}", text) is not None


def check_one_batch(ids: tuple[str, ...], filters: dict[str, tuple[Any, ...]]) -> None:
    """Refuse anything beside one batch."""
    if len(ids) > 1 or any(filters.values()):
        raise click.UsageError("give one blocked batch and nothing else")


def check_filters(warehouse: "Warehouse", filters: dict[str, tuple[Any, ...]]) -> None:
    """Refuse funds and batches that there are not."""
    from fund_assets.warehouse.queries import nav as nav_queries
    from fund_assets.warehouse.queries import quarantine as quarantine_queries
    from fund_assets.warehouse.queries import status as status_queries

    if not filters.get("funds") and not filters.get("batches"):
        return
    known = {*nav_queries.codes(warehouse), *quarantine_queries.codes(warehouse)}
    for code in filters.get("funds", ()):
        if code not in known:
            raise NotThere(f"--fund: unknown fund {code!r}: {nearest(code, sorted(known))}")
    for batch in filters.get("batches", ()):
        if not is_batch(batch) or status_queries.batch(warehouse, batch) is None:
            raise NotThere(
                f"--batch: unknown batch {batch!r}: `fund-assets quarantine list` shows those "
                "with held rows"
            )


def wanted_rows(*, dates: tuple[datetime, ...] = (), **filters: tuple[str, ...]) -> "Wanted":
    """The filters as the warehouse takes them."""
    from fund_assets.calendar import to_key
    from fund_assets.warehouse.queries.quarantine import Wanted

    return Wanted(dates=tuple(to_key(day) for day in dates), **filters)
