"""The history of a class's status: what a wave changes in it, and what is new to us.

Belongs here: comparing what was seen with what is stored. Does not belong here: reading cells
(`sources/`), what a word means (`schemas/statuses.py`), writing
(`warehouse/stores/fund_status.py`).
"""

from collections import Counter

import pandas as pd

from fund_assets.schemas.statuses import PURCHASES, REDEMPTIONS


def odd_cells(seen: pd.DataFrame) -> list[str]:
    """What a wave has that this version does not know, the most frequent first.

    Args:
        seen: `STATUS_COLUMNS` of `sources/protocol.py`.

    Returns:
        One sentence per unknown word and per defect, with the number of funds.
    """
    counts: Counter[str] = Counter()
    for column, known, name in (
        ("purchase_word", PURCHASES, "purchase status"),
        ("redemption_word", REDEMPTIONS, "redemption status"),
    ):
        for word, funds in seen[column].value_counts().items():
            if word not in known:
                counts[f"the {name} {word!r} is not known"] = int(funds)
    counts.update(seen.loc[seen["defect"] != "", "defect"].to_list())
    return [
        f"{said}: {funds:,} fund{'s' if funds > 1 else ''}"
        for said, funds in counts.most_common()
    ]
