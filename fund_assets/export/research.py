"""The Python API for research: `Funds`, whose answers are pandas frames, or Polars ones.

Belongs here: questions a researcher asks, and the form of the answers. Does not belong here:
statements (`warehouse/`), formulas of metrics (`metrics/`).

Dates of answers are datetime64, times are in Asia/Shanghai without a zone, codes are text of
six digits. Rates are fractions, but columns that end in `_pct` are percent: what each column
means stands in docs/data-dictionary.md.
"""

import warnings
from collections.abc import Callable, Iterable
from datetime import date, datetime
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from fund_assets.calendar import (
    TradingCalendar,
    days_to_keys,
    from_key,
    keys_to_days,
    read_day,
    read_moment,
)
from fund_assets.export.changes import Changes, step
from fund_assets.export.datasets import (
    DATASETS,
    NAMED,
    ExportError,
    check_codes,
    select,
    selected,
)
from fund_assets.export.frames import schema, typed
from fund_assets.export.measuring import COMPUTED, Measuring
from fund_assets.metrics import DEFINITION_VERSION, FundSeries
from fund_assets.metrics.returns import EVERY, Periods, begins, numbers, returns_by
from fund_assets.metrics.returns import table as wide
from fund_assets.metrics.screen import column as measured
from fund_assets.metrics.screen import meets, parse
from fund_assets.nav.list_rules import as_listed_on
from fund_assets.nav.timeline import SILENCE_DAYS
from fund_assets.nav.universe import coverage
from fund_assets.schemas.age import VALUE_AGE_DAYS
from fund_assets.schemas.codes import read_code, read_codes
from fund_assets.schemas.kinds import read_kind
from fund_assets.schemas.table import DATE_LIMITS, Kind, Table
from fund_assets.schemas.tables import BENCHMARK_INDEX, FUND_METRICS, VALIDATED_NAV
from fund_assets.schemas.words import read_window
from fund_assets.settings import load_settings
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.queries.changes import TOMBSTONE
from fund_assets.warehouse.queries.metrics import (
    calc_dates,
    facts_then,
    is_measured,
    newest_calc_date,
)
from fund_assets.warehouse.queries.nav import (
    find_funds,
    history_as_of,
    listed_codes,
    why_no_nav,
)
from fund_assets.warehouse.queries.status import first_date, newest_published
from fund_assets.warehouse.queries.universe import read_evidence
from fund_assets.warehouse.queries.yields import yields_over
from fund_assets.warehouse.stores import calendar_overrides
from fund_assets.warehouse.stores.landing import fund_info, list_changes
from fund_assets.warehouse.stores.metrics import read_part

if TYPE_CHECKING:
    import polars as pl

#: One fund, or several: `"000001"`, `1`, `"000001.OF"`, `"000001,000003"` or a list of these.
Codes = str | int | Iterable[str | int]
#: `"2026-11-24"`, `20261124` or a date.
Day = str | int | date
#: A Day, which is meant to its end, or `"2026-11-24 21:40"`, or a datetime; one without a zone
#: is in Shanghai.
Moment = str | int | date | datetime
Every = Literal["day", "week", "month", "quarter", "year"]

FOUND = 50
#: What metrics tell of their funds.
ABOUT = ("name", "fund_type", "kind")
LAST_DAY = DATE_LIMITS[1]
VALUE = "total_return_index"
KNOWN_THEN = VALIDATED_NAV.part(
    name for name in VALIDATED_NAV.names if name not in (VALUE, "return_status", "days_covered")
)


class ExportWarning(UserWarning):
    """Some of what was asked for has no rows; the text names it and says why."""


Frame = TypeVar("Frame")
Answer = TypeVar("Answer")


class _Questions(Generic[Frame]):
    """What can be asked of a warehouse; the subclasses say what an answer is."""

    def __init__(self, warehouse_url: str | None = None) -> None:
        """Open the warehouse, to be read alone.

        Args:
            warehouse_url: SQLAlchemy URL; by default what the settings say (`FUND_STATE`,
                `FUND_SOURCE`, `FUND_WAREHOUSE_URL` or `.env`).

        Raises:
            SettingsError: a setting is wrong.
            WarehouseError: there is no warehouse yet, it is another market's, or it has
                tables of another release.
        """
        settings = load_settings()
        warehouse = Warehouse(warehouse_url or settings.warehouse, read_only=True)
        named = warehouse_url is not None and warehouse.exists()
        warehouse.init(warehouse.market() if named else settings.source)
        self._warehouse = warehouse
        self._measuring = Measuring(warehouse, settings.risk_free_rate)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._warehouse.place!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the warehouse."""
        self._warehouse.close()

    def info(self, codes: Codes | None = None) -> Frame:
        """The funds: name, type, kind, family of classes, listed or not.

        Returns:
            The columns of `fund_info`, one row a fund, indexed by `fund_code`.

        Raises:
            ExportError: a code is unknown; so of every question.
        """
        return self._given(self._rows("info", codes).set_index("fund_code"))

    def find(self, text: str) -> Frame:
        """The first 50 funds whose name holds a text, or whose code or pinyin begins with it.

        Returns:
            name, fund_type, kind, status, indexed by `fund_code`.
        """
        names = ["fund_code", "name", "fund_type", "kind", "status"]
        found = find_funds(self._warehouse, text, FOUND)
        return self._given(pd.DataFrame(found, columns=names).set_index("fund_code"))

    def universe(self, on: Day) -> Frame:
        """The classes that lived on a date and are stored, those that have ended since too.

        Take the universe of each date of a study from here, not from today's list.

        Returns:
            name, fund_type, kind and family as they were listed then, as far as changes are
            stored, first_nav and last_nav (stored NAV dates), indexed by `fund_code`.
            `attrs["missing"]` says how many may be missing; `missing` has the figures.
        """
        key = _read(read_day, on)
        evidence = read_evidence(self._warehouse)
        there = evidence.alive(_day(key))
        listed = as_listed_on(fund_info(self._warehouse), list_changes(self._warehouse), key)
        about = listed.set_index("fund_code")[[*ABOUT, "family"]]
        found = about.reindex(pd.Index(evidence.codes[there].astype(str), name="fund_code"))
        found["first_nav"] = _dates(evidence.first[there])
        found["last_nav"] = _dates(evidence.last[there])
        return self._given(self._told(found, key))

    def missing(self, dates: Day | Iterable[Day]) -> Frame:
        """How many of the classes that lived on some dates may be missing here.

        A class that ended before the first list of this platform is stored only if a list of a
        past year was given (`fund-assets collect --codes-from`).

        Returns:
            stored, absent (on a list, without NAVs), not_fetched (their histories were not
            fetched yet), estimated (ended before any stored list), share (of the classes alive
            then that may be missing), known (by lists of that time; else it is an estimate) and
            words, indexed by `date`.
        """
        several = [dates] if isinstance(dates, str | int | date) else list(dates)
        keys = [_read(read_day, day) for day in several]
        found = coverage(read_evidence(self._warehouse), keys)
        rows = pd.DataFrame([{**one.as_row(), "words": one.words} for one in found])
        days = np.array([_day(key) for key in keys])
        index = pd.DatetimeIndex(_dates(days), name="date")
        names = ["stored", "absent", "not_fetched", "estimated", "share", "known", "words"]
        return self._given(rows.reindex(columns=names).set_axis(index))

    def nav(
        self,
        codes: Codes,
        since: Day | None = None,
        until: Day | None = None,
        *,
        names: bool = False,
    ) -> Frame:
        """The accepted NAVs of a fund or of several.

        Args:
            since: first date.
            until: last date, included.
            names: with the name and type of each fund.

        Returns:
            The columns of `validated_nav`. Of one code (no list) indexed by `nav_date`, of
            several by `fund_code` and `nav_date`; dates ascending. Funds without a NAV in
            these dates are named by a warning.

        Raises:
            ExportError: none of them has a NAV in these dates; says why.
        """
        found = self._rows("nav", codes, since, until, names=names)
        there = set(found["fund_code"])
        if missing := [code for code in _codes(codes) if code not in there]:
            words = self._without_nav(missing, since, until)
            if found.empty:
                raise ExportError(words)
            warnings.warn(words, ExportWarning, stacklevel=2)
        return self._given(_by_fund(found, codes))

    def events(
        self, codes: Codes | None = None, since: Day | None = None, until: Day | None = None
    ) -> Frame:
        """Dividends and splits, with the name and type of each fund.

        The market's lists of events name funds that the list of funds has not: they have no
        name here, and no NAV.

        Args:
            codes: None: of all.
            since: first ex-date.
            until: last ex-date, included.
        """
        return self._given(self._rows("events", codes, since, until, names=True))

    def asof(self, codes: Codes, known_at: Moment) -> Frame:
        """The NAVs as they were known at a past moment: what was corrected later is not yet.

        Args:
            known_at: a day means its end. What this warehouse learned later, the first
                histories too, was not known then: before its first run nothing was.

        Returns:
            As `nav`, without the total-return index, which is chained anew with every
            correction and keeps no past.
        """
        stamp = _read(read_moment, known_at)
        names = [name for name in KNOWN_THEN.names if name != "fund_code"]
        batches = []
        for code in self._chosen(codes) or ():
            rows = history_as_of(self._warehouse, code, stamp)
            known = KNOWN_THEN.conform(pd.DataFrame(rows, columns=names).assign(fund_code=code))
            batches.append(pa.RecordBatch.from_pandas(known, preserve_index=False))
        return self._given(_by_fund(_frame(batches, KNOWN_THEN), codes))

    def total_return(
        self,
        codes: Codes | None = None,
        since: Day | None = None,
        until: Day | None = None,
    ) -> Frame:
        """The total-return index: what 1 yuan became, dividends reinvested.

        Args:
            codes: None is the whole market: of 26,000 funds and 3 years 240 MB, and
                1.1 GB while it is read.

        Returns:
            A row for each date, a column for each fund; NaN where it has no NAV. Of the whole
            market `attrs["missing"]` says how many classes may be missing on its first date.

        Raises:
            ExportError: none of them has a NAV in these dates; says why. So of `returns`.
        """
        first = 0 if since is None else _read(read_day, since)
        series, chosen = self._part(codes, first, until)
        table = wide(series, chosen, _day(first))
        table = self._not_empty(table, chosen, since, until)
        return self._given(self._of_market(table, codes))

    def returns(
        self,
        codes: Codes | None = None,
        since: Day | None = None,
        until: Day | None = None,
        every: Every = "day",
        *,
        whole: bool = False,
    ) -> Frame:
        """Total returns, as fractions.

        Args:
            codes: as in `total_return`; `since` bounds what is read.
            since: first date of a return, which is from the NAV before it.
            until: last date, included.
            every: length of the periods: day, week, month, quarter or year. A period bears the
                exchange's last session in it, of the running one so far as NAVs are published
                or `until` reaches; `periods` says which are over.
            whole: only returns over a whole period: NaN in one that is not over, where the
                fund's NAV before is not of the period before, or where it had stopped over 15
                days before the end of one of the two.

        Returns:
            A row for each date or period, a column for each fund. A return is from the fund's
            NAV before, whenever that was; NaN where the fund has no NAV, for its first, and
            for the first after more than 366 days without one. Of the whole market
            `attrs["missing"]` is as in `total_return`.
        """
        if every not in EVERY:
            raise ExportError(f"every={every!r}: choose from {', '.join(EVERY)}")
        first = 0 if since is None else _read(read_day, since)
        from_day = int(begins(numbers(np.array([_day(first)]), every), every)[0])
        series, chosen = self._part(codes, _key(from_day) if first else 0, until)
        last = self._last(until)
        found = returns_by(
            series, every, _day(last), self._calendar(last), silence=SILENCE_DAYS, whole=whole
        )
        table = wide(found, chosen, _day(first))
        table = self._not_empty(table, chosen, since, until)
        return self._given(self._of_market(table, codes))

    def periods(
        self, every: Every = "month", since: Day | None = None, until: Day | None = None
    ) -> Frame:
        """The periods of `returns`: when they begin and end, and whether they are over.

        Args:
            since: by default the first accepted NAV of the market.
            until: by default so far as the market has published.

        Returns:
            begins and ends (calendar days), sessions (so many so far), is_over (no session of
            it is left after the newest date), began_before (the first one: it had begun before
            `since`), indexed by `nav_date`, which `returns` has.
        """
        if every not in EVERY[1:]:
            raise ExportError(f"every={every!r}: choose from {', '.join(EVERY[1:])}")
        first = first_date(self._warehouse) if since is None else _read(read_day, since)
        if first is None:
            raise ExportError("no accepted NAVs yet: run `fund-assets run`")
        last = self._last(until)
        if first > last:
            raise ExportError(f"no periods from {from_key(first)} to {from_key(last)}")
        found = Periods.between(_day(first), _day(last), every, self._calendar(last))
        return self._given(
            pd.DataFrame(
                {
                    "begins": _dates(found.begins),
                    "ends": _dates(found.ends),
                    "sessions": found.sessions,
                    "is_over": found.over,
                    "began_before": found.begins < _day(first),
                },
                pd.DatetimeIndex(_dates(found.bears), name="nav_date"),
            )
        )

    def metrics(
        self,
        window: str | Iterable[str] = "1y",
        codes: Codes | None = None,
        on: Day | None = None,
        kind: str | None = None,
    ) -> Frame:
        """Return and risk over one window or several, on any date (docs/metrics.md).

        Of a date that the pipeline has measured these are the stored rows. Of another date
        they are computed now, by the same definitions, from what is known now up to that date:
        `status` is then `computed`, and a NAV that came or was corrected after the date counts.

        Args:
            window: 1m, 3m, 6m, 1y, 2y, 3y, 5y, ytd or inception; or some of them.
            on: the date; by default the newest that is measured. The whole market of a date
                that is not stored takes some seconds, the next date less.
            kind: funds of this kind alone, such as `mixed` or `混合型`. None: of all, and then
                money-market funds, which hardly move, lead every ranking by risk.

        Returns:
            name, fund_type and kind, then the columns of `fund_metrics`, then the yields of
            money-market funds: yield_7d and yield_per_10k, the newest published ones (a
            fraction, yuan), and mean_yield_7d over the window. One row a fund, indexed by
            `fund_code`, of several windows by `fund_code` and `window`. A fund without enough
            history has a row with the reason; of `codes`, so has a fund without a NAV.

        Raises:
            ExportError: the date is after the newest published or before the first; or nothing
                is measured yet.
        """
        one = isinstance(window, str)
        windows = [_read(read_window, name) for name in ([window] if one else window)]
        found = self._measured(windows, codes, on, kind)
        if one:
            return self._given(found.set_index("fund_code"))
        return self._given(found.set_index(["fund_code", "window"]))

    def screen(self, conditions: str, on: Day | None = None, kind: str | None = None) -> Frame:
        """The funds that meet conditions on a date, as `fund-assets screen` does on the newest.

        Args:
            conditions: such as `"window=3y sharpe_ratio>1 max_drawdown>-20%"`. Fees, status
                and size are those that this warehouse had seen by the end of the date.
            on: as in `metrics`. By default listed funds alone; of a date, those with a NAV at
                most 15 days before it.
            kind: as in `metrics`.

        Returns:
            As `metrics` of that window, and the columns purchase, fees, amounts and size where
            a condition is about them. A fund without a value meets no condition on it.

        Raises:
            ScreenError: a condition is not understood.
        """
        asked = parse(conditions)
        found = self._measured([asked.window], None, on, kind)
        if on is None:
            listed = listed_codes(self._warehouse)
            found = found[found["fund_code"].isin(listed)]
        else:
            age = found["calc_date"] - found["end_date"]
            found = found[age <= pd.Timedelta(VALUE_AGE_DAYS, "D")]
        told = found.attrs
        if besides := asked.besides:
            then = None if on is None else _read(read_moment, on)
            facts = pd.DataFrame(facts_then(self._warehouse, then)).set_index("fund_code")
            found = found.join(facts[list(besides)], on="fund_code")
        found = found[meets(found, asked)].set_index("fund_code")
        found.attrs = told
        return self._given(found)

    def rolling(
        self,
        measure: str,
        window: str = "1y",
        codes: Codes | None = None,
        since: Day | None = None,
        until: Day | None = None,
        every: Every = "month",
    ) -> Frame:
        """One measure over a window that ends on each of many dates.

        Computed as `metrics(on=…)` does on each date, from what is known now.

        Args:
            measure: a number of `fund_metrics`, such as `sharpe_ratio` or `夏普比率`.
            window: its length.
            codes: None is the whole market: some seconds, and a second for each date.
            since: first date; by default a year before `until`.
            until: last date; by default so far as the market has published.
            every: on which dates: the last session of each week, month, quarter or year, or
                each session. The running period ends on `until`.

        Returns:
            A row for each date, a column for each fund; NaN where the fund has not enough
            history, or had no NAV in the 15 days before the date.
        """
        if every not in EVERY:
            raise ExportError(f"every={every!r}: choose from {', '.join(EVERY)}")
        name = _read(measured, measure)
        length = _read(read_window, window)
        last = self._last(until)
        first = _read(read_day, since) if since is not None else _a_year_before(last)
        days = self._ends(first, last, every)
        if not days:
            raise ExportError(f"no sessions from {since or first} to {until or last}")
        chosen = self._chosen(codes)
        inputs = self._measuring.inputs(chosen)
        rows = {}
        for day in days:
            found = self._measuring.on(day, [length], inputs)
            ages = _day(day) - keys_to_days(found["end_date"].to_numpy(np.int64))
            values = found[name].to_numpy(float, na_value=np.nan)
            values = np.where(ages <= VALUE_AGE_DAYS, values, np.nan)
            rows[day] = pd.Series(values, found["fund_code"].to_numpy())
        columns = chosen or [f"{code:06d}" for code in inputs.series.codes.tolist()]
        table = pd.DataFrame(rows).T.reindex(columns=pd.Index(columns, name="fund_code"))
        dates = _dates(keys_to_days(np.array(days)))
        return self._given(table.set_axis(pd.DatetimeIndex(dates, name="nav_date")))

    def index(self, code: str = "000300") -> Frame:
        """Closes of an index that funds are measured against, of an exchange rate or of gold.

        Args:
            code: as `benchmark_code` has it, such as 000300, HSI or USDCNY.

        Returns:
            The column close, indexed by `nav_date`, the session in the index's country.

        Raises:
            ExportError: no closes of it are stored.
        """
        sql = "SELECT * FROM benchmark_index WHERE index_code = :code ORDER BY nav_date"
        rows = self._warehouse.frame(sql, BENCHMARK_INDEX, code=code)
        if rows.empty:
            known = self._warehouse.column(
                str, "SELECT DISTINCT index_code FROM benchmark_index"
            )
            near = get_close_matches(code, known, n=3, cutoff=0.3)
            hint = (
                f"did you mean {' or '.join(near)}?" if near else "run `fund-assets run` first"
            )
            raise ExportError(f"no closes of index {code!r} are stored: {hint}")
        found = _frame([pa.RecordBatch.from_pandas(rows)], BENCHMARK_INDEX)
        return self._given(found.drop(columns="index_code").set_index("nav_date"))

    def table(
        self,
        name: str,
        codes: Codes | None = None,
        since: Day | None = None,
        until: Day | None = None,
        columns: Iterable[str] | None = None,
        *,
        names: bool = False,
    ) -> Frame:
        """Any dataset of `fund-assets export`: nav, metrics, peers, events and more.

        Also what the figures were made from: benchmark_index, risk_free_rate, calendar,
        nav_quarantine, publish_log, collection_batch, and definitions, which has the formula
        and version of each measure.

        Args:
            codes: None: of all funds, which of nav is some gigabytes.
            since: first date in the dataset's key.
            until: last date, included.
            columns: these alone, behind those of the key.
            names: with the name and type of each fund, next to its code.

        Returns:
            The columns of the table, in the order of its key.

        Raises:
            ExportError: the table is about calculation dates and has none in these dates.
        """
        found = self._rows(name, codes, since, until, columns, names=names)
        if found.empty and "calc_date" in found and not (since is None and until is None):
            dates = calc_dates(self._warehouse, DATASETS[name].name)
            near = ", ".join(str(from_key(key)) for key in dates[-3:]) or "none yet"
            raise ExportError(
                f"{name} has no rows in these dates: the newest calculation dates are {near}"
            )
        dated = DATASETS[name].date
        if codes is None and dated in found and "fund_code" in found and len(found):
            found = self._told(found, int(f"{found[dated].min():%Y%m%d}"))
        return self._given(found)

    def changes(
        self, since: str | None, dataset: str = "nav", codes: Codes | None = None
    ) -> Changes[Frame]:
        """What changed in a dataset since a cursor, to keep a mirror of it the same.

        Every write is in it: corrections, total-return indexes that were computed again,
        events that were withdrawn, rows that were deleted.

        Args:
            since: the cursor of the call before; None begins with all rows.
            dataset: as in `table`.
            codes: of these funds alone.

        Returns:
            `tombstones`, `rows` and the next `cursor`, to be applied in this order
            (docs/export.md).

        Raises:
            ExportError: the cursor is too old, or of another warehouse: begin with None.
        """
        found = step(self._warehouse, select(dataset, self._chosen(codes)), since)
        batch = pa.RecordBatch.from_pandas(found.tombstones, preserve_index=False)
        gone = _frame([batch], TOMBSTONE)
        rows = _frame(found.rows(), found.selection.table)
        given = (self._given(rows), self._given(gone))
        return Changes(*given, found.cursor, found.selection.table)

    def _of_market(self, frame: pd.DataFrame, codes: Codes | None) -> pd.DataFrame:
        """The frame; of the whole market with what may be missing on its first date."""
        if codes is not None or not len(frame):
            return frame
        return self._told(frame, int(f"{frame.index[0]:%Y%m%d}"))

    def _told(self, frame: pd.DataFrame, key: int) -> pd.DataFrame:
        """The frame, whose attributes say what may be missing of the market of a date."""
        (found,) = coverage(read_evidence(self._warehouse), [key])
        frame.attrs["missing"] = found.words
        return frame

    def _given(self, frame: pd.DataFrame) -> Frame:
        raise NotImplementedError

    def _chosen(self, codes: Codes | None) -> list[str] | None:
        if codes is None:
            return None
        chosen = _codes(codes)
        check_codes(self._warehouse, chosen)
        return chosen

    def _rows(
        self,
        name: str,
        codes: Codes | None,
        since: Day | None = None,
        until: Day | None = None,
        columns: Iterable[str] | None = None,
        *,
        names: bool = False,
    ) -> pd.DataFrame:
        first, last = (None if d is None else _read(read_day, d) for d in (since, until))
        chosen = self._chosen(codes)
        selection = select(name, chosen, first, last, columns, named=names)
        return _frame(selected(self._warehouse, selection), selection.given)

    def _not_empty(
        self,
        table: pd.DataFrame,
        chosen: list[str] | None,
        since: Day | None,
        until: Day | None,
    ) -> pd.DataFrame:
        """The table of dates × funds, or an ExportError that says why it has no row."""
        if len(table):
            return table
        raise ExportError(self._without_nav(chosen or [], since, until))

    def _without_nav(self, codes: list[str], since: Day | None, until: Day | None) -> str:
        """Why some funds have no NAV in some dates."""
        words = [why_no_nav(self._warehouse, code) for code in codes[:NAMED]]
        if not words:
            known = (first_date(self._warehouse), newest_published(self._warehouse))
            words = ["none are stored yet: run `fund-assets run`"]
            if known[0] and known[1]:
                words = [
                    f"the market has them from {from_key(known[0])} to {from_key(known[1])}"
                ]
        dates = (
            ""
            if since is None and until is None
            else (f" from {since or 'the beginning'} to {until or 'today'}")
        )
        more = f"; and {len(codes) - NAMED:,} more" if len(codes) > NAMED else ""
        return f"no accepted NAVs{dates}: {'; '.join(words)}{more}"

    def _measured(
        self, windows: list[str], codes: Codes | None, on: Day | None, kind: str | None
    ) -> pd.DataFrame:
        """Names, metrics and yields on a date, funds by code, windows as given."""
        chosen_kind = None if kind is None else _read(read_kind, kind)
        newest = newest_calc_date(self._warehouse)
        if newest is None:
            raise ExportError("no metrics yet: run `fund-assets run`")
        day = newest if on is None else _read(read_day, on)
        chosen = self._chosen(codes)
        version = None if on is None else DEFINITION_VERSION
        if is_measured(self._warehouse, day, version):
            found = self._rows("metrics", codes, day, day)
            found = found[found["window"].isin(windows)]
            left = [] if chosen is None else sorted(set(chosen) - set(found["fund_code"]))
            if left:
                computed = self._computed(windows, left, day, newest)
                found = pd.concat([found, computed], ignore_index=True)
        else:
            found = self._computed(windows, chosen, day, newest)
        about = self._rows("info", None, columns=ABOUT)[["fund_code", *ABOUT]]
        found = about.merge(found, on="fund_code", how="right")
        if chosen_kind:
            found = found[found["kind"] == chosen_kind]
        order = {window: at for at, window in enumerate(windows)}
        found = found.assign(at=found["window"].map(order)).sort_values(["fund_code", "at"])
        found = found.drop(columns="at").reset_index(drop=True)
        money = found["kind"] == "money"
        spans = found.loc[money, ["fund_code", "start_date", "end_date"]].copy()
        for name in ("start_date", "end_date"):
            spans[name] = _keys_of(spans[name])
        yields = yields_over(self._warehouse, spans).reindex(found.index)
        found = pd.concat([found, yields], axis="columns")
        return self._told(found, day) if codes is None else found

    def _computed(
        self, windows: list[str], chosen: list[str] | None, day: int, newest: int
    ) -> pd.DataFrame:
        """Metrics on a date, of each of `chosen` a row for each window."""
        last, first = self._last(None), first_date(self._warehouse)
        if first is None or not first <= day <= last:
            raise ExportError(
                f"no metrics of {from_key(day)}: NAVs are accepted from "
                f"{from_key(first or last)} to {from_key(last)}, and the newest stored metrics "
                f"are of {from_key(newest)}"
            )
        rows = self._measuring.on(day, windows, self._measuring.inputs(chosen))
        found = _frame([pa.RecordBatch.from_pandas(rows)], FUND_METRICS)
        there = set(found["fund_code"])
        missing = [code for code in chosen or () if code not in there]
        if not missing:
            return found
        pairs = [(code, window) for code in missing for window in windows]
        empty = pd.DataFrame(pairs, columns=["fund_code", "window"]).assign(
            calc_date=pd.Timestamp(from_key(day)),
            status=COMPUTED,
            observations=0,
            gap_steps=0,
            definition_version=DEFINITION_VERSION,
            reason=f"no accepted NAV on or before {from_key(day)}",
        )
        empty = empty.reindex(columns=found.columns).astype(found.dtypes)
        return pd.concat([found, empty], ignore_index=True)

    def _ends(self, first: int, last: int, every: Every) -> list[int]:
        """The sessions on which periods end, from `first` to `last`, yyyymmdd."""
        calendar = self._calendar(last)
        if every == "day":
            return [key for key in calendar.sessions if first <= key <= last]
        if first > last:
            return []
        found = Periods.between(_day(first), _day(last), every, calendar)
        keys = days_to_keys(found.bears[found.sessions > 0]).tolist()
        return [key for key in keys if first <= key <= last]

    def _part(
        self, codes: Codes | None, first: int, until: Day | None
    ) -> tuple[FundSeries, list[str] | None]:
        """The index from the NAVs before `first` on, and the columns that are asked for."""
        chosen = self._chosen(codes)
        return read_part(self._warehouse, self._last(until), first, chosen), chosen

    def _last(self, until: Day | None) -> int:
        """So far the market has published, and the question reaches."""
        newest = newest_published(self._warehouse) or LAST_DAY
        return newest if until is None else min(newest, _read(read_day, until))

    def _calendar(self, last: int) -> TradingCalendar:
        return calendar_overrides.calendar(self._warehouse, from_key(last))


class Funds(_Questions[pd.DataFrame]):
    """The funds of a warehouse; every answer is a pandas frame.

    ```python
    from datetime import date

    from fund_assets import Funds

    f = Funds()
    f.nav("000001")
    f.returns(["000001", "000003"], since="2026-01-01", every="month")
    f.metrics(window="1y", kind="mixed").nlargest(10, "sharpe_ratio")
    f.asof("000001", date.today())
    ```

    It reads alone and never locks out the pipeline. Each question sees one state.
    """

    def polars(self) -> "PolarsFunds":
        """The same questions answered with Polars frames (the extra `fund-assets[polars]`)."""
        return PolarsFunds(self._warehouse.backend.url.render_as_string(hide_password=False))

    def _given(self, frame: pd.DataFrame) -> pd.DataFrame:
        return frame


class PolarsFunds(_Questions["pl.DataFrame"]):
    """As `Funds`, but every answer is a Polars frame: what is the index there is columns here.

    Needs the extra `polars`: `pip install 'fund-assets[polars]'`.
    """

    def _given(self, frame: pd.DataFrame) -> "pl.DataFrame":
        try:
            import polars as pl
        except ImportError as error:
            raise ExportError(
                "Polars is not installed: pip install 'fund-assets[polars]'"
            ) from error
        found = frame if frame.index.names == [None] else frame.reset_index()
        return pl.from_pandas(found)


def _frame(batches: Iterable[pa.RecordBatch], table: Table) -> pd.DataFrame:
    """Rows as pandas: dates and times datetime64, whole numbers with gaps Int64."""
    rows = (typed(batch, table) for batch in batches)
    read = pa.Table.from_batches(rows, schema(table, {}))
    found = read.to_pandas(date_as_object=False)
    whole = (column for column in table.columns if column.kind is Kind.INT)
    nullable = [column.name for column in whole if column.nullable]
    return found.astype(dict.fromkeys(nullable, "Int64"))


def _day(key: int) -> int:
    """A date yyyymmdd as days since 1970-01-01; 0, which is no limit, as 0."""
    return int(keys_to_days(np.array([key]))[0]) if key else 0


def _key(day: int) -> int:
    return int(days_to_keys(np.array([day]))[0])


def _a_year_before(key: int) -> int:
    """The day after the same day a year before: a leap day has none."""
    return key - 10_000 + 1 if key % 10_000 != 1231 else key // 10_000 * 10_000 + 101


def _keys_of(dates: pd.Series) -> pd.Series:
    """datetime64 → yyyymmdd, <NA> where there is none."""
    return dates.dt.strftime("%Y%m%d").astype("Int64")


def _dates(days: NDArray[np.integer]) -> NDArray[np.datetime64]:
    return days.astype("datetime64[D]").astype("datetime64[ms]")


def _by_fund(rows: pd.DataFrame, codes: Codes) -> pd.DataFrame:
    if isinstance(codes, str | int) and len(_codes(codes)) == 1:
        return rows.drop(columns="fund_code").set_index("nav_date")
    return rows.set_index(["fund_code", "nav_date"]).sort_index()


def _codes(codes: Codes) -> list[str]:
    """The codes, each once, in their order."""
    parts: list[str | int] = []
    for code in [codes] if isinstance(codes, str | int) else codes:
        parts += _read(read_codes, [code]) if isinstance(code, str) else [code]
    return list(dict.fromkeys(_read(read_code, code) for code in parts))


def _read(read: Callable[[Any], Answer], value: object) -> Answer:
    try:
        return read(value)
    except ValueError as error:
        raise ExportError(str(error)) from error
