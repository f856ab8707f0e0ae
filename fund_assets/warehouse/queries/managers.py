"""Who manages and has managed a fund, with the fund's return over each term.

Belongs here: the terms of a fund. Does not belong here:
writing (`stores/managers.py`), what a return over a term is (`nav/managers.py`).
"""

from dataclasses import dataclass

from fund_assets.nav.managers import term_return
from fund_assets.schemas.tables import FUND_MANAGER_TERM
from fund_assets.warehouse.queries.reports import periods_of
from fund_assets.warehouse.warehouse import Warehouse


@dataclass(frozen=True)
class KnownTerm:
    """A term of a fund's managers.

    Attributes:
        since, until: yyyymmdd; `until` is None while it runs.
        managers: their names.
        published_return: the source's own return over it; None without one.
        own_return: ours, from the first NAV on or after its first day to the last on or before
            its last; None where the stored history does not reach so far back.
        unbroken_since: first day of the manager who has been there longest without a break.
    """

    since: int
    until: int | None
    managers: str
    published_return: float | None
    own_return: float | None
    unbroken_since: int


def terms_of(warehouse: Warehouse, fund_code: str, as_of: int | None = None) -> list[KnownTerm]:
    """The terms of a fund's managers, the newest first.

    Args:
        as_of: yyyymmddhhmmss: the terms that were known then; None: now. Returns are of now.
    """
    rows = periods_of(warehouse, FUND_MANAGER_TERM, fund_code, as_of)
    nav = warehouse.tuples(
        "SELECT nav_date, total_return_index FROM validated_nav WHERE fund_code = :code "
        "ORDER BY nav_date",
        code=fund_code,
    ) if rows else []  # fmt: skip
    dates, index = [day for day, _ in nav], [value for _, value in nav]
    return [
        KnownTerm(
            row["since"],
            row["until"],
            row["managers"],
            row["published_return"],
            term_return(dates, index, row["since"], row["until"]),
            row["unbroken_since"],
        )
        for row in rows
    ]
