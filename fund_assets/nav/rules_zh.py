"""The rules in Chinese: what each demands, and what lets the data through.

Belongs here: the texts of `Rule.title` and `Rule.way_out` in Chinese, by the rule's id. Does
not belong here: what a rule does; figures are those of its declaration, which a test holds.
"""

from fund_assets.nav.rules import Rule, Severity

TITLES = {
    "R01_fund_codes": "名录中每个代码都是六位 ASCII 数字，每个名称都不超长",
    "R18_list_shrink": "名录减少的基金不超过原有的 1 %",
    "R26_list_churn": "一天新增不超过 60 只、消失不超过 20 只基金",
    "R28_known_type": "名录中的每个类型都已声明，或已经告知过",
    "R18_events_shrink": "某一年的分红或拆分清单不比以前短",
    "R24_event_sanity": (
        "分红小于除权前的单位净值；拆分比例在 0.005 与 20 之间，或为前后净值所证实；除权日"
        "当天或之后有净值"
    ),
    "R19_events_agree": "基金历史与全市场清单所说的数值相同",
    "R01_schema": "批次有数据，且 99 % 的基金代码是六位 ASCII 数字",
    "R02_row_count": "行数不少于平常的 90 %",
    "R02_first_page": "第一轮至少有名录所知基金的一半",
    "R02_row_count_notice": "行数不少于平常的 97 %",
    "R05_header_dates": "表头日期次序正确，不晚于今天，不早于已发布的日期",
    "R04_unique": "同一基金同一日期不出现两个不同的值",
    "R15_standing_still": "净值与前一日期相同的不超过一半",
    "R03_kind_floor": "每种类型的基金数不少于前一轮的 95 %，或至多减少三只",
    "R17_mass_revision": "没有证人而更正同一日期的基金不超过全市场的 0.5 %",
    "R17_history_rewrite": "不超过一半的历史改动了所属基金已存净值的一半以上",
    "R15_stale_part": "净值不动的基金不比平常多",
    "R13_staleness": "名录中每只基金都已公布按其自身节奏与其类型的滞后应公布的净值",
    "R01_readable": "每个单元格是数字或为空，没有两个来源互相矛盾",
    "R05_nav_date": "日期在表头之中，且不晚于今天",
    "R06_trading_day": "净值日是交易日、6 月 30 日或 12 月 31 日",
    "R07_nav_bounds": "单位净值为正，且对其类型来说合理",
    "R11_accumulated_nav": "累计净值是可能的值",
    "R23_money_yield_bounds": "货币基金的万份收益是可能的值",
    "R23_money_week_bounds": "7 日年化收益率是可能的值",
    "R01_growth_bounds": "公布的日增长率是可能的值",
    "R10_accumulated_nav": "单位净值、事件和增长率能以累计净值的某一种算法解释它",
    "R10_accumulated_column": "一个日期的累计净值中无法解释的不超过 5 %",
    "R08_jump_unconfirmed": "超过其类型界限的跳变有增长率或另一位证人证实",
    "R16_revision_hold": "已存的值不会仅凭页面就被更正 0.5 % 或更多",
    "R16_growth_hold": "净值所证实的增长率不会被更正为与净值矛盾的",
    "R16_income_hold": "已存的万份收益不会仅凭页面就被更正 0.5 % 或更多",
    "R16_week_hold": "已存的 7 日年化收益率不会仅凭页面就被更正 0.5 % 或更多",
    "R23_money_impossible": "每 10,000 份一天的收益低于 30 元",
    "R23_money_twice": "没有一天的收益被算两次：单独一次，合计里又一次",
    "R23_money_week_hold": "万份收益不与 7 日年化收益率矛盾",
    "R23_money_week": "由万份收益重算的 7 日年化收益率与公布的相同",
    "R23_money_yield": "每 10,000 份一天的收益在 0 到 5 元之间",
    "R08_new_series": "基金停止公布净值不超过一年",
    "R08_jump": "一天的收益对其类型来说平常",
    "R09_growth": "公布的增长率等于净值与事件得出的增长",
    "R09_suspected_event": "没有缺少分红或拆分",
    "R25_event_completeness": "与单位净值矛盾的增长率都有事件，记录的或推断的",
    "R16_revision_notice": "更正低于必须报告的 0.25 %",
    "R12_pending": "空单元格表示尚未公布",
    "R16_taken_back": "来源显示过的数据没有消失",
}

LIFTS = {
    "R01_fund_codes": "没有这些问题的名录；在那之前沿用已存的内容",
    "R18_list_shrink": "又有它们的名录；或 3 天里都没有它们、但至少有一半基金的名录",
    "R26_list_churn": "次日的名录",
    "R28_known_type": "声明了它的版本；每个新类型只告知一次",
    "R18_events_shrink": "恢复长度的清单；或连续第三天缺少同样事件、但至少有一半事件的清单；"
    "或由人决定；其间由基金自己的历史说明事件",
    "R24_event_sanity": "数值不同的清单或历史，或缺少的那个净值",
    "R19_events_agree": "两者之一改为另一方的数值",
    "R01_schema": "代码可读的一轮",
    "R02_row_count": "行数如常的一轮，或连续第三个交易日行数相同（差不超过 1 %）",
    "R02_first_page": "至少有名录一半的一轮",
    "R02_row_count_notice": "行数如常的一轮；或变小的轮次满 20 个，即成为新的平常行数",
    "R05_header_dates": "日期正确的一轮",
    "R04_unique": "每只基金只出现一次的一轮",
    "R15_standing_still": "基金净值动了的一轮",
    "R03_kind_floor": "这些基金回来的一轮，或连续第三个交易日没有它们（差不超过 1 %）",
    "R17_mass_revision": "后来没有这些更正的一轮；或基金的历史，它可以自由更正错的值",
    "R17_history_rewrite": "重新取来且与已存一致的历史",
    "R15_stale_part": "它们动了的一轮，次日请求的各自历史，或下一个交易日",
    "R13_staleness": "该基金的一个净值，或名录中标明它已终止",
}
#: What ends a breach where its rule says nothing else.
BY_ITSELF = {
    Severity.BLOCK: "",
    Severity.HOLD: "证人；或由人决定",
    Severity.WARN: "已合并；之后相符的数字",
    Severity.INFO: "",
}


def way_out(rule: Rule) -> str:
    """`Rule.way_out` in Chinese."""
    lifts = LIFTS[rule.id] if rule.lifts else BY_ITSELF[rule.severity]
    return f"{lifts}；或由人决定" if rule.severity is Severity.BLOCK else lifts
