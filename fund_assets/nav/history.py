"""Which funds' whole histories to ask for, and refusing those that lost something.

Belongs here: choosing and judging. Does not belong here: fetching or storing.
"""

from dataclasses import dataclass

import pandas as pd

MAX_LOSS = 0.01
BACK_END = "后端"


@dataclass(frozen=True)
class HistoryCandidate:
    """A fund to ask for."""

    fund_code: str
    kind: str


def choose_histories(
    funds: pd.DataFrame,
    missing: frozenset[str] | None,
    *,
    today: int,
    limit: int,
    codes: tuple[str, ...] = (),
) -> list[HistoryCandidate]:
    """The funds to ask for, in order of code.

    Args:
        funds: columns of FUND_INFO.
        missing: funds that lack a date; None: every listed fund never asked for, but for
            back-end twins, which have no page of their own.
        today: yyyymmdd; a fund asked for today is not asked again for a missing date.
        limit: at most this many, unless `codes` names them.
        codes: exactly these.

    Raises:
        ValueError: one of `codes` is no known fund.
    """
    if codes:
        chosen = funds[funds["fund_code"].isin(codes)]
        if unknown := sorted(set(codes) - set(chosen["fund_code"])):
            raise ValueError(
                f"unknown fund {', '.join(unknown)}: not in fund_info; "
                "run `fund-assets collect` first, and write codes with all six digits"
            )
    elif missing is None:
        # A back-end twin is listed for its fees: its page is its front-end class's.
        has_page = (funds["status"] == "listed") & ~funds["name"].str.contains(BACK_END)
        chosen = funds[has_page & funds["history_on"].isna()].head(limit)
    else:
        asked_today = (funds["history_on"] == today).fillna(False).astype(bool)
        chosen = funds[funds["fund_code"].isin(missing) & ~asked_today].head(limit)
    return [
        HistoryCandidate(code, kind)
        for code, kind in zip(chosen["fund_code"], chosen["kind"], strict=True)
    ]


def shrunk(observations: pd.DataFrame, spans: pd.DataFrame | None, fund_code: str) -> str:
    """Why a history may not replace what is stored (R18), empty when it may.

    A history that begins later or has over 1 % fewer dates than the stored one is cut
    short: the past of a fund does not vanish.

    Args:
        observations: the fund's history.
        spans: fund_code, rows, first_date, last_date of what is stored.
    """
    stored = spans[spans["fund_code"] == fund_code] if spans is not None else None
    if stored is None or stored.empty:
        return ""
    rows, first = int(stored["rows"].iloc[0]), int(stored["first_date"].iloc[0])
    if observations.empty:
        return f"{fund_code}: the history is empty, {rows} dates are stored"
    begins = int(observations["nav_date"].min())
    if begins > first:
        return f"{fund_code}: the history begins {begins}, the stored one {first}"
    if len(observations) < (1 - MAX_LOSS) * rows - 1:
        return f"{fund_code}: the history has {len(observations)} dates, {rows} are stored"
    return ""
