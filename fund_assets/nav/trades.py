"""How a class can be bought and redeemed, and what kind of change one is.

Belongs here: what people are told of a change. Does not belong here: finding changes
(`statuses.py`), what a word means (`schemas/statuses.py`). Commands that read a few rows
import it, so that it needs no frames.
"""

from dataclasses import dataclass

from fund_assets.schemas.statuses import PURCHASABLE


@dataclass(frozen=True)
class Trade:
    """How a class can be bought and redeemed at a time.

    Attributes:
        purchase, redemption, limit_state, daily_limit: columns of FUND_STATUS.
    """

    purchase: str
    redemption: str
    limit_state: str | None = None
    daily_limit: float | None = None

    @property
    def purchasable(self) -> bool:
        """Whether it can be bought."""
        return self.purchase in PURCHASABLE


#: What becomes of a class, in the order in which people want to know it.
OPENED, CLOSED, LIMIT, REDEMPTION, OTHER = "opened", "closed", "limit", "redemption", "other"
KINDS = (OPENED, CLOSED, LIMIT, REDEMPTION, OTHER)


def kind_of_change(before: Trade, now: Trade) -> str:
    """What is to be told of a change; empty: nothing, as of a fee.

    A limit counts while the class can be bought, and when it was known before: a suspended
    class has none that anyone could use, and the first list of all changes nothing.
    """
    if before.purchasable != now.purchasable:
        return OPENED if now.purchasable else CLOSED
    known = before.limit_state is not None and now.limit_state is not None
    limits = ((one.limit_state, one.daily_limit) for one in (before, now))
    if now.purchasable and (
        before.purchase != now.purchase or (known and len(set(limits)) > 1)
    ):
        return LIMIT
    if before.redemption != now.redemption:
        return REDEMPTION
    return OTHER if before.purchase != now.purchase else ""
