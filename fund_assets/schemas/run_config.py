"""What people write into the configuration of a run, refused when it cannot be meant.

Belongs here: the words and checks that configurations share. Does not belong here: the
configuration of a single asset (`assets/`). What a check refuses ends the step before it has
begun.
"""

from enum import Enum

from fund_assets.calendar import from_key, from_stamp
from fund_assets.schemas.codes import read_code
from fund_assets.schemas.kinds import KINDS

#: The kinds of funds, for the launchpad to offer and to insist on.
Kind = Enum("Kind", {name: name for name in KINDS})  # type: ignore[misc]  # not a literal


def codes_of(value: list[str]) -> list[str]:
    """Fund codes in six digits; ValueError for what is none."""
    return [read_code(code) for code in value]


def day_of(value: int | None) -> int | None:
    """A date yyyymmdd; ValueError for what is none."""
    try:
        if value is not None:
            from_key(value)
    except ValueError as error:
        raise ValueError(f"{value} is not a date: write yyyymmdd, such as 20261124") from error
    return value


def moment_of(value: int | None) -> int | None:
    """A time yyyymmddhhmmss; ValueError for what is none."""
    try:
        if value is not None:
            from_stamp(value)
    except ValueError as error:
        raise ValueError(
            f"{value} is not a time: write yyyymmddhhmmss, such as 20261124190000"
        ) from error
    return value
