"""The Chinese names of columns, for people who open a table in a spreadsheet.

Belongs here: column → Chinese name, of every table that can be taken away. Does not belong
here: what a column is (`tables.py`), how measures are shown (`words.py`).
"""

from fund_assets.schemas.words import LABELS, SIZE_LABELS, STATUS_LABELS, YIELD_LABELS

_PARTS = {"rank": "排名", "peers": "同类数", "percentile": "百分位"}
_NAMES = {
    "fund_code": "基金代码", "name": "基金简称", "fund_type": "基金类型", "kind": "类别",
    "family": "所属组合", "pinyin": "拼音缩写", "status": "状态", "first_seen_on": "首次见到日",
    "last_seen_on": "最后见到日", "nav_date": "净值日期", "unit_nav": "单位净值",
    "acc_nav": "累计净值", "growth_pct": "日增长率", "yield_7d_pct": "七日年化",
    "days_covered": "收益所含天数", "total_return_index": "总收益指数",
    "return_status": "收益的依据", "first_seen_at": "首次见到时间", "batch_id": "批次",
    "ex_date": "除权日", "value": "数值", "history_value": "历史中的值",
    "list_value": "清单中的值", "text": "原文", "evidence": "依据",
    "first_batch_id": "首个批次",
    "superseded_at": "被取代时间", "superseded_by": "取代的批次", "change_pct": "变动幅度",
    "legal_level": "法定级别", "calc_date": "计算日", "window": "区间", "coverage": "披露比例",
    "periods_per_year": "每年期数", "benchmark_code": "基准代码", "benchmark_basis": "基准依据",
    "benchmark_why": "未用自身基准的原因", "benchmark_returns": "基准收益口径",
    "benchmark_currency": "基准币种", "definition_version": "定义版本", "reason": "空值原因",
    "peer_group": "同类组", "scored_at": "评分时间", "standing_for": "代表份额数",
    "composite_score": "综合得分", "composite_rank": "综合排名",
    "composite_peers": "综合同类数",
    "return_score": "收益得分", "risk_adjusted_score": "风险调整得分",
    "drawdown_score": "回撤得分", "consistency_score": "稳定性得分", "passes_4433": "通过4433",
    "stars": "星级", "weights": "权重", "purchase": "申购状态", "redemption": "赎回状态",
    "purchase_word": "申购状态原文", "redemption_word": "赎回状态原文", "since": "起始日",
    "until": "截止日", "state": "状态", "seen_on": "见到日", "what": "变动", "old": "原值",
    "new": "新值", "benchmark_text": "业绩比较基准", "tracked_index": "跟踪标的",
    "tracked_code": "跟踪指数代码", "index_code": "指数代码", "close": "收盘",
    "period_end": "报告期末", "net_assets": "净资产", "net_assets_change": "净资产变动率",
    "total_shares": "总份额", "subscribed_shares": "期间申购", "redeemed_shares": "期间赎回",
    "institutions": "机构持有比例", "individuals": "个人持有比例", "insiders": "内部持有比例",
    "stocks": "股票占净比", "bonds": "债券占净比", "cash": "现金占净比", "rate": "年利率",
    "note": "备注", "rule": "规则", "created_at": "扣留时间", "decided_because": "裁定理由",
    "decided_by": "裁定人", "decided_at": "裁定时间", "decided_in": "合并批次",
    "source": "来源",
    "newest_date": "最新日期", "previous_date": "前一日期", "collected_at": "采集时间",
    "published_at": "发布时间", "rows_read": "读取行数", "rows_new": "新增行数",
    "rows_changed": "更正行数", "rows_filled": "补全行数", "rows_unchanged": "未变行数",
    "rows_quarantined": "隔离行数", "rows_pending": "待披露行数", "verdicts": "规则结论",
    "day": "日期", "is_session": "是否交易日", "is_announced": "是否已公布",
    "table_name": "数据表", "column_name": "列名", "label": "中文名", "unit": "单位",
    "meaning": "含义", "formula": "公式",
}  # fmt: skip
_MEASURES = LABELS | STATUS_LABELS | SIZE_LABELS | YIELD_LABELS


def label_of(name: str) -> str:
    """The Chinese name of a column; empty where it has none.

    >>> label_of("sharpe_ratio_rank")
    '夏普比率排名'
    """
    if name in _MEASURES:
        return _MEASURES[name][0]
    measure, _, part = name.rpartition("_")
    if part in _PARTS and measure in _MEASURES:
        return _MEASURES[measure][0] + _PARTS[part]
    return _NAMES.get(name, "")
