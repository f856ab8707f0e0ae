"""Encoders into eastmoney's wire formats: texts in, bytes out.

Cells are texts exactly as they shall stand in the payload, so that a test can put anything
there; `figure` writes a number as the source does. What goes where is `content.py`'s
business.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import date
from html import escape
from io import BytesIO
from math import isnan

import xlsxwriter

from fund_assets.calendar import from_key, keys_to_days
from fund_assets.nav.managers import Term
from fund_assets.nav.reports import Reports
from fund_assets.nav.statements import SourceStatements

#: code, name, pinyin, unit and accumulated NAV of D0, then of D1, growth in yuan, in percent;
#: `status_cells` may follow
SnapshotRow = tuple[str, str, str, str, str, str, str, str, str]
#: code, name, then (yield per 10,000, 7-day yield with %, unit NAV) of D0 and of D1
MoneyRow = tuple[str, str, str, str, str, str, str, str]
#: code, name, type, unit and accumulated NAV of D0, then of D1, growth in percent with %
ExchangeRow = tuple[str, str, str, str, str, str, str, str]


def status_cells(purchase: str, redemption: str, fee: str, full_fee: str) -> list[str]:
    """The 12 cells that follow the growth in a row of the snapshot."""
    return [purchase, redemption, "", "1", "0", "1", "", "1", fee, fee, "1", full_fee]


_SNAPSHOT_REST = status_cells("开放申购", "开放赎回", "0.15%", "1.50%")


def figure(value: float, digits: int, unit: str = "", blank: str = "") -> str:
    """A number with the source's digits, with more where it would not come back equal."""
    if isnan(value):
        return blank
    text = f"{value:.{digits}f}"
    return (text if float(text) == value else f"{value!r}") + unit


def snapshot(
    days: tuple[date, date],
    rows: Iterable[Sequence[str]],
    *,
    record: int | None = None,
    extra: Sequence[str] = (),
) -> bytes:
    """`Fund_JJJZ_Data.aspx`; `extra` are the two more fields of the wide variant.

    A row that ends with its growth gets the status that most funds have.
    """
    datas = [[*row, *(_SNAPSHOT_REST if len(row) < 20 else ()), *extra] for row in rows]
    letters = json.dumps([chr(code) for code in range(ord("A"), ord("Z") + 1)])
    return (
        f"var db={{chars:{letters},datas:{_compact(datas)},"
        f'count:["0","0","0"],record:"{len(datas) if record is None else record}",'
        f'pages:"1",curpage:"1",indexsy:[-0.12,0.53,0.2],'
        f'showday:["{days[0]}","{days[1]}"]}}'
    ).encode()


def purchase_row(
    code: str,
    name: str,
    fund_type: str = "混合型-偏股",
    purchase: str = "开放申购",
    redemption: str = "开放赎回",
    opens: str = "",
    least: str = "10",
    limit: str = "100000000000",
    fee: str = "0.15%",
) -> list[str]:
    """The 13 cells of a row of the list of purchases."""
    navs = ["1.0000", "11-20"]
    return [
        code,
        name,
        fund_type,
        *navs,
        purchase,
        redemption,
        opens,
        least,
        limit,
        "1",
        "1",
        fee,
    ]


def purchase_list(
    rows: Sequence[Sequence[str]],
    *,
    page: int = 1,
    size: int = 10_000,
    record: int | None = None,
) -> bytes:
    """A page of `Fund_JJJZ_Data.aspx` with t=8; `record`: how many the whole list has."""
    record = len(rows) if record is None else record
    return (
        f'var reData={{datas:{_compact(list(rows))},record:"{record}",'
        f'pages:"{-(-record // size)}",curpage:"{page}",'
        f'showday:["2026-11-20","2026-11-19"]}}'
    ).encode()


def event_list(
    kind: str,
    rows: Sequence[Sequence[str]],
    *,
    page: int = 1,
    pages: int = 1,
    size: int = 100,
) -> bytes:
    """A page of the market's dividends or splits, with the variables that follow it."""
    name = {"dividend": "jjfh", "split": "jjcf"}[kind]
    return (
        f"var pageinfo = [{pages},{size},{page}];var {name}_data={_compact(list(rows))};"
        f'var {name}_jjgs=["华夏基金"];var {name}_year=["2026"];var {name}_ftype=["混合型"];'
    ).encode()


def fund_list(rows: Iterable[tuple[str, str, str, str]]) -> bytes:
    """`fundcode_search.js` from (code, name, type, pinyin); with its byte-order mark."""
    table = [[code, pinyin, name, kind, pinyin] for code, name, kind, pinyin in rows]
    return b"\xef\xbb\xbf" + f"var r = {_compact(table)};".encode()


def history(
    fund_code: str,
    name: str,
    keys: Sequence[int],
    unit: Sequence[float | str],
    accumulated: Sequence[float | str | None],
    growth: Sequence[float | str],
    events: dict[int, str] | None = None,
    **more: object,
) -> bytes:
    """`pingzhongdata/<code>.js` of a fund with a NAV; `events` by date: unitMoney texts.

    `more` are further variables, as they stand in the answer.
    """
    stamps = milliseconds(keys)
    trend = [
        {"x": x, "y": y, "equityReturn": g, "unitMoney": (events or {}).get(key, "")}
        for x, key, y, g in zip(stamps, keys, unit, growth, strict=True)
    ]
    pairs = [[x, y] for x, y in zip(stamps, accumulated, strict=True)]
    return _script(fund_code, name, Data_netWorthTrend=trend, Data_ACWorthTrend=pairs, **more)


def money_history(
    fund_code: str,
    name: str,
    keys: Sequence[int],
    per_10k: Sequence[float],
    seven_day: Sequence[float],
    **more: object,
) -> bytes:
    """`pingzhongdata/<code>.js` of a money fund; `more` are further variables."""
    stamps = milliseconds(keys)
    return _script(
        fund_code,
        name,
        Data_millionCopiesIncome=[list(p) for p in zip(stamps, per_10k, strict=True)],
        Data_sevenDaysYearIncome=[list(p) for p in zip(stamps, seven_day, strict=True)],
        **more,
    )


#: Columns of a statement → the variable that has them, and the names of its lists.
_REPORTS = {
    "institutions": ("Data_holderStructure", ("机构持有比例", "个人持有比例", "内部持有比例")),
    "stocks": (
        "Data_assetAllocation", ("股票占净比", "债券占净比", "现金占净比", "净资产"),
    ),
    "subscribed_shares": ("Data_buySedemption", ("期间申购", "期间赎回", "总份额")),
}  # fmt: skip


def reports(said: Reports) -> dict[str, object]:
    """What an answer says of reports, as its variables: 亿, percent and lists by name."""
    found: dict[str, object] = {}
    for one in said.statements:
        if one.table in _TODAY:
            found |= _TODAY[one.table](one.periods)
            continue
        days = [str(from_key(period)) for period in one.periods]
        if one.columns[0] == "net_assets":
            series = [
                {"y": y / 1e8, "mom": "--" if mom is None else f"{mom:.2%}"}
                for y, mom in one.periods.values()
            ]
            found["Data_fluctuationScale"] = {"categories": days, "series": series}
            continue
        variable, names = _REPORTS[one.columns[0]]
        lists = zip(*one.periods.values(), strict=True)
        found[variable] = {"categories": days, "series": [
            {"name": name, "data": [
                round(v / 1e8, 4) if name in ("净资产", *_REPORTS["subscribed_shares"][1])
                else round(v * 100, 4) for v in values
            ]}
            for name, values in zip(names, lists, strict=True)
        ]}  # fmt: skip
    return found


def _positions(periods: dict[int, tuple[float]]) -> dict[str, object]:
    pairs = zip(milliseconds(list(periods)), periods.values(), strict=True)
    return {"Data_fundSharesPositions": [[at, round(v * 100, 4)] for at, (v,) in pairs]}


def _holdings(periods: dict[tuple[int, str, int], tuple[int, str, None]]) -> dict[str, object]:
    codes = {
        kind: [f"{m}.{c}" for (_, k, _), (m, c, _) in sorted(periods.items()) if k == kind]
        for kind in ("stock", "bond")
    }
    return {"stockCodesNew": codes["stock"] or "", "zqCodesNew": ",".join(codes["bond"])}


def _managers(people: dict[str, tuple[str, int, float, int]]) -> dict[str, object]:
    return {"Data_currentFundManager": [
        {
            "id": number, "name": name, "star": 4,
            "workTime": f"{days // 365}年又{days % 365}天" if days >= 365 else f"{days}天",
            "fundSize": f"{assets / 1e8:.2f}亿({funds}只基金)",
        }
        for number, (name, days, assets, funds) in people.items()
    ]}  # fmt: skip


_TODAY = {
    "fund_position_estimate": _positions,
    "fund_top_holdings": _holdings,
    "fund_manager": _managers,
}


def statements(stated: SourceStatements) -> dict[str, object]:
    """What an answer states of return, rank and score, as its variables."""
    newest = {what: value for (what, _), value in stated.figures.items()}
    day = milliseconds([max((day for _, day in stated.figures), default=20_000_101)])[0]
    days = milliseconds(stated.rank_days.tolist())
    ranks = zip(days, stated.ranks.tolist(), stated.peers.tolist(), strict=True)
    found: dict[str, object] = {
        name: f"{newest[what]:.2f}" if what in newest else ""
        for name, what in (("syl_1n", "return_1y"), ("syl_6y", "return_6m"),
                           ("syl_3y", "return_3m"), ("syl_1y", "return_1m"))
    }  # fmt: skip
    found["Data_rateInSimilarType"] = [{"x": x, "y": y, "sc": str(sc)} for x, y, sc in ranks]
    if "peers_6m" in newest:
        found["Data_grandTotal"] = [
            {"name": name, "data": [[day - 86_400_000, 0], [day, newest[what]]]}
            for name, what in (("甲", "return_6m"), ("同类平均", "peers_6m"))
        ]
    if "score" in newest:
        score = {"avr": str(newest["score"]), "categories": [], "dsc": [], "data": []}
        found["Data_performanceEvaluation"] = score
    return found


def money_page(days: tuple[date, date], rows: Iterable[MoneyRow]) -> bytes:
    """`HBJJ_pjsyl.html`: 16 columns under two header rows, GB 2312."""
    top = ["", "", "", "", "", *[str(days[0])] * 3, *[str(days[1])] * 3, "", "", "", "", ""]
    measures = ["万份收益", "7日年化%", "单位净值"]
    names = ["比较", "序号", "关注", "基金代码", "基金简称", *measures, *measures]
    names += ["日涨幅", "成立日期", "基金经理", "手续费", "可购全部"]
    rest = ["---", "2013-03-04", "石大怿", "0.00%", "购买"]
    body = (
        ["", str(at), "", code, _links(name, "基金吧", "档案"), *map(escape, cells), *rest]
        for at, (code, name, *cells) in enumerate(rows, start=1)
    )
    return _page("货币型基金收益", [top, names], body)


def exchange_page(days: tuple[date, date], rows: Iterable[ExchangeRow]) -> bytes:
    """`cnjy_dwjz.html`: 14 columns under two header rows, GB 2312."""
    top = ["", "", "", "", "", "", *[str(days[0])] * 2, *[str(days[1])] * 2, "", "", "", ""]
    names = ["比较", "序号", "关注", "基金代码", "基金简称", "类型"]
    names += ["单位净值", "累计净值"] * 2 + ["增长值", "增长率", "市价", "折价率"]
    body = (
        ["", str(at), "", code, _links(name, "行情", "吧", "档案"), *map(escape, cells)]
        for at, (code, name, kind, u0, a0, u1, a1, growth) in enumerate(rows, start=1)
        for cells in [(kind, u0, a0, u1, a1, "0.0012", growth, "1.0020", "0.05%")]
    )
    return _page("场内交易基金净值", [top, names], body)


def overview(fund_code: str, name: str, fund_type: str, benchmark: str, tracked: str) -> bytes:
    """`jbgk_<code>.html`: a table of the fund's facts, two of them a row, UTF-8."""
    facts = [
        ("基金全称", f"{name}证券投资基金", "基金简称", name),
        ("基金代码", f"{fund_code}（前端）", "基金类型", fund_type),
        ("发行日期", "2013年03月04日", "成立日期/规模", "2013年03月20日 / 10.000亿份"),
        ("资产规模", "2.00亿元（截止至：2026年09月30日）", "份额规模", "1.9000亿份"),
        ("基金管理人", "某基金", "基金托管人", "某银行"),
        ("基金经理人", "石大怿", "成立来分红", "每份累计0.00元（0次）"),
        ("管理费率", "1.20%（每年）", "托管费率", "0.20%（每年）"),
        ("业绩比较基准", benchmark, "跟踪标的", tracked or "该基金无跟踪标的"),
    ]
    rows = "".join(
        f"<tr><th>{a}</th><td>{escape(b)}</td><th>{c}</th><td>{escape(d)}</td></tr>"
        for a, b, c, d in facts
    )
    return (
        f"<!DOCTYPE html><html><head><title>{escape(name)}基金基本概况</title></head><body>"
        "<table><tr><td>天天基金网</td><td>搜索</td><td></td><td></td></tr></table>"
        f"<table class='info w790'>{rows}</table></body></html>"
    ).encode()


def manager_page(fund_code: str, name: str, terms: Iterable[Term]) -> bytes:
    """`jjjl_<code>.html`: the terms of its managers, newest first, UTF-8."""
    rows = (
        (
            str(from_key(term.since)),
            "至今" if term.until is None else str(from_key(term.until)),
            "".join(
                f"<a href='http://fund.eastmoney.com/manager/{number}.html'>{person}</a> "
                for number, person in term.managers.items()
            ),
            "-" if term.days is None else f"{term.days}天",
            _percent(term.published_return),
        )
        for term in terms
    )
    return manager_rows(fund_code, name, rows)


def manager_rows(fund_code: str, name: str, rows: Iterable[Sequence[str]]) -> bytes:
    """The same from its cells."""
    body = "".join(f"<tr><td>{'</td><td>'.join(row)}</td></tr>" for row in rows)
    head = "".join(f"<th>{one}</th>" for one in ("起始期", "截止期", "基金经理", "任职期间"))
    return (
        f"<!DOCTYPE html><html><head><title>{escape(name)}({fund_code})基金经理</title></head>"
        "<body><h4>基金经理变动一览</h4><table class='w782 comm  jloff'><thead><tr>"
        f"{head}<th>任职回报<img/></th></tr></thead><tbody>{body}</tbody></table></body></html>"
    ).encode()


def _percent(value: float | None) -> str:
    return "--" if value is None else f"{100 * value:.2f}%"


def index_list(rows: Iterable[Sequence[str]]) -> bytes:
    """The workbook of CSI's indices, from (code, short name, full name, currency)."""
    columns = (
        "指数代码",
        "基日",
        "基点",
        "指数系列",
        "指数简称",
        "指数全称",
        "指数币种",
        "发布时间",
    )
    book = BytesIO()
    with xlsxwriter.Workbook(book) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, columns)
        for at, (code, short, full, currency) in enumerate(rows, start=1):
            sheet.write_row(
                at, 0, (code, "2004-12-31", "1000", "中证", short, full, currency, "2005-04-08")
            )
    return book.getvalue()


def szse_index_list(rows: Iterable[tuple[str, str]]) -> bytes:
    """The list of CNI's indices, from (code, short name)."""
    figures = {"samplesize": 100, "closeingPoint": 1.0, "percent": 0.1, "peDynamic": 9.0,
               "volume": 1e6, "amount": 1e9, "totalMarketValue": 1e9, "freeMarketValue": 1e9}  # fmt: skip
    found = [{"indexcode": code, "indexname": name, **figures} for code, name in rows]
    return _compact({"code": 200, "data": {"total": len(found), "rows": found}}).encode()


def index_history(
    code: str, name: str, rows: Iterable[tuple[int, float]], columns: int
) -> bytes:
    """An index's daily lines: date, open, close and more figures; no code: it is unknown."""
    rest = ["1.0"] * (columns - 3)
    lines = [
        ",".join([str(from_key(key)), figure(close, 2), figure(close, 2), *rest])
        for key, close in rows
    ]
    data = {"code": code, "name": name, "decimal": 2, "dktotal": len(lines), "klines": lines}
    return _compact(
        {"rc": 0 if code else 100, "rt": 17, "data": data if code else None}
    ).encode()


def milliseconds(keys: Sequence[int]) -> list[int]:
    """Dates yyyymmdd → milliseconds of their midnights in Shanghai."""
    return [int(day) * 86_400_000 - 8 * 3_600_000 for day in keys_to_days(keys)]


def _script(fund_code: str, name: str, **variables: object) -> bytes:
    head = f'var fS_name = {json.dumps(name, ensure_ascii=False)};var fS_code = "{fund_code}";'
    body = "".join(f"/*{key}*/var {key} = {_compact(v)};" for key, v in variables.items())
    return f"var ishb=false;{head}{body}".encode()


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _links(name: str, *links: str) -> str:
    return f"<a>{escape(name)}</a>" + "".join(f"<a>{link}</a>" for link in links)


def _page(title: str, header: list[list[str]], rows: Iterable[list[str]]) -> bytes:
    lines = ["".join(f"<td>{cell}</td>" for cell in row) for row in [*header, *rows]]
    table = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f"<html><head><title>{title}</title></head><body>"
        "<table><tr><td>天天基金网</td></tr></table>\n"
        f"<table id='oTable'>{table}</table></body></html>\n"
    ).encode("gb18030")
