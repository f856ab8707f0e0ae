"""Where the pages of eastmoney (天天基金网) are, and how akshare asks for them.

Belongs here: addresses, parameters and headers. Does not belong here: asking
(`transport/gateway.py`), reading what is answered (`source.py`).
"""

HOST = "fund.eastmoney.com"
#: As akshare 1.19.5 sends them; a contract test compares.
HEADERS = {
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 "
    "(KHTML, like Gecko) Chrome/114.0.0.0 Safari/537.36"
}
OPEN_FUNDS_URL = f"https://{HOST}/Data/Fund_JJJZ_Data.aspx"
OPEN_FUNDS_PARAMS = {
    "t": "1",
    "lx": "1",
    "letter": "",
    "gsid": "",
    "text": "",
    "sort": "zdf,desc",
    "page": "1,50000",
    "dt": "1580914040623",
    "atfc": "",
    "onlySale": "0",
}
#: The list of purchases has the same address. A page has at most 15,000 to 20,000 rows.
PURCHASES_PARAMS = {"t": "8", "page": "", "js": "reData", "sort": "fcode,asc"}
PURCHASES_A_PAGE = 10_000
MONEY_URL = f"https://{HOST}/HBJJ_pjsyl.html"
EXCHANGE_URL = f"https://{HOST}/cnjy_dwjz.html"
FUND_LIST_URL = f"https://{HOST}/js/fundcode_search.js"
HISTORY_URL = f"https://{HOST}/pingzhongdata/{{fund_code}}.js"
#: Another host: that of the pages of single funds.
OVERVIEW_HOST = "fundf10.eastmoney.com"
MANAGERS_URL = f"https://{OVERVIEW_HOST}/jjjl_{{fund_code}}.html"
EVENTS_URL = f"https://{HOST}/Data/funddataIndex_Interface.aspx"
#: How akshare asks for a page of each list, besides dt, page and year.
EVENTS_ORDER = {
    "dividend_list": {"rank": "BZDM", "sort": "asc"},
    "split_list": {"rank": "FSRQ", "sort": "desc"},
}
