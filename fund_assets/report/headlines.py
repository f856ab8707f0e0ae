"""The week in a few lines of text, the same in the mail, in the Dagster UI and on the page.

Does not belong here: the facts (`week.py`), the page (`page.py`), sending a mail
(`observability/alerts/weekly_mail.py`).
"""

from fund_assets.calendar import from_key
from fund_assets.labels import STATUS_CHANGES
from fund_assets.language import say
from fund_assets.report.week import WeekFacts


def headlines(facts: WeekFacts) -> list[str]:
    """The week in a few lines of text: of the mail, the preview and the top of the page."""
    lines = []
    if facts.kinds:
        parts = [f"{kind.label} {kind.marks[2]:+.2%}" for kind in facts.kinds]
        lines.append(f"本周收益中位数：{'，'.join(parts)}")
    else:
        lines.append("本周没有可计算收益的净值")
    scored = [row for rows in facts.scores.values() for row in rows]
    if facts.calc_date and scored:
        lines.append(f"评分截至 {from_key(facts.calc_date)}，{len(facts.scores)} 组基金")
    corrected = sum(facts.corrected.values())
    lines.append(
        f"净值更正 {corrected:,} 个"
        + (
            f"，其中应公告 {facts.corrected.get('announce', 0):,} 个、"
            f"应报告 {facts.corrected.get('report', 0):,} 个"
            if corrected
            else ""
        )
    )
    if facts.purchase_kinds:
        told = (f"{say(STATUS_CHANGES[k])} {n:,}" for k, n in facts.purchase_kinds.items())
        lines.append(f"申购与限额：{'，'.join(told)}")
    due = sum(row["due"] for row in facts.coverage)
    if due and facts.newest:
        share = sum(row["published"] for row in facts.coverage) / due
        lines.append(f"{from_key(facts.newest)} 的净值覆盖 {int(share * 1000) / 10:.1f}%")
    waiting = sum(row["held"] for row in facts.quarantine)
    lines.append(f"隔离中等人处理 {waiting:,} 行")
    if facts.held_batches:
        names = "、".join(row["batch_id"] for row in facts.held_batches)
        lines.append(f"被拦截的批次 {len(facts.held_batches)} 个：{names}")
    recheck = facts.log.get("recheck")
    if recheck:
        lines.append(
            f"全量重算：{recheck['rows']:,} 行总收益指数，"
            f"{recheck['index_differing']:,} 行与所存不同；指标 "
            f"{recheck['metrics_rows']:,} 行，{recheck['metrics_differing']:,} 行不同"
        )
    return lines


def preview(facts: WeekFacts) -> str:
    """The top of the report as Markdown, for the Dagster UI."""
    lines = [f"### 基金周报 {facts.week}", *(f"- {line}" for line in headlines(facts)), ""]
    if facts.kinds:
        lines += ["| 类型 | 组合 | 中位 | 上涨占比 | 今年来中位 |", "|---|--:|--:|--:|--:|"]
        lines += [
            f"| {k.label} | {k.funds:,} | {k.marks[2]:+.2%} | {k.up:.0%} | "
            + ("—" if k.ytd is None else f"{k.ytd:+.2%}")
            + " |"
            for k in facts.kinds
        ]
    return "\n".join(lines)
