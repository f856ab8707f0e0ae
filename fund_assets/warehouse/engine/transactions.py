"""Transactions on a database, and what is tried again.

Belongs here: what is the same on every engine. Does not belong here: what one of them needs
(`sqlite.py`, `mysql.py`), any statement about a table.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
import tenacity

from fund_assets.warehouse.engine.backend import Backend
from fund_assets.warehouse.engine.changes import Changes
from fund_assets.warehouse.engine.errors import NoRightError, TransientError, WarehouseError

#: For a function whose whole work is one writing transaction: after a deadlock, a lost
#: connection or a restarted server it is run again, for about 15 seconds.
retried = tenacity.retry(
    retry=tenacity.retry_if_exception_type(TransientError),
    stop=tenacity.stop_after_attempt(6),
    wait=tenacity.wait_exponential_jitter(multiplier=0.2, exp_base=2.5, max=8),
    reraise=True,
)


def make_engine(backend: Backend, *, read_only: bool) -> sa.Engine:
    """Connections whose transactions begin as the backend wants them."""
    engine = backend.engine(read_only=read_only)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        backend.begin(connection, writes=options["writes"], references=options["references"])

    return engine


@contextmanager
def transaction(
    backend: Backend, engine: sa.Engine, *, writes: bool, references: bool = True
) -> Iterator[sa.Connection]:
    """One transaction: a consistent reading, or the only writer until it ends.

    What it changed is logged with it (`changes.py`).

    Raises:
        TransientError: a deadlock or a lost connection; the same may succeed again.
        NoRightError: the user of the URL may not do this.
        WarehouseError: the database is locked, read-only, full, damaged or unreachable.
            Either way nothing changed.
    """
    changes = Changes()
    try:
        with engine.connect().execution_options(
            writes=writes, references=references, backend=backend, changes=changes
        ) as connection:
            try:
                with connection.begin():
                    yield connection
                    changes.write(connection)
            finally:
                if writes:
                    backend.leave(connection)
    except sa.exc.IntegrityError:
        raise
    except sa.exc.DBAPIError as error:
        kind = WarehouseError
        if backend.is_transient(error):
            kind = TransientError
        elif backend.lacks_right(error):
            kind = NoRightError
        raise kind(
            f"the warehouse {backend.place} refused: {error.orig}{backend.hint()}; "
            "nothing was changed"
        ) from error
