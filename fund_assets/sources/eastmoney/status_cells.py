"""From the status and fee cells of a row to a frame of statuses.

Belongs here: which cells are a word or a fee. Does not belong here: what a word means
(`schemas/statuses.py`).
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fund_assets.safe_text import plain
from fund_assets.schemas.statuses import MAX_WORD
from fund_assets.sources.eastmoney.cells import NOT_YET, Defects, numbers, quote
from fund_assets.sources.protocol import STATUS_COLUMNS


def status_frame(
    codes: Sequence[object],
    purchase: Sequence[object],
    redemption: Sequence[object],
    fee: Sequence[object],
    full_fee: Sequence[object],
    odd: Mapping[int, str] | None = None,
) -> pd.DataFrame:
    """A frame with `STATUS_COLUMNS`; of a class that is listed twice the first row counts.

    Args:
        fee, full_fee: cells in percent, such as `0.15%`.
        odd: row number → why nothing of it could be read.
    """
    defects = Defects(dict(odd or {}))
    columns = (
        [plain(str(code)) for code in codes],
        _words(purchase, "purchase status", defects),
        _words(redemption, "redemption status", defects),
        _fractions(fee, "fee", defects),
        _fractions(full_fee, "full_fee", defects),
        defects.column(len(codes)),
    )
    frame = pd.DataFrame(dict(zip(STATUS_COLUMNS, columns, strict=True)))
    texts = {"fund_code": "str", "purchase_word": "str", "redemption_word": "str"}
    frame = frame.astype({**texts, "defect": "str"})
    return frame.drop_duplicates("fund_code", ignore_index=True)


def _words(cells: Sequence[object], name: str, defects: Defects) -> list[str]:
    words = []
    for row, cell in enumerate(cells):
        if isinstance(cell, str):
            word = plain(cell).strip()[:MAX_WORD]
            words.append("" if word in NOT_YET else word)
        else:
            words.append("")
            if cell is not None:
                defects.add(row, f"{name}: not a text: {quote(cell)}")
    return words


def _fractions(cells: Sequence[object], name: str, defects: Defects) -> NDArray[np.float64]:
    found = numbers(cells, name, defects, unit="%") / 100
    for row in np.flatnonzero((found < 0) | (found >= 1)).tolist():
        defects.add(row, f"{name}: not a fee: {quote(cells[row])}")
        found[row] = np.nan
    return found
