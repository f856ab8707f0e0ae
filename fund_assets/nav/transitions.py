"""Changes of a share class: what a break of the NAVs makes of a new name or type.

Belongs here: when a new name or type is a transition. Does not belong here: states (`life.py`),
what a list changes (`list_rules.py`), reading and storing (`warehouse/stores/life.py`).

A new name alone is a new name. With a break of the NAVs around the time it is a transition
(转型, 封转开). A code is used again when the fund had ended before the break, and its new name
begins in another way: names begin with the company's.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import NamedTuple

from fund_assets.calendar import from_key, to_key
from fund_assets.nav.life import ALIVE, DEAD, SILENT, Spell

#: A new name or type belongs to a break of the NAVs that is so near.
NEAR_BREAK = timedelta(days=120)
#: So many first characters of a name are the company's at least.
COMPANY = 2


class Change(NamedTuple):
    """A row of FUND_CHANGE."""

    fund_code: str
    seen_on: int
    what: str
    old: str
    new: str
    evidence: str = ""


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
        is_other = change.what == "name" and change.old[:COMPANY] != change.new[:COMPANY]
        seen_on = max(change.seen_on, ends)
        found[seen_on] = change._replace(
            seen_on=seen_on,
            what="code_reused" if had_ended and is_other else "transition",
            evidence=f"{change.what} changed on {from_key(change.seen_on)}; "
            f"{silence[-1].evidence}; a NAV again on {from_key(ends)}",
        )
    return list(found.values())


def _breaks(spells: list[Spell]) -> Iterable[tuple[list[Spell], Spell]]:
    """Each silence that ended, and the spell after it."""
    silence: list[Spell] = []
    for spell in spells:
        if spell.state in SILENT:
            silence.append(spell)
        elif silence and spell.state in ALIVE:
            yield silence, spell
            silence = []
