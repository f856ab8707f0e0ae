"""What a table declaration is: `Column` and `Table`.

One declaration per table says its grain, key, columns, units and value limits. From it
come the empty frame and the Pandera schema (here), the SQL DDL with its CHECK constraints
(`warehouse/engine/ddl.py`), Dagster's column schema (`assets/_metadata.py`) and the data
dictionary (`schemas/dictionary.py`). Rules that need more than one row or column are in
`checks/rules.py`. Does not belong here: any concrete table.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a command that reads a few rows waits for none of them
    from collections.abc import Iterable

    import pandas as pd
    import pandera.pandas as pa


class Kind(Enum):
    """What a column holds."""

    CODE = "six ASCII digits"
    DATE = "date as yyyymmdd, Asia/Shanghai"
    STAMP = "time as yyyymmddhhmmss, Asia/Shanghai"
    INT = "whole number"
    REAL = "64-bit float; null is NaN in frames, NULL in SQL"
    TEXT = "text"


#: (pandas dtype of a column without nulls, with nulls)
DTYPES = {
    Kind.CODE: ("str", "str"),
    Kind.DATE: ("int32", "Int32"),
    Kind.STAMP: ("int64", "Int64"),
    Kind.INT: ("int64", "Int64"),
    Kind.REAL: ("float64", "float64"),
    Kind.TEXT: ("str", "str"),
}


FUND_CODE_PATTERN = r"[0-9]{6}"
DATE_LIMITS = (19_900_101, 21_001_231)


@dataclass(frozen=True)
class Column:
    """One column: its name, what it holds, its unit and its limits.

    Attributes:
        gt, ge, lt, le: limits of a number; every REAL is finite on top of them.
        isin: the only values a TEXT may have.
        max_length: of a TEXT, in characters.
    """

    name: str
    kind: Kind
    description: str
    unit: str = ""
    nullable: bool = False
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    isin: tuple[str, ...] = ()
    max_length: int = 200

    def but(self, **changes: object) -> Column:
        """The same column with some attributes changed."""
        return replace(self, **changes)  # type: ignore[arg-type]  # one type for all

    @property
    def dtype(self) -> str:
        """The pandas dtype of this column in frames."""
        return DTYPES[self.kind][self.nullable]

    def checks(self) -> list[pa.Check]:
        """The limits of this column as Pandera checks, each named by what it demands."""
        import numpy as np
        import pandas as pd
        import pandera.pandas as pa

        found = []
        if self.kind is Kind.CODE:
            # str_fullmatch would accept full-width digits with \d; [0-9] does not.
            found.append(
                pa.Check(
                    lambda s: s.str.fullmatch(FUND_CODE_PATTERN).fillna(False).astype(bool),
                    name=f"{self.name} is six ASCII digits",
                )
            )
        if self.kind is Kind.DATE:
            found.append(pa.Check.in_range(*DATE_LIMITS, name=f"{self.name} is yyyymmdd"))
        if self.kind is Kind.REAL:
            # Pandera's own gt/ge accept +inf. Nulls are `nullable`'s business.
            found.append(
                pa.Check(
                    lambda s: pd.Series(~np.isinf(s.to_numpy(dtype=float)), index=s.index),
                    name=f"{self.name} is finite",
                    ignore_na=True,
                )
            )
        for sign, limit, check in (
            (">", self.gt, pa.Check.gt),
            (">=", self.ge, pa.Check.ge),
            ("<", self.lt, pa.Check.lt),
            ("<=", self.le, pa.Check.le),
        ):
            if limit is not None:
                found.append(check(limit, name=f"{self.name} {sign} {limit:g}"))
        if self.isin:
            found.append(pa.Check.isin(self.isin, name=f"{self.name} is one of {self.isin}"))
        if self.kind is Kind.TEXT and not self.isin:
            found.append(
                pa.Check.str_length(
                    max_value=self.max_length,
                    name=f"{self.name} has at most {self.max_length} characters",
                )
            )
        for demand in found:
            demand.error = demand.name  # failure cases quote the error, not the name
        return found


@dataclass(frozen=True)
class Table:
    """One table: what a row is, its columns and its key.

    Attributes:
        grain: what one row is, as a sentence without a verb.
        why: what the table is for and what to know before using it.
        indexes: further orders in which it is read.
        references: column → table whose primary key holds its values.
    """

    name: str
    grain: str
    why: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    indexes: tuple[tuple[str, ...], ...] = ()
    references: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [column.name for column in self.columns]
        if len(set(names)) != len(names):
            raise ValueError(f"table {self.name} names a column twice")
        for key in (self.primary_key, *self.indexes, tuple(self.references)):
            if missing := set(key) - set(names):
                raise ValueError(f"table {self.name} has no column {sorted(missing)}")

    @cached_property
    def names(self) -> list[str]:
        """The column names in order."""
        return [column.name for column in self.columns]

    def __getitem__(self, name: str) -> Column:
        return self.columns[self.names.index(name)]

    @property
    def value_columns(self) -> list[str]:
        """The columns outside the primary key."""
        return [name for name in self.names if name not in self.primary_key]

    @cached_property
    def date(self) -> str | None:
        """The first date of its key; None when there is none."""
        dates = (name for name in self.primary_key if self[name].kind is Kind.DATE)
        return next(dates, None)

    def part(self, names: Iterable[str]) -> Table:
        """The same table with some columns alone, those of the key before them."""
        wanted = dict.fromkeys([*self.primary_key, *names])
        return replace(
            self, columns=tuple(self[name] for name in wanted), indexes=(), references={}
        )

    def empty(self) -> pd.DataFrame:
        """A frame without rows, with this table's columns and dtypes."""
        return self._empty.copy()

    @cached_property
    def _empty(self) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame({c.name: pd.Series(dtype=c.dtype) for c in self.columns})

    def conform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """`frame` with this table's columns in order and dtypes; raises on missing ones."""
        if missing := set(self.names) - set(frame.columns):
            raise ValueError(f"table {self.name}: missing columns {sorted(missing)}")
        found = frame[self.names]
        other = {
            name: dtype
            for name, dtype in self._empty.dtypes.items()
            if found.dtypes[name] != dtype
        }
        return found.astype(other) if other else found

    @cached_property
    def schema(self) -> pa.DataFrameSchema:
        """The Pandera schema: types, nulls, limits, and the key's uniqueness."""
        import pandera.pandas as pa

        return pa.DataFrameSchema(
            {
                c.name: pa.Column(
                    c.dtype, checks=c.checks(), nullable=c.nullable, description=c.description
                )
                for c in self.columns
            },
            name=self.name,
            unique=list(self.primary_key),
            strict=True,
            coerce=False,
        )
