"""The cells of the evening's pages that are not read, each with the reason.

Belongs here: the one list of them. Does not belong here: the cells that are read
(`decode_snapshot.py`, `decode_purchases.py`,
`decode_pages.py`). A test holds that each cell is in one of both.
"""

_LINK = "a place for a link or a button of the page"
#: Of a row of the market snapshot: place of the cell → why it is not read.
SNAPSHOT = {
    7: "growth in yuan is the difference of two cells that are read",
    11: "empty in every row that was seen",
    12: "a switch of the page without documentation",
    13: "a switch of the page without documentation",
    14: "place of the row in the list as it was sorted",
    15: "empty in every row that was seen",
    16: "a switch of the site's shop without documentation",
    18: "the discounted fee once more",
    19: "a switch of the site's shop without documentation",
}
#: Of a row of the list of purchases: place of the cell → why it is not read.
PURCHASES = {
    1: "the market's list has the name",
    2: "the market's list has the type",
    3: "the evening's pages have the NAV or income, with its date",
    4: "month and day of the cell before",
    10: "discount of the fee: both fees are read from the market page",
    11: "state of a button of the site's shop, not the status of the fund",
}
#: Of a row of the list of exchange-traded funds: label of the column → why it is not read.
EXCHANGE = {
    "比较": _LINK,
    "序号": "place of the row in the list",
    "关注": _LINK,
    "类型": "the market's list has the type, in more exact words",
    "增长值": "growth in yuan is the difference of two cells that are read",
    "市价": "a price of the exchange of an unstated time; no NAV of the fund",
    "折价率": "made of the price of the exchange and a NAV that is read",
}
#: Of a row of the page of money funds, likewise.
MONEY = {
    "比较": _LINK,
    "序号": "place of the row in the list",
    "关注": _LINK,
    "日涨幅": "growth of a unit NAV that does not move",
    "成立日期": "a fact of the fund, not of the evening",
    "基金经理": "a fact of the fund, not of the evening",
    "手续费": "the fee of funds that charge none",
    "可购全部": "a button of the site's shop, not the status of the fund",
}
