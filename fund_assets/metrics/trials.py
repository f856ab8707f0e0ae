"""Few numbers against chance: is their mean zero, and how many questions were asked.

Belongs here: Student's t by its closed form for whole degrees of freedom, and Holm's
correction. Does not belong here: what the numbers are (`walk_forward.py`).
"""

from collections.abc import Sequence
from functools import lru_cache
from math import atan2, cos, inf, nan, pi, sin, sqrt

import numpy as np

#: Halvings of the interval in which a quantile is looked for: more than a float has digits.
_HALVINGS = 200


def two_sided(t: float, degrees: int) -> float:
    """The chance of a value of Student's t that is as far from zero as `t`, either way.

    Abramowitz and Stegun 26.7.3 and 26.7.4, exact for whole degrees of freedom.
    """
    angle = atan2(abs(t), sqrt(degrees))
    odd = degrees % 2
    term = cos(angle) if odd else 1.0
    total = term if degrees > 1 else 0.0
    for n in range(2 + odd, degrees - 1, 2):
        term *= (n - 1) / n * cos(angle) ** 2
        total += term
    inside = 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total
    return max(1.0 - inside, 0.0)


@lru_cache
def quantile(p: float, degrees: int) -> float:
    """The t which a share `p` of values is further from zero than, either way."""
    low, high = 0.0, 1.0
    while two_sided(high, degrees) > p:
        high *= 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, degrees) > p else (low, middle)
    return (low + high) / 2


def mean_against_zero(values: Sequence[float], p: float) -> tuple[float, float, float]:
    """The chance of so large a mean by luck alone, and the interval around the mean.

    Args:
        p: share of intervals that do not contain the true mean.

    Returns:
        The chance (two-sided t test), low and high; NaN of fewer than two values.
    """
    count = len(values)
    if count < 2:
        return nan, nan, nan
    mean, spread = float(np.mean(values)), float(np.std(values, ddof=1)) / sqrt(count)
    if spread == 0:
        return (1.0 if mean == 0 else 0.0), mean, mean
    half = quantile(p, count - 1) * spread
    return two_sided(mean / spread, count - 1), mean - half, mean + half


def holm(chances: Sequence[float], tried: int) -> list[float]:
    """Chances corrected for the number of questions (Holm 1979), in the order given.

    Args:
        chances: of the questions that are known; NaN: no answer.
        tried: how many questions were asked in all, at least as many as are known. The
            others count as if none was nearer to a finding: the correction is never too small.
    """
    order = sorted(range(len(chances)), key=lambda at: _or(chances[at], inf))
    found, highest = [nan] * len(chances), 0.0
    for nth, at in enumerate(order):
        if chances[at] == chances[at]:
            highest = max(highest, min((max(tried, len(chances)) - nth) * chances[at], 1.0))
            found[at] = highest
    return found


def _or(value: float, other: float) -> float:
    return value if value == value else other
