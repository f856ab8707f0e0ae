"""May a fund be bought and redeemed, and at what fee: its history.

Belongs here: reads of fund_status for people. Does not belong here: writing
(`stores/fund_status.py`).
"""

from typing import NamedTuple

from fund_assets.warehouse.warehouse import Warehouse


class Status(NamedTuple):
    """A row of fund_status; fees are fractions, times are yyyymmddhhmmss."""

    first_seen_at: int
    superseded_at: int | None
    purchase: str
    redemption: str
    purchase_word: str
    redemption_word: str
    fee: float | None
    full_fee: float | None


def statuses_of(warehouse: Warehouse, code: str) -> list[Status]:
    """The statuses of one share class, ascending; none where the source gives it none."""
    return warehouse.records(
        Status,
        f"SELECT {', '.join(Status._fields)} FROM fund_status WHERE fund_code = :code "
        "ORDER BY first_seen_at",
        code=code,
    )
