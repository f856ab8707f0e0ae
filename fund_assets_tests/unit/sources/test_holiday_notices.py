"""The notices on holidays of thirteen years, read into sessions; the installed calendar judges.

`notices/` holds the texts of 国务院办公厅 and of the Shanghai exchange in the notices' own
wording. exchange_calendars, which knows the sessions that really were, is the other witness.
"""

from datetime import date
from pathlib import Path

import pytest

from fund_assets.calendar import (
    CalendarError,
    TradingCalendar,
    exchange_sessions,
)
from fund_assets.pipeline.announcements import announce
from fund_assets.sources.holiday_notices import NoticeError, page_text, read_notices

NOTICES = Path(__file__).resolve().parents[2] / "notices"
COUNCIL = (NOTICES / "council-2026.txt").read_text()
EXCHANGE = (NOTICES / "exchange-2026.txt").read_text()
AMENDED = {2015: ["-added"], 2019: ["-changed"], 2020: ["-extended"]}


def read(*names):
    return [
        notice
        for name in names
        for notice in read_notices((NOTICES / f"{name}.txt").read_text(), name)
    ]


def until(year):
    """The calendar as it would be if nothing after that year were announced."""
    known = tuple(key for key in exchange_sessions() if key // 10_000 <= year)
    return TradingCalendar(known, date(year, 12, 31))


def sessions(year):
    return [key for key in exchange_sessions() if key // 10_000 == year]


def opened(found, year):
    return sorted(
        key for key, is_open in found.days.items() if is_open and key // 10_000 == year
    )


def names(kind, year):
    amended = AMENDED.get(year, []) if kind == "council" or year == 2020 else []
    return [f"{kind}-{year}{end}" for end in ["", *amended]]


@pytest.mark.parametrize("year", range(2014, 2027))
def test_the_councils_notices_are_the_sessions_of_the_year(year):
    """Stops a holiday that is lost, shifted or doubled; a make-up Saturday as a session."""
    later = names("council", 2019) if year == 2018 else []  # which closed 2018-12-31
    found = announce(read(*names("council", year), *later), until(year - 1), {})
    assert opened(found, year) == sessions(year)


@pytest.mark.parametrize("year", [2009, 2016, *range(2020, 2027)])
def test_the_exchanges_notices_are_the_sessions_of_the_year(year):
    """Stops the same for the exchange's wording, of which the council's is no witness."""
    found = announce(read(*names("exchange", year)), until(year - 1), {})
    assert opened(found, year) == sessions(year)
    assert found.advised == () and found.kinds == {year: ("exchange",)}


@pytest.mark.parametrize("year", [2016, *range(2020, 2027)])
def test_both_notices_of_a_year_agree(year):
    """Stops a false difference: 2024-02-09 was advised by one and closed by the other."""
    both = names("council", year) + names("exchange", year)
    found = announce(read(*both), until(year - 1), {})
    assert opened(found, year) == sessions(year)
    assert found.kinds == {year: ("exchange", "council")} and found.advised == ()


def test_years_follow_one_another():
    """Stops a chain of notices from losing a day at a turn of the year, as at that of 2018."""
    all_of_them = [name for year in range(2014, 2027) for name in names("council", year)]
    found = announce(read(*all_of_them), until(2013), {})
    assert [k for k, o in sorted(found.days.items()) if o] == [
        key for key in exchange_sessions() if key > 20140000
    ]
    assert found.changed == (date(2018, 12, 31),)


def test_an_amendment_changes_known_days():
    """Stops the extended holiday of 2020 from being refused as a difference."""
    before = TradingCalendar.build({20200131: True})
    for kind in ("council", "exchange"):
        found = announce(read(f"{kind}-2020-extended"), before, {})
        assert found.days == {20200131: False} and found.changed == (date(2020, 1, 31),)
    assert announce(read("council-2020-extended"), TradingCalendar.build(), {}).days == {}
    may = TradingCalendar.build({20190502: True, 20190503: True})
    found = announce(read("council-2019-changed"), may, {})
    assert found.days == {20190502: False, 20190503: False}


def test_the_exchanges_notice_of_one_holiday_is_verified():
    """Stops what the exchange publishes before each holiday from passing for a cut year."""
    text = """关于2020年国庆节、中秋节休市安排的公告
    根据《关于上海证券交易所2020年全年休市安排的通知》，现将2020年国庆节、中秋节休市有关安排通知如下。
    一、休市安排：10月1日（星期四）至10月8日（星期四）休市，10月9日（星期五）起照常开市。另外，
    9月27日（星期日）、10月10日（星期六）为周末休市。"""
    (notice,) = read_notices(text, "n")
    assert (notice.kind, notice.year, notice.amends) == ("exchange", 2020, True)
    assert announce([notice], TradingCalendar.build(), {}).days == {}
    found = announce([notice], TradingCalendar.build({20201008: True}), {})
    assert found.days == {20201008: False}
    with pytest.raises(CalendarError, match="import it together with the year's notice"):
        announce([notice], until(2019), {})


def test_a_known_year_is_verified_and_nothing_entered():
    """Stops an import that stores what is known, or hides that a notice differs from it."""
    known = TradingCalendar.build()
    assert announce(read("council-2026", "exchange-2026"), known, {}).days == {}
    with pytest.raises(CalendarError, match="council-2020, line 1: 2020-01-31 is open there"):
        announce(read("council-2020"), known, {})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("4月4日（周六）至6日", "4月3日（周五）至6日", "are 4 days, not 3"),
        ("6月19日（周五）至", "6月18日（周五）至", "line 10: 2026-06-18 is a 星期四, not 周五"),
        (
            "2月28日（周六）上班",
            "2月29日（周六）上班",
            "line 7: 2月29日(周六) of 2026 is not a date",
        ),
        ("3日（周六）放假调休，共3天", "13日（周二）照旧", "line 6: the text on 1月1日"),
        (
            "六、中秋节：9月25日（周五）至27日（周日）放假，共3天。\n",
            "",
            "does not mention 中秋节",
        ),
        (
            "5月1日（周五）至5日（周二）",
            "5月1日至31日",
            "2026-05-01 to 2026-05-31 is not a holiday",
        ),
        ("5月9日（周六）上班", "5月8日（周五）上班", "2026-05-08 is a weekday, not a weekend"),
        (
            "4月4日（周六）至6日（周一）放假，共3天",
            "4月4日（周六）至6日（周一）放假公休，共4天",
            "are 3 days, not 4",
        ),
        ("2026年", "2027年", "is a 星期五, not 周四"),
        ("国务院办公厅关于2026年", "某某关于2026年", None),
    ],
)
def test_a_torn_or_mistyped_notice_is_refused_by_line(old, new, said):
    """Stops a wrong day that would be entered, and messages without the place."""
    assert old in COUNCIL
    text = COUNCIL.replace(old, new)
    if said is None:  # the body alone says whose it is
        assert set(read_notices(text, "n")[0].closed) == set(read("council-2026")[0].closed)
        return
    with pytest.raises(NoticeError, match="n, line") as refused:
        read_notices(text, "n")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2月24日（星期二）起", "2月25日（星期三）起", "2026-02-24 is not mentioned"),
        ("1月5日（星期一）起", "1月4日（星期日）起", "the exchange never opens then"),
        ("5月9日（星期六）为周末", "5月8日（星期五）为周末", "2026-05-08 is a weekday"),
        ("2月24日（星期二）起", "2月23日（星期一）起", "both a closed and an open day"),
    ],
)
def test_the_exchanges_notice_must_fit_itself(old, new, said):
    """Stops a mistyped day of reopening: it is said twice, once by the range."""
    assert old in EXCHANGE
    with pytest.raises(NoticeError) as refused:
        read_notices(EXCHANGE.replace(old, new), "n")
    assert said in str(refused.value)


def test_two_notices_that_differ_are_refused():
    """Stops one witness from winning unheard; the exchange's alone is the way out."""
    text = EXCHANGE.replace(
        "5月1日（星期五）至5月5日（星期二）休市，5月6日（星期三）起",
        "5月1日（星期五）至5月4日（星期一）休市，5月5日（星期二）起",
    )
    assert text != EXCHANGE
    other = read_notices(text, "other")
    with pytest.raises(CalendarError, match="differ on 1 weekdays: 2026-05-05") as refused:
        announce([*read("council-2026"), *other], until(2025), {})
    assert "import only its notice" in str(refused.value)
    assert 20260505 in opened(announce(other, until(2025), {}), 2026)
    with pytest.raises(CalendarError, match="two notices of the exchange on 2026"):
        announce([*read("exchange-2026"), *other], until(2025), {})


def test_entered_days_are_replaced_only_when_asked(monkeypatch):
    """Stops a later notice from changing entered days in silence, or from never doing so."""
    monkeypatch.setattr(
        "fund_assets.pipeline.announcements.packaged_end", lambda: date(2025, 12, 31)
    )
    entered = {**announce(read("council-2026"), until(2025), {}).days, 20260216: True}
    known = TradingCalendar(
        tuple(sorted({*until(2025).sessions, *(k for k, o in entered.items() if o)})),
        date(2026, 12, 31),
    )
    with pytest.raises(CalendarError, match=r"2026-02-16 is closed there.*--replace"):
        announce(read("exchange-2026"), known, entered)
    found = announce(read("exchange-2026"), known, entered, replace=True)
    assert found.days == {20260216: False} and found.changed == (date(2026, 2, 16),)


def test_a_year_is_not_left_out():
    """Stops a year of which nothing is known from being taken for one without sessions."""
    with pytest.raises(CalendarError, match="import the notice of 2025 first"):
        announce(read("council-2026"), until(2024), {})
    with pytest.raises(CalendarError, match="import it together with the year's notice"):
        announce(read("council-2020-extended"), until(2019), {})


def test_what_is_only_advised_is_told(monkeypatch):
    """Stops an advice from passing for an order: the exchange may trade on that day."""
    monkeypatch.setattr(
        "fund_assets.pipeline.announcements.packaged_end", lambda: date(2023, 12, 31)
    )
    found = announce(read("council-2024"), until(2023), {})
    assert found.advised == (date(2024, 2, 9),) and found.days[20240209] is False


@pytest.mark.parametrize(
    "form", ["page", "gb18030", "one line", "half-width", "twice", "utf-16", "hidden"]
)
def test_notices_as_people_save_them(form):
    """Stops a parser that knows one way of saving a text only."""
    body = COUNCIL.encode()
    if form == "page":
        rows = "".join(f"<p>&emsp;{line}</p>\n" for line in COUNCIL.splitlines())
        body = f"<html><script>var 2027年=1</script><body>{rows}</body></html>".encode()
    elif form == "gb18030":
        body = COUNCIL.encode("gb18030")
    elif form == "one line":
        body = COUNCIL.replace("\n", " ").encode()
    elif form == "half-width":
        for wide, narrow in zip("（），：", "(),:", strict=True):
            body = body.replace(wide.encode(), narrow.encode())
    elif form == "utf-16":
        body = COUNCIL.encode("utf-16")
    elif form == "hidden":
        body = COUNCIL.replace("月", "\u200b月\xad").encode()
    elif form == "twice":
        body = f"首页 > {COUNCIL}{EXCHANGE}".encode()
    found = read_notices(page_text(body, "n"), "n")
    assert set(found[0].closed) == set(read("council-2026")[0].closed)
    assert [n.kind for n in found] == ["council", "exchange"][: len(found)]
    assert len(found) == 1 + (form == "twice")


def test_no_notice_at_all():
    """Stops an empty or foreign text from being taken for a year without holidays."""
    for text in ("", "明天休息", "<html>登录</html>"):
        with pytest.raises(NoticeError, match="no notice on holidays found"):
            read_notices(text, "standard input")
    with pytest.raises(NoticeError, match="not text in UTF-8"):
        page_text(b"\xff\xff\xff", "n")


def test_the_fixtures_are_of_the_years_they_say():
    """Stops fixtures that test less than they promise."""
    for path in NOTICES.glob("*.txt"):
        (notice,) = read_notices(path.read_text(), path.name)
        assert path.name.startswith(f"{notice.kind}-{notice.year}")
        assert notice.amends == (path.stem.count("-") == 2)
        assert all(abs(day.year - notice.year) <= 1 for day in notice.closed)
