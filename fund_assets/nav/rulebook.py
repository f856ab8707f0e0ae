"""The pages `docs/rules.md` and `docs/zh/rules.md`, written from the rules.

Belongs here: turning rules into these pages, in two languages. Does not belong here: any rule.

    python -m fund_assets.nav.rulebook            writes the pages
    python -m fund_assets.nav.rulebook --check    fails when one is out of date
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from fund_assets.nav import events, list_rules, rules, rules_zh
from fund_assets.nav.rules import Rule, Severity
from fund_assets.schemas.page import DOCS, write_or_check

PAGE = DOCS / "rules.md"
PAGE_ZH = DOCS / "zh" / "rules.md"

HEAD = """# Rules

Generated from `fund_assets/nav/rules.py`, `list_rules.py` and `events.py` by `make docs`.

Every observation that is collected is judged before it may become part of the accepted
history. Each rule is an asset check in Dagster, with its counts, thresholds and the first
breaches in words. What a breach leads to:

| consequence | meaning |
|---|---|
| block | nothing of the batch is merged, the metrics stay as they are, the run fails |
| hold | the row goes to `nav_quarantine` with its reason; the other rows are merged |
| hold: that figure | the figure goes to `nav_quarantine`; the others of the row are merged |
| warn | the row is merged, the check fails with severity WARN |
| info | counted |

What is held, witnesses settle by themselves: another voice that shows the same figure or
another, or the growth of the next NAV. A second look at the same page is no witness. A person
may decide before that: [the quarantine desk](quarantine.md).
"""

HEAD_ZH = """# 规则

由 `make docs` 从 `fund_assets/nav/rules.py`、`list_rules.py` 和 `events.py` 生成。

采集到的每条观测，在成为认可历史的一部分之前都要经过判定。每条规则是 Dagster 里的一个资产检查，
带有数目、阈值，以及用文字说明的前几个违规案例。违规的后果：

| 后果 | 含义 |
|---|---|
| 阻断 | 整个批次都不合并，指标保持原样，运行失败 |
| 拦下 | 该行连同原因进入 `nav_quarantine`；其余行照常合并 |
| 拦下：该数字 | 该数字进入 `nav_quarantine`；该行的其余数字照常合并 |
| 警告 | 该行合并，检查以 WARN 级别不通过 |
| 计数 | 只计数 |

被拦下的数据由证人自行了结：另一个声音说出同样或不同的数字，或下一个净值的增长率。把同一页面再看一遍不算证人。
在那之前也可以由人来决定：[隔离区处理台](../quarantine.md)。
"""

SHOWN_ON = {
    "batch": "fund_nav",
    "kind": "fund_nav",
    "date": "fund_nav",
    "fund": "fund_nav",
    "row": "validated_nav",
    "listing": "fund_info",
    "event": "fund_events",
    "events": "fund_events",
}


@dataclass(frozen=True)
class Words:
    """What the page says in one language.

    Attributes:
        title: the demand of a rule in words.
        way_out: what lets the data through, or ends the warning.
        consequence: severity → the word for it.
        cells: where the figure alone is held.
        of_lists: subject → what is held where a list of the market is doubted.
    """

    head: str
    columns: str
    title: Callable[[Rule], str]
    way_out: Callable[[Rule], str]
    consequence: dict[Severity, str]
    cells: str
    of_lists: dict[str, str]
    comma: str


ENGLISH = Words(
    HEAD,
    "| rule | demand | a breach | check of | thresholds | lifted by |",
    lambda rule: rule.title,
    lambda rule: rule.way_out,
    {severity: severity.value for severity in Severity},
    "hold: that figure",
    {"listing": "the funds stay listed", "events": "the list is not applied"},
    ", ",
)
CHINESE = Words(
    HEAD_ZH,
    "| 规则 | 要求 | 违规后果 | 检查所属 | 阈值 | 何以解除 |",
    lambda rule: rules_zh.TITLES[rule.id],
    rules_zh.way_out,
    {
        Severity.BLOCK: "阻断",
        Severity.HOLD: "拦下",
        Severity.WARN: "警告",
        Severity.INFO: "计数",
    },
    "拦下：该数字",
    {"listing": "基金仍在名录", "events": "清单不采用"},
    "、",
)
#: Every page and its words.
PAGES = {PAGE: ENGLISH, PAGE_ZH: CHINESE}


def row(rule: Rule, words: Words = ENGLISH) -> str:
    """One line of the rule book."""
    thresholds = words.comma.join(
        f"{name} {value:g}" for name, value in rule.thresholds.items()
    )
    consequence = words.consequence[rule.severity]
    if rule.severity is Severity.HOLD:
        held = words.cells if rule.cells else consequence
        consequence = words.of_lists.get(rule.subject, held)
    cells = (
        f"`{rule.id}`",
        words.title(rule),
        consequence,
        SHOWN_ON[rule.subject],
        thresholds,
        words.way_out(rule),
    )
    return "| " + " | ".join(cells) + " |"


#: Every rule of the project.
EVERY = (*list_rules.RULES, events.SHRINK, *events.RULES, *rules.RULES.values())


def render(words: Words = ENGLISH) -> str:
    """The whole page."""
    rows = (row(rule, words) for rule in EVERY)
    return "\n".join([words.head, words.columns, "|---|---|---|---|---|---|", *rows]) + "\n"


if __name__ == "__main__":
    done = [write_or_check(page, render(words), sys.argv[1:]) for page, words in PAGES.items()]
    sys.exit(max(done))
