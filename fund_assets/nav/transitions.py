"""Changes of a share class: what a break of the NAVs makes of a new name or type.

Belongs here: when a new name or type is a transition. Does not belong here: states (`life.py`),
what a list changes (`list_rules.py`), reading and storing (`warehouse/stores/life.py`).

A new name alone is a new name. With a break of the NAVs around the time it is a transition
(转型, 封转开). A code is used again when the fund had ended before the break, and its new name
has no two characters in a row in common with the old one, words of types apart: companies
change their names and exchange-traded funds the order of the words, but not the subject too.
"""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from fund_assets.calendar import from_key, to_key
from fund_assets.nav.life import ALIVE, DEAD, SILENT, Spell

#: A new name or type belongs to a break of the NAVs that is so near.
NEAR_BREAK = timedelta(days=120)
_TYPE_WORDS = re.compile(
    "灵活配置|混合|债券|债|股票|指数|货币|基金|联接|定期开放|定开|理财|分级|发起|增强|一年|持有|ETF|LOF|QDII|FOF|[A-Z]$"
)


class Change(NamedTuple):
    """A row of FUND_CHANGE."""

    fund_code: str
    seen_on: int
    what: str
    old: str
    new: str
    evidence: str


def transition(changes: Iterable[Change], spells: list[Spell]) -> list[Change]:
    """The transitions of one class: its new names and types that lie near a break of its NAVs.

    Args:
        changes: of its name and type.
        spells: its states, ascending.
    """
    found: dict[int, Change] = {}
    for silence, resumed in _breaks(spells):
        begins, ends = silence[0].since, resumed.since
        first = to_key(from_key(begins) - NEAR_BREAK)
        last = to_key(from_key(ends) + NEAR_BREAK)
        near = sorted(
            (c for c in changes if first <= c.seen_on <= last),
            key=lambda c: (c.what != "name", c.seen_on),
        )
        if not near:
            continue
        change = near[0]
        had_ended = any(spell.state in DEAD for spell in silence)
        is_other = change.what == "name" and _pairs(change.old).isdisjoint(_pairs(change.new))
        seen_on = max(change.seen_on, ends)
        found[seen_on] = change._replace(
            seen_on=seen_on,
            what="code_reused" if had_ended and is_other else "transition",
            evidence=f"{change.what} changed on {from_key(change.seen_on)}; "
            f"{silence[-1].evidence}; a NAV again on {from_key(ends)}",
        )
    return list(found.values())


def _pairs(name: str) -> set[str]:
    """Each two characters in a row of a name, without words of types."""
    parts = _TYPE_WORDS.sub(" ", name).split()
    return {part[n : n + 2] for part in parts for n in range(len(part) - 1)}


def _breaks(spells: list[Spell]) -> Iterable[tuple[list[Spell], Spell]]:
    """Each silence that ended, and the spell after it."""
    silence: list[Spell] = []
    for spell in spells:
        if spell.state in SILENT:
            silence.append(spell)
        elif silence and spell.state in ALIVE:
            yield silence, spell
            silence = []
