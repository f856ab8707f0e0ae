"""The warehouse that the benchmarks measure: a whole market with three years behind it.

26,000 share classes of the simulated market (all kinds, dividends, splits, weekly funds,
money funds, late publishers), every NAV of the 756 sessions up to `BUILT_UNTIL` as it was
published by then, in the project's own tables. Built by day, not through the pipeline,
which would take far longer; the last session's wave then goes through the pipeline, so that
the warehouse has batches and a landing zone as a real one has.

Built once in FUND_BENCH_DIR (default: below the temporary folder) and used again while the
tables stay as they are. Run this file to build it.
"""

import hashlib
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fund_assets.calendar import TradingCalendar, from_key, to_key
from fund_assets.pipeline import (
    benchmark_index,
    fund_benchmark,
    fund_info,
    fund_nav,
    validated_nav,
)
from fund_assets.schemas.tables import FUND_EVENTS
from fund_assets.settings import SHANGHAI
from fund_assets.sources.simulated.market import Market
from fund_assets.sources.simulated.source import SimulatedSource
from fund_assets.sources.simulated.timeline import Timeline
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.ddl import METADATA
from fund_assets.warehouse.engine.diff_writes import insert

FUNDS, SESSIONS, SEED = 26_000, 756, 20260104
BUILT_UNTIL = date(2026, 11, 17)
LATE_EVENING = (23, 15)
#: Counts up when this file builds something else, so that it is built anew.
RECIPE = 3
MONEY_BLOCK_DAYS = 60


def folder() -> Path:
    """Where benchmark files are kept."""
    chosen = os.environ.get("FUND_BENCH_DIR")
    path = Path(chosen) if chosen else Path(tempfile.gettempdir()) / "fund-assets-bench"
    path.mkdir(parents=True, exist_ok=True)
    return path


def calendar() -> TradingCalendar:
    """The exchange's calendar, going on to open on weekdays after the announced years."""
    return TradingCalendar.build(invent_until=date(BUILT_UNTIL.year + 2, 12, 31))


def evening(day: date) -> datetime:
    """When nearly all of a session's NAVs are published."""
    return datetime(day.year, day.month, day.day, *LATE_EVENING, tzinfo=SHANGHAI)


def market_source(now: datetime) -> SimulatedSource:
    """The market of the benchmarks with its clock at `now`."""
    return SimulatedSource(FUNDS, 3.0, SEED, calendar(), lambda: now)


def warehouse_file() -> Path:
    """The warehouse, built if it is missing."""
    tables = "".join(
        str(CreateTable(table).compile(dialect=sqlite.dialect()))
        for table in METADATA.sorted_tables
    )
    recipe = hashlib.sha256(
        f"{RECIPE} {FUNDS} {SESSIONS} {SEED} {BUILT_UNTIL} {tables}".encode()
    )
    path = folder() / f"market-{recipe.hexdigest()[:12]}" / "warehouse.db"
    if not path.exists():
        unfinished = path.with_suffix(".part")
        path.parent.mkdir(exist_ok=True)
        unfinished.unlink(missing_ok=True)
        _build(unfinished)
        unfinished.rename(path)
    return path


def next_session(url: str) -> date:
    """The first session after the newest that the warehouse has published."""
    newest = Warehouse(url).number("SELECT MAX(newest_date) FROM publish_log")
    sessions = calendar().sessions
    return from_key(sessions[sessions.index(newest) + 1])


def _build(path: Path) -> None:
    start = time.monotonic()
    days = calendar()
    before = days.before(BUILT_UNTIL)
    warehouse = Warehouse(f"sqlite:///{path}")
    warehouse.init("akshare")
    fund_info.refresh(warehouse, market_source(evening(before)), to_key(before))
    warehouse.close()

    market = Market(FUNDS, SEED, days)
    last = Timeline.index(before)
    first = Timeline.index(days.before(before, SESSIONS - 1))
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "ignore_check_constraints = ON"):
        connection.execute(f"PRAGMA {pragma}")
    (index,) = METADATA.tables["validated_nav"].indexes
    connection.execute(f"DROP INDEX {index.name}")
    columns = [column.name for column in METADATA.tables["validated_nav"].columns]
    statement = (
        f"INSERT INTO validated_nav ({', '.join(columns)}) "
        f"VALUES ({', '.join('?' for _ in columns)})"
    )
    funds = _known_funds(market, connection)
    rows = 0
    for day, frame in _history(market, funds, first, last):
        connection.execute("BEGIN")
        # sqlite3 stores NaN as NULL.
        connection.executemany(
            statement, zip(*(frame[name].tolist() for name in columns), strict=True)
        )
        connection.execute("COMMIT")
        rows += len(frame)
        if (day - first) % 100 == 0:
            print(f"  {rows:,} rows, {time.monotonic() - start:.0f} s", file=sys.stderr)
    key = ", ".join(column.name for column in index.columns)
    connection.execute(f"CREATE INDEX {index.name} ON validated_nav ({key})")
    connection.close()
    _write_events(path, market, funds, first, last)
    _publish(path, BUILT_UNTIL)
    _collect_benchmarks(path, BUILT_UNTIL)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    print(f"  {rows:,} rows built in {time.monotonic() - start:.0f} s", file=sys.stderr)


def _known_funds(market: Market, connection: sqlite3.Connection) -> np.ndarray:
    """Indices of the funds on the list that have pages, by code."""
    listed = [code for (code,) in connection.execute("SELECT fund_code FROM fund_info")]
    funds = np.array(sorted(listed), dtype=object)
    at = np.array([market.index[code] for code in funds])
    return at[market.page[at] != ""]


def _history(
    market: Market, funds: np.ndarray, first: int, last: int
) -> Iterator[tuple[int, pd.DataFrame]]:
    """What was published of each day by the evening of the last, in columns of the table."""
    universe, timeline = market.universe, market.timeline
    codes = np.array(universe.code, dtype=object)
    known = last * 1440 + LATE_EVENING[0] * 60 + LATE_EVENING[1]
    is_money = market.page[funds] == "money"
    moving, money = np.flatnonzero(~is_money), np.flatnonzero(is_money)
    index = np.full(len(funds), np.nan)
    nav = np.full(len(funds), np.nan)
    for day in range(first, last + 1):
        at = (day - first) % MONEY_BLOCK_DAYS
        if at == 0:
            until = min(day + MONEY_BLOCK_DAYS - 1, last)
            incomes, weeks, there = market.money.block(funds[money], day, until)
        here = moving[_has_nav(market, funds[moving], day, known)]
        quotes = market.quoter.at(funds[here], np.full(len(here), day))
        returns = (quotes.unit * quotes.split + quotes.dividend) / nav[here] - 1
        nav[here] = quotes.unit
        paying = money[there[:, at]]
        changed = np.concatenate([here, paying])
        gains = np.concatenate([returns, incomes[there[:, at], at] / 1e4])
        is_first = np.isnan(index[changed])
        index[changed] = np.where(is_first, 1.0, index[changed] * (1 + gains))
        none = np.full(len(paying), np.nan)
        gone = np.full(len(here), np.nan)
        key = int(timeline.keys[day])
        frame = pd.DataFrame(
            {
                "fund_code": codes[funds[changed]],
                "nav_date": key,
                "unit_nav": np.concatenate([quotes.unit, none]),
                "acc_nav": np.concatenate([quotes.accumulated, none]),
                "growth_pct": np.concatenate([np.round(returns * 100, 2), none]),
                "yield_per_10k": np.concatenate([gone, incomes[there[:, at], at]]),
                "yield_7d_pct": np.concatenate([gone, weeks[there[:, at], at]]),
                "days_covered": np.nan,  # as in rows of before, until the next history
                "total_return_index": index[changed],
                "return_status": np.where(
                    is_first,
                    "first",
                    np.repeat(["proven", "single_source"], [len(here), len(paying)]),
                ),
                "first_seen_at": key * 1_000_000 + 231_500,
                "batch_id": f"w{key}-0123456789ab",
            }
        )
        yield day, frame.sort_values("fund_code")


def _has_nav(market: Market, funds: np.ndarray, day: int, known: int) -> np.ndarray:
    portfolios = market.universe.portfolio[funds]
    days = np.full(len(funds), day)
    published = market.schedule.published_at(portfolios, days) <= known
    return market.schedule.has_nav(portfolios, days) & published


def _write_events(path: Path, market: Market, funds: np.ndarray, first: int, last: int) -> None:
    events = market.quoter.events
    fund, day = np.divmod(events.key[1:], 1 << 16)
    parts = []
    for kind, value in (("dividend", events.dividend[1:]), ("split", events.split[1:])):
        real = (value > 0) & ((kind == "dividend") | (value != 1))
        real &= np.isin(fund, funds) & (day >= first) & (day <= last)
        parts.append(
            pd.DataFrame(
                {
                    "fund_code": [market.universe.code[at] for at in fund[real]],
                    "ex_date": market.timeline.keys[day[real]],
                    "kind": kind,
                    "value": value[real],
                    "status": "recorded",
                    "history_value": value[real],
                    "list_value": np.nan,
                    "text": "",
                    "evidence": "",
                    "first_batch_id": "h20261117-0123456789ab",
                    "batch_id": "h20261117-0123456789ab",
                }
            )
        )
    warehouse = Warehouse(f"sqlite:///{path}")
    with warehouse.transaction(writes=True) as connection:
        insert(connection, FUND_EVENTS, pd.concat(parts, ignore_index=True))
    warehouse.close()


def _publish(path: Path, day: date) -> None:
    """One evening through the pipeline."""
    warehouse = Warehouse(f"sqlite:///{path}")
    now = evening(day)
    fund_nav.collect_wave(warehouse, market_source(now), lambda: now)
    outcomes = validated_nav.validate(warehouse, calendar(), now)
    warehouse.close()
    if blocked := validated_nav.explain_block(outcomes):
        raise RuntimeError(f"the benchmark's own market is refused: {blocked}")


def _collect_benchmarks(path: Path, day: date) -> None:
    """What all funds say they are measured against, and the closes of it."""
    warehouse = Warehouse(f"sqlite:///{path}")
    source = market_source(evening(day))
    codes = warehouse.column(str, "SELECT fund_code FROM fund_info")
    fund_benchmark.collect_missing(warehouse, source, day, set(codes))
    benchmark_index.collect_indices(warehouse, source, day)
    warehouse.close()


if __name__ == "__main__":
    print(warehouse_file())
