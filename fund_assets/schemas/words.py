"""The words a Chinese reader knows metrics and windows by, and reading them back.

Belongs here: column → label and form, window → label. Does not belong here: printing, other
tables' columns.
"""

from difflib import get_close_matches

from fund_assets.schemas.tables import WINDOWS

#: Column → label and form: % a fraction shown in percent, n a number, d a date, i a count.
LABELS = {
    "start_date": ("起始日", "d"),
    "end_date": ("截止日", "d"),
    "observations": ("收益数", "i"),
    "gap_steps": ("跨缺口步数", "i"),
    "total_return": ("总收益", "%"),
    "annualized_return": ("年化收益", "%"),
    "annualized_volatility": ("年化波动", "%"),
    "downside_deviation": ("下行偏差", "%"),
    "sharpe_ratio": ("夏普比率", "n"),
    "sortino_ratio": ("索提诺比率", "n"),
    "calmar_ratio": ("卡玛比率", "n"),
    "omega_ratio": ("欧米伽比率", "n"),
    "max_drawdown": ("最大回撤", "%"),
    "max_drawdown_peak": ("回撤起点", "d"),
    "max_drawdown_trough": ("回撤谷底", "d"),
    "max_drawdown_recovery": ("回撤修复", "d"),
    "max_drawdown_days": ("回撤天数", "i"),
    "current_drawdown": ("当前回撤", "%"),
    "var_95": ("VaR 95%", "%"),
    "cvar_95": ("CVaR 95%", "%"),
    "skewness": ("偏度", "n"),
    "kurtosis": ("超额峰度", "n"),
    "best_day": ("最好一日", "%"),
    "worst_day": ("最差一日", "%"),
    "month_win_rate": ("月胜率", "%"),
    "volatility_weekly": ("周频波动率", "%"),
    "sharpe_weekly": ("周频夏普比率", "n"),
    "ulcer_index": ("溃疡指数", "%"),
    "alpha": ("阿尔法", "%"),
    "beta": ("贝塔", "n"),
    "r_squared": ("R²", "n"),
    "correlation": ("相关系数", "n"),
    "tracking_error": ("跟踪误差", "%"),
    "information_ratio": ("信息比率", "n"),
    "up_capture": ("上行捕获", "n"),
    "down_capture": ("下行捕获", "n"),
    "risk_free_rate": ("无风险利率", "%"),
}
#: The same of the fees and amounts in fund_status; y is yuan, l yuan or no limit.
STATUS_LABELS = {
    "fee": ("申购费率", "%"),
    "full_fee": ("原申购费率", "%"),
    "least_amount": ("购买起点", "y"),
    "daily_limit": ("日累计限额", "l"),
}
#: The same of the net assets in fund_size.
SIZE_LABELS = {"size": ("规模", "y")}
#: The same of the yields of money-market funds (`warehouse/queries/yields.py`).
YIELD_LABELS = {
    "yield_7d": ("七日年化", "%"),
    "mean_yield_7d": ("平均七日年化", "%"),
    "yield_per_10k": ("万份收益", "n"),
}
#: The same of the tenure of managers in fund_manager_term, in years.
TENURE_LABELS = {"manager_tenure": ("经理任职年限", "n")}
#: The same of the newest figures of fund_scores.
SCORE_LABELS = {
    "composite_score": ("评分", "n"),
    "passes_4433": ("通过4433", "i"),
    "stars": ("星级", "i"),
}
WINDOW_LABELS = {
    "1m": "近1月", "3m": "近3月", "6m": "近6月", "1y": "近1年", "2y": "近2年", "3y": "近3年",
    "5y": "近5年", "ytd": "今年来", "inception": "成立来",
}  # fmt: skip
_METRICS = {label.replace(" ", "").casefold(): name for name, (label, _) in LABELS.items()}


def metric_named(written: str) -> str:
    """The column that a label such as 夏普比率 is of; else what was written."""
    return _METRICS.get(written.replace(" ", "").casefold(), written)


def read_window(written: str) -> str:
    """The name of a window as people write it: `1y`, `1Y` and `近1年` are 1y.

    Raises:
        ValueError: there is none; says which there are.
    """
    text = written.strip().casefold()
    for name, label in WINDOW_LABELS.items():
        if text in (name, label):
            return name
    near = get_close_matches(text, WINDOWS, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}? " if near else ""
    raise ValueError(f"unknown window {written!r}: {hint}choose from {', '.join(WINDOWS)}")
