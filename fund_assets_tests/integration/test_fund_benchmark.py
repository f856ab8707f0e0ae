"""What funds say they are measured against: from their pages into tables, and shown."""

from datetime import date

import pandas as pd
import pytest
from click.testing import CliRunner

from fund_assets.cli import main
from fund_assets.pipeline import fund_benchmark as step
from fund_assets.pipeline.fund_benchmark import collect_benchmarks, name_codes
from fund_assets.schemas.tables import FUND_INFO
from fund_assets.settings import load_settings
from fund_assets.sources.protocol import IndexLists, Overview
from fund_assets.transport.errors import FormatError, HeldOffError, UnknownFundError
from fund_assets.warehouse import Warehouse
from fund_assets.warehouse.engine.diff_writes import insert
from fund_assets.warehouse.queries import benchmarks as queries

CODES = ("000001", "000002", "110011", "161725")
TEXTS = {
    "000001": "沪深300指数收益率×80%+中债综合财富(总值)指数收益率×20%",
    "000002": "该基金暂未披露业绩比较基准",
    "110011": "一年期定期存款利率(税后)+1.2%",
    "161725": "某某神秘组合×20%+标的指数收益率×75%+银行活期存款利率(税后)×5%",
}
FIRST, NEXT_WEEK = date(2026, 9, 20), date(2026, 9, 27)
NEXT_QUARTER = date(2026, 12, 27)


class Pages:
    """A source of nothing but pages; what a page is may be an error."""

    def __init__(self):
        self.pages = dict(TEXTS)
        self.asked = []

    def overview(self, code):
        self.asked.append(code)
        page = self.pages[code]
        if isinstance(page, Exception):
            raise page
        return Overview(code, page, "中证白酒指数" if code == "161725" else "")

    def index_lists(self):
        self.asked.append("lists")
        listed = [("000300", "沪深300", "沪深300指数"), ("399997", "中证白酒", "中证白酒指数")]
        columns = ["指数代码", "指数简称", "指数全称"]
        return IndexLists((pd.DataFrame(listed, columns=columns),), {"index_all_cni": "late"})


@pytest.fixture
def warehouse():
    warehouse = Warehouse(load_settings().warehouse)
    warehouse.init("simulated")
    fund = {"fund_type": "混合型-偏股", "kind": "mixed", "pinyin": "X", "status": "listed",
            "first_seen_on": 20260101, "last_seen_on": 20260920}  # fmt: skip
    rows = [{**fund, "fund_code": c, "name": f"某{c}", "family": f"某{c}"} for c in CODES]
    rows.append({**rows[0], "fund_code": "000003", "name": "某基金(后端)"})
    rows.append({**rows[0], "fund_code": "000004", "status": "delisted"})
    frame = FUND_INFO.conform(pd.DataFrame(rows))
    with warehouse.transaction(writes=True) as connection:
        insert(connection, FUND_INFO, frame)
    yield warehouse
    warehouse.close()


def rows_of(warehouse, table="fund_benchmark"):
    return warehouse.rows(f"SELECT * FROM {table} ORDER BY fund_code, first_seen_on")


def test_what_a_page_says_becomes_rows(warehouse):
    """Stops a weight, a variant or what was not understood from being lost on the way."""
    source = Pages()
    report = collect_benchmarks(warehouse, source, FIRST)
    assert source.asked == list(CODES)  # neither the 后端 code nor the one that is gone
    assert (report.asked, report.changed, report.failures) == (4, 4, {})
    found = queries.benchmark_of(warehouse, "000001")
    parts = [
        (p["part"], p["kind"], p["series"], p["weight"], p["variant"]) for p in found["parts"]
    ]
    assert parts == [
        (1, "index", "沪深300指数", 0.8, ""),
        (2, "index", "中债综合指数", 0.2, "wealth"),
    ]
    rate = queries.benchmark_of(warehouse, "110011")["parts"]
    assert [(p["weight"], p["annual_rate"]) for p in rate] == [(1.0, None), (None, 0.012)]
    strange = queries.benchmark_of(warehouse, "161725")
    assert strange["status"] == "partly" and strange["not_understood"] == "某某神秘组合"
    assert [p["series"] for p in strange["parts"]] == ["中证白酒指数", "活期存款利率"]
    assert queries.states(warehouse) == {"parsed": 2, "partly": 1, "undisclosed": 1}
    assert queries.not_understood(warehouse) == {"某某神秘组合": 1}


def test_a_row_begins_when_the_page_says_another_thing(warehouse):
    """Stops a row a quarter for every fund, and a change of benchmark from being overwritten."""
    source = Pages()
    collect_benchmarks(warehouse, source, FIRST)
    source.asked.clear()
    assert collect_benchmarks(warehouse, source, NEXT_WEEK).asked == 0 and not source.asked
    source.pages["000001"] = "沪深300指数收益率×100%"
    assert collect_benchmarks(warehouse, source, NEXT_QUARTER).changed == 1
    first, second, other = rows_of(warehouse)[:3]
    assert (first["first_seen_on"], first["last_seen_on"]) == (20260920, 20260920)
    assert (second["first_seen_on"], second["last_seen_on"]) == (20261227, 20261227)
    assert (other["first_seen_on"], other["last_seen_on"]) == (20260920, 20261227)
    assert [p["series"] for p in queries.benchmark_of(warehouse, "000001")["parts"]] == [
        "沪深300指数"
    ]


def test_a_run_that_was_ended_goes_on(warehouse):
    """Stops what was stored from being asked for again, and a refusal from being pressed on."""
    source = Pages()
    source.pages["000002"] = HeldOffError("refuses requests, next request after 20:30")
    report = collect_benchmarks(warehouse, source, FIRST)
    assert report.stopped == "refuses requests, next request after 20:30" and source.asked == [
        "000001",
        "000002",
    ]
    source.pages = {**TEXTS, "110011": FormatError("odd"), "161725": UnknownFundError("none")}
    source.asked.clear()
    report = collect_benchmarks(warehouse, source, FIRST)
    assert source.asked == ["000002", "110011", "161725"]
    assert report.failures == {"110011": "FormatError: odd"}
    assert queries.benchmark_of(warehouse, "161725")["benchmark_text"] == ""
    source.asked.clear()
    assert collect_benchmarks(warehouse, source, NEXT_WEEK, most=1).asked == 1
    assert source.asked == ["110011"]


def test_texts_are_read_anew_by_a_new_parser(warehouse, monkeypatch):
    """Stops a better parser from waiting a quarter, or from making a row of its own."""
    monkeypatch.setattr(step, "PARSER_VERSION", 1)
    collect_benchmarks(warehouse, Pages(), FIRST)
    monkeypatch.setattr(step, "PARSER_VERSION", 2)
    before = rows_of(warehouse, "fund_benchmark_part")
    report = collect_benchmarks(warehouse, Pages(), NEXT_WEEK)
    assert (report.read_again, report.asked) == (4, 0)
    assert {row["parser_version"] for row in rows_of(warehouse)} == {2}
    assert len(rows_of(warehouse)) == 4 and rows_of(warehouse)[0]["last_seen_on"] == 20260920
    assert rows_of(warehouse, "fund_benchmark_part") == before


def test_the_command_shows_it(warehouse):
    """Stops the page of a fund from hiding what was not understood."""
    collect_benchmarks(warehouse, Pages(), FIRST)
    told = CliRunner().invoke(main, ["fund", "161725"])
    assert told.exit_code == 0, told.output
    for words in (
        "某161725",
        "中证白酒指数",
        "read in part",
        "某某神秘组合",
        "75 %",
        "after tax",
    ):
        assert words in told.output
    told = CliRunner().invoke(main, ["fund", "110011"])
    assert "1.2 % a year" in told.output and "read whole" in told.output


def test_indices_get_their_codes(warehouse):
    """Stops an index that the lists know from staying without a code, and a code from going."""
    source = Pages()
    collect_benchmarks(warehouse, source, FIRST)
    source.asked.clear()
    report = name_codes(warehouse, source)
    assert (report.named, report.without) == (3, ("中债综合指数",))
    assert report.failures == {"index_all_cni": "late"} and source.asked == ["lists"]
    assert queries.benchmark_of(warehouse, "161725")["tracked_code"] == "399997"
    codes = [p["index_code"] for p in queries.benchmark_of(warehouse, "000001")["parts"]]
    assert codes == ["000300", ""]
    collect_benchmarks(warehouse, source, NEXT_QUARTER)
    assert queries.benchmark_of(warehouse, "161725")["tracked_code"] == "399997"
    told = CliRunner().invoke(main, ["fund", "161725"])
    assert "中证白酒指数 (399997)" in told.output
