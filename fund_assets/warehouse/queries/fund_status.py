"""May a fund be bought and redeemed, up to how much and at what fee: its history.

Belongs here: reads of fund_status for people. Does not belong here: writing
(`stores/fund_status.py`), what kind of change one is (`nav/trades.py`).
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import NamedTuple

from fund_assets.labels import TRADE_STATUSES, trade_words
from fund_assets.language import named, say
from fund_assets.nav.trades import KINDS, Trade, kind_of_change
from fund_assets.warehouse.warehouse import Warehouse


class Status(NamedTuple):
    """A row of fund_status; fees are fractions, amounts yuan, times yyyymmddhhmmss."""

    first_seen_at: int
    superseded_at: int | None
    purchase: str
    redemption: str
    purchase_word: str
    redemption_word: str
    fee: float | None
    full_fee: float | None
    least_amount: float | None
    limit_state: str | None
    daily_limit: float | None
    next_open_date: int | None

    @property
    def trade(self) -> Trade:
        """How the class can be bought and redeemed by it."""
        return Trade(self.purchase, self.redemption, self.limit_state, self.daily_limit)


class StatusChange(NamedTuple):
    """A change that is told: of which class, when it was seen, what kind it is of.

    `kind` is one of `nav.trades.KINDS`.
    """

    fund_code: str
    name: str
    at: int
    kind: str
    before: Trade
    now: Trade

    @property
    def words(self) -> str:
        """What it was before, and what it is now."""
        pairs = [
            (trade_words(*_buying(self.before)), trade_words(*_buying(self.now))),
            (say(TRADE_STATUSES[self.before.redemption]),
             say(TRADE_STATUSES[self.now.redemption])),
        ]  # fmt: skip
        told = [f"{before} → {now}" if before != now else "" for before, now in pairs]
        if told[1]:
            told[1] = say("redemptions: {words}", words=told[1])
        return named("; ", "；").join(filter(None, told))


class _Pair(NamedTuple):
    fund_code: str
    name: str
    first_seen_at: int
    purchase: str
    redemption: str
    limit_state: str | None
    daily_limit: float | None
    old_purchase: str
    old_redemption: str
    old_limit_state: str | None
    old_daily_limit: float | None


def _buying(trade: Trade) -> tuple[str, str | None, float | None]:
    return trade.purchase, trade.limit_state, trade.daily_limit


def statuses_of(warehouse: Warehouse, code: str) -> list[Status]:
    """The statuses of one share class, ascending; none where the source gives it none."""
    return warehouse.records(
        Status,
        f"SELECT {', '.join(Status._fields)} FROM fund_status WHERE fund_code = :code "
        "ORDER BY first_seen_at",
        code=code,
    )


def status_changes(
    warehouse: Warehouse,
    since: int,
    until: int | None = None,
    codes: Collection[str] | None = None,
) -> list[StatusChange]:
    """The changes of purchases, redemptions and limits that were seen in a time, ascending.

    Args:
        since, until: yyyymmddhhmmss, both included; without `until` to the newest.
        codes: of these classes alone; None: of all.
    """
    if codes is not None and not codes:
        return []
    wheres, values = ["n.first_seen_at >= :since"], dict[str, object](since=since)
    if until is not None:
        wheres.append("n.first_seen_at <= :until")
        values["until"] = until
    if codes is not None:
        marks = {f"code{at}": code for at, code in enumerate(sorted(codes))}
        wheres.append(f"n.fund_code IN ({', '.join(f':{name}' for name in marks)})")
        values |= marks
    pairs = warehouse.records(
        _Pair,
        "SELECT n.fund_code, i.name, n.first_seen_at, n.purchase, n.redemption, n.limit_state, "
        "n.daily_limit, o.purchase AS old_purchase, o.redemption AS old_redemption, "
        "o.limit_state AS old_limit_state, o.daily_limit AS old_daily_limit "
        "FROM fund_status AS n JOIN fund_status AS o ON o.fund_code = n.fund_code "
        "AND o.superseded_at = n.first_seen_at "
        "JOIN fund_info AS i ON i.fund_code = n.fund_code "
        f"WHERE {' AND '.join(wheres)} ORDER BY n.first_seen_at, n.fund_code",
        **values,
    )
    found = []
    for pair in pairs:
        now = Trade(pair.purchase, pair.redemption, pair.limit_state, pair.daily_limit)
        before = Trade(
            pair.old_purchase, pair.old_redemption, pair.old_limit_state, pair.old_daily_limit
        )
        if kind := kind_of_change(before, now):
            about = (pair.fund_code, pair.name, pair.first_seen_at)
            found.append(StatusChange(*about, kind, before, now))
    return found


def count_kinds(changes: Iterable[StatusChange]) -> list[tuple[str, int]]:
    """How many changes there are of each kind that has some, in the order of KINDS."""
    counts = Counter(change.kind for change in changes)
    return [(kind, counts[kind]) for kind in KINDS if counts[kind]]
