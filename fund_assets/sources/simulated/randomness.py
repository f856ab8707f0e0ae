"""Random numbers that are looked up, not drawn: a hash of a seed and integer keys.

Belongs here: the hash. Does not belong here: what a number decides.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GOLDEN, _STEP = np.uint64(0x9E3779B97F4A7C15), np.float64(2.0**-53)


class Stream(IntEnum):
    """Purposes; one purpose never disturbs another."""

    FACTORS = 1
    IDIO = 2
    LIFE = 4
    EXPOSURE = 5
    SUSPENSION = 6
    HABIT = 7
    JITTER = 8
    ERROR = 9
    ERROR_SIZE = 10
    DIVIDEND = 11
    SPLIT = 12
    EVENT_SIZE = 13
    MONEY = 14
    CLASSES = 15
    STATUS = 16
    REPORT = 17
    PEOPLE = 18


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def uniforms(seed: int, stream: Stream, *keys: ArrayLike) -> NDArray[np.float64]:
    """Numbers in [0, 1), one for each combination of `keys`, which broadcast."""
    with np.errstate(over="ignore"):
        state = _mix(np.array([(seed * 0x100 + stream) % 2**64], dtype=np.uint64))
        for key in keys:
            state = _mix(state + (np.asarray(key).astype(np.uint64) + np.uint64(1)) * _GOLDEN)
    return (state >> np.uint64(11)) * _STEP
