"""The history of statuses: written with each wave, right after replays and returns."""

from dataclasses import replace
from datetime import date, datetime
from math import inf, isnan

import pandas as pd
import pytest
from click.testing import CliRunner

from fund_assets.cli import main
from fund_assets.observability.alerts import current
from fund_assets.observability.alerts.facts import look
from fund_assets.observability.alerts.lifecycle import advance
from fund_assets.pipeline.fund_nav import collect_wave
from fund_assets.resources import Platform
from fund_assets.schemas.tables import FUND_STATUS
from fund_assets.settings import SHANGHAI
from fund_assets.sources.eastmoney.source import EastmoneySource
from fund_assets.transport.errors import TruncatedError
from fund_assets.transport.gateway import Gateway
from fund_assets.transport.limits import Limits
from fund_assets.warehouse.queries.fund_status import status_changes
from fund_assets_tests import stores
from fund_assets_tests.integration.evenings import Tampered
from fund_assets_tests.server import MarketServer, content_from_source

THURSDAY = "2026-09-17T21:40"
SOME = 24


@pytest.fixture
def evening(tmp_path):
    platform = Platform(overrides=settings(tmp_path, THURSDAY, SOME))
    yield platform
    platform.warehouse.close()


def settings(folder, clock, funds):
    return {
        "source": "simulated", "state": str(folder), "clock": clock, "sim_funds": funds,
        "warehouse_url": stores.url_for(folder),
    }  # fmt: skip


def collect(platform, at, change=lambda wave: wave, listed=lambda listed: listed):
    """A wave that arrives at a minute of the evening, changed on its way, as the list is."""
    moment = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
    source = Tampered(platform.source, wave=change, purchases=listed)
    return collect_wave(platform.warehouse, source, lambda: moment)


def shut(code):
    """A wave in which purchases of one class are suspended."""

    def change(wave):
        told = wave.statuses.copy()
        told.loc[told["fund_code"] == code, "purchase_word"] = "暂停申购"
        return replace(wave, statuses=told)

    return change


def history(platform, code):
    return platform.warehouse.tuples(
        "SELECT purchase, first_seen_at, superseded_at FROM fund_status WHERE fund_code = :code ORDER BY first_seen_at",
        code=code,
    )


def test_a_status_that_comes_back_the_same_evening_has_three_rows(evening):
    """Stops a status from being lost because no NAV changed with it, or told twice."""
    told = evening.source.wave().statuses
    code = told.loc[told["purchase_word"] == "开放申购", "fund_code"].iloc[0]
    assert collect(evening, "2026-09-17T19:00").is_new
    assert not collect(evening, "2026-09-17T19:30").is_new, "the same NAVs"
    collect(evening, "2026-09-17T20:00", shut(code))
    collect(evening, "2026-09-17T20:30", shut(code))
    collect(evening, "2026-09-17T21:00")
    assert history(evening, code) == [
        ("open", 20260917_190000, 20260917_200000),
        ("suspended", 20260917_200000, 20260917_210000),
        ("open", 20260917_210000, None),
    ]
    stored = evening.warehouse.frame("SELECT * FROM fund_status", FUND_STATUS)
    FUND_STATUS.schema.validate(stored)
    listed = evening.source.purchases().frame
    assert len(stored) == len(listed) + 2, "no other class has a second row"


def test_an_older_answer_changes_nothing(evening):
    """Stops an answer from a cache, of this evening or of the last, from opening a fund again."""
    told = evening.source.wave().statuses
    code = told.loc[told["purchase_word"] == "开放申购", "fund_code"].iloc[0]

    def older(wave):
        seen = wave.observations.copy()
        seen.loc[seen.index[0], ["unit_nav", "acc_nav", "growth_pct"]] = float("nan")
        return replace(wave, observations=seen)

    def of_the_day_before(wave):
        seen = wave.observations[wave.observations["nav_date"] != 20260917]
        return replace(
            wave,
            newest=wave.previous,
            previous=date(2026, 9, 15),
            observations=seen,
        )

    collect(evening, "2026-09-17T19:00", older)
    collect(evening, "2026-09-17T20:00", shut(code))
    assert not collect(evening, "2026-09-17T21:00", older).is_new
    assert collect(evening, "2026-09-17T21:30", of_the_day_before).is_new
    assert [row[0] for row in history(evening, code)] == ["open", "suspended"]
    collect(evening, "2026-09-17T22:00")
    assert [row[0] for row in history(evening, code)] == ["open", "suspended", "open"]


def limited(code, yuan, word="限大额"):
    """A list of purchases in which one class has a limit."""

    def change(listed):
        told = listed.frame.copy()
        told.loc[told["fund_code"] == code, ["purchase_word", "daily_limit"]] = [word, yuan]
        return replace(listed, frame=told)

    return change


def no_list(listed):
    raise TruncatedError("the list of purchases, read 3 times: it moved")


def an_open_class(platform, page="open"):
    """A class that can be bought without a limit."""
    told = platform.source.purchases().frame
    told = told[(told["purchase_word"] == "开放申购") & (told["daily_limit"] == inf)]
    on_page = platform.source.wave().statuses["fund_code"]
    return told.loc[told["fund_code"].isin(on_page) == (page == "open"), "fund_code"].iloc[0]


def looked_at(platform, states, watched="", mode="watched"):
    """What a look tells of purchases, and the states after it."""
    settings = {**platform.overrides, "watch_list": watched, "alert_limit_changes": mode}
    other = Platform(overrides={**settings, "clock": platform.now().isoformat()})
    found = look(other, None, platform.now())
    other.warehouse.close()
    told = [alert for alert in current.alerts(found) if alert.kind == "limit_changed"]
    changed, notifications = advance(states, told, platform.now())
    states |= {state.fingerprint: state for state in changed}
    return [t.state.words for t in notifications]


def test_a_limit_that_comes_and_goes_the_same_evening_is_told_twice_and_kept(tmp_path):
    """Stops a limit from being lost in history, told again with each look, or told of a class
    that nobody watches."""
    states, words = {}, []
    platform = Platform(overrides=settings(tmp_path, "2026-09-17T19:00", SOME))
    code = an_open_class(platform, "money")
    for hour, change in (
        (19, None),
        (20, limited(code, 1000.0)),
        (21, limited(code, 500.0)),
        (22, None),
    ):
        at = f"2026-09-17T{hour}:00"
        platform = Platform(overrides=settings(tmp_path, at, SOME))
        collect(platform, at, listed=change or (lambda listed: listed))
        for _ in range(2):
            words += looked_at(platform, states, watched=code)
        assert looked_at(platform, {}, watched="999999") == []
        assert looked_at(platform, {}, watched=code, mode="none") == []
        if hour < 22:
            platform.warehouse.close()
    name = platform.warehouse.tuples("SELECT name FROM fund_info WHERE fund_code = :c", c=code)[
        0
    ][0]
    assert words == [
        f"{name}：开放 → 限大额（每天 1,000 元）",
        f"{name}：限大额（每天 1,000 元） → 限大额（每天 500 元）",
        f"{name}：限大额（每天 500 元） → 开放",
    ]
    market = looked_at(platform, {}, mode="all")
    assert len(market) == 3 and all(w.startswith("1 只（限额变化 1）") for w in market)
    kept = platform.warehouse.tuples(
        "SELECT limit_state, daily_limit, first_seen_at, superseded_at FROM fund_status "
        "WHERE fund_code = :code ORDER BY first_seen_at",
        code=code,
    )
    hours = [20260917_190000, 20260917_200000, 20260917_210000, 20260917_220000, None]
    limits = [("unlimited", None), ("limited", 1000.0), ("limited", 500.0), ("unlimited", None)]
    assert kept == [(*limit, *hours[n : n + 2]) for n, limit in enumerate(limits)]
    as_of = "first_seen_at <= :t AND (superseded_at IS NULL OR superseded_at > :t)"
    for at, limit in (
        (20260917_205959, 1000.0),
        (20260917_210000, 500.0),
        (20260917_230000, None),
    ):
        (row,) = platform.warehouse.tuples(
            f"SELECT daily_limit FROM fund_status WHERE fund_code = :code AND {as_of}",
            code=code, t=at,
        )  # fmt: skip
        assert row == (limit,)
    platform.warehouse.close()


def test_a_list_that_fails_holds_up_no_wave_and_changes_no_limit(evening):
    """Stops a list of purchases from costing an evening's NAVs, or from lifting every limit."""
    code = an_open_class(evening)
    collect(evening, "2026-09-17T19:00", listed=limited(code, 1000.0))
    found = collect(evening, "2026-09-17T20:00", shut(code), listed=no_list)
    assert found.purchases_failed == (
        "TruncatedError: the list of purchases, read 3 times: it moved"
    )
    assert evening.warehouse.tuples(
        "SELECT purchase, daily_limit FROM fund_status WHERE fund_code = :code "
        "ORDER BY first_seen_at",
        code=code,
    ) == [("open", 1000.0), ("suspended", 1000.0)]
    told = status_changes(evening.warehouse, 20260917_000000)
    assert [(one.fund_code, one.kind) for one in told] == [(code, "closed")]
    stored = evening.warehouse.count("SELECT COUNT(*) FROM fund_nav")
    assert stored == len(found.wave.observations)


def test_a_class_that_no_list_of_funds_has_gets_no_status(evening):
    """Stops a code of the list of purchases from breaking the reference to fund_info."""

    def with_another(listed):
        more = listed.frame.head(1).assign(fund_code="999998")
        return replace(listed, frame=pd.concat([listed.frame, more], ignore_index=True))

    collect(evening, "2026-09-17T19:00", listed=with_another)
    assert history(evening, "999998") == []


BUY = ("开放申购", "限大额")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["in memory", "over HTTP"])
def test_twenty_evenings_tell_each_change_once_and_none_falsely(tmp_path, way):
    """Stops changes from being missed, repeated or invented over some weeks of waves and lists,
    with one evening on which no list comes."""
    expected, changes, last, told, states = [], [], {}, [], {}
    served = content_from_source(None)
    with MarketServer(served) as server, server.as_environment():
        gateway = Gateway(Limits(attempts=1, requests_per_second=10_000, deadline_s=30))
        for number, day in enumerate(pd.bdate_range("2026-08-24", periods=20)):
            for hour in (19, 22):
                at = f"{day:%Y-%m-%d}T{hour}:00"
                platform = Platform(overrides=settings(tmp_path, at, 200))
                served._source, market = platform.source, platform.source
                vars(served).pop("_types", None)
                source = market if way == "in memory" else EastmoneySource(gateway)
                listed = no_list if number == 9 else lambda listed: listed
                tampered = Tampered(source, purchases=listed)
                report = collect_wave(platform.warehouse, tampered, platform.now)
                assert bool(report.purchases_failed) == (number == 9)
                for code, seen in seen_on(market, with_list=number != 9).items():
                    before = last.get(code)
                    now = {**(before or {}), **seen}
                    if now != before:
                        expected.append((code, int(f"{day:%Y%m%d}{hour}0000"), *now.values()))
                        changes += [code] if is_told(before, now) else []
                    last[code] = now
                told += looked_at(platform, states, mode="all")
                told += looked_at(platform, states, mode="all")
                stored = platform.warehouse.tuples(
                    "SELECT fund_code, first_seen_at, purchase_word, redemption_word, fee, full_fee, "
                    "least_amount, limit_state, daily_limit, next_open_date "
                    "FROM fund_status ORDER BY fund_code, first_seen_at"
                )
                found = status_changes(platform.warehouse, 0)
                platform.warehouse.close()
    assert stored == sorted(expected, key=lambda row: row[:2])
    assert len(expected) > 1.1 * len(last), "some have changed"
    assert sorted(one.fund_code for one in found) == sorted(changes)
    assert {"opened", "closed", "limit"} <= {one.kind for one in found}
    assert sum(int(words.partition(" 只（")[0]) for words in told) == len(changes)


def seen_on(market, *, with_list):
    """What an evening says of each class, as the test reads it."""
    page = market.wave().statuses.set_index("fund_code")
    listed = market.purchases().frame.set_index("fund_code")
    found = {}
    for code, row in page.iterrows():
        found[code] = {
            "purchase": row.purchase_word, "redemption": row.redemption_word, "fee": row.fee,
            "full_fee": row.full_fee,
        }  # fmt: skip
    for code, row in listed.iterrows() if with_list else ():
        limit = row.daily_limit
        fee = None if isnan(row.fee) else row.fee
        mine = {
            "purchase": row.purchase_word, "redemption": row.redemption_word, "fee": fee,
            "full_fee": None,
        }  # fmt: skip
        found[code] = found.get(code, mine) | {
            "least": row.least_amount,
            "state": "unlimited" if limit == inf else "limited" if limit else "unstated",
            "limit": limit if 0 < limit < inf else None,
            "opens": None if pd.isna(row.next_open_date) else row.next_open_date,
        }
    return found


def is_told(before, now):
    """Whether a change is one of purchases, redemptions or a limit that can be used."""
    if before is None:
        return False
    could, can = (one["purchase"] in BUY for one in (before, now))
    if could and can and (before["state"], before["limit"]) != (now["state"], now["limit"]):
        return True
    names = ("purchase", "redemption")
    return any(before[name] != now[name] for name in names)


def test_the_command_shows_the_history(evening, tmp_path):
    """Stops what a status was before from being shown as it is, or not at all."""
    told = evening.source.wave().statuses
    code = told.loc[told["purchase_word"] == "开放申购", "fund_code"].iloc[0]
    shown = {**stores.environment(tmp_path), "FUND_CLOCK": THURSDAY, "COLUMNS": "200"}
    collect(evening, "2026-09-17T19:00")
    before = CliRunner().invoke(main, ["fund", code], env=shown)
    collect(evening, "2026-09-17T20:00", shut(code))
    after = CliRunner().invoke(main, ["fund", code], env=shown)
    assert before.exit_code == after.exit_code == 0, before.output + after.output
    assert "open (开放申购)" in before.output and "2026-09-17 19:00" not in before.output
    assert "stopped (暂停申购)" in after.output
    assert "2026-09-17 19:00" in after.output and "2026-09-17 20:00" in after.output
