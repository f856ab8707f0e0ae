"""May a class be bought and redeemed: the source's words, and the few words of ours.

Belongs here: which word means what. Does not belong here: the history of statuses
(`nav/statuses.py`), names for people (`labels.py`).
"""

#: The source's word for purchases → ours.
PURCHASES = {
    "开放申购": "open",
    "限大额": "limited",
    "暂停申购": "suspended",
    "封闭期": "closed_period",
    "认购期": "initial_offer",
    "场内交易": "on_exchange",
    "基金终止": "ended",
    "": "unstated",
}
#: The source's word for redemptions → ours.
REDEMPTIONS = {
    "开放赎回": "open",
    "暂停赎回": "suspended",
    "封闭期": "closed_period",
    "认购期": "initial_offer",
    "场内交易": "on_exchange",
    "基金终止": "ended",
    "": "unstated",
}
#: Of a word that is in neither list.
UNKNOWN = "unknown"
STATUSES = (*PURCHASES.values(), UNKNOWN)
#: In these a class can be bought today; `limited` up to an amount a day.
PURCHASABLE = ("open", "limited")
#: What the list of purchases says of the most that can be bought a day: an amount, that there
#: is none, or nothing.
LIMIT_STATES = ("limited", "unlimited", "unstated")
#: From so many yuan on a published limit means that there is none: the source writes
#: 9,999,999,999 and 100,000,000,000, and real limits end at some 500 million.
NO_LIMIT_FROM = 1e9
#: Longest word that is kept.
MAX_WORD = 40
