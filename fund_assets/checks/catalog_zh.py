"""The checks of `catalog.py` in Chinese, by their name.

Belongs here: the demand, what makes a breach milder or more severe, and what ends it. Does not
belong here: the words of rules (`nav/rules_zh.py`); figures are those of the declaration, which
a test holds.
"""

#: Check → demand, when its breach is milder or more severe, what ends it.
WORDS = {
    "R26_list_current": (
        "能取到全市场的名录；取不到时沿用已存的名录",
        "",
        "下一份取得到的名录",
    ),
    "R18_events_current": (
        "能取到并完整读出全市场的分红和拆分清单；做不到时沿用已存的事件",
        "",
        "下一份取得到、读得出的清单",
    ),
    "R18_events_moved": (
        "每次读取全市场的清单时，没有事件出现在两页上；有则说明其间页面移动过，次日之前可能缺少别的事件",
        "",
        "次日的清单",
    ),
    "R18_history_shrink": (
        "没有历史比已存的短：变短的不采用",
        "",
        "恢复长度的历史；其间已存的历史保持不变",
    ),
    "R01_own_decoder": (
        "严格的解码器能读懂每个应答，没有用到 akshare 的解码器",
        "",
        "它读得懂的应答；格式变了则需要新版本",
    ),
    "R01_history_variables": (
        "历史应答里的每个变量都已声明：解码或忽略",
        "",
        "声明该变量的新版本；其间原始字节留在存档里",
    ),
    "status_cells_known": (
        "一轮和申购状态表里的每个申购状态和赎回状态都是认识的词，每个手续费和金额都是数字；"
        "不认识的词照原样保存，状态记为 unknown",
        "",
        "没有这类单元格的一轮；一直出现的词需要新版本",
    ),
    "purchase_list_current": (
        "能取到并完整读出申购状态表；做不到时限额、购买起点和市场页没有的基金的状态保持不变",
        "",
        "下一份取得到、读得出的申购状态表",
    ),
    "reports_sound": (
        "历史应答里的规模、持有人结构、资产配置、持仓和基金经理，以及数据源自己的收益、排名和评分都能采用，彼此相符，已披露的报告期没有撤回；不能采用的数不入库，其余照存",
        "",
        "以后的应答给出能采用的数",
    ),
    "indices_current": (
        "每个指数都已取得，且在应有的交易日之前 5 天之内有收盘；没有时指标用已存的收盘继续",
        "",
        "每个指数的收盘",
    ),
    "own_indices_current": (
        "基金披露的、数据源有的每个指数，凡到期的都已取得；没有时指标用已存的收盘继续",
        "",
        "第二天晚上取得这些指数的收盘",
    ),
    "benchmark_parsed": (
        "基金披露的业绩比较基准，90% 读成了权重之和为 1 的各部分；"
        "读不懂的部分列出原文，不作猜测",
        "",
        "读得懂所列部分的新版本",
    ),
    "terms_follow": (
        "同一基金的后一段经理任期不早于前一段结束；重叠的任期照页面原样入库",
        "",
        "任期前后相接的页面",
    ),
    "arrival_band": (
        "每一轮之后，每个类型应披露的基金中已公布的占比，不低于以往晚上同一时刻："
        "中位数减去 8 %、五只基金与各晚到它的距离的中位数的四倍中最大的一个，"
        "再减去偶然可以解释的部分",
        "",
        "缺少的净值到来的一轮；或该日期已超过其类型的滞后：此后逐只请求这些基金的缺口",
    ),
    "index_as_stored": (
        "从每只基金的第一个净值重新连乘的总回报指数及其状态与已存的相同；"
        "不超过 0.5 % 的行会改正",
        "改正了的为 WARN",
        "改正之后的下一次复查：自动改正，或用 `repair_all: true`",
    ),
    "metrics_as_stored": (
        "重新计算的最新日期的指标与已存的相同；新的指标由下一步写入",
        "",
        "新指标写入之后的下一次复查",
    ),
    "report_mailed": (
        "设置了 FUND_ALERT_MAIL_TO 时，邮件服务器接受了报告",
        "",
        "邮件被接受的一次资产运行；报告保留",
    ),
    "source_canary": (
        "交易日 18:30：名录、一轮、一个指数和 20 份历史的格式如旧，行数与以前一样多，"
        "日期是应有的，数字与已存的相同",
        "",
        "下一次没有发现问题的检查",
    ),
    "trading_day_freshness": (
        "最新发布的日期是净值应已公布（23:30）的最近交易日",
        "",
        "应有交易日的净值",
    ),
    "calendar_horizon": (
        "交易日历至少还有 60 天已知",
        "不足 7 天为 ERROR",
        "`fund-assets calendar refresh`，或用当年的通知 `fund-assets calendar import FILE`",
    ),
    "schema": ("最新的行具有声明的列、类型、界限和主键", "", "符合声明的行"),
}
