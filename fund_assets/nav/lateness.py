"""For how many sessions a share class may be silent before it is late.

Belongs here: what a fund's founding and name add to its cadence. Does not belong here: the
cadence itself (`cadence.py`), what lateness becomes (`life.py`), the rule on a wave's funds
(`silence.py`).
"""

import re
from collections.abc import Sequence

import numpy as np

from fund_assets.calendar import from_key, keys_to_days
from fund_assets.nav.cadence import (
    LEARNED_SESSIONS,
    UNKNOWN_SILENCE,
    Cadence,
    silence_allowed,
    weekdays,
)
from fund_assets.nav.life import OPENS_WITHIN, Facts, Today
from fund_assets.schemas.kinds import KINDS

_CLOSES = re.compile("定开|定期开放|封闭|理财")


def allowed_silence(funds: Sequence[Facts], cadence: Cadence, today: Today) -> list[int]:
    """Sessions without a NAV after which each class is still on time.

    The lag of its kind, and what its cadence explains, at most as much as for a class whose
    cadence is not known: in a long silence the cadence becomes that of a silent fund. So much
    also where a class may begin to publish weekly at any time. Only the lag of a class that is
    within it.
    """
    allowed = [KINDS[fund.kind].lag for fund in funds]
    silent = [
        (n, fund.last_nav if today.after(fund.last_nav) > allowed[n] else fund.paused)
        for n, fund in enumerate(funds)
        if fund.last_nav and (today.after(fund.last_nav) > allowed[n] or fund.resumed)
    ]
    day = weekdays(keys_to_days(np.array(today.sessions)))
    last = np.array([today.number(key) for _, key in silent], dtype=np.int64)
    after = np.minimum(last[:, None] + np.arange(LEARNED_SESSIONS), len(day) - 1)
    due = cadence.due_of([funds[n].fund_code for n, _ in silent])
    explained = silence_allowed(due, day[after], np.zeros(after.shape, dtype=bool))
    for (n, _), own in zip(silent, explained.tolist(), strict=True):
        allowed[n] += UNKNOWN_SILENCE if _may_close(funds[n]) else min(own, UNKNOWN_SILENCE)
    return allowed


def _may_close(fund: Facts) -> bool:
    """Whether a fund may become weekly: by its name, or because it was just founded."""
    if _CLOSES.search(fund.name) or _CLOSES.search(fund.fund_type):
        return True
    return from_key(fund.last_nav) - from_key(fund.first_nav) < OPENS_WITHIN
