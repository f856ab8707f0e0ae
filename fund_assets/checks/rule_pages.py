"""The pages `docs/rules.md` and `docs/zh/rules.md`, written from the rules and the checks.

Belongs here: turning them into these pages, in two languages. Does not belong here: any rule
(`nav/`) or check (`catalog.py`).

    python -m fund_assets.checks.rule_pages            writes the pages
    python -m fund_assets.checks.rule_pages --check    fails when one is out of date
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fund_assets.checks import catalog, catalog_zh
from fund_assets.checks.catalog import Check
from fund_assets.nav import rules_zh
from fund_assets.nav.rulebook import EVERY
from fund_assets.nav.rules import Rule, Severity
from fund_assets.schemas.page import DOCS, write_or_check

PAGE = DOCS / "rules.md"
PAGE_ZH = DOCS / "zh" / "rules.md"

HEAD = """# Rules

Generated from `fund_assets/nav/rules.py`, `list_rules.py` and `events.py`, and from
`fund_assets/checks/catalog.py`, by `make docs`.

Every collected observation is validated before it may become part of the accepted
history. Each rule is an asset check in Dagster, with its counts, thresholds and the
first breaches in words. After the rules come the [other checks](#other-checks): this
page lists every check. The consequences of a breach:

| consequence | meaning |
|---|---|
| block | nothing of the batch is merged, the metrics stay as they are, the run fails |
| hold | the row goes to `nav_quarantine` with its reason; the other rows are merged |
| hold: that figure | the figure goes to `nav_quarantine`; the others of the row are merged |
| warn | the row is merged, the check fails with severity WARN |
| info | counted |

Witnesses decide held data automatically: another source that shows the same figure or a
different one, or the growth of the next NAV. Reading the same page again is not a
witness. A person may decide earlier: [the quarantine desk](quarantine.md).
"""

HEAD_ZH = """# 规则

由 `make docs` 从 `fund_assets/nav/rules.py`、`list_rules.py` 和 `events.py`，以及
`fund_assets/checks/catalog.py` 生成。

采集到的每条观测，在成为认可历史的一部分之前都要经过判定。每条规则是 Dagster 里的一个资产检查，
带有数目、阈值，以及用文字说明的前几个违规案例。规则之后是[其他检查](#other-checks)：
所有的检查都在这一页上。违反规则的后果：

| 后果 | 含义 |
|---|---|
| 阻断 | 整个批次都不合并，指标保持原样，运行失败 |
| 拦下 | 该行连同原因进入 `nav_quarantine`；其余行照常合并 |
| 拦下：该数字 | 该数字进入 `nav_quarantine`；该行的其余数字照常合并 |
| 警告 | 该行合并，检查以 WARN 级别不通过 |
| 计数 | 只计数 |

被拦下的数据由证人自动裁定：另一个来源给出同样或不同的数字，或下一个净值的增长率。再次读取同一页面不算证人。
在那之前也可以由人来决定：[隔离区处理台](../quarantine.md)。
"""

OTHERS = """
## Other checks

These check collection, stored tables and the calendar, not single rows. `WARN` and
`ERROR` are the severity that Dagster shows; "ERROR, blocks" also stops the assets that
depend on it.
"""

OTHERS_ZH = """
<a id="other-checks"></a>

## 其他检查

这些检查看的是采集、已存的表和交易日历，而不是单独的行。`WARN` 和 `ERROR` 是 Dagster
显示的级别；“ERROR，阻断” 还会阻止该资产之后的步骤运行。
"""


@dataclass(frozen=True)
class Words:
    """What the page says in one language.

    Attributes:
        head: what stands before the rules, and before the other checks.
        columns: of the rules, and of the other checks.
        title: the demand of a rule in words.
        way_out: what lets the data through, or ends the warning.
        consequence: severity → the word for it.
        cells: where the figure alone is held.
        of_lists: subject → what is held where a list of the market is doubted.
        check: a check → its demand, what makes its breach milder or more severe, its way out.
        blocks: said of a check that blocks.
    """

    head: tuple[str, str]
    columns: tuple[str, str]
    title: Callable[[Rule], str]
    way_out: Callable[[Rule], str]
    consequence: dict[Severity, str]
    cells: str
    of_lists: dict[str, str]
    check: Callable[[Check], tuple[str, str, str]]
    blocks: str
    comma: str
    semicolon: str


ENGLISH = Words(
    (HEAD, OTHERS),
    (
        "| rule | demand | a breach | check of | thresholds | cleared by |",
        "| check | demand | a breach | check of | thresholds | cleared by |",
    ),
    lambda rule: rule.title,
    lambda rule: rule.way_out,
    {severity: severity.value for severity in Severity},
    "hold: that figure",
    {"listing": "the funds stay listed", "events": "the list is not applied"},
    lambda check: (check.demand, check.sometimes, check.way_out),
    "ERROR, blocks",
    ", ",
    "; ",
)
CHINESE = Words(
    (HEAD_ZH, OTHERS_ZH),
    (
        "| 规则 | 要求 | 违规后果 | 检查所属 | 阈值 | 何以解除 |",
        "| 检查 | 要求 | 违规后果 | 检查所属 | 阈值 | 何以结束 |",
    ),
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
    lambda check: catalog_zh.WORDS[check.name],
    "ERROR，阻断",
    "、",
    "；",
)
#: Every page and its words.
PAGES = {PAGE: ENGLISH, PAGE_ZH: CHINESE}
#: Rule → the asset that shows it.
SHOWN_ON = {rule.id: asset for asset, shown in catalog.RULES_OF.items() for rule in shown}
SHOWN_ON |= {catalog.LISTS_WHOLE.name: catalog.LISTS_WHOLE.assets[0]}


def row(rule: Rule, words: Words = ENGLISH) -> str:
    """One line of the rules."""
    consequence = words.consequence[rule.severity]
    if rule.severity is Severity.HOLD:
        held = words.cells if rule.cells else consequence
        consequence = words.of_lists.get(rule.subject, held)
    return _line(
        rule.id,
        words.title(rule),
        consequence,
        SHOWN_ON[rule.id],
        _thresholds(rule.thresholds, words),
        words.way_out(rule),
    )


def check_row(check: Check, words: Words = ENGLISH) -> str:
    """One line of the other checks."""
    demand, sometimes, way_out = words.check(check)
    breach = words.blocks if check.consequence == catalog.BLOCK else check.consequence.upper()
    return _line(
        check.name,
        demand,
        words.semicolon.join(filter(None, [breach, sometimes])),
        words.comma.join(check.assets),
        _thresholds(check.thresholds, words),
        way_out,
    )


def _thresholds(thresholds: Mapping[str, float], words: Words) -> str:
    return words.comma.join(f"{name} {value:g}" for name, value in thresholds.items())


def _line(name: str, *cells: str) -> str:
    return "| " + " | ".join([f"`{name}`", *cells]) + " |"


#: The checks that no rule stands behind.
OTHER_CHECKS = tuple(check for check in catalog.CHECKS if check is not catalog.LISTS_WHOLE)


def render(words: Words = ENGLISH) -> str:
    """The whole page."""
    rule_head, check_head = words.head
    of_rules, of_checks = words.columns
    under = "|---|---|---|---|---|---|"
    lines = [rule_head, of_rules, under, *(row(rule, words) for rule in EVERY)]
    lines += [check_head, of_checks, under, *(check_row(one, words) for one in OTHER_CHECKS)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    done = [write_or_check(page, render(words), sys.argv[1:]) for page, words in PAGES.items()]
    sys.exit(max(done))
