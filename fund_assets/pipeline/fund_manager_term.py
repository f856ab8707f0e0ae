"""Who has managed funds since when: pages requested when they are owed, stored where new.

Belongs here: whom to ask, and what becomes of the answers. Does not belong here: reading a page
(`sources/`), which are owed and what a term is (`nav/managers.py`), SQL
(`warehouse/stores/managers.py`).
"""

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fund_assets.calendar import to_key, to_stamp
from fund_assets.nav.managers import Term, overlaps
from fund_assets.sources.protocol import FundSource
from fund_assets.transport.errors import HeldOffError, SourceError, UnknownFundError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.stores import managers as store

#: A page that was seen less long ago is not asked for again: histories, which say when another
#: one manages a fund, come round in four weeks.
ROUND = timedelta(days=27)
#: So many funds a week at the most.
MOST_A_WEEK = 2_500
#: So many pages are stored together: a killed run asks for these again.
PAGES_AT_ONCE = 24


@dataclass
class ManagerReport:
    """What asking for pages of managers came to.

    Attributes:
        asked: funds that were asked for.
        changed: of them, those whose page says another thing than before, or is new.
        overlaps: terms that overlap on the page, in words.
        failures: fund code → why there was no answer.
        stopped: why not all were asked for; empty when they were.
    """

    asked: int = 0
    changed: int = 0
    overlaps: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)
    stopped: str = ""

    def with_round(self, later: "ManagerReport") -> "ManagerReport":
        """Both rounds as one."""
        return ManagerReport(
            self.asked + later.asked,
            self.changed + later.changed,
            self.overlaps + later.overlaps,
            {**self.failures, **later.failures},
            later.stopped,
        )


def collect_terms(
    warehouse: Warehouse,
    source: FundSource,
    now: datetime,
    *,
    most: int = MOST_A_WEEK,
    codes: Iterable[str] = (),
    of: Set[str] | None = None,
    progress: Callable[[int, int], None] = lambda done, asked: None,
) -> ManagerReport:
    """Ask for the pages that are owed, one after another, stored by the dozen.

    A run that was ended goes on from there when it is run again. A fund without a page is
    stored as one without terms. While the source refuses us, nobody is asked.

    Args:
        most: funds that are asked for.
        codes: exactly these funds, owed or not.
        of: of those that are owed, these alone; None: all.
        progress: called with (done, asked) after each fund.
    """
    chosen = list(codes)
    if not chosen:
        due = store.due(warehouse, now.date() - ROUND)
        chosen = [code for code in due if of is None or code in of][:most]
    report = ManagerReport()
    pages: dict[str, tuple[Term, ...]] = {}

    def keep() -> None:
        report.changed += store.write(warehouse, pages, to_key(now.date()), to_stamp(now))
        pages.clear()

    for at, code in enumerate(chosen, start=1):
        try:
            pages[code] = source.managers(code).terms
        except UnknownFundError:
            pages[code] = ()
        except HeldOffError as error:
            report.stopped = str(error)
            break
        except SourceError as error:
            report.failures[code] = f"{type(error).__name__}: {error}"
        report.asked += 1
        report.overlaps += overlaps(code, pages.get(code, ()))
        if len(pages) >= PAGES_AT_ONCE:
            keep()
        progress(at, len(chosen))
    keep()
    return report
