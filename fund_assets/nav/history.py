"""Which funds' whole histories to ask for, and refusing those that lost something.

Belongs here: choosing and judging. Does not belong here: fetching or storing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import pandas as pd

from fund_assets.schemas.portfolios import BACK_END

MAX_LOSS = 0.01
#: The funds of the market fall into so many parts of nearly the same size.
BUCKETS = tuple(f"{n:02d}" for n in range(64))


@dataclass(frozen=True)
class HistoryCandidate:
    """A fund to ask for."""

    fund_code: str
    kind: str


@dataclass(frozen=True)
class HistoryChoice:
    """Which funds are meant; without any of it, those of which no answer ever came.

    Attributes:
        limit: at most so many, unless they are named; None: all.
        codes: exactly these.
        missing_on: those with NAVs before this yyyymmdd and none on it, instead.
        since: those not asked for since this yyyymmddhhmmss, too.
        kind: of this kind alone.
        buckets: of these `BUCKETS` alone.
    """

    limit: int | None = None
    codes: tuple[str, ...] = ()
    missing_on: int | None = None
    since: int | None = None
    kind: str = ""
    buckets: frozenset[str] = frozenset(BUCKETS)


def bucket_of(fund_code: str) -> str:
    """The bucket of a fund: the same on every machine, for ever."""
    return BUCKETS[crc32(fund_code.encode()) % len(BUCKETS)]


def choose_histories(
    funds: pd.DataFrame,
    progress: pd.DataFrame,
    missing: frozenset[str],
    choice: HistoryChoice,
    *,
    today: int,
    unlisted: Mapping[str, str],
) -> list[HistoryCandidate]:
    """The funds to ask for, in order of code.

    A class that no list of the market has had is asked for once, for a history may answer
    although the fund has ended; when it is named, at any time.

    Args:
        funds: columns of FUND_INFO.
        progress: columns of HISTORY_PROGRESS.
        missing: funds that lack the date `choice.missing_on`.
        today: yyyymmdd; a fund asked for today is not asked again for a missing date.
        unlisted: code → kind of classes that a past list or an event has, but not `funds`.
    """
    asked = progress.set_index("fund_code").reindex(funds["fund_code"])
    asked_at = asked["asked_at"].fillna(0).astype("int64").to_numpy()
    if choice.codes:
        wanted = funds["fund_code"].isin(choice.codes)
    elif choice.missing_on is not None:
        wanted = funds["fund_code"].isin(missing) & (asked_at // 1_000_000 != today)
    else:
        # A back-end twin is listed for its fees: its page is its front-end class's.
        has_page = (funds["status"] == "listed") & ~funds["name"].str.contains(BACK_END)
        unanswered = (asked_at == 0) | (asked["state"] == "failed").to_numpy()
        # A time to come is of a clock that was wrong: nobody knows when that was.
        to_come = asked_at // 1_000_000 > today
        stale = (asked_at < choice.since) | to_come if choice.since else False
        wanted = has_page & (unanswered | stale)
    if choice.kind:
        wanted &= funds["kind"] == choice.kind
    chosen = pd.concat([funds.loc[wanted, ["fund_code", "kind"]],
                        _unlisted(funds, progress, choice, unlisted)])  # fmt: skip
    chosen = chosen.sort_values("fund_code", kind="stable")
    if choice.buckets != frozenset(BUCKETS):
        chosen = chosen[chosen["fund_code"].map(bucket_of).isin(choice.buckets)]
    if choice.limit is not None and not choice.codes:
        chosen = chosen.head(choice.limit)
    return [
        HistoryCandidate(code, kind)
        for code, kind in zip(chosen["fund_code"], chosen["kind"], strict=True)
    ]


def _unlisted(
    funds: pd.DataFrame,
    progress: pd.DataFrame,
    choice: HistoryChoice,
    unlisted: Mapping[str, str],
) -> pd.DataFrame:
    """fund_code and kind of the classes that are asked for and are not among the funds."""
    if choice.codes:
        kinds = {code: unlisted.get(code, "other") for code in choice.codes}
    elif choice.missing_on is not None:
        kinds = {}
    else:
        answered = set(progress.loc[progress["state"] != "failed", "fund_code"])
        kinds = {code: kind for code, kind in unlisted.items() if code not in answered}
    known = set(funds["fund_code"])
    rows = [(c, k) for c, k in kinds.items() if c not in known and choice.kind in ("", k)]
    return pd.DataFrame(rows, columns=["fund_code", "kind"], dtype="str")


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
