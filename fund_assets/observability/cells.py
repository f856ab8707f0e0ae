"""How figures look in a cell of the dashboard, in the language spoken.

Belongs here: numbers, shares, days, moments and sizes as short texts. Does not belong here:
which of them are shown (`dashboard.py`).
"""

from collections.abc import Iterable
from datetime import date, datetime

from fund_assets.language import is_chinese, say

BLOCKS = "▁▂▃▄▅▆▇█"
NONE = "[dim]—[/]"


def sparkline(shares: Iterable[float]) -> str:
    """One block for each fraction; only 1 is a full block, only 0 is the lowest."""
    top = len(BLOCKS) - 1
    return "".join(
        BLOCKS[0 if share <= 0 else top if share >= 1 else 1 + int(share * (top - 1))]
        for share in shares
    )


def percent(share: float) -> str:
    """Cut, not rounded: 100.0% means that none is missing."""
    return f"{int(share * 1000) / 10:.1f}%"


def count(number: int | None) -> str:
    """A number in full up to a million, then in the large units of the language."""
    if number is None:
        return NONE
    if number < 1_000_000:
        return f"{number:,}"
    return f"{number / 10_000:,.0f} 万" if is_chinese() else f"{number / 1_000_000:,.1f} M"


def day(when: date | None) -> str:
    """Month and day."""
    return f"{when:%m-%d}" if when else NONE


def moment(when: datetime | None) -> str:
    """Month, day, hour and minute."""
    return f"{when:%m-%d %H:%M}" if when else NONE


def seconds(length: float | None) -> str:
    """A length of time, in minutes from one on."""
    if length is None:
        return NONE
    if length < 60:
        return say("{seconds:.1f} s", seconds=length)
    return say("{minutes:.1f} min", minutes=length / 60)


def size(room: int) -> str:
    """Bytes as megabytes or gigabytes."""
    return f"{room / 1e9:.1f} GB" if room >= 1e9 else f"{room / 1e6:.1f} MB"


def shade(share: float) -> str:
    """The colour of a share of the market."""
    return "green" if share >= 0.95 else "yellow" if share >= 0.5 else "red"
