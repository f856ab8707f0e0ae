"""Which funds exist: portfolios with their lives and habits, share classes with their names.

Belongs here: everything about a fund that no day changes. Does not belong here: figures.

The market has as many places as share classes were asked for. Most places belong to one
fund for ever. Every seventh portfolio's places are relay places: a fund lives there for
some years, is liquidated, and a new one with other codes is raised in its stead. So the
list has the same length at any time, yet always some newly raised and some liquidated
funds. Portfolios stand in the order in which they are listed, so a longer calendar only
adds some at the end.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from fund_assets.sources.simulated.breeds import BREEDS, INITIALS, MANAGERS, STEMS, Breed
from fund_assets.sources.simulated.randomness import Stream, uniforms
from fund_assets.sources.simulated.timeline import NEVER, Timeline

#: Days between the listing of a fund to be raised and its first NAV.
_RAISING_DAYS = (20, 50)
#: Days on which a liquidated fund is still listed after its last NAV.
_WINDING_UP_DAYS = 10
BACK_END = "(后端)"
_ORDINALS = ("", "二号", "三号", "四号", "五号", "六号")
_CLASS_FEES = {"C": 0.4, "E": 0.2, "B": -0.24, "Y": -0.3}


@dataclass(frozen=True)
class Universe:
    """Columns over portfolios, and over share classes in order of their portfolio.

    Attributes:
        breed: index in `BREEDS`, per portfolio.
        listed, inception, last_nav, delisted: days; the first day on the list, the first
            and last day with a NAV, the first day off the list.
        lag: sessions between a NAV's date and its publication.
        habit: where in the evening it publishes, 0 first, 1 last.
        cycle: days of a closed period with weekly NAVs; 0 for funds always open.
        half_yearly: publishes on 30 June and 31 December only.
        year_ends: publishes on 30 June and 31 December even when they are no sessions.
        merges: money funds: one figure for all closed days in a row, on the last of them.
        defers: money funds: the same, together with that of the next session.
        page_merges: money funds: one figure on the page, each day's own in the history.
        portfolio: index of the portfolio, per share class.
        code, name, pinyin: str, per share class.
        fee: cost in percent a year on top of the portfolio's.
        decimals: of the published NAV.
        shows_accumulated: publishes accumulated NAV.
        back_end: listed for its fee scheme only: no NAV page of its own.
        in_dollars: counts in US dollars.
    """

    breed: NDArray[np.int64]
    listed: NDArray[np.int64]
    inception: NDArray[np.int64]
    last_nav: NDArray[np.int64]
    delisted: NDArray[np.int64]
    lag: NDArray[np.int64]
    habit: NDArray[np.float64]
    cycle: NDArray[np.int64]
    half_yearly: NDArray[np.bool_]
    year_ends: NDArray[np.bool_]
    merges: NDArray[np.bool_]
    defers: NDArray[np.bool_]
    page_merges: NDArray[np.bool_]
    portfolio: NDArray[np.int64]
    code: list[str]
    name: list[str]
    pinyin: list[str]
    fee: NDArray[np.float64]
    decimals: NDArray[np.int64]
    shows_accumulated: NDArray[np.bool_]
    back_end: NDArray[np.bool_]
    in_dollars: NDArray[np.bool_]


def quotas(n_funds: int) -> list[int]:
    """Share classes of each breed: by its share, at least one of each kind, sum `n_funds`.

    Markets of 150 share classes and more have every breed.
    """
    shares = np.array([breed.share for breed in BREEDS], dtype=float)
    exact = shares / shares.sum() * n_funds
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: n_funds - counts.sum()]] += 1
    kinds = [breed.kind for breed in BREEDS]
    first_of_kind = [kinds.index(kind) for kind in dict.fromkeys(kinds)]
    for needed in range(len(BREEDS)) if n_funds >= 150 else first_of_kind:
        if not counts[needed]:
            counts[needed] += 1
            counts[counts.argmax()] -= 1
    return [int(count) for count in counts]


def _slots(n_funds: int, seed: int) -> list[tuple[int, tuple[str, ...]]]:
    """Places of portfolios: index of the breed, and the share classes."""
    slots = []
    for index, count in enumerate(quotas(n_funds)):
        breed = BREEDS[index]
        picks = uniforms(seed, Stream.CLASSES, index, np.arange(count))
        for nth, pick in enumerate(picks):
            classes = breed.classes[int(pick * len(breed.classes))]
            if breed.fund_type == "混合型-灵活" and (nth == 0 or pick < 0.06):
                classes = ("", BACK_END)
            slots.append((index, classes[:count]))
            count -= len(classes)
            if count <= 0:
                break
    return slots


def build_universe(n_funds: int, seed: int, timeline: Timeline) -> Universe:
    """Every fund that lives between the origin and the calendar's horizon."""
    slots = _slots(n_funds, seed)
    slot = np.arange(len(slots))
    bond_etf = np.array([BREEDS[breed].is_bond_etf for breed, _ in slots])
    relay = (slot % 7 == 3) | bond_etf

    # Lives: generation g of a place is listed from life·(g − phase) to life·(g + 1 − phase).
    life = np.where(bond_etf, 1100, 1100 + uniforms(seed, Stream.LIFE, slot, 0) * 2200)
    phase = uniforms(seed, Stream.LIFE, slot, 1) * 0.6
    generations = int(timeline.size // 1100 + 2)
    turns = np.floor(life[:, None] * (np.arange(generations + 1) - phase[:, None])).astype(int)
    turns[:, 0] = -1
    starts = np.where(relay[:, None] | (np.arange(generations) == 0), turns[:, :-1], NEVER)
    ends = np.where(relay[:, None], turns[:, 1:], NEVER)
    exists = starts < timeline.size
    owner = np.broadcast_to(slot[:, None], starts.shape)[exists]
    listed, delisted = starts[exists], ends[exists]
    order = np.lexsort((owner, listed))
    owner, listed, delisted = owner[order], listed[order], delisted[order]

    p = np.arange(len(owner))
    breed = np.array([breed for breed, _ in slots])[owner]
    low, high = _RAISING_DAYS
    raised = np.where(
        listed >= 0,
        listed + low + np.floor(uniforms(seed, Stream.LIFE, p, 2) * (high - low)).astype(int),
        3 + np.floor(uniforms(seed, Stream.LIFE, p, 3) * 700).astype(int),
    )
    raised = np.where((listed < 0) & (delisted < NEVER), 3, raised)
    bounded = np.clip(raised, 0, len(timeline.session) - 1)
    wound_up = delisted - _WINDING_UP_DAYS
    within = wound_up < timeline.size
    last_nav = np.where(within, timeline.on_or_before[np.where(within, wound_up, 0)], wound_up)
    kinds = np.array([item.kind for item in BREEDS])[breed]
    types = np.array([item.fund_type for item in BREEDS])[breed]
    lag = np.where(kinds == "qdii", 1, 0) + np.where(kinds == "fof", 1, 0)
    slow = uniforms(seed, Stream.HABIT, owner, 1) < np.where(kinds == "fof", 0.25, 0.15)
    closed = np.where(kinds == "bond", owner % 12 == 5, (kinds == "mixed") & (owner % 40 == 7))

    members = [slots[place][1] for place in owner.tolist()]
    portfolio = np.repeat(p, [len(classes) for classes in members])
    classes = list(chain.from_iterable(members))
    code, name, pinyin = _labels(breed.tolist(), members)
    f_owner = owner[portfolio]
    return Universe(
        breed=breed,
        listed=listed,
        inception=timeline.at_or_after[bounded].astype(np.int64),
        last_nav=last_nav,
        delisted=delisted,
        lag=lag + (slow & (lag > 0)),
        habit=uniforms(seed, Stream.HABIT, p, 0),
        cycle=np.where(closed, 91 + 91 * (owner % 4), 0),
        half_yearly=kinds == "reit",
        year_ends=owner % 2 == 0,
        merges=(kinds == "money") & (owner % 9 == 2),
        defers=(kinds == "money") & (owner % 9 == 6),
        page_merges=(kinds == "money") & (owner % 9 == 4),
        portfolio=portfolio,
        code=code,
        name=name,
        pinyin=pinyin,
        fee=np.array([_CLASS_FEES.get(text[:1], 0.0) for text in classes]),
        decimals=np.where((f_owner % 29 == 8) & (types[portfolio] != "Reits"), 3, 4),
        shows_accumulated=f_owner % 61 != 11,
        back_end=np.array([text == BACK_END for text in classes]),
        in_dollars=np.array(["美元" in text for text in classes]),
    )


def _labels(
    breeds: list[int], members: list[tuple[str, ...]]
) -> tuple[list[str], list[str], list[str]]:
    """Codes, names and pinyin of all share classes."""
    codes = {group: _codes(*ranges) for group, ranges in _CODE_RANGES.items()}
    used: Counter[int] = Counter()
    code, name, pinyin = [], [], []
    for index, classes in zip(breeds, members, strict=True):
        breed = BREEDS[index]
        nth = used[index]
        used[index] += 1
        suffix = breed.suffixes[nth % len(breed.suffixes)]
        stem, initials = _stem(breed, nth, suffix)
        group = _code_group(breed, suffix)
        for text in classes:
            code.append(next(codes[group]))
            name.append(stem + text)
            pinyin.append(initials + _initials(text))
    return code, name, pinyin


def _stem(breed: Breed, nth: int, suffix: str) -> tuple[str, str]:
    """Name and initials of the `nth` portfolio of a breed, without its share class."""
    first, second = STEMS[breed.stems]
    n_managers, n_pairs = len(MANAGERS), len(first) * len(second)
    manager, manager_initials = MANAGERS[nth % n_managers]
    turn, pair = divmod(nth // n_managers, n_pairs)
    pair = (pair + 11 * (nth % n_managers)) % n_pairs
    (one, i), (two, j) = first[pair % len(first)], second[pair // len(first)]
    ordinal = _ORDINALS[turn] if turn < len(_ORDINALS) else f"{turn + 1}号"
    topic, topic_initials = one + two + ordinal, i + j + _initials(ordinal)
    tail = _initials(suffix)
    if breed.page == "exchange":
        return topic + suffix + manager, topic_initials + tail + manager_initials
    return manager + topic + suffix, manager_initials + topic_initials + tail


def _initials(text: str) -> str:
    """Initials of each character; brackets and signs have none."""
    return "".join(
        INITIALS.get(sign, sign if sign.isascii() and sign.isalnum() else "") for sign in text
    )


_CODE_RANGES = {
    "open": ((1, 150_000), (190_000, 500_000), (600_000, 960_000)),
    "lof": ((160_000, 170_000), (170_000, 180_000), (960_000, 1_000_000)),
    "etf": ((159_000, 160_000), (512_000, 519_000), (560_000, 590_000)),
    "bond_etf": ((511_000, 512_000), (551_000, 560_000)),
    "reit": ((508_000, 509_000), (180_000, 190_000)),
}


def _code_group(breed: Breed, suffix: str) -> str:
    if breed.kind == "reit":
        return "reit"
    if breed.is_bond_etf or "交易型" in suffix:
        return "bond_etf"
    if breed.page == "exchange":
        return "etf"
    return "lof" if "LOF" in suffix else "open"


def _codes(*ranges: tuple[int, int]) -> Iterator[str]:
    """Six-digit codes in ascending order of the ranges."""
    for low, high in ranges:
        for number in range(low, high):
            yield f"{number:06d}"
