"""What people read for the names that tables and settings use.

Belongs here: the words for a name that more than one page, message or command shows. Does not
belong here: columns (`schemas/columns.py`), kinds of funds (`schemas/kinds.py`), sentences.
"""

from collections.abc import Mapping

from fund_assets.language import later, say

#: Which market a warehouse holds, in a word; and where its numbers come from.
MARKETS = {"simulated": later("simulated market"), "akshare": later("real market")}
SOURCES = MARKETS | {"akshare": later("real market (eastmoney, through akshare)")}
BATCH_KINDS = {
    "wave": later("wave"),
    "history": later("history"),
    "events": later("events"),
    "desk": later("decided"),
}
BATCH_STATES = {
    "published": later("merged"),
    "landed": later("waiting"),
    "held": later("blocked"),
    "rejected": later("rejected"),
}
#: Why a return of the source and ours differ.
AGREEMENTS = {
    "equal": later("equal to the last digit"),
    "not_compared": later("no NAV at the window's start"),
    "rounding": later("rounding"),
    "later_correction": later("NAV corrected later"),
    "different_window": later("different window"),
    "unrecorded_dividend": later("dividend without a record"),
    "unknown": later("cause unknown"),
}
#: How sure a day's return is.
RETURN_STATUSES = {
    "first": later("first day"),
    "proven": later("proven"),
    "single_source": later("one source"),
    "suspected_event": later("suspected event"),
    "unproven": later("unproven"),
}

#: The states of a share class (STATES), and what changes in one (CHANGES).
FUND_STATES = {
    "not_yet_open": later("not yet open"),
    "active": later("active"),
    "resting": later("resting"),
    "late": later("late"),
    "suspended": later("suspended"),
    "presumed_dead": later("presumed dead"),
    "terminated": later("terminated"),
    "never_reported": later("never reported"),
}
FUND_CHANGES = {
    "name": later("new name"),
    "type": later("new type"),
    "delisted": later("removed from the list"),
    "relisted": later("back on the list"),
    "transition": later("transition"),
    "code_reused": later("code used again"),
}
#: What may be said of a screen that was walked.
WALK_VERDICTS = {
    "better": later("better than its peers"),
    "worse": later("worse than its peers"),
    "chance": later("no different from luck"),
    "too_few": later("too few quarters for a verdict"),
}
#: May a class be bought, and redeemed.
TRADE_STATUSES = {
    "open": later("open"),
    "limited": later("open up to a daily limit"),
    "suspended": later("stopped"),
    "closed_period": later("closed period"),
    "initial_offer": later("initial offer"),
    "on_exchange": later("on the exchange"),
    "ended": later("fund has ended"),
    "unstated": later("not stated"),
    "unknown": later("unknown word"),
}
#: What a change of these is called; by `nav.trades.KINDS`.
STATUS_CHANGES = {
    "opened": later("opened"),
    "closed": later("closed"),
    "limit": later("limit changed"),
    "redemption": later("redemptions changed"),
    "other": later("status changed"),
}
#: What became of reading a fund's benchmark, and which variant of a series it names.
BENCHMARK_STATES = {
    "parsed": later("read whole"),
    "partly": later("read in part"),
    "unknown": later("not read"),
}
BENCHMARK_BASES = {
    "tracked": later("the index that it tracks"),
    "own": later("its own benchmark"),
    "type": later("the index of its type"),
    "none": later("no index"),
}
BENCHMARK_REASONS = {
    "not requested yet": later("its own is not requested yet"),
    "not disclosed": later("its own is not disclosed"),
    "not understood": later("its own is not understood"),
    "a part without code": later("its own has a part that no list of indices has"),
    "no closes": later("closes of its own are missing"),
    "only interest": later("its own is an interest rate"),
}
BENCHMARK_RETURNS = {
    "price": later("price index"),
    "total_return": later("total return"),
    "net_return": later("net return"),
    "mixed": later("partly total return"),
}
SERIES_VARIANTS = {
    "full_price": later("full price"),
    "net_price": later("net price"),
    "wealth": later("wealth index"),
    "price": later("price index"),
    "total_return": later("total return"),
    "net_return": later("net return"),
    "after_tax": later("after tax"),
    "before_tax": later("before tax"),
}


def spoken(labels: Mapping[str, str]) -> dict[str, str]:
    """The labels in the language that is spoken."""
    return {name: say(words) for name, words in labels.items()}


def trade_words(
    purchase: str, limit_state: str | None = None, daily_limit: float | None = None
) -> str:
    """Whether a class can be bought, and up to how much a day.

    Args:
        purchase, limit_state, daily_limit: columns of fund_status.
    """
    if daily_limit is not None and purchase in ("open", "limited"):
        return say("open up to {amount} yuan a day", amount=amount_words(daily_limit))
    return say(TRADE_STATUSES[purchase])


def amount_words(yuan: float) -> str:
    """An amount of yuan with the digits that it has, no more than two of them of a cent."""
    return f"{yuan:,.2f}".removesuffix(".00")
