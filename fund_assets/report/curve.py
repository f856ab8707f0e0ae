"""One fund over a window, as charts draw it: of the report of a week and of `compare`.

Does not belong here: drawing it (`charts.py`), reading its history (`warehouse/`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Curve:
    """One fund over the window.

    Attributes:
        code, name: of the fund.
        days: datetime64[D] [rows], ascending.
        index: float64 [rows], the total-return index on them, positive.
    """

    code: str
    name: str
    days: NDArray[np.datetime64]
    index: NDArray[np.float64]

    @property
    def returns(self) -> NDArray[np.float64]:
        """Total return since the first day, a fraction."""
        found: NDArray[np.float64] = self.index / self.index[0] - 1
        return found

    @property
    def drawdowns(self) -> NDArray[np.float64]:
        """Distance from the highest value so far, a fraction, never above 0."""
        found: NDArray[np.float64] = self.index / np.maximum.accumulate(self.index) - 1
        return found
