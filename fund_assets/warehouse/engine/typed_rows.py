"""Results of queries with the types that the program knows.

Belongs here: the one place where a value of a driver gets its type. Does not belong here: any
statement, frames (`Table.conform`), columns of millions of rows (`bulk_reads.py`).
"""

from __future__ import annotations

import decimal
from collections.abc import Callable, Sequence
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_type_hints

import sqlalchemy as sa

from fund_assets.warehouse.engine.errors import WarehouseError

T = TypeVar("T")


def plain(value: object) -> object:
    """MySQL's sums of whole numbers are decimals."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def typed(value: object, kind: type[T], name: str) -> T:
    """A value of a column as `kind`; engines keep flags, and some floats, as whole numbers.

    Args:
        kind: int, float, str or bool.
        name: the column, for the message.

    Raises:
        WarehouseError: it is of another type, or missing.
    """
    value = plain(value)
    if isinstance(value, kind):
        return value
    if isinstance(value, int) and issubclass(kind, float | bool):
        return kind(value)
    raise WarehouseError(
        f"the warehouse has {value!r} for {name}, where {kind.__name__} is expected: "
        "`fund-assets doctor --deep` checks the tables"
    )


def typed_rows(result: sa.CursorResult[Any], make: Callable[..., T]) -> list[T]:
    """The rows of a result as `make`, a NamedTuple whose fields are the columns in order.

    A field of `int | None` and the like may be missing.

    Raises:
        WarehouseError: a value is not of the type of its field.
        TypeError: the columns are not the fields.
    """
    fields = _fields(make)
    names = list(result.keys())
    if names != [name for name, _kind, _optional in fields]:
        raise TypeError(f"the query has {', '.join(names)}, not the fields of {make}")
    columns = zip(*result.fetchall(), strict=True)
    read = [_column(values, *field) for values, field in zip(columns, fields, strict=False)]
    return [make(*row) for row in zip(*read, strict=True)]


def _column(
    values: Sequence[object], name: str, kind: type, optional: bool
) -> Sequence[object]:
    """Each as `typed` has it; most columns have nothing but their type, and stay."""
    if set(map(type, values)) <= {kind, NoneType if optional else kind}:
        return values
    return [None if optional and v is None else typed(v, kind, name) for v in values]


@cache
def _fields(make: Callable[..., object]) -> list[tuple[str, type, bool]]:
    """Name, type and whether it may be missing, of each field."""
    found = []
    for name, hint in get_type_hints(make).items():
        (kind,) = [part for part in get_args(hint) or (hint,) if part is not NoneType]
        found.append((name, kind, NoneType in get_args(hint)))
    return found
