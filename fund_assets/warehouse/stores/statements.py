"""Writing what the source states of share classes.

Does not belong here: what changes (`nav/statements.py`), reads for people
(`queries/statements.py`).
"""

from collections.abc import Mapping

import sqlalchemy as sa

from fund_assets.nav.statements import SourceStatements, changes
from fund_assets.schemas.tables import SOURCE_STATEMENT
from fund_assets.warehouse.engine.diff_writes import renew
from fund_assets.warehouse.warehouse import Warehouse


class StatementWrite:
    """Stores what some hundred answers state, with one read and one write."""

    def __init__(self, stated: Mapping[str, SourceStatements], seen_at: int) -> None:
        """Take what is to be written.

        Args:
            stated: fund code → what its answer states.
            seen_at: yyyymmddhhmmss.
        """
        self._stated = {
            code: one for code, one in stated.items() if one.figures or len(one.ranks)
        }
        self._seen_at = seen_at

    def __call__(self, warehouse: Warehouse, connection: sa.Connection) -> None:
        """Write it in the caller's transaction; equal figures change nothing."""
        if not self._stated:
            return
        codes = {f"code{n}": code for n, code in enumerate(self._stated)}
        marks = ", ".join(f":{name}" for name in codes)
        stored = warehouse.frame(
            "SELECT * FROM source_statement WHERE superseded_at IS NULL "
            f"AND fund_code IN ({marks})",
            SOURCE_STATEMENT,
            **codes,
        )
        rows = changes(stored, self._stated, self._seen_at)
        if len(rows):
            renew(connection, SOURCE_STATEMENT, rows, stored)
