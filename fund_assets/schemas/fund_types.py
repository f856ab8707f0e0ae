"""The types of funds as the source writes them, each below its kind, and what differs by type.

Belongs here: every type of the source's lists, its own limits where its kind's do not fit, and
with whom its funds are compared. Does not belong here: what holds for a whole kind
(`kinds.py`), ranking (`metrics/peers.py`).

A type that is not here is told once (R28_known_type in `nav/list_rules.py`) and treated as its
kind. `fund_info.fund_type` keeps the source's word.
"""

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from fund_assets.schemas.kinds import KINDS


@dataclass(frozen=True)
class FundType:
    """One type of fund.

    Attributes:
        name: the source's word 基金类型; empty for a type that is not declared.
        kind: the kind that it is below.
        pool: those with whom its funds are compared while the type itself is too small: a
            kind, or one of POOLS, which stand apart within a kind.
        jump_warn, jump_hold: in place of its kind's, both or none; fractions.
        index: code of the index that its funds are measured against where their own benchmark
            cannot be used; empty for none.
    """

    name: str
    kind: str
    pool: str
    jump_warn: float | None = None
    jump_hold: float | None = None
    index: str = ""

    @property
    def limits(self) -> tuple[float, float, float, float]:
        """Lowest and highest plausible unit NAV, the move that warns and the one that holds."""
        kind = KINDS[self.kind]
        warn = kind.jump_warn if self.jump_warn is None else self.jump_warn
        hold = kind.jump_hold if self.jump_hold is None else self.jump_hold
        return (*kind.nav_range, warn, hold)


#: Pools that never meet the rest of their kind → the name a Chinese reader sees.
POOLS = {
    "bond_index": "债券指数",
    "commodity_index": "商品指数",
    "overseas_index": "海外指数",
    "qdii_bond": "QDII债券",
}
# Moves that warn and that are held: pure bonds, bonds with some shares (固收+), commodities.
_BONDS, _BONDS_PLUS, _GOODS = (0.02, 0.05), (0.04, 0.08), (0.15, 0.30)


#: Pools whose funds are not measured against the index of their kind → against which.
_INDICES = {"bond_index": "000012", "commodity_index": "", "qdii_bond": ""}


def _below(
    kind: str,
    *names: str,
    pool: str = "",
    moves: tuple[float, float] | None = None,
    index: str | None = None,
) -> tuple[FundType, ...]:
    warn, hold = moves or (None, None)
    pool = pool or kind
    if index is None:
        index = _INDICES.get(pool, KINDS[kind].benchmark)
    return tuple(FundType(name, kind, pool, warn, hold, index) for name in names)


#: Name → type: the words of the lists of 2021 and later, then those of 2020 and before.
TYPES = {
    one.name: one
    for one in (
        *_below("equity", "股票型"),
        *_below("mixed", "混合型-偏股", "混合型-灵活", "混合型-平衡"),
        *_below("mixed", "混合型-偏债", "混合型-绝对收益", moves=_BONDS_PLUS),
        *_below("bond", "债券型-长债", "债券型-中短债"),
        *_below("bond", "债券型-混合一级", "债券型-混合二级", moves=_BONDS_PLUS),
        *_below("index", "指数型-股票"),
        *_below("index", "指数型-固收", pool="bond_index", moves=_BONDS),
        *_below("index", "指数型-其他", pool="commodity_index", moves=_GOODS),
        *_below("qdii", "指数型-海外股票", pool="overseas_index"),
        *_below("qdii", "QDII-普通股票", "QDII-混合偏股", "QDII-混合灵活", "QDII-混合平衡"),
        *_below("qdii", "QDII-纯债", "QDII-混合债", pool="qdii_bond", moves=_BONDS_PLUS),
        *_below("qdii", "QDII-商品", "QDII-REITs", moves=_GOODS, index=""),
        *_below("fof", "FOF-均衡型", "FOF-进取型", "QDII-FOF"),
        *_below("fof", "FOF-稳健型", moves=_BONDS_PLUS),
        *_below("money", "货币型-普通货币", "货币型-浮动净值"),
        *_below("commodity", "商品"),
        *_below("reit", "Reits", "REITs"),
        *_below("mixed", "混合型"),
        *_below("bond", "债券型", "定开债券", "固定收益"),
        *_below("index", "股票指数", "联接基金", "ETF-场内"),
        *_below("index", "债券指数", pool="bond_index", moves=_BONDS),
        *_below("qdii", "QDII"),
        *_below("qdii", "QDII-指数", "QDII-ETF", pool="overseas_index"),
        *_below("fof", "混合-FOF", "股票-FOF"),
        *_below("money", "货币型", "理财型"),
        *_below("other", "分级杠杆", "保本型", "其他创新"),
    )
}

# Of what is not declared: the first match wins, searched in the type or else in the name.
_BY_WORDS = (
    (r"货币|理财", "money", ""),
    (r"FOF", "fof", ""),
    (r"QDII|海外", "qdii", ""),
    (r"reit", "reit", ""),
    (r"商品", "commodity", ""),
    (r"(?=.*(?:指数|ETF|联接))(?=.*(?:债|固收|固定收益|存单))", "index", "bond_index"),
    (r"指数|ETF|联接", "index", ""),
    (r"^混合", "mixed", ""),  # 混合型-偏债 is no bond fund, 债券型-混合二级 is one
    (r"债|固定收益|固收", "bond", ""),
    (r"股票", "equity", ""),
    (r"混合", "mixed", ""),
)


@lru_cache(maxsize=100_000)
def type_of(fund_type: str, name: str = "") -> FundType:
    """The type by the source's word; one without a name for a word that is not declared.

    Args:
        fund_type: 基金类型 as the source writes it.
        name: the fund's name, looked at only when the type is empty.
    """
    if fund_type in TYPES:
        return TYPES[fund_type]
    text = fund_type or name
    for pattern, kind, pool in _BY_WORDS:
        if re.search(pattern, text, re.IGNORECASE):
            moves = _BONDS if pool == "bond_index" else None
            return _below(kind, "", pool=pool, moves=moves)[0]
    return FundType("", "other", "other")


def kind_of(fund_type: str, name: str = "") -> str:
    """The kind for a market type name such as 混合型-偏股; `other` for what is unknown.

    Args:
        fund_type: 基金类型 as the source writes it.
        name: the fund's name, looked at only when the type is empty.
    """
    return type_of(fund_type, name).kind


def read_type(written: str) -> str:
    """The name of a type as people write it: `混合型-偏债`, `偏债` and `qdii-fof` are types.

    Raises:
        ValueError: there is none, or more than one; says which there are.
    """
    text = written.strip().casefold()
    whole = {name.casefold(): name for name in TYPES}
    if text in whole:
        return whole[text]
    found = [name for low, name in whole.items() if text and text in low.split("-", 1)[-1:]]
    if len(found) == 1:
        return found[0]
    near = found or get_close_matches(text, list(TYPES), n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"choose from {', '.join(TYPES)}"
    raise ValueError(f"unknown type {written!r}: {hint}")


def group_label(group: str) -> str:
    """What a Chinese reader sees for a group of peers, such as `mixed`, `qdii_bond USD`."""
    name, _, currency = group.partition(" ")
    label = KINDS[name].label if name in KINDS else POOLS.get(name, name)
    return f"{label}（{currency}）" if currency else label


def group_order(group: str) -> tuple[int, str]:
    """Sorts groups of peers: in the order of kinds, in each as types are declared."""
    name, _, currency = group.partition(" ")
    kinds = list(KINDS)
    if name in TYPES:
        return 100 * kinds.index(TYPES[name].kind) + list(TYPES).index(name), currency
    pools = {one.pool: one.kind for one in TYPES.values()}
    kind = name if name in KINDS else pools.get(name, "other")
    return 100 * kinds.index(kind) + 99, name + currency
