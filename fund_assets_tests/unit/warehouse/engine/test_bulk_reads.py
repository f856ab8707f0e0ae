"""The columnar reader: what it must see, and what it must never do to the warehouse."""

import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from fund_assets.metrics import FundSeries, SeriesError
from fund_assets.schemas.tables import FUND_METRICS, VALIDATED_NAV
from fund_assets.warehouse import Warehouse, WarehouseError
from fund_assets.warehouse.engine import bulk_reads
from fund_assets.warehouse.engine.bulk_reads import stream
from fund_assets.warehouse.engine.diff_writes import insert
from fund_assets.warehouse.engine.transactions import transaction
from fund_assets.warehouse.engine.url import backend_for
from fund_assets.warehouse.queries.index_series import read_index_series
from fund_assets.warehouse.queries.selections import Selection, selected
from fund_assets_tests import stores

ROWS = [
    ("000001", 20260105, 1.0),
    ("110022", 20260105, 1.5),
    ("000001", 20260106, 1.1),
    ("110022", 20260106, 1.25),
    ("161725", 20260106, 0.1 + 0.2),
]


class Store:
    """A database with the one table that is read in bulk, and a connection that writes it."""

    def __init__(self, folder):
        self.warehouse = Warehouse(stores.at(folder))
        self.backend = self.warehouse.backend
        self.backend.make()
        text, strict = (
            ("VARCHAR(6)", "") if stores.on_mysql() else ("TEXT", "STRICT, WITHOUT ROWID")
        )
        real = "DOUBLE" if stores.on_mysql() else "REAL"
        self.mark = "%s" if stores.on_mysql() else "?"
        self.connection = self.warehouse.engine.raw_connection()
        self.cursor = self.connection.cursor()
        self(
            f"CREATE TABLE validated_nav (fund_code {text} NOT NULL, nav_date INTEGER NOT NULL, "
            f"total_return_index {real} NOT NULL, PRIMARY KEY (nav_date, fund_code)) {strict}"
        )
        self("CREATE INDEX by_fund ON validated_nav (fund_code, nav_date)")

    def __call__(self, sql):
        self.cursor.execute(sql)
        return self.cursor.fetchall() if self.cursor.description else []

    def fill(self, rows=ROWS):
        """Write rows and commit them."""
        self("BEGIN")
        self.add(rows)
        self("COMMIT")

    def add(self, rows):
        marks = ", ".join([self.mark] * 3)
        for at in range(0, len(rows), 5_000):  # a company's server takes packets of 256 kB
            self.cursor.executemany(
                f"INSERT INTO validated_nav VALUES ({marks})", rows[at : at + 5_000]
            )

    def close(self):
        self.connection.close()
        self.warehouse.close()


@pytest.fixture
def store(tmp_path):
    """In a folder whose name has everything that URLs dislike."""
    folder = tmp_path / "基金 50%20 #1 a+b&c"
    folder.mkdir()
    found = Store(folder)
    yield found
    found.close()


@pytest.fixture
def file(store, sqlite_only):
    """The file of the store."""
    return store.backend.path


def test_every_row_arrives_unchanged(store):
    """Stops lost rows, rounded values, wrong counts and dates out of the asked range."""
    store.fill()
    rows = read_index_series(store.backend, 20260106)
    assert rows.codes.tolist() == [1, 110022, 161725]
    assert rows.counts.tolist() == [2, 2, 1]
    (codes, dates, values), *more = rows.chunks
    assert more == []
    read = list(zip(codes.tolist(), dates.tolist(), values.tolist(), strict=True))
    assert read == [
        (int(code), date, value) for code, date, value in sorted(ROWS, key=lambda r: r[1])
    ]

    for first, last, expected in ((0, 20260105, 2), (20260106, 20991231, 3), (0, 20250101, 0)):
        rows = read_index_series(store.backend, last, first)
        assert sum(len(chunk[0]) for chunk in rows.chunks) == rows.counts.sum() == expected


@pytest.mark.parametrize(
    "sizes", [(1000, 23, 10), pytest.param((1000, 46, 1), marks=pytest.mark.slow)]
)
def test_batches_that_cut_through_the_counts_give_the_same_series(store, monkeypatch, sizes):
    """Stops counts taken for rows, or rows lost, where a batch holds some of both."""
    rng = np.random.default_rng(1)
    codes = rng.choice(1_000_000, 23, False)
    store.fill([(f"{c:06d}", 20260101 + d, float(v)) for d in range(9)
                  for c, v in zip(codes, rng.random(23) + 0.5, strict=True)])  # fmt: skip
    whole = None
    for size in sizes:
        monkeypatch.setattr("fund_assets.warehouse.engine.bulk_reads.BATCH_ROWS", size)
        rows = read_index_series(store.backend, 20260131)
        series = FundSeries.from_chunks(rows.codes, rows.counts, rows.chunks)
        whole = whole or series
        assert series.rows == 207
        np.testing.assert_array_equal(series.values, whole.values)


@pytest.mark.parametrize(
    "halves",
    [
        (0, 20260101, 20260105),
        pytest.param((20260100, 20260108, 20260130, 20260131), marks=pytest.mark.slow),
    ],
)
def test_halves_read_at_the_same_time_are_the_whole(store, halves):
    """Stops rows at the cut from being lost or doubled, and funds of one half from counting."""
    rng = np.random.default_rng(2)
    store.fill([(f"{c:06d}", 20260101 + d, float(v)) for d in range(9)
                  for c, v in zip(range(d, d + 5), rng.random(5) + 0.5, strict=True)])  # fmt: skip
    one = read_index_series(store.backend, 20260131)
    whole = FundSeries.from_chunks(one.codes, one.counts, one.chunks)
    assert whole.rows == 45
    for halve in halves:
        rows = read_index_series(store.backend, 20260131, halve=halve)
        series = FundSeries.from_chunks(rows.codes, rows.counts, rows.chunks)
        for name in ("codes", "offsets", "days", "values"):
            np.testing.assert_array_equal(
                getattr(series, name), getattr(whole, name), str(halve)
            )


def test_reading_leaves_other_connections_their_log(store, file):
    """Stops the loss of commits: a second SQLite in this process deletes the log in use.

    connectorx in the same process did that; what was committed afterwards was then seen by
    nobody else and was gone with the process.
    """
    store.fill(ROWS[:1])
    for n in range(1, 4):
        assert read_index_series(store.backend, 20991231).counts.sum() == n
        store.fill(ROWS[n : n + 1])
        assert file.with_name(file.name + "-wal").stat().st_size > 0
        script = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT COUNT(*) FROM validated_nav').fetchone()[0])"
        other = subprocess.run(
            [sys.executable, "-c", script, file], capture_output=True, text=True, check=True
        )
        assert int(other.stdout) == n + 1


def test_an_open_writer_neither_blocks_nor_shows(store):
    """Stops reading half a batch, and waiting for the writer that waits for us."""
    store.fill(ROWS[:2])
    store("BEGIN")
    store.add(ROWS[2:])
    assert read_index_series(store.backend, 20991231).counts.sum() == 2
    if not stores.on_mysql():  # The writer still holds its lock: no other may write now.
        with (
            closing(sqlite3.connect(store.backend.path, timeout=0)) as other,
            pytest.raises(sqlite3.OperationalError),
        ):
            other.execute("BEGIN IMMEDIATE")
    store("COMMIT")
    assert read_index_series(store.backend, 20991231).counts.sum() == 5


def test_an_empty_table_has_no_funds(store):
    """Stops a crash on the first evening."""
    rows = read_index_series(store.backend, 20991231)
    assert len(rows.codes) == len(rows.counts) == 0
    assert len(FundSeries.from_chunks(rows.codes, rows.counts, rows.chunks)) == 0


def test_faults_name_the_file_and_the_cause(store, file):
    """Stops half a minute of silence for a missing file, and a fault that looks like an end."""
    missing = backend_for(f"sqlite:///{file.with_name('other.db')}")
    with pytest.raises(
        WarehouseError,
        match=r"no warehouse exists yet at .*other\.db: run `fund-assets run` first",
    ):
        list(stream(missing, "SELECT 1"))
    assert not missing.exists()
    with pytest.raises(WarehouseError, match=r"cannot be read: .*no such column: nav"):
        list(stream(store.backend, "SELECT nav FROM validated_nav"))
    store.fill()
    with pytest.raises(WarehouseError, match="integer overflow"):
        list(stream(store.backend, "SELECT abs(iif(nav_date > 20260105, -9223372036854775808, 1)) AS x "
                          "FROM validated_nav", batch_rows=1))  # fmt: skip


def test_a_damaged_database_is_no_short_one(store, file):
    """Stops metrics on a part of the rows when pages are damaged."""
    store.fill([(f"{n:06d}", 20260105, 1.5) for n in range(20_000)])
    store("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    size = file.stat().st_size
    with file.open("r+b") as damaged:
        damaged.seek(size // 2)
        damaged.write(b"\xff" * (size // 4))
    with pytest.raises((WarehouseError, SeriesError)):
        rows = read_index_series(store.backend, 20991231)
        FundSeries.from_chunks(rows.codes, rows.counts, rows.chunks)


def test_a_reading_given_up_ends_its_process(store):
    """Stops readers that pile up and keep the log from being emptied."""
    store.fill([(f"{n:06d}", 20260105, 1.5) for n in range(200_000)])
    reading = stream(store.backend, "SELECT nav_date FROM validated_nav", batch_rows=100)
    assert next(reading).num_rows == 100
    reading.close()
    if stores.on_mysql():
        running = (
            "SELECT id FROM information_schema.processlist "
            "WHERE info LIKE 'SELECT nav_date FROM validated_nav%'"
        )
        deadline = time.monotonic() + 10  # until the server finds that nobody listens
        while store(running) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert store(running) == []
    else:
        ((busy, _, _),) = store("PRAGMA wal_checkpoint(TRUNCATE)")
        assert busy == 0


def unreferenced(warehouse):
    """A transaction in which rows may refer to funds that are not there."""
    return transaction(warehouse.backend, warehouse.engine, writes=True, references=False)


def test_a_selection_is_read_lazily_with_every_null(tmp_path, monkeypatch):
    """Stops a column that begins with NULLs, or is nothing else, from breaking or being filled."""
    warehouse = Warehouse(stores.at(tmp_path))
    warehouse.init("simulated")
    rows = 1_500
    monkeypatch.setattr(bulk_reads, "BATCH_ROWS", 1_000)
    frame = VALIDATED_NAV.empty().reindex(range(rows))
    frame = frame.assign(
        fund_code=[f"{at:06d}" for at in range(rows)],
        nav_date=20260105,
        unit_nav=[np.nan] * (rows - 1) + [1.5],
        growth_pct=[0.0, -0.0, 0.1 + 0.2] + [np.nan] * (rows - 3),
        total_return_index=1.0,
        return_status="first",
        first_seen_at=20260105_190000,
        batch_id="",
    )
    with unreferenced(warehouse) as connection:
        insert(connection, VALIDATED_NAV, VALIDATED_NAV.conform(frame))
    batches = list(selected(warehouse, Selection(VALIDATED_NAV)))
    assert len(batches) == 2
    read = pa.Table.from_batches(batches).to_pandas()
    pd.testing.assert_frame_equal(VALIDATED_NAV.conform(read), VALIDATED_NAV.conform(frame))
    assert batches[0]["acc_nav"].null_count == 1_000
    warehouse.close()


def test_texts_that_may_be_null_come_back(tmp_path):
    """Stops an absent text from becoming another one."""
    warehouse = Warehouse(stores.at(tmp_path))
    warehouse.init("simulated")
    frame = FUND_METRICS.empty().reindex(range(3)).assign(
        fund_code=["000001", "000002", "000003"], calc_date=20260105, window="1y", status="final",
        end_date=20260105, observations=0, gap_steps=0, risk_free_rate=0.015, definition_version=4,
        benchmark_code=[None, "", "中'文"], reason=["", "x", "y"],
    )  # fmt: skip
    with unreferenced(warehouse) as connection:
        insert(connection, FUND_METRICS, FUND_METRICS.conform(frame))
    rows = pa.Table.from_batches(selected(warehouse, Selection(FUND_METRICS)))
    assert rows["benchmark_code"].to_pylist() == [None, "", "中'文"]
    read = rows.to_pandas()
    pd.testing.assert_frame_equal(FUND_METRICS.conform(read), FUND_METRICS.conform(frame))
    warehouse.close()
