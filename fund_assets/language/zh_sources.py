"""The Chinese of what is said of requests, of a source's answers and of notices on holidays.

Belongs here: the errors of `transport/` and `sources/`, and of reading such a notice, with what
they quote in braces. Does not belong here: what commands say of their own (`zh.py`) and
`--help` (`zh_help.py`).
"""

#: How a request ended.
_REQUESTS = {
    "status {status}, {advice}": "状态码 {status}，{advice}",
    "access refused: wait some hours and lower FUND_REQUESTS_PER_SECOND": "拒绝访问：请等几小时，并调低 FUND_REQUESTS_PER_SECOND",
    "page not found": "没有这个页面",
    "the proxy requires a login: check HTTPS_PROXY": "代理要求登录：请检查 HTTPS_PROXY",
    "too many requests: lower FUND_REQUESTS_PER_SECOND": "请求过多：请调低 FUND_REQUESTS_PER_SECOND",
    "too many requests, says its CDN: lower FUND_REQUESTS_PER_SECOND": "其 CDN 称请求过多：请调低 FUND_REQUESTS_PER_SECOND",
    "server error: try again later": "服务器出错：请稍后再试",
    "request refused": "请求被拒绝",
    "the connection was closed without an answer: {who} ({detail})": "连接未作应答即被关闭：{who}（{detail}）",
    "the proxy refuses our requests: check HTTPS_PROXY": "代理拒绝我们的请求：请检查 HTTPS_PROXY",
    "the source refuses our requests": "数据源拒绝我们的请求",
    "the proxy refused or closed the connection: check HTTPS_PROXY ({detail})": "代理拒绝或中断：请检查 HTTPS_PROXY（{detail}）",
    "TLS failed: check the clock and REQUESTS_CA_BUNDLE ({detail})": "TLS 失败：请检查时钟和 REQUESTS_CA_BUNDLE（{detail}）",
    "no connection within {seconds} s: check the network ({detail})": "{seconds} 秒内未能连接：请检查网络（{detail}）",
    "no data for {seconds} s: try again later ({detail})": "{seconds} 秒内没有收到数据：请稍后再试（{detail}）",
    "the answer was cut off: try again later ({detail})": "应答中断：请稍后再试（{detail}）",
    "the connection failed: check the network ({detail})": "连接失败：请检查网络（{detail}）",
    "the answer is not valid HTTP: try again later ({error})": "应答不合 HTTP 规则：请稍后再试（{error}）",
    "no complete answer within {seconds} s; the server is slow or stalls: try again later, or "
    "raise FUND_REQUEST_DEADLINE_S": "{seconds} 秒内没有完整的应答；服务器过慢，或有意拖延：请稍后再试，或调高 "
    "FUND_REQUEST_DEADLINE_S",
    "{error}; try again later": "{error}；请稍后再试",
    "redirected to {place}, which is not an address": "被重定向到 {place}，它不是地址",
    "redirected to {place}, which is not followed: probably a login or ban page; wait some "
    "hours and lower FUND_REQUESTS_PER_SECOND": "被重定向到 {place}，不予跟随：可能是登录页或封禁页；请等几小时，并调低 FUND_REQUESTS_PER_SECOND",
    "redirected again at the new address": "在新地址又被重定向",
    "the answer is larger than {size} bytes; raise FUND_RESPONSE_LIMIT_MB if that size is correct": "应答大于 {size} 字节；若本应如此，请调高 FUND_RESPONSE_LIMIT_MB",
    "the answer is empty; try again later": "应答是空的；请稍后再试",
    "received the text {said} instead of data, probably a ban; wait some hours and lower "
    "FUND_REQUESTS_PER_SECOND": "收到的不是数据而是 {said}，可能被封；请等几小时，并调低 FUND_REQUESTS_PER_SECOND",
    "received a web page titled {title} instead of data, probably a captcha, login or ban "
    "page; wait some hours and lower FUND_REQUESTS_PER_SECOND": "收到的不是数据而是标题为 {title} 的网页，可能是验证码、登录或封禁页；请等几小时，并调低 FUND_REQUESTS_PER_SECOND",
    "received a web page{said} instead of data, probably a captcha, login or ban page; wait "
    "some hours and lower FUND_REQUESTS_PER_SECOND": "收到的不是数据而是网页{said}，可能是验证码、登录或封禁页；请等几小时，并调低 FUND_REQUESTS_PER_SECOND",
    "not requested: {why}": "没有请求：{why}",
    "{host} refuses requests, next request after {time}: {why}": "{host} 拒绝请求，{time} 之后再请求：{why}",
    "{host} is unreachable, next request after {time}: {why}": "{host} 无法连接，{time} 之后再请求：{why}",
    "the answer arrived but cannot be stored: {error}; free space on the disk of FUND_STATE, "
    "or set it to a writable folder": "应答已收到但无法保存：{error}；请在 FUND_STATE 下腾出空间，或改设为可写的目录",
    "a defect of fund-assets: {error}; see the log, and please report it": "fund-assets 的缺陷：{error}；位置见日志，请报告",
    "raw answer {path} is damaged: its sha256 is {found}; it is requested again": "原始应答 {path} 已损坏：其 sha256 为 {found}；将重新请求",
    "raw answer {path} is damaged: {error}; it is requested again": "原始应答 {path} 已损坏：{error}；将重新请求",
    "unknown content encoding {encoding}": "未知的内容编码 {encoding}",
    "the compressed answer is damaged: {error}": "压缩的应答已损坏：{error}",
    "the compressed answer is incomplete": "压缩的应答中途结束",
    "{size} bytes follow the compressed answer's end": "压缩的应答结束后还有 {size} 字节",
    "the compressed answer has over {size} members": "压缩的应答有超过 {size} 个成员",
    "not tried again: {why}": "不再尝试：{why}",
}

#: What an answer holds.
_DECODED = {
    "the answer is empty": "应答是空的",
    "{endpoint:s} of fund {fund:s} from {host:s}": "{host} 的 {endpoint}（基金 {fund}）",
    "{endpoint:s} from {host:s}": "{host} 的 {endpoint}",
    "the history of fund {fund:s}": "基金 {fund} 的历史",
    "the market snapshot starts with {text}, not with var db={{chars:..,datas:": "市场快照以 {text} 开头，而不是 var db={{chars:..,datas:",
    "the market snapshot is incomplete: {text}": "市场快照中途结束：{text}",
    "the market snapshot has no fund; try again later": "市场快照里没有基金；请稍后再试",
    'the market snapshot has no showday:["yyyy-mm-dd","yyyy-mm-dd"]': '市场快照没有 showday:["yyyy-mm-dd","yyyy-mm-dd"]',
    "the market snapshot's {text}] is not a pair of dates": "市场快照的 {text}] 不是一对日期",
    "the market snapshot's dates are not in order: {text}]": "市场快照的日期顺序不对：{text}]",
    '{what} has no record:"N"': '{what}没有 record:"N"',
    "requested {what}, the answer is page {page}": "请求的是{what}，应答是第 {page} 页",
    "page {page} of the list of purchases": "申购状态表第 {page} 页",
    "the list of purchases, read {times} times: {why}; it is not used, try again later": "申购状态表，读了 {times} 次：{why}；其中内容一概不用，请稍后再试",
    "it had {record} funds, its page {page} says {now}": "它有 {record} 只基金，第 {page} 页说有 {now} 只",
    "its page {page} has {rows} funds, not {due} of {record}": "第 {page} 页有 {rows} 只基金，应有 {record} 只中的 {due} 只",
    "fund {code} is on its pages {page} and {other}": "基金 {code} 在第 {page} 页和第 {other} 页上",
    'the market snapshot has no record:"N"': '市场快照没有 record:"N"',
    "the market snapshot says it has {due} funds but has {rows}: the source limits its page "
    "or cut the answer; it is not used, try again later": "市场快照称有 {due} 只基金，实有 {rows} 只：数据源限制了页面或截断了应答；其中内容一概不用，请稍后再试",
    "the market snapshot says it has {due} funds but has {rows}": "市场快照称有 {due} 只基金，实有 {rows} 只",
    "the fund list starts with {text}, not with var r = [[": "基金列表以 {text} 开头，而不是 var r = [[",
    "the fund list is incomplete: {text}": "基金列表中途结束：{text}",
    "after the fund list comes {text}": "基金列表之后还有 {text}",
    "the fund list has no fund; try again later": "基金列表里没有基金；请稍后再试",
    "{what} has no fS_code; it starts with {text}": "{what}没有 fS_code；开头是 {text}",
    "requested {what}, the answer is that of {other}": "请求的是{what}，应答是 {other} 的",
    "requested {what}, the answer names {other}": "请求的是{what}，应答写的是 {other}",
    "requested {what}, the answer is page {page} of {pages}": "请求的是{what}，应答是第 {page} 页（共 {pages} 页）",
    "{what} is incomplete: {text}": "{what}中途结束：{text}",
    "{what} is incomplete, without </html>; try again later": "{what}中途结束，没有 </html>；请稍后再试",
    "{what} ends inside a character": "{what}在一个字符中间结束",
    "{what} has neither Data_netWorthTrend nor Data_millionCopiesIncome": "{what}既没有 Data_netWorthTrend 也没有 Data_millionCopiesIncome",
    "{what} has no date: the fund has not published yet": "{what}没有日期：该基金尚未披露",
    "{what} has no date": "{what}没有日期",
    "{what} has no fund; try again later": "{what}没有基金；请稍后再试",
    "{what} holds {points} points of only {dates} dates: the source repeated a page; it is "
    "not used, try again later": "{what}有 {points} 个点却只有 {dates} 个日期：数据源反复给出同一页；其中内容一概不用，请稍后再试",
    "{what} has Data_netWorthTrend and no Data_ACWorthTrend": "{what}有 Data_netWorthTrend 而没有 Data_ACWorthTrend",
    "a point of Data_netWorthTrend lacks one of {keys}: {point}": "Data_netWorthTrend 的一个点缺少 {keys} 之一：{point}",
    "{what} has only one of Data_millionCopiesIncome and Data_sevenDaysYearIncome": "{what}只有 Data_millionCopiesIncome 和 Data_sevenDaysYearIncome 中的一个",
    "a point of {variable} is not a pair: {point}": "{variable} 的一个点不是一对：{point}",
    "{odd} is not a time in milliseconds": "{odd} 不是以毫秒计的时间",
    "{stamp} is not midnight in Shanghai of a year from 1990 to 2100": "{stamp} 不是 1990 至 2100 年间北京时间的零点",
    "{name} in {what} is not a list that ends with a semicolon": "{what}里的 {name} 不是以分号结束的列表",
    "{what} is not valid JSON: {error}": "{what}不是应有的 JSON：{error}",
    "{what} has a row that is not a list": "{what}有一行不是列表",
    "{what} has rows of {found} fields, this version knows {known}: the source changed its columns; "
    "upgrade fund-assets and akshare, or report it": "{what}的行有 {found} 个字段，本版本认识的是 {known}：数据源改了列；请升级 fund-assets 和 akshare，或报告",
    "fund {fund} has a cell {cell} that is not text": "基金 {fund} 有单元格 {cell}，不是文本",
    "{what} is empty; try again later": "{what}是空的；请稍后再试",
    "{what} is not UTF-8: {error}": "{what}不是 UTF-8：{error}",
    "page {page} of the market's dividends of {year}": "{year} 年全市场分红的第 {page} 页",
    "page {page} of the market's splits of {year}": "{year} 年全市场拆分的第 {page} 页",
    "{what} starts with {text}, not with var pageinfo=[": "{what}以 {text} 开头，而不是 var pageinfo=[",
    "pageinfo is {text}, not [pages, rows, page]": "pageinfo 是 {text}，而不是 [页数, 行数, 页码]",
    "it says it is one of {pages} pages": "自称共有 {pages} 页",
    "{what} has no {variable} after pageinfo": "{what}在 pageinfo 之后没有 {variable}",
    "{what} has {rows} rows, it says a page has {size}": "{what}有 {rows} 行，自称每页 {size} 行",
    "{what} has a row {row}, this version knows {one} or {other} cells: the source changed its "
    "columns; upgrade fund-assets": "{what}有一行 {row}，本版本认识的是 {one} 或 {other} 个单元格：数据源改了列；请升级 fund-assets",
    "{what} holds an event of {day} ({code})": "{what}含有 {day} 的事件（{code}）",
    "{endpoint} of {year}, read {times} times: {why}; it is not used, try again later": "{year} 年的 {endpoint}，读了 {times} 次：{why}；其中内容一概不用，请稍后再试",
    "the page {url}": "页面 {url}",
    "{what} starts with {text}": "{what}以 {text} 开头",
    "{what} cannot be read: {error}": "{what}无法读取：{error}",
    "{what} has {tables} tables with a column {label}, not 1": "{what}有 {tables} 个含列 {label} 的表，而不是 1 个",
    "{what} calls its column {at} {label}, not {due}: the source changed it; upgrade fund-assets, or "
    "report it": "{what}的第 {at} 列叫 {label}，而不是 {due}：数据源改了它；请升级 fund-assets，或报告",
    "{what} has a row of {cells} cells, not of {due} that cover a column each: {row}": "{what}有一行含 {cells} 个单元格，而不是各占一列的 {due} 个：{row}",
    "{what} has {row} above its labels, not a newer and an older date": "{what}的表头上方是 {row}，而不是一新一旧两个日期",
    "{what} has the columns {columns}, not 基金代码 and {figures} at two dates: the source changed it; "
    "upgrade akshare": "{what}的列是 {columns}，而不是基金代码和两个日期的 {figures}：数据源改了它；请升级 akshare",
    "{what} has the columns {columns}: column {at} should be about {word}; the source changed it: "
    "upgrade akshare, or report it": "{what}的列是 {columns}：第 {at} 列应为 {word}；数据源改了它：请升级 akshare，或报告",
    "akshare reads the date {day}": "akshare 读出的日期是 {day}",
    "{code} is not a fund code: write six digits": "{code} 不是基金代码：应为六位数字",
    "{host} has no fund {code}: it may be liquidated, or a 后端 code without a separate page": "{host} 没有基金 {code}：可能已清盘，或是没有单独页面的后端代码",
    "histories are scripts, and FUND_REMOTE_JAVASCRIPT does not allow running them": "历史是脚本，而 FUND_REMOTE_JAVASCRIPT 不允许运行",
    "unknown index {index}: choose from {known}": "不认识指数 {index}：认识的有 {known}",
    "index {index}: {day} with close {close} is not a valid close; the source may have "
    "changed its format: upgrade akshare, or report it": "指数 {index}：{day} 的收盘 {close} 不是收盘价；数据源可能改了格式：请升级 akshare，或报告",
    "index {index}: a line of its closes has {count} commas": "指数 {index}：收盘价的一行有 {count} 个逗号",
    "the answer for index {index} has no closes": "指数 {index} 的应答里没有收盘价",
    "the engine ended with {code}: {last}": "引擎以 {code} 结束：{last}",
    "the script ran longer than {seconds} s": "脚本运行超过 {seconds} 秒",
    "the simulated market begins on {day}, the clock says {now}": "模拟市场始于 {day}，时钟是 {now}",
    "the simulated market begins on {day}: no list yet": "模拟市场始于 {day}：还没有表",
    "the simulated market begins on {day}: no NAV yet": "模拟市场始于 {day}：还没有净值",
    "{host} has no fund {code}": "{host} 没有基金 {code}",
    "{what} have no {names}: the source changed the page; upgrade akshare, or report it": "{what}没有 {names}：数据源改了页面；请升级 akshare，或报告",
    "{what} were requested, the page is of {other}": "请求的是{what}，页面是 {other} 的",
    "the list of {name} has no {columns}: the source changed it; upgrade akshare, or report it": "{name} 的列表没有 {columns}：数据源改了它；请升级 akshare，或报告",
    "the managers of fund {code}": "基金 {code} 的基金经理",
    "{what} are in {count} tables with the columns {names}, not in one: the source changed the page; upgrade fund-assets, or report it": "{what}在 {count} 个有 {names} 各列的表里，应在一个表里：数据源改了页面；请升级 fund-assets，或报告",
    "{what} have two terms from the same day": "{what}有两段任期始于同一天",
    "{what}: the row {row} has {count} cells, not {due}": "{what}：行 {row} 有 {count} 个单元格，应有 {due} 个",
    "{what}: the row {row} does not last from one day to a later one": "{what}：行 {row} 的起止日期不对",
    "{what}: the row {row} does not name the managers": "{what}：行 {row} 没有写出基金经理",
    "{what}: the row {row} has a time that is not understood": "{what}：行 {row} 的任职期间读不懂",
    "{what}: the row {row} has a return that is not a number": "{what}：行 {row} 的任职回报不是数字",
    "the facts of fund {code}": "基金 {code} 的概况",
    "the simulated market has no fund {code}": "模拟市场没有基金 {code}",
    "{code} {name} is listed for its fees only: it has no NAV page, its front-end share class has one": "{code} {name} 只因费率列出：没有自己的净值页，前端份额才有",
    "the simulated market has no index {index}": "模拟市场没有指数 {index}",
    "the page has over {count} characters": "页面超过 {count} 个字符",
    "it is not a page: {error}": "不是网页：{error}",
    "it has over {tables} tables or {rows} rows in them": "有超过 {tables} 个表，或表里超过 {rows} 行",
    "its tables have over {cells} cells, spans counted": "各表超过 {cells} 个单元格（含跨行跨列）",
    "a cell has the {name} {told}": "一个单元格的 {name} 为 {told}",
    "a cell covers {count} by its {name}, {most} are laid out": "一个单元格的 {name} 占 {count}，最多排 {most}",
    "a table has more than {count} columns": "一个表超过 {count} 列",
    "{words}; the source may have changed its format: upgrade akshare, or report it": "{words}；数据源可能改了格式：请升级 akshare，或报告",
    "{function} makes more than {count} requests": "{function} 发出超过 {count} 个请求",
    "{function} sends {asked}, not {usual}": "{function} 发出的是 {asked}，而不是 {usual}",
}

#: The trading calendar and the notices on holidays.
_DAYS = {
    "trading_days: the answer of {url} has no complete list of sessions, {size} bytes; try "
    "again later": "trading_days：{url} 的应答没有完整的交易日列表，{size} 字节；请稍后再试",
    "szse_calendar: the page has no days of {month}, but of January: it is being filled; try again "
    "later": "szse_calendar：页面没有 {month} 的日子，却有一月的：正在填写；请稍后再试",
    "szse_calendar: the answer for {month} is not a list of days ({error}); the page may have "
    "changed its format": "szse_calendar：{month} 的应答不是日期列表（{error}）；页面可能改了形式",
    "szse_calendar: the answer for {month} has {days} days with the states {states}, expected "
    "are its {due} days with 0 or 1": "szse_calendar：{month} 的应答有 {days} 天，状态为 {states}；应为该月 {due} 天，状态 0 或 1",
    "akshare's calendar.json cannot be read: {error}": "akshare 的 calendar.json 无法读取：{error}",
    "{name}: {size} bytes are too many for a notice; save only its page": "{name}：{size} 字节不是一份通知；请只保存通知的网页",
    "{name}: it is not text in UTF-8 or GB 18030; save the page as text": "{name}：不是 UTF-8 或 GB 18030 文本；请把网页存为文本",
    "{name}: no notice on holidays found: the text must begin with its title, such as "
    "国务院办公厅关于2027年部分节假日安排的通知 or 关于2027年部分节假日休市安排的通知": "{name}：没有找到放假通知：文本须以标题开头，如 国务院办公厅关于2027年部分节假日安排的通知 或 关于2027年部分节假日休市安排的通知",
    "{where}: the notice {title} has no year": "{where}：通知 {title} 没有写年份",
    "{where}: the notice of {year} does not mention {names}: the text is incomplete, or "
    "worded differently; paste the whole notice": "{where}：{year} 年的通知没有提到{names}：文本不完整或措辞不同；请粘贴整份通知",
    "{where}: the text on {day} is not understood, in {text}: 放假, 上班, 休市 or 开市 is expected "
    "after a date": "{where}：关于 {day} 的话不能理解，在 {text} 里：日期之后应为放假、上班、休市或开市",
    "{where}: {names} has no dates": "{where}：{names}没有日期",
    "{where}: the amendment of {year} closes no day": "{where}：{year} 年的调整没有休市的日子",
    "{where}: {dates} are {days} days, not {told}: a date is mistyped": "{where}：{dates} 共 {days} 天，而不是 {told} 天：有日期写错了",
    "{where}: {day} is a weekday, not a weekend: {text}": "{where}：{day} 是工作日，不是周末：{text}",
    "{where}: {first} to {last} is not a holiday: a date is mistyped": "{where}：{first} 至 {last} 不是假期：有日期写错了",
    "{where}: {day} has no month": "{where}：{day} 没有月份",
    "{where}: {day} of {year} is not a date": "{where}：{year} 年的 {day} 不是日期",
    "{where}: {day} is a 星期{weekday}, not {told}: a date is mistyped, or this is not the notice of "
    "{year}": "{where}：{day} 是星期{weekday}，不是{told}：有日期写错了，或这不是 {year} 年的通知",
    "{where}: {day} is outside {year}": "{where}：{day} 不在 {year} 年内",
    "{where}: {day} is a weekend; the exchange never opens then": "{where}：{day} 是周末；交易所从不在周末开市",
    "{where}: {day} is both a closed and an open day: see {other}": "{where}：{day} 既休市又开市：见 {other}",
    "{where}: trading continues on {day}, but {before} is not mentioned: a date is mistyped": "{where}：{day} 照常开市，但没有提到 {before}：有日期写错了",
}

SOURCES = {**_REQUESTS, **_DECODED, **_DAYS}
