"""Take over announced days of the exchange: from sources, or from the notices themselves.

Belongs here: comparing witnesses, with each other and with what is known, and which days are to
be entered. Does not belong here: reading notices (`sources/holiday_notices.py`) and sources
(`sources/eastmoney/trading_days.py`), keeping the days
(`warehouse/stores/calendar_overrides.py`).

Whatever differs is refused as a whole, and nothing is entered.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from fund_assets.calendar import (
    COMPARED_FROM,
    CalendarError,
    TradingCalendar,
    check_refresh,
    from_key,
    packaged_end,
    reach,
    to_key,
)
from fund_assets.sources.holiday_notices import Notice
from fund_assets.transport.errors import SourceError

_SHOWN = 5
#: The next year's notice may take these days of December for its 元旦.
_LAST_DAYS = 28


@dataclass(frozen=True)
class Refreshed:
    """What the sources know.

    Attributes:
        days: yyyymmdd → whether it is a session, to be entered; none when nothing is new.
        witnesses: the sources that reach further, which all agree.
        confirmed: the sources that say the same of the days entered before.
        failed: source → why it could not be read.
    """

    days: dict[int, bool]
    witnesses: tuple[str, ...]
    confirmed: tuple[str, ...]
    failed: dict[str, str]


@dataclass(frozen=True)
class Announced:
    """What notices say.

    Attributes:
        days: yyyymmdd → whether it is a session, to be entered; none when all is known.
        years: of which the notices are.
        changed: the days known otherwise, which an amendment or a later notice changes.
        advised: the days of which only the council's advice says that they are off.
        kinds: year → whose notices there are.
    """

    days: dict[int, bool]
    years: tuple[int, ...]
    changed: tuple[date, ...]
    advised: tuple[date, ...]
    kinds: dict[int, tuple[str, ...]]


def whole_years(sessions: Iterable[int]) -> dict[int, bool]:
    """Every weekday of the sessions' years up to 31 December → whether it is a session."""
    keys = set(sessions)
    return {
        to_key(day): to_key(day) in keys
        for year in sorted({key // 10_000 for key in keys})
        for day in _days(year)
        if day.weekday() < 5 or (day.month, day.day) == (12, 31)
    }


def refresh(
    sources: Mapping[str, Callable[[], list[int]]], known: TradingCalendar
) -> Refreshed:
    """Ask every source, and compare what they say with the known days and with each other.

    Args:
        sources: name → what fetches its sessions, ascending yyyymmdd.
        known: the calendar in use, without assumed days.

    Raises:
        CalendarError: one cannot be trusted, or two differ; nothing is to be entered.
        SourceError: none could be read.
    """
    added: dict[str, list[int]] = {}
    confirmed: list[str] = []
    failed: dict[str, str] = {}
    entered = known.horizon > packaged_end()
    for name, fetch in sources.items():
        try:
            sessions = fetch()
            since = max([COMPARED_FROM, *(key // 100 * 100 + 1 for key in sessions[:1])])
            new = check_refresh(sessions, known, since)
        except SourceError as error:
            failed[name] = str(error)
            continue
        except CalendarError as error:
            raise CalendarError(f"{name}: {error}") from error
        if new:
            added[name] = new
        if entered and reach(sessions) >= to_key(known.horizon):
            confirmed.append(name)
    if len(failed) == len(sources):
        raise SourceError("; ".join(failed.values()))
    _agree(added)
    longest = max(added.values(), key=len, default=[])
    horizon = to_key(known.horizon)
    days = {key: is_open for key, is_open in whole_years(longest).items() if key > horizon}
    return Refreshed(days, tuple(added), tuple(confirmed), failed)


def _agree(added: Mapping[str, Sequence[int]]) -> None:
    names = list(added)
    for name in names[1:]:
        last = min(reach(added[names[0]]), reach(added[name]))
        one = {key for key in added[names[0]] if key <= last}
        other = {key for key in added[name] if key <= last}
        if differing := sorted(one ^ other):
            told = ", ".join(
                f"{from_key(key)} ({'open' if key in one else 'closed'} at {names[0]}, "
                f"{'open' if key in other else 'closed'} at {name})"
                for key in differing[:_SHOWN]
            )
            raise CalendarError(
                f"refused: {names[0]} and {name} differ on {len(differing)} days: {told}; "
                "nothing was added. Try again tomorrow, or import the year's notices with "
                "`fund-assets calendar import`: they decide"
            )


def announce(
    notices: Sequence[Notice],
    known: TradingCalendar,
    entered: Mapping[int, bool],
    *,
    replace: bool = False,
) -> Announced:
    """Compare notices with each other and with what is known; say which days to enter.

    The exchange's notice decides where there is one, for it alone says when it trades; the
    council's must then fit it. A notice that amends changes known days; any other must agree
    with them.

    Args:
        known: the calendar in use, without assumed days.
        entered: the days entered before, yyyymmdd → whether they are sessions.
        replace: days entered before are changed where the notices say otherwise; those of the
            installed calendar never are.

    Raises:
        CalendarError: two notices differ, or a notice and the known days, or a year is left
            out; names the days, their lines and the way out.
    """
    days: dict[int, bool] = {}
    changed: list[date] = []
    advised: list[date] = []
    kinds: dict[int, tuple[str, ...]] = {}
    until = known.known_until
    for year in sorted({notice.year for notice in notices}):
        ours = [notice for notice in notices if notice.year == year]
        _check_follows(ours[0], until)
        said = _said(ours, known, year, until)
        _same(said, ours)
        kinds[year] = tuple(said)
        states = said.get("exchange") or said["council"]
        if "exchange" not in said:
            advised += sorted(
                d for n in ours for d in n.advised if to_key(d) > to_key(packaged_end())
            )
        amended = states.amended | {d for d in states.closed if d.year < year}
        for day in states.weekdays:
            is_open = day not in states.closed
            key = to_key(day)
            before = _before(day, known, days)
            if before is None or before == is_open:
                if before is None:
                    days[key] = is_open
                continue
            if is_open and day.month == 12 and day.day >= _LAST_DAYS:
                continue  # closed by the next year's notice, which is known
            replaceable = replace and (key in entered or day > packaged_end())
            if not (replaceable or day in amended):
                raise CalendarError(_differs(day, is_open, states, ours, key in entered))
            days[key] = is_open
            changed.append(day)
        if year > until.year or until < date(year, 12, 31):
            days.setdefault(to_key(date(year, 12, 31)), False)
            until = date(year, 12, 31)
    years = tuple(sorted(kinds))
    return Announced(days, years, tuple(changed), tuple(advised), kinds)


def _check_follows(notice: Notice, until: date) -> None:
    """Refuses a notice that leaves days out between its year and what is known until then."""
    year = notice.year
    if year > until.year and not (until.month == 12 and until.day == 31):
        raise CalendarError(
            f"the calendar is known until {until}: import the notice of {until.year} first"
        )
    if year > until.year + 1:
        raise CalendarError(
            f"{notice.where}: the notice is of {year}, and nothing is known after "
            f"{until}: import the notice of {until.year + 1} first, or with it"
        )


@dataclass
class _Closing:
    """What one kind of notice says of a year.

    Attributes:
        closed: weekday without trade → file and line.
        weekdays: those that it is about.
        amended: those that an amendment among them changes.
    """

    closed: dict[date, str] = field(default_factory=dict)
    weekdays: list[date] = field(default_factory=list)
    amended: set[date] = field(default_factory=set)


def _said(
    notices: Sequence[Notice], known: TradingCalendar, year: int, until: date
) -> dict[str, _Closing]:
    """What each kind of notice says of a year, its amendments included."""
    found: dict[str, _Closing] = {}
    for kind in ("exchange", "council"):
        ours = [notice for notice in notices if notice.kind == kind]
        if not ours:
            continue
        whole = [notice for notice in ours if not notice.amends]
        closing = _Closing(weekdays=[d for d in _days(year) if d.weekday() < 5])
        if whole:
            for notice in whole:
                mine = {d: w for d, w in (notice.closed | notice.advised).items() if _week(d)}
                if closing.closed:
                    _fits(closing.closed, mine, notice, whole[0])
                closing.closed.update(mine)
        elif year > until.year:
            raise CalendarError(
                f"{ours[0].where}: the notice amends {year}, which is not known yet: import "
                "it together with the year's notice"
            )
        else:
            closing.closed = {
                d: "the known calendar" for d in closing.weekdays if not known.is_session(d)
            }
        for notice in ours:
            if notice.amends:
                _amend(closing, notice)
        closing.weekdays = sorted({*closing.weekdays, *closing.closed})
        found[kind] = closing
    return found


def _amend(closing: _Closing, notice: Notice) -> None:
    """Apply an amendment: what it closes, what it opens, a holiday it lengthens."""
    closes = {day for day in notice.closed if _week(day)}
    if notice.extended:
        day = max((d for d in closing.closed if d <= notice.extended), default=notice.extended)
        while day < notice.extended:
            day += timedelta(days=1)
            if _week(day):
                closes.add(day)
    opens = {day for day in notice.opens if day in closing.closed}
    for day in closes:
        closing.closed.setdefault(day, notice.where)
    for day in opens:
        del closing.closed[day]
    closing.amended |= closes | opens


def _same(said: Mapping[str, _Closing], notices: Sequence[Notice]) -> None:
    """That the exchange's and the council's notices close the same weekdays."""
    if len(said) < 2:
        return
    exchange, council = said["exchange"].closed, said["council"].closed
    advised = {day for notice in notices for day in notice.advised}
    differing = sorted((set(exchange) ^ set(council)) - advised)
    if differing:
        told = ", ".join(
            f"{day} ({_state(day, exchange)} at the exchange, {_state(day, council)} in the "
            "council's)" for day in differing[:_SHOWN]
        )  # fmt: skip
        raise CalendarError(
            f"refused: the two notices differ on {len(differing)} weekdays: {told}; nothing "
            "was entered. Compare the texts with the official pages; if both texts are "
            "correct, the exchange decides: import only its notice"
        )


def _fits(
    one: Mapping[date, str], other: Mapping[date, str], notice: Notice, first: Notice
) -> None:
    if differing := sorted(set(one) ^ set(other)):
        day = differing[0]
        raise CalendarError(
            f"refused: two notices of {notice.issuer} on {notice.year}, {first.where} and "
            f"{notice.where}, differ on {len(differing)} weekdays, first {day}: "
            f"{_state(day, one)} and {_state(day, other)}; remove the wrong one"
        )


def _differs(
    day: date, is_open: bool, states: _Closing, notices: Sequence[Notice], was_entered: bool
) -> str:
    where = states.closed.get(day) or notices[0].where
    says = "open" if is_open else "closed"
    known = "closed" if is_open else "open"
    if was_entered:
        way = (
            "it was entered before (`fund-assets calendar show` says by whom): if the notice "
            "is right, import it with --replace"
        )
    elif is_open:
        way = "a later notice closed it (延长, 调整): import that one together with this"
    else:
        way = "the installed calendar says otherwise: check the text, or `calendar set` the day"
    return (
        f"refused: {where}: {day} is {says} there, but {known} in the known calendar; nothing "
        f"was entered. {way[0].upper()}{way[1:]}"
    )


def _before(day: date, known: TradingCalendar, days: Mapping[int, bool]) -> bool | None:
    """Whether a day was known to be a session; None: it was not known."""
    if (key := to_key(day)) in days:
        return days[key]
    return known.is_session(day) if day <= known.known_until else None


def _state(day: date, closed: Mapping[date, str]) -> str:
    return f"closed, {closed[day]}" if day in closed else "open"


def _week(day: date) -> bool:
    return day.weekday() < 5


def _days(year: int) -> Iterator[date]:
    day = date(year, 1, 1)
    while day.year == year:
        yield day
        day += timedelta(days=1)
