"""The kinds of funds, and what differs by kind.

Belongs here: per-kind limits that rules use, and how late a kind publishes. Does not belong
here: the source's types below each kind (`fund_types.py`), the rules (`nav/rules.py`).
"""

from dataclasses import dataclass
from difflib import get_close_matches


@dataclass(frozen=True)
class FundKind:
    """One kind of fund.

    Attributes:
        name: the word used in tables and metadata.
        label: the word a Chinese reader sees.
        nav_range: plausible unit NAV, both ends included. Old closed-end funds and some ETFs
            stand near 100; foreign-currency classes of QDII near 0.03 (001481 in 2020).
        jump_warn, jump_hold: |return| of one day that warns, and that is held unless the
            published growth confirms it; fractions.
        lag: sessions after which it is still on time.
        benchmark: code of the index that its funds are measured against where their own
            benchmark cannot be used; empty for none. Types may differ (`fund_types.py`).
    """

    name: str
    label: str
    nav_range: tuple[float, float] = (0.1, 500.0)
    jump_warn: float = 0.11
    jump_hold: float = 0.20
    lag: int = 1
    benchmark: str = ""


#: Indices of kinds and types: code → the name a Chinese reader sees.
INDICES = {"000300": "沪深300", "000012": "上证国债指数", "SPX": "标普500"}

KINDS = {
    kind.name: kind
    for kind in (
        FundKind("equity", "股票型", benchmark="000300"),
        FundKind("mixed", "混合型", benchmark="000300"),
        FundKind("bond", "债券型", jump_warn=0.02, jump_hold=0.05, benchmark="000012"),
        FundKind("index", "指数型", jump_hold=0.21, benchmark="000300"),
        FundKind(
            "qdii",
            "QDII",
            nav_range=(0.01, 500.0),
            jump_warn=0.12,
            jump_hold=0.25,
            lag=3,
            benchmark="SPX",
        ),
        FundKind("fof", "FOF", lag=3, benchmark="000300"),
        FundKind("money", "货币型", nav_range=(0.5, 500.0), jump_warn=0.01, jump_hold=0.05),
        FundKind("commodity", "商品", jump_warn=0.15, jump_hold=0.30),
        FundKind("reit", "REITs", jump_warn=0.15, jump_hold=0.30, lag=250),
        FundKind(
            "other", "其他", nav_range=(0.01, 500.0), jump_warn=0.15, jump_hold=0.30, lag=3
        ),
    )
}


def read_kind(written: str) -> str:
    """The name of a kind as people write it: `mixed`, `Mixed`, `混合型` and `混合` are mixed.

    Raises:
        ValueError: there is none; says which there are.
    """
    text = written.strip().casefold()
    for kind in KINDS.values():
        label = kind.label.casefold()
        if text and text in (
            kind.name,
            label,
            label.removesuffix("型"),
            label.removesuffix("s"),
        ):
            return kind.name
    near = get_close_matches(text, KINDS, n=1, cutoff=0.5)
    known = ", ".join(f"{kind.name} ({kind.label})" for kind in KINDS.values())
    hint = f"did you mean {near[0]}?" if near else f"choose from {known}"
    raise ValueError(f"unknown kind {written!r}: {hint}")
