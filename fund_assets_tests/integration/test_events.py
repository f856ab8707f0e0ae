"""The market's lists of dividends and splits, from the source to the index."""

from dataclasses import replace
from functools import partial
from hashlib import sha256

import akshare as ak
import numpy as np
import pandas as pd
import pytest

from fund_assets.pipeline.fund_events import refresh_events
from fund_assets.pipeline.validated_nav import validate
from fund_assets.sources.eastmoney.source import EastmoneySource
from fund_assets.transport.errors import TransportError, TruncatedError
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.http_answer import Answer
from fund_assets.transport.limits import Limits
from fund_assets.warehouse.queries import status as status_queries
from fund_assets_tests.integration.evenings import (
    COUNTS,
    FRIDAY,
    MONDAY,
    THURSDAY,
    Market,
    cases,
    checks,
    desk,
    executed,
    metadata,
    truths,
)
from fund_assets_tests.real_data import evidence
from fund_assets_tests.server import MarketServer, content, content_from_source, wire

TABLES = ("fund_events", "validated_nav", "publish_log", "collection_batch", "nav_quarantine")


def silent(events):
    """The lists of a source that has not heard of any event yet."""
    return replace(events, frame=events.frame.head(0))


def untold(history):
    """A history as akshare gives it: without the texts of events."""
    return replace(history, events=history.events.head(0))


@pytest.fixture(scope="module")
def first_blind_evening(tmp_path_factory):
    market = Market(tmp_path_factory.mktemp("blind"))
    told = {"events": silent, "history": untold}
    assert market.run("daily_pipeline", THURSDAY, **told).success
    return market


@pytest.fixture
def blind_market(first_blind_evening, tmp_path):
    """A market whose first evening told of no event, in any way."""
    return first_blind_evening.copy(tmp_path / "copied")


@pytest.mark.slow
def test_what_nobody_records_is_inferred_and_the_list_takes_its_place(blind_market):
    """Stops an unrecorded dividend from being a loss, an inferred one from staying beside the
    recorded one, and the index from ignoring events of NAVs that do not change."""
    market = blind_market
    inferred = market.table("fund_events")
    assert set(inferred["status"]) == {"inferred"} and len(inferred) > 10
    assert inferred["evidence"].str.contains("published growth").all()
    blind = market.table("validated_nav")
    suspected = blind[blind["return_status"] == "suspected_event"]
    assert len(suspected) == len(inferred)

    result = market.run("daily_pipeline", FRIDAY, history=untold)
    assert result.success
    recorded = market.table("fund_events")
    truth = truths(market, FRIDAY)
    known = {
        (code, row.ex_date, row.kind): row.value
        for code, one in truth.items()
        for row in one.events.itertuples()
        if row.ex_date >= 20250101
    }
    listed = recorded[recorded["status"] == "recorded"]
    told = dict(
        zip(
            listed[["fund_code", "ex_date", "kind"]].itertuples(index=False, name=None),
            listed["value"],
            strict=True,
        )
    )
    assert {key: told[key] for key in known} == known
    assert listed["list_value"].equals(listed["value"]) and listed["history_value"].isna().all()
    assert set(recorded["status"]) == {"recorded"}, "nothing is inferred beside it"

    stored = market.table("validated_nav").set_index(["fund_code", "nav_date"])
    assert "suspected_event" not in set(stored["return_status"])
    before = blind.set_index(["fund_code", "nav_date"])["unit_nav"]
    assert stored.loc[before.index, "unit_nav"].equals(before), "no NAV has changed"
    for code, one in truth.items():
        index = one.index.set_index("nav_date")["total_return_index"]
        ours = stored.loc[code, "total_return_index"]
        np.testing.assert_allclose(ours, index[ours.index], rtol=1e-9, err_msg=code)
    log = market.table("publish_log").set_index("batch_id")
    (batch,) = log.index[log.index.str.startswith("e")]
    assert log.loc[batch, "rows_new"] == log.loc[batch, "rows_read"] == len(listed)
    assert (log[COUNTS].sum(axis=1) == log["rows_read"]).all()

    before = market.checksums(*TABLES)
    assert market.run("daily_pipeline", "2026-09-18T21:40:30", history=untold).success
    assert market.checksums(*TABLES) == before, "once more changes nothing"


def test_a_shorter_list_is_refused_loudly(blind_market):
    """Stops a cut answer of the source from wiping out what was listed before (R18)."""
    market = blind_market
    assert market.run("daily_collection", FRIDAY).success
    before = market.checksums("fund_events")
    result = market.run(
        "daily_collection", MONDAY, events=lambda e: replace(e, frame=e.frame.head(3))
    )
    check = checks(result)["fund_events", "R18_events_shrink"]
    assert not check.passed and check.severity.value == "ERROR"
    assert "2026: " in cases(check)
    assert "the list is refused, nothing changed" in cases(check)
    assert "or a person" in check.metadata["lifted_by"].value
    assert market.checksums("fund_events") == before
    assert len(market.table("collection_batch", "state = 'held'")) == 2, "a list a year"


DAYS = ["2026-09-18", "2026-09-21", "2026-09-22", "2026-09-23"]
KEY = ["fund_code", "ex_date", "kind"]
LOST = 2


def lacking(events):
    """This year's list without the events that the growth of NAVs tells first."""
    if events.year != 2026:
        return events
    keys = pd.MultiIndex.from_frame(events.frame[KEY])
    return replace(events, frame=events.frame[~keys.isin(lacking.gone)])


def told_on(market, day, change=lambda events: events, at="21:40:00"):
    """What a day's lists bring, with what waits merged."""
    platform = market.platform(f"{day}T{at}", events=change)
    report = refresh_events(
        platform.warehouse, platform.source, platform.now, even_if_asked=True
    )
    validate(platform.warehouse, platform.calendar, platform.now())
    platform.warehouse.close()
    return report


def held(market):
    platform = market.platform(FRIDAY)
    found = [
        (b["batch_id"], b["kind"]) for b in status_queries.held_batches(platform.warehouse)
    ]
    platform.warehouse.close()
    return found


command = partial(desk, clock="2026-09-21T22:00:00")


@pytest.fixture
def listed_market(blind_market):
    """A market that has had its lists, and events of this year that they will lack."""
    inferred = blind_market.table("fund_events", "ex_date > 20260000").set_index(KEY).index
    told_on(blind_market, DAYS[0])
    listed = blind_market.table("fund_events", "list_value IS NOT NULL").set_index(KEY).index
    lacking.gone = list(inferred.intersection(listed)[:LOST])
    return blind_market, lacking.gone


def stored_keys(market):
    stored = market.table("fund_events", "status = 'recorded'")
    return set(stored[KEY].itertuples(index=False, name=None))


def test_a_short_list_is_accepted_by_a_person(listed_market):
    """Stops an event that the source withdrew from shutting out its lists for ever."""
    market, gone = listed_market
    report = told_on(market, DAYS[1], lacking)
    ((name, kind),) = held(market)
    assert kind == "events" and f"held as batch {name}" in report.refused[0]
    assert f"quarantine show {name}" in command(market, "list").output
    shown = command(market, "show", name).output
    assert "R18_events_shrink: 2026: " in shown and "third day in a row" in shown
    assert set(gone) <= stored_keys(market), "nothing changes before that"

    done = command(market, "accept", name, "--because", "withdrawn by the manager")
    assert done.exit_code == 0, done.output
    assert not set(gone) & stored_keys(market)
    row = market.table("collection_batch", f"batch_id = '{name}'").iloc[0]
    assert row["state"] == "published" and "withdrawn by the manager" in row["held_because"]
    log = market.table("publish_log", f"batch_id = '{name}'").iloc[0]
    assert log[COUNTS].sum() == log["rows_read"] == row["rows_read"]
    assert market.table("event_list").empty and held(market) == []
    for code, day, kind in gone:
        here = f"fund_code = '{code}' AND ex_date = {day} AND kind = '{kind}'"
        left = market.table("fund_events", here)["status"].to_list()
        status = market.table("validated_nav", f"fund_code = '{code}' AND nav_date = {day}")
        # Chained anew without it: growth and accumulated NAV are what is left.
        assert left == ["inferred"] and status["return_status"].item() == "suspected_event"

    assert told_on(market, DAYS[2], lacking).refused == [], "the new floor"
    again = command(market, "accept", name, "--because", "x")
    assert again.exit_code == 1 and "already merged" in again.output


def test_what_lists_lack_on_three_days_is_withdrawn(listed_market):
    """Stops a list from being refused for ever, and a cut one from being taken the same way."""
    market, gone = listed_market
    for day in DAYS[1:3]:
        assert told_on(market, day, lacking).refused
        assert len(held(market)) == 1, "the newest stands for all"
    assert set(gone) <= stored_keys(market)
    third = told_on(market, DAYS[3], lacking)
    assert third.refused == [] and len(third.withdrawn) == LOST
    assert not set(gone) & stored_keys(market) and held(market) == []
    assert market.table("event_list").empty


def test_short_lists_of_one_day_are_one(listed_market):
    """Stops a list that came short on two days from being used, for it was asked for twice."""
    market, gone = listed_market
    for day, at in ((DAYS[1], "12:00:00"), (DAYS[1], "21:40:00"), (DAYS[2], "21:40:00")):
        assert told_on(market, day, lacking, at).withdrawn == []
    assert set(gone) <= stored_keys(market)


@pytest.mark.parametrize(
    "changes",
    [
        # Another part is missing each day; more than half is; one of the days has all.
        [lambda e, n=n: replace(e, frame=e.frame.drop(e.frame.index[n : n + 1])) for n in (0, 1, 2)],
        pytest.param(
            [lambda e: replace(e, frame=e.frame.head(len(e.frame) // 3))] * 3,
            marks=pytest.mark.slow,
        ),
        [lacking, lambda e: e, lacking],
    ],
)  # fmt: skip
def test_a_list_that_is_cut_is_never_right_by_itself(listed_market, changes):
    """Stops events from vanishing because answers were cut on several days."""
    market, _ = listed_market
    before = stored_keys(market)
    for day, change in zip(DAYS[1:], changes, strict=True):
        told_on(market, day, change)
    assert stored_keys(market) == before and held(market)


def test_a_list_as_long_again_ends_the_waiting(listed_market):
    """Stops an alert about a list that came whole the next day, and an old list from being
    accepted over the newer one."""
    market, gone = listed_market
    told_on(market, DAYS[1], lacking)
    ((name, _),) = held(market)
    assert told_on(market, DAYS[2]).refused == [] and held(market) == []
    late = command(market, "accept", name, "--because", "x")
    assert late.exit_code == 1 and "is outdated: a later list" in late.output
    assert set(gone) <= stored_keys(market)


def test_a_rejected_list_stays_rejected(listed_market):
    """Stops what a person called wrong from being told each evening or from lifting itself."""
    market, gone = listed_market
    told_on(market, DAYS[1], lacking)
    ((name, _),) = held(market)
    command(market, "reject", name, "--because", "cut short")
    for day in DAYS[2:]:
        (text,) = told_on(market, day, lacking).refused
        assert text.endswith(f"batch {name}, rejected") and held(market) == []
    assert set(gone) <= stored_keys(market)
    accepted = command(market, "accept", name, "--because", "if it is correct")
    assert accepted.exit_code == 0 and not set(gone) & stored_keys(market)


def test_an_event_that_the_history_tells_outlives_the_list(listed_market):
    """Stops a short list from taking what the fund's own history tells."""
    market, gone = listed_market
    code, day, kind = gone[0]
    with market.warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(
            f"UPDATE fund_events SET history_value = list_value WHERE fund_code = '{code}' "
            f"AND ex_date = {day} AND kind = '{kind}'"
        )
    told_on(market, DAYS[1], lacking)
    ((name, _),) = held(market)
    assert command(market, "accept", name, "--because", "x").exit_code == 0
    assert set(gone) & stored_keys(market) == {gone[0]}
    row = market.table("fund_events", f"fund_code = '{code}' AND ex_date = {day}").iloc[0]
    assert np.isnan(row["list_value"]) and row["value"] == row["history_value"]


def test_events_of_a_fund_that_is_gone_outlive_the_list(listed_market):
    """Stops a dividend from leaving the index of a liquidated fund, whose events lists lack."""
    market, gone = listed_market
    codes = ", ".join(f"'{code}'" for code, *_ in gone)
    with market.warehouse.transaction(writes=True) as connection:
        connection.exec_driver_sql(
            f"UPDATE fund_info SET status = 'delisted' WHERE fund_code IN ({codes})"
        )
    before = market.table("fund_events", f"fund_code IN ({codes})")
    for day in DAYS[1:]:
        told = told_on(market, day, lacking)
        assert told.refused == told.withdrawn == [] and held(market) == []
    assert market.table("fund_events", f"fund_code IN ({codes})").equals(before)


@pytest.mark.slow
def test_lists_that_cannot_be_had_do_not_stop_the_evening(blind_market):
    """Stops a ban on one address from costing the market's NAVs."""
    market = blind_market

    def refuse(events):
        raise TransportError("dividend_list from fund.eastmoney.com: status 503")

    result = market.run("daily_pipeline", FRIDAY, events=refuse)
    assert result.success and "fund_metrics" in executed(result)
    check = checks(result)["fund_events", "R18_events_current"]
    assert not check.passed and "status 503" in cases(check)
    again = market.run("daily_collection", "2026-09-18T21:50:00")
    assert metadata(again, "fund_events")["asked"], (
        "lists that were not had are asked for again"
    )


@pytest.mark.slow
def test_two_sources_that_differ_are_both_kept(tmp_path):
    """Stops one of two contradicting values from vanishing in silence (R19)."""
    market = Market(tmp_path)

    def odd(events):
        frame = events.frame.copy()
        first = frame.index[frame["kind"] == "dividend"][0]
        frame.loc[first, "value"] += 0.01
        return replace(events, frame=frame)

    market.run("daily_collection", THURSDAY, events=odd)
    result = market.run("daily_collection", "2026-09-17T21:50:00")
    check = checks(result)["fund_events", "R19_events_agree"]
    assert not check.passed and check.severity.value == "WARN"
    stored = market.table("fund_events")
    differs = stored[(stored["history_value"] - stored["list_value"]).abs() > 0.005]
    assert len(differs) == 2, "one a year"
    assert (differs["value"] == differs["history_value"]).all()
    for row in differs.itertuples():
        said = f"{row.history_value:g} in the history, {row.list_value:g} in the market's list"
        assert said in cases(check)


def answer(endpoint, body):
    return Answer(endpoint, "", 200, {}, body, sha256(body).hexdigest())


class Lists:
    """A gateway of lists that change under the reader: `moves` says before which request."""

    def __init__(self, moves):
        self.rows = [(f"{n:06d}", "a", "2026-01-05", "2026-01-06", "0.1", "2026-01-07")
                     for n in range(100, 110)]  # fmt: skip
        self.moves, self.asked = moves, []

    def fetch(self, endpoint, url, params, headers, **more):
        page = int(params["page"])
        if endpoint == "split_list":
            return answer(endpoint, wire.event_list("split", [], page=1, pages=1, size=3))
        self.asked.append(page)
        if (move := self.moves.get(len(self.asked))) is not None:
            self.rows = move(self.rows)
        pages = -(-len(self.rows) // 3)
        shown = [list(row) for row in self.rows[(page - 1) * 3 : page * 3]]
        body = wire.event_list("dividend", shown, page=page, pages=pages, size=3)
        return answer(endpoint, body)


def told_of(lists):
    return EastmoneySource(lists).events(2026)


NEW = ("000001", "a", "2026-01-05", "2026-01-06", "0.2", "2026-01-07")


@pytest.mark.parametrize(
    ("before", "move"),
    [
        (4, lambda rows: [NEW, *rows]),  # a repeat: what was the last of page 2 comes again
        (4, lambda rows: rows[1:]),  # a hole: the first of page 3 is on page 2 by now
        (4, lambda rows: [*rows[:4], *rows[5:]]),  # the same, from a page that was read
        (
            2,
            lambda rows: [NEW, *(("000002", *NEW[1:]), ("000003", *NEW[1:])), *rows],
        ),  # a page more
    ],
)
def test_pages_that_moved_are_asked_for_again(before, move):
    """Stops an event that slips from one page to another between two requests from being lost,
    or from being there twice."""
    lists = Lists({before: move})
    found = told_of(lists)
    assert found.frame["fund_code"].tolist() == sorted({row[0] for row in lists.rows})
    assert found.moved == ()
    assert lists.asked.count(1) == 3 or lists.asked[-1] == 1
    assert told_of(Lists({})).frame["fund_code"].tolist() == [
        f"{n:06d}" for n in range(100, 110)
    ]


def test_pages_that_go_on_moving_are_told():
    """Stops a list that was never whole from being stored as if it were."""
    moves = {n: (lambda rows: rows[1:]) for n in range(2, 30, 3)}
    with pytest.raises(
        TruncatedError, match=r"dividend_list of 2026, read 3 times: .*try again"
    ):
        told_of(Lists(moves))
    twice = Lists({1: lambda rows: [*rows[:6], *rows[4:]]})
    found = told_of(twice)
    assert found.moved == (
        "dividend_list of 2026, read 3 times: events are on two pages: dividend 000104 "
        "20260106 on pages 2 and 3, dividend 000105 20260106 on pages 2 and 3",
    )
    assert len(found.frame) == 10 and (found.frame["value"] == 0.1).all()


def test_a_list_whose_pages_moved_is_told_at_the_asset(blind_market):
    """Stops a warning of the source from ending in a report that nobody reads."""
    said = "dividend_list of 2026, read 3 times: events are on two pages: …"
    result = blind_market.run(
        "daily_collection", FRIDAY, events=lambda told: replace(told, moved=(said,))
    )
    check = checks(result)["fund_events", "R18_events_moved"]
    assert not check.passed and check.severity.value == "WARN" and said in cases(check)
    assert metadata(result, "fund_events")["lists_moved"] == 2


@pytest.mark.slow
def test_every_index_of_the_market_is_the_true_one(tmp_path):
    """Stops any kind of event, gap or fund from bending an index: 300 funds, all events known."""
    both = evidence.simulated_beside_truth(tmp_path)
    assert both["fund_code"].nunique() == 299 and len(both) > 100_000
    np.testing.assert_allclose(both["ours"], both["truth"], rtol=1e-9)


def test_the_lists_over_the_wire_are_the_true_ones(tmp_path, monkeypatch):
    """Stops a page, a split or a digit from being lost between the source and us."""
    monkeypatch.setattr(content, "EVENTS_A_PAGE", 4)
    market = Market(tmp_path)
    source = market.platform(THURSDAY).source
    with MarketServer(content_from_source(source)) as server, server.as_environment():
        gateway = Gateway(Limits(requests_per_second=1000.0))
        found = EastmoneySource(gateway).events(2026)
        true = source.events(2026).frame
        names = ["fund_code", "ex_date", "kind", "value"]
        assert found.frame[names].equals(true[names])
        dividends = int((true["kind"] == "dividend").sum())
        pages = -(-dividends // 4)
        # The first page and the last are asked for twice, around the others.
        assert pages > 2 and server.count("dividend_list") == pages + 2
        assert server.count("split_list") == 1
        endpoints = [p.endpoint for p in found.payloads]
        assert endpoints == ["dividend_list"] * pages + ["split_list"]
        ours = [path for name, _, path, _ in server.requests if name.endswith("_list")]
        server.reset()
        paid, ratios = ak.fund_fh_em(year="2026"), ak.fund_cf_em(year="2026")
        theirs = [path for name, _, path, _ in server.requests if name.endswith("_list")]
        assert set(ours) == set(theirs), "we ask as akshare does"
        dividend, split = (true[true["kind"] == kind] for kind in ("dividend", "split"))
        assert paid["分红"].tolist() == dividend["value"].tolist()
        assert ratios["拆分折算"].tolist() == split["value"].tolist()


def test_an_unusual_split_is_used_from_the_day_that_proves_it(market):
    """Stops a list that is as it was yesterday from leaving out what has been proven since."""
    codes = market.table("validated_nav", "acc_nav IS NOT NULL")["fund_code"].value_counts()
    code = codes.index[0]
    before, day = sorted(market.table("validated_nav", f"fund_code = '{code}'")["nav_date"])[
        -2:
    ]

    def told(events):
        row = {
            "fund_code": code,
            "ex_date": day,
            "kind": "split",
            "value": 46.7384,
            "text": "x",
        }
        more = pd.concat([events.frame, pd.DataFrame([row])], ignore_index=True)
        more = more.astype(events.frame.dtypes)
        return replace(events, frame=more) if events.year == 2026 else events

    platform = market.platform(FRIDAY, events=told)

    def refresh():
        return refresh_events(
            platform.warehouse, platform.source, platform.now, even_if_asked=True
        )

    def stored():
        return len(market.table("fund_events", f"fund_code = '{code}' AND value = 46.7384"))

    first = refresh()
    assert stored() == 0 and "a split of 46.7384 is unusual" in " ".join(first.impossible)
    again = refresh()
    assert again.batch_id == ""
    with market.warehouse.transaction(writes=True) as connection:
        for date, unit, acc in ((before, 60.1, 60.1), (day, 1.2871, 60.157)):
            connection.exec_driver_sql(
                f"UPDATE validated_nav SET unit_nav = {unit}, acc_nav = {acc} "
                f"WHERE fund_code = '{code}' AND nav_date = {date}"
            )
    proven = refresh()
    assert proven.batch_id not in ("", first.batch_id) and proven.impossible == []
    assert stored() == 1
    assert refresh().batch_id == ""
    platform.warehouse.close()
