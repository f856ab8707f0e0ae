"""One spelling for a benchmark text: signs, brackets, spaces, and what stands around a formula.

Belongs here: what may be rewritten without knowing what any name means. Does not belong here:
splitting a formula (`formula.py`), names of series (`series.py`).
"""

import re
import unicodedata
from dataclasses import dataclass

#: A plus sign that belongs to a name, such as that of 互联网+ or of the rating AA+.
PLUS = "\ue000"
NUMBER = r"[0-9]+(?:\.[0-9]+)?"
PERCENT = rf"{NUMBER}%"
_DASHES = dict.fromkeys(map(ord, "–—‐‑−―﹣"), "-")
_TIMES = dict.fromkeys(map(ord, "×✕✖╳☓⨯∗⋅﹡"), "*")
_BRACKETS = {ord(a): b for a, b in zip("【〔[{】〕]}", "(" * 4 + ")" * 4, strict=True)}
_GONE = dict.fromkeys(map(ord, "\u200b\ufeff\x7f“”\"'‘’《》「」①②③④⑤⑥⑦⑧⑨⑩"))
_CJK = "\u4e00-\u9fff"
_REWRITTEN = (
    (r"\r\n?|<br\s*/?>", "\n"),
    # A number before a weight is not to run into it: 沪深300 80%.
    (rf"(?<=[0-9])[ \t]+(?={PERCENT})", "*"),
    (r"(?<![A-Za-z0-9&.])[ \t]+|[ \t]+(?![A-Za-z0-9&.])", ""),
    (rf"[ \t]+(?=[{_CJK}(])|(?<=[{_CJK})])[ \t]+", ""),
    (rf"[xX·•](?=\(?{NUMBER}%)|(?<=[0-9]%)[xX·•]", "*"),
    (r"(?<=[0-9)率])[xX·•](?=0?\.[0-9])|(?<=[^0-9.]0\.[0-9])[xX·•]", "*"),
    (r"乘以|乘(?=[0-9])", "*"),
    (r"\*{2,}", "*"),
    (r"\+\*|\*\+|\+{2,}", "+"),
    (r"%{2,}", "%"),
    # The tax on interest, taken off by multiplying.
    (
        r"\*?\(1-利息(?:所得)?税(?:税?率)?\)(?:\*(?=同期|银行|活期|人民币|[一二三七0-9]))?",
        "(税后)",
    ),
    (rf"({PERCENT})的(?!年)", r"\1*"),
    (rf"(?<=[{_CJK})])的(?={PERCENT})", "*"),
    (r"(?<=[%率数)价]),?(?:再)?加(?:上(?!证|海))?(?=[^权成])", "+"),
    (rf"(?<=%)[,、;]?(?:和|与|以及|及)(?=[^+]*{PERCENT})", "+"),
    # A list: 80%A,20%B or A*80%,B*20%
    (rf"[,、](?={PERCENT}\*?[^+*%,。;]+)", "+"),
    (rf"(?<=[0-9]%)[,、](?=[^+*%,。;]+\*?{PERCENT})", "+"),
    (r"\((?:注|其中|备注|说明|以上)[^()]*\)(?=$|[。;\n])", ""),
    # A rate that is taken off is one that is put on, below zero.
    (rf"-(?={PERCENT}(?:$|[+/(。;\n]))", "+-"),
    (r"互联网\+(?=大数据|指数|主题|[消医][费疗])", f"互联网{PLUS}"),
    (rf"(?<=A)\+(?=[{_CJK}])(?!沪深|中证|中债|上证|恒生|银行|标普|MSCI)", PLUS),
)
#: What introduces a formula.
_LEAD = re.compile(
    r"^[^*%]{0,40}?(?:业绩(?:比较|衡量|评价)?基准|比较基准|基准收益率|基准指数)(?:的?收益率)?"
    r"(?:\([^()]*\))?(?:的?(?:具体)?(?:构成|组成|计算公式|公式))?"
    r"(?:(?:定|变更|调整|修改|设定|确定)?为|是|如下|采用|由|[:=])+[:=]?"
)
_LABEL = re.compile(r"^(?:[A-Z、/]+类?(?:基金)?份额|人民币份额|整体|基金整体)[:=]")
_TAIL = re.compile(r"(?:共同)?(?:构成|组成|之和|为基准)$")
_NOTE = re.compile(
    r"^\(?(?:其中|注|备注|以上|上述|该|如果|如|若|当|本基金|基金管理人|每年|每日|在|由于|指数|"
    r"业绩比较基准|评价时|计算|具体|未来|法律|今后)"
)
_DAY = r"((?:19|20)[0-9]{2})[年./-]([0-9]{1,2})[月./-]([0-9]{1,2})日?"
_FROM = rf"{_DAY}(?:\(含\)|\(含当日\)|\(含该日\))?"
_PERIOD = re.compile(
    rf"(?:自|从|于)?(?:{_FROM}|(?:本基金)?(?:基金)?合同生效日?|(?:本?基金)?成立(?:日|以来)?|转型日?)"
    rf"(?:\(含\))?起?(?:(?:至|到|-|~){_FROM}(?:止|期间)?|至今|起|以来|开始|之?后|(?:之?前|以前)(?:\(不含\))?)"
    r"(?:,|:|期间)?"
)


@dataclass(frozen=True)
class Formula:
    """The part of a text that is in force, in one spelling.

    Attributes:
        lines: each a formula or a name.
        notes: sentences beside it that have no weight in them.
        since: day from which it holds, yyyymmdd, where the text says so; else None.
        earlier: how many formulas the text has that held before it.
    """

    lines: tuple[str, ...]
    notes: tuple[str, ...] = ()
    since: int | None = None
    earlier: int = 0


def spell(text: str) -> str:
    """A text with one sign for each thing, without spaces but those within English names."""
    found = unicodedata.normalize("NFKC", text.translate(_GONE))
    found = found.translate(_DASHES | _TIMES | _BRACKETS)
    for pattern, by in _REWRITTEN:
        found = re.sub(pattern, by, found)
    return found.strip(" \n\t")


def formula_of(text: str) -> Formula:
    """What a text says holds now."""
    spelt = spell(text)
    since, part, earlier = _in_force(spelt)
    lines: list[str] = []
    notes: list[str] = []
    for sentence in re.split(r"[。;\n]+", _joined(part)):
        bare = _bare(sentence)
        if not bare:
            continue
        weighs = "%" in bare or "*" in bare
        if lines and not weighs and _NOTE.match(sentence):
            notes.append(bare)
        else:
            lines.append(bare)
    return Formula(tuple(lines), tuple(notes), since, earlier)


def _joined(text: str) -> str:
    """Lines that go on in the next one, as one."""
    return re.sub(r"(?<=[+*(])\n+|\n+(?=[+*)%])", "", text)


def _bare(sentence: str) -> str:
    """A sentence without what introduces and what ends it."""
    found = sentence.strip(",:; .、")
    for _ in range(3):
        before = found
        found = _LABEL.sub("", _LEAD.sub("", found, count=1), count=1).strip(",:; .、")
        if found == before:
            break
    found = re.sub(r"^\(?[0-9一二三](?:\)|、|\.(?![0-9]))", "", found)
    return _TAIL.sub("", found).strip(",:; ")


def _in_force(text: str) -> tuple[int | None, str, int]:
    """(since, text, earlier ones): of several periods the last, by the day it begins."""
    marks = list(_PERIOD.finditer(text))
    if not marks:
        return None, text, 0
    bracketed = [m for m in marks if text[: m.start()].endswith("(")]
    if len(bracketed) == len(marks):
        return _after_each(text, marks)
    parts = []
    for mark, end in zip(marks, [*(m.start() for m in marks[1:]), len(text)], strict=True):
        parts.append((_starts(mark), text[mark.end() : end]))
    head = text[: marks[0].start()]
    if "%" in head or "指数" in head:  # a formula before the first day
        parts.insert(0, (0, head))
    since, part = max(parts, key=lambda found: found[0])
    return since or None, part, len(parts) - 1


def _after_each(text: str, marks: list[re.Match[str]]) -> tuple[int | None, str, int]:
    """The same where the period stands in brackets behind each formula."""
    parts, begin = [], 0
    for mark in marks:
        end = text.find(")", mark.end())
        parts.append((_starts(mark), text[begin : mark.start() - 1]))
        begin = end + 1 if end >= 0 else mark.end()
    rest = text[begin:].strip(",;。\n ")
    since, part = max(parts, key=lambda found: found[0])
    return since or None, part + rest if len(parts) == 1 else part, len(parts) - 1


def _starts(mark: re.Match[str]) -> int:
    year, month, day = mark.groups()[:3]
    ends_there = re.search(r"前(?:\(不含\))?[,:]?$", mark[0])
    return 0 if year is None or ends_there else int(year) * 10_000 + int(month) * 100 + int(day)
