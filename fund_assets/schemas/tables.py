"""The tables of the warehouse, each declared once.

Does not belong here: columns that several tables share (`columns.py`), rules over more
than one value (`checks/rules.py`), SQL (`warehouse/`).
"""

from fund_assets.schemas.columns import (
    AS_SEEN,
    BATCH_ID,
    DAYS_COVERED,
    FIRST_SEEN_AT,
    FUND_CODE,
    NAV_DATE,
    OBSERVED,
    RETURN_STATUS,
    SUPERSEDED_AT,
    TOTAL_RETURN_INDEX,
)
from fund_assets.schemas.kinds import KINDS
from fund_assets.schemas.statuses import LIMIT_STATES, MAX_WORD, NO_LIMIT_FROM, STATUSES
from fund_assets.schemas.table import Column, Kind, Table

MAX_NAME = 200
#: Why a row stands in the ledger: a refinement tells a sum of days day by day.
LEDGER_KINDS = ("correction", "refinement", "filling")
#: What a correction of a NAV obliges its manager to; the limits stand in `nav/rules.py`.
LEGAL_LEVELS = ("none", "report", "announce")

FUND_INFO = Table(
    name="fund_info",
    grain="one row per share class ever seen",
    why="Which funds exist, of what kind, and whether the market still lists them. Rows are "
    "never deleted: a liquidated fund keeps its history.",
    columns=(
        FUND_CODE,
        Column("name", Kind.TEXT, "short name 基金简称, every character as listed", max_length=MAX_NAME),
        Column("fund_type", Kind.TEXT, "type 基金类型 as listed; empty when the list lacks it"),
        Column("kind", Kind.TEXT, "kind that the type is below", isin=tuple(KINDS)),
        Column("family", Kind.TEXT, "the portfolio: the name that its classes share, a guess from names", max_length=MAX_NAME),
        Column("pinyin", Kind.TEXT, "abbreviation 拼音缩写 for look-ups"),
        Column("status", Kind.TEXT, "listed, or delisted: the market's list does not have it", isin=("listed", "delisted")),
        Column("first_seen_on", Kind.DATE, "first date on which this platform saw it", "yyyymmdd"),
        Column("last_seen_on", Kind.DATE, "last date on which the market's list had it; of a class that was in no list: its last NAV date", "yyyymmdd"),
    ),
    primary_key=("fund_code",),
)  # fmt: skip

PAST_LIST = Table(
    name="past_list",
    grain="one row per share class and list of a past date that a user gave",
    why="Which classes the market had on a past date: a file of codes, given with "
    "`fund-assets collect --codes-from`. The source's list of today has no class that ended before "
    "the first evening of this platform.",
    columns=(
        Column("list_date", Kind.DATE, "the date of which the list is", "yyyymmdd"),
        FUND_CODE,
        Column("name", Kind.TEXT, "short name in the file; empty when the file has none", max_length=MAX_NAME),
        Column("fund_type", Kind.TEXT, "type in the file; empty when the file has none"),
        Column("given_at", Kind.STAMP, "when it was given", "yyyymmddhhmmss"),
    ),
    primary_key=("list_date", "fund_code"),
    indexes=(("fund_code",),),
)  # fmt: skip

#: What became of asking for a fund's whole history.
HISTORY_STATES = ("stored", "nothing", "refused", "failed")

HISTORY_PROGRESS = Table(
    name="history_progress",
    grain="one row per share class whose whole history was requested",
    why="How far the backfill of histories is: written in the transaction that lands them, so "
        "that a killed run continues with the next fund.",
    columns=(
        FUND_CODE,
        Column("state", Kind.TEXT, "stored: the history landed. nothing: the source has none. "
                                   "refused: what it answered cannot be used. failed: no "
                                   "answer came, it is requested again", isin=HISTORY_STATES),
        Column("asked_at", Kind.STAMP, "when it was last requested", "yyyymmddhhmmss"),
        Column("stored_at", Kind.STAMP, "when a history of it last landed", "yyyymmddhhmmss", nullable=True),
        Column("last_nav_date", Kind.DATE, "newest date in that history", "yyyymmdd", nullable=True),
        Column("nav_dates", Kind.INT, "dates in that history", nullable=True, ge=0),
        Column("answer", Kind.TEXT, "sha256 of the answer that was last processed; empty when "
                                    "none came", max_length=64),
        Column("attempts", Kind.INT, "how often it was requested since a history landed", ge=0),
        Column("last_error", Kind.TEXT, "why it did not land at the last request; empty "
                                        "otherwise", max_length=600),
    ),
    primary_key=("fund_code",),
)  # fmt: skip

COLLECTION_BATCH = Table(
    name="collection_batch",
    grain="one row per distinct answer of the source",
    why="What was collected, when, from which bytes, and its state. The id is made from the "
        "content: collecting the same answer twice is one batch.",
    columns=(
        BATCH_ID,
        Column("kind", Kind.TEXT, "wave: the whole market's newest two dates. history: whole "
                                  "histories of some funds. events: dividends and splits of "
                                  "the market. desk: held observations that a person "
                                  "accepted, that today's rules accepted, or that a witness "
                                  "decided", isin=("wave", "history", "events", "desk")),
        Column("source", Kind.TEXT, "source it came from"),
        Column("newest_date", Kind.DATE, "wave: first date of the snapshot's header. history: "
                                         "newest date in it. events: newest ex-date. desk: "
                                         "newest date accepted, or that of the batch "
                                         "validated again", "yyyymmdd"),
        Column("previous_date", Kind.DATE, "wave: second date of the snapshot's header", "yyyymmdd", nullable=True),
        Column("collected_at", Kind.STAMP, "when the last answer of it arrived. desk: when it was decided", "yyyymmddhhmmss"),
        Column("rows_read", Kind.INT, "observations (fund and date) in it, those not yet published included; events: events", ge=0),
        Column("payloads", Kind.TEXT, "JSON list of answers: endpoint, sha256, bytes, rows, decoder", max_length=1_000_000),
        Column("state", Kind.TEXT, "landed: waits for the rules. held: a blocking rule stopped it. published: merged", isin=("landed", "held", "published")),
        Column("held_because", Kind.TEXT, "rules that stopped it and what clears them; who "
                                          "accepted it and why, if a person did; empty "
                                          "otherwise", max_length=2_000),
    ),
    primary_key=("batch_id",),
)  # fmt: skip

FUND_NAV = Table(
    name="fund_nav",
    grain="one row per share class, valuation date and collection batch",
    why="The landing zone: what was seen, as it was seen. An empty cell of the source means "
    "not yet published and is a row of NULLs. Merged rows are pruned after a while; use "
    "validated_nav for research.",
    columns=(
        FUND_CODE,
        NAV_DATE,
        BATCH_ID,
        *AS_SEEN,
        Column("defect", Kind.TEXT, "what made a cell unreadable, with the field and the "
                                    "cell's text; empty otherwise", max_length=400),
    ),
    primary_key=("batch_id", "nav_date", "fund_code"),
    references={"batch_id": "collection_batch"},
)  # fmt: skip

FUND_EVENTS = Table(
    name="fund_events",
    grain="one row per share class, ex-date and kind of event",
    why="Dividends and splits: the reasons why unit NAV falls without a loss. Two sources "
        "record them, the text in a fund's history and the market-wide lists; where they "
        "differ, both values are stored and the history's is used. An inferred event comes "
        "only from published growth and accumulated NAV; a recorded one replaces it.",
    columns=(
        FUND_CODE,
        Column("ex_date", Kind.DATE, "date from which the NAV is without it", "yyyymmdd"),
        Column("kind", Kind.TEXT, "dividend or split", isin=("dividend", "split")),
        Column("value", Kind.REAL, "dividend: yuan per share. split: new shares per old share", gt=0, lt=1e6),
        Column("status", Kind.TEXT, "recorded by the source, or inferred by this platform", isin=("recorded", "inferred")),
        Column("history_value", Kind.REAL, "value in the fund's history", "as value", nullable=True, gt=0, lt=1e6),
        Column("list_value", Kind.REAL, "value in the market's list", "as value", nullable=True, gt=0, lt=1e6),
        Column("text", Kind.TEXT, "the source's wording"),
        Column("evidence", Kind.TEXT, "inferred: what the three witnesses say; empty when recorded", max_length=400),
        Column("first_batch_id", Kind.TEXT, "batch that first contained it", max_length=40),
        BATCH_ID.but(description="batch with the current values"),
    ),
    primary_key=("fund_code", "ex_date", "kind"),
    indexes=(("batch_id",),),
)  # fmt: skip

EVENT_LIST = Table(
    name="event_list",
    grain="one row per event of a market list that waits as a held batch",
    why="A year's list of dividends and splits that is shorter than before is refused and "
        "stored here as it was seen, until a person decides, lists on three days lack the "
        "same events, or a later list replaces it.",
    columns=(
        BATCH_ID,
        FUND_CODE,
        FUND_EVENTS["ex_date"],
        FUND_EVENTS["kind"],
        Column("value", Kind.REAL, "as in fund_events; empty if the list has no usable value", nullable=True, gt=0, lt=1e6),
        Column("text", Kind.TEXT, "the source's wording"),
    ),
    primary_key=("batch_id", "fund_code", "ex_date", "kind"),
    references={"batch_id": "collection_batch"},
)  # fmt: skip

VALIDATED_NAV = Table(
    name="validated_nav",
    grain="one row per share class and valuation date",
    why="The accepted history: everything research should read. Changes one batch at a time, "
    "wholly or not at all. Compute returns from total_return_index, never from unit_nav.",
    columns=(
        FUND_CODE,
        NAV_DATE,
        *OBSERVED,
        DAYS_COVERED,
        TOTAL_RETURN_INDEX,
        RETURN_STATUS,
        FIRST_SEEN_AT,
        BATCH_ID.but(description="batch with the current values"),
    ),
    primary_key=("nav_date", "fund_code"),
    indexes=(("fund_code", "nav_date"),),
    references={"fund_code": "fund_info"},
)

NAV_REVISION = Table(
    name="nav_revision",
    grain="one row per fund and date whose accepted figures were replaced later, or were "
          "filled in",
    why="With validated_nav it answers what was known at any past time. It has all five figures as "
    "they were, empty ones among them; more decimals of a growth change nothing that was accepted "
    "and make no row.",
    columns=(
        FUND_CODE,
        NAV_DATE,
        SUPERSEDED_AT,
        *OBSERVED,
        FIRST_SEEN_AT.but(description="when the earlier value had been seen first"),
        BATCH_ID.but(description="batch that had brought the earlier value"),
        Column("superseded_by", Kind.TEXT, "batch that brought the later value", max_length=40),
        Column("kind", Kind.TEXT, "correction: an accepted figure was replaced by another. "
                                  "refinement: an income for several days was replaced by the "
                                  "day's income. filling: an empty figure got its value. The "
                                  "last two correct nothing", isin=LEDGER_KINDS),
        Column("change_pct", Kind.REAL, "size of the correction of unit NAV", "percent", nullable=True),
        Column("legal_level", Kind.TEXT, "what the law requires of the manager: report (to "
                                         "regulator and custodian, from 0.25 % on), announce "
                                         "(in public as well, from 0.5 % on), none below", isin=LEGAL_LEVELS),
    ),
    primary_key=("fund_code", "nav_date", "superseded_at"),
    references={"fund_code": "fund_info"},
)  # fmt: skip

NAV_QUARANTINE = Table(
    name="nav_quarantine",
    grain="one row per observation and rule that held it back",
    why="No failed row is deleted: every refused row is stored here with its reason.",
    columns=(
        BATCH_ID,
        Column("fund_code", Kind.TEXT, "the code as the source wrote it, perhaps no valid code", max_length=64),
        NAV_DATE.but(nullable=True),
        Column("rule", Kind.TEXT, "rule that held it"),
        Column("reason", Kind.TEXT, "fund, date, field and value in words", max_length=600),
        *AS_SEEN,
        Column("state", Kind.TEXT, "held, accepted or rejected", isin=("held", "accepted", "rejected")),
        Column("created_at", Kind.STAMP, "when it was held", "yyyymmddhhmmss"),
        Column("decided_because", Kind.TEXT, "why it was accepted or rejected, empty while held", max_length=600),
        Column("decided_by", Kind.TEXT, "who decided: a person, or witness:history, "
                                        "witness:page, witness:growth (the next NAV implies "
                                        "it, or another value), witness:before (refuted when "
                                        "it was shown before), source:withdrawn (the same "
                                        "source shows another value now), rules (passes with "
                                        "what is known now); empty while held", max_length=100),
        Column("decided_at", Kind.STAMP, "when it was decided", "yyyymmddhhmmss", nullable=True),
        Column("decided_in", Kind.TEXT, "batch that merged it, empty while held and when rejected", max_length=40),
        Column("id", Kind.TEXT, "digest of batch, code, date, rule and values", max_length=40),
    ),
    primary_key=("id",),
    indexes=(("fund_code", "nav_date"), ("batch_id",)),
)  # fmt: skip

PUBLISH_LOG = Table(
    name="publish_log",
    grain="one row per published batch",
    why="Written in the transaction that merges the batch: a batch is published once. "
    "rows_read = rows_new + rows_changed + rows_filled + rows_unchanged + rows_quarantined + "
    "rows_pending. A row of it is an observation; in a batch of kind events it is an event.",
    columns=(
        BATCH_ID,
        Column("published_at", Kind.STAMP, "when the merge began", "yyyymmddhhmmss"),
        Column("newest_date", Kind.DATE, "newest date of the batch", "yyyymmdd"),
        Column("rows_read", Kind.INT, "observations in the batch", ge=0),
        Column("rows_new", Kind.INT, "dates that were not stored before", ge=0),
        Column("rows_changed", Kind.INT, "stored dates of which an accepted figure is corrected; events that changed", ge=0),
        Column("rows_filled", Kind.INT, "stored dates in which nothing is corrected: an empty "
                                        "figure is filled in, a growth has more decimals, or "
                                        "a sum of days is split into days", ge=0),
        Column("rows_unchanged", Kind.INT, "stored dates with the same values", ge=0),
        Column("rows_quarantined", Kind.INT, "held back by a rule", ge=0),
        Column("rows_pending", Kind.INT, "not yet published by the fund", ge=0),
        Column("verdicts", Kind.TEXT, "JSON: what each rule found", max_length=1_000_000),
    ),
    primary_key=("batch_id",),
    references={"batch_id": "collection_batch"},
)  # fmt: skip

WINDOWS = ("1m", "3m", "6m", "1y", "2y", "3y", "5y", "ytd", "inception")

DATE_COUNT = Table(
    name="date_count",
    grain="one row per date of the accepted history",
    why="How many accepted NAVs each date had at most. No step deletes one; a date with fewer "
    "lost them in another way: a manual SQL statement, or a bad restore. The dates of a "
    "batch are counted in its transaction when they are of the last weeks, all dates on "
    "Sundays.",
    columns=(
        NAV_DATE,
        Column("rows_most", Kind.INT, "accepted NAVs of the date when there were most", ge=1),
        Column("rows_found", Kind.INT, "when they were counted last", ge=0),
    ),
    primary_key=("nav_date",),
)

#: The days of a week that can be sessions.
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")

FUND_CADENCE = Table(
    name="fund_cadence",
    grain="one row per share class whose cadence is known",
    why="How often a fund publishes, learned from its NAVs of 60 sessions, without the newest "
    "five. Coverage counts the funds that are due by it; R13_staleness and gaps use it too. A fund "
    "with fewer than five NAVs there has no row, and is due for every session.",
    columns=(
        FUND_CODE,
        Column("usual_step", Kind.INT, "usual number of sessions from one NAV to the next: 1 daily, 5 weekly", "sessions", ge=1),
        *(
            Column(f"due_{day}", Kind.REAL, f"share of the sessions on a {day.title()} for which the fund has a NAV", "fraction", ge=0, le=1)
            for day in WEEKDAYS
        ),
    ),
    primary_key=("fund_code",),
)  # fmt: skip

ARRIVAL = Table(
    name="arrival",
    grain="one row per NAV date, wave and group of funds",
    why="How an evening's NAVs arrive. After each wave the funds of each type that have published "
    "are counted, of those that are due. The next evenings are compared with it: `arrival_band`. "
    "Rows of the last 65 sessions are kept.",
    columns=(
        Column("nav_date", Kind.DATE, "the date of the NAVs", "yyyymmdd"),
        Column("looked_at", Kind.STAMP, "when the wave was collected", "yyyymmddhhmmss"),
        Column("sessions_ago", Kind.INT, "sessions from nav_date to the newest date that the wave showed", "sessions", ge=0),
        Column("peers", Kind.TEXT, "type of the source's list; the kind of funds of undeclared types; or all", max_length=60),
        Column("published", Kind.INT, "listed funds with an accepted NAV of the date", ge=0),
        Column("due", Kind.REAL, "funds that are due by their own cadence (fund_cadence)", ge=0),
    ),
    primary_key=("nav_date", "looked_at", "peers"),
)  # fmt: skip

#: States of a share class, from its first sight to its end (`nav/life.py` says when which).
STATES = (
    "not_yet_open",
    "active",
    "resting",
    "late",
    "suspended",
    "presumed_dead",
    "terminated",
    "never_reported",
)

FUND_STATE = Table(
    name="fund_state",
    grain="one row per share class and spell in one state",
    why="The life of each fund: whether it publishes, rests, is late or has ended, since when, and by "
    "what evidence. The row without `until` is the state of today. A NAV that comes late removes the "
    "spell of its lateness; a NAV after a gap begins a new spell.",
    columns=(
        FUND_CODE,
        Column("since", Kind.DATE, "first date of the spell", "yyyymmdd"),
        Column("until", Kind.DATE, "first date after it; NULL: the state of today", "yyyymmdd", nullable=True),
        Column("state", Kind.TEXT, "not_yet_open: no NAV yet. active: publishes. resting: publishes "
                                   "weekly or less. late: a NAV is overdue. suspended: over 20 "
                                   "sessions late. presumed_dead: over 120 sessions late, still on "
                                   "the list. terminated: no NAV, and removed from the list. "
                                   "never_reported: no NAV in 180 days, or ever", isin=STATES),
        Column("evidence", Kind.TEXT, "why, with dates", max_length=300),
    ),
    primary_key=("fund_code", "since"),
    references={"fund_code": "fund_info"},
)  # fmt: skip

FUND_STATUS = Table(
    name="fund_status",
    grain="one row per share class and time in which its status, limits and fees were the same",
    why="Can a class be bought and redeemed, up to how much a day and at what fee: the words and amounts "
    "of the market page and of the list of purchases, with their history. An evening writes a row only where "
    "something differs. The row without `superseded_at` is the newest. Words and fees of open funds are the "
    "market page's; those of all other classes, and every amount, are the list's. If the list could not be read, "
    "what it says stays as it was.",
    columns=(
        FUND_CODE,
        FIRST_SEEN_AT,
        SUPERSEDED_AT.but(nullable=True, description="when it was seen that one of them had changed; NULL: it holds"),
        Column("purchase", Kind.TEXT, "open 开放申购. limited 限大额: up to an amount a day. suspended 暂停申购. "
                                      "closed_period 封闭期. initial_offer 认购期. on_exchange 场内交易. ended "
                                      "基金终止. unstated: the cell is empty. unknown: a word of no meaning "
                                      "to us", isin=tuple(dict.fromkeys(STATUSES))),
        Column("redemption", Kind.TEXT, "likewise: open 开放赎回, suspended 暂停赎回", isin=tuple(dict.fromkeys(STATUSES))),
        Column("purchase_word", Kind.TEXT, "purchase status 申购状态 as published", max_length=MAX_WORD),
        Column("redemption_word", Kind.TEXT, "redemption status 赎回状态 as published", max_length=MAX_WORD),
        Column("fee", Kind.REAL, "purchase fee after the discount of the source's shop; an empty cell keeps the last one", "fraction", nullable=True, ge=0, lt=1),
        Column("full_fee", Kind.REAL, "purchase fee without a discount; an empty cell keeps the last one", "fraction", nullable=True, ge=0, lt=1),
        Column("least_amount", Kind.REAL, "least amount of a purchase 购买起点; an empty cell keeps the last one", "yuan", nullable=True, ge=0),
        Column("limit_state", Kind.TEXT, "whether the list states a daily limit: limited: daily_limit has it. unlimited: there is "
                                         "none. unstated: the amount is 0. NULL: the list has not been read yet",
               nullable=True, isin=LIMIT_STATES),
        Column("daily_limit", Kind.REAL, "most that one buyer can buy in a day 日累计限定金额, where limit_state is limited", "yuan", nullable=True, gt=0, lt=NO_LIMIT_FROM),
        Column("next_open_date", Kind.DATE, "next open day 下一开放日, where the list has one", "yyyymmdd", nullable=True),
    ),
    primary_key=("fund_code", "first_seen_at"),
    indexes=(("first_seen_at",),),
    references={"fund_code": "fund_info"},
)  # fmt: skip

#: What changes in a share class; the last two are concluded, with evidence.
CHANGES = ("name", "type", "delisted", "relisted", "transition", "code_reused")

FUND_CHANGE = Table(
    name="fund_change",
    grain="one row per share class, date and kind of change",
    why="What became of each fund: new names and types, removal from the list and return to it, and "
    "transitions. A transition (转型, 封转开) is a new name or type around a break of the NAVs; when the "
    "fund had ended before the break and its name is another one, the code is used again.",
    columns=(
        FUND_CODE,
        Column("seen_on", Kind.DATE, "when the list first had it; of a transition: when both the new "
                                     "name and a new NAV were there", "yyyymmdd"),
        Column("what", Kind.TEXT, "kind of change", isin=CHANGES, max_length=20),
        Column("old", Kind.TEXT, "name or type before; of a removal or return: the state before", max_length=MAX_NAME),
        Column("new", Kind.TEXT, "name or type since; of a removal or return: the state since", max_length=MAX_NAME),
        Column("evidence", Kind.TEXT, "of a transition: the break, with dates; empty otherwise", max_length=300),
    ),
    primary_key=("fund_code", "seen_on", "what"),
    references={"fund_code": "fund_info"},
)  # fmt: skip
#: What a benchmark is, why a fund is not compared with its own, and what is in its returns.
BENCHMARK_BASES = ("tracked", "own", "type")
BENCHMARK_REASONS = (
    "not requested yet",
    "not disclosed",
    "not understood",
    "a part without code",
    "no closes",
    "only interest",
)
BENCHMARK_RETURNS = ("price", "total_return", "net_return", "mixed")

FUND_METRICS = Table(
    name="fund_metrics",
    grain="one row per share class, calculation date and window",
    why="Return and risk of every fund from its total-return index. A window without enough "
    "history is a row of NULLs with the reason, never a shorter window.",
    columns=(
        FUND_CODE,
        Column("calc_date", Kind.DATE, "newest published date of the market when it was computed", "yyyymmdd"),
        Column("window", Kind.TEXT, "length of the window", isin=WINDOWS),
        Column("status", Kind.TEXT, "final once enough funds of its kind have published for calc_date, see coverage; provisional before", isin=("provisional", "final")),
        Column("coverage", Kind.REAL, "funds of its kind that have published for calc_date, over those that are due by their own cadence (fund_cadence)", "fraction", nullable=True, ge=0, le=1),
        Column("start_date", Kind.DATE, "NAV date the window starts from", "yyyymmdd", nullable=True),
        Column("end_date", Kind.DATE, "the fund's last NAV date on or before calc_date", "yyyymmdd"),
        Column("observations", Kind.INT, "returns in the window, those over gaps left out", ge=0),
        Column("gap_steps", Kind.INT, "steps in the window over a gap longer than the fund's "
                                      "rhythm allows: they count in returns and falls, but "
                                      "are not a daily return", ge=0),
        Column("periods_per_year", Kind.REAL, "returns per year by the fund's own frequency, used for annualising", nullable=True, gt=0),
        Column("total_return", Kind.REAL, "return over the window, dividends reinvested", "fraction", nullable=True, ge=-1),
        Column("annualized_return", Kind.REAL, "compound yearly return, calendar days over 365; only from one year on", "fraction", nullable=True, ge=-1),
        Column("annualized_volatility", Kind.REAL, "standard deviation (n-1) of returns times root of periods_per_year", "fraction", nullable=True, ge=0),
        Column("downside_deviation", Kind.REAL, "root mean square of the returns' shortfalls below the risk-free rate, over all returns, times root of periods_per_year", "fraction", nullable=True, ge=0),
        Column("sharpe_ratio", Kind.REAL, "mean excess return over its standard deviation, times root of periods_per_year", nullable=True),
        Column("sortino_ratio", Kind.REAL, "mean excess return times periods_per_year, over downside_deviation", nullable=True),
        Column("calmar_ratio", Kind.REAL, "annualized_return over the size of max_drawdown; only from one year on", nullable=True),
        Column("omega_ratio", Kind.REAL, "gains above the risk-free rate over losses below it", nullable=True, ge=0),
        Column("max_drawdown", Kind.REAL, "deepest fall from a high within the window", "fraction", nullable=True, ge=-1, le=0),
        Column("max_drawdown_peak", Kind.DATE, "date of the high before it", "yyyymmdd", nullable=True),
        Column("max_drawdown_trough", Kind.DATE, "date of its lowest point", "yyyymmdd", nullable=True),
        Column("max_drawdown_recovery", Kind.DATE, "first date at the high again; NULL while not recovered", "yyyymmdd", nullable=True),
        Column("max_drawdown_days", Kind.INT, "calendar days from peak to recovery, or to end_date while not recovered", "days", nullable=True, ge=1),
        Column("current_drawdown", Kind.REAL, "distance at the end of the window from its highest point", "fraction", nullable=True, ge=-1, le=0),
        Column("var_95", Kind.REAL, "value at risk: 5 % quantile of returns, negative for a loss", "fraction", nullable=True, ge=-1),
        Column("cvar_95", Kind.REAL, "mean of the returns from the 5 % quantile down", "fraction", nullable=True, ge=-1),
        Column("skewness", Kind.REAL, "skewness of returns, of the population", nullable=True),
        Column("kurtosis", Kind.REAL, "excess kurtosis of returns, of the population", nullable=True),
        Column("best_day", Kind.REAL, "highest return from one NAV to the next", "fraction", nullable=True, ge=-1),
        Column("worst_day", Kind.REAL, "lowest return from one NAV to the next", "fraction", nullable=True, ge=-1),
        Column("month_win_rate", Kind.REAL, "share of whole months in the window with a return above 0", "fraction", nullable=True, ge=0, le=1),
        Column("volatility_weekly", Kind.REAL, "annualised standard deviation of weekly returns, as the source defines its 标准差", "fraction", nullable=True, ge=0),
        Column("sharpe_weekly", Kind.REAL, "52 times the mean weekly return, less risk_free_rate, over volatility_weekly, as the source defines its 夏普比率", nullable=True),
        Column("ulcer_index", Kind.REAL, "root mean square of the falls from the high so far", "fraction", nullable=True, ge=0),
        Column("benchmark_code", Kind.TEXT, "what it is compared with: code of an index, or weights and codes; NULL for none", nullable=True, max_length=400),
        Column("benchmark_basis", Kind.TEXT, "tracked: the index that it tracks. own: the benchmark that it states. type: the index of its type. NULL for none", nullable=True, isin=BENCHMARK_BASES),
        Column("benchmark_why", Kind.TEXT, "why it is not compared with its own benchmark; NULL when it is", nullable=True, isin=BENCHMARK_REASONS),
        Column("benchmark_returns", Kind.TEXT, "price: dividends and interest are not in the benchmark. total_return: they are. net_return: they are, after tax. mixed: in some of its parts. NULL for none", nullable=True, isin=BENCHMARK_RETURNS),
        Column("benchmark_currency", Kind.TEXT, "currency that the benchmark's returns are counted in; NULL for none", nullable=True, max_length=3),
        Column("alpha", Kind.REAL, "Jensen's alpha, yearly; only from one year on", "fraction", nullable=True, ge=-1),
        Column("beta", Kind.REAL, "covariance with the benchmark over its variance", nullable=True),
        Column("r_squared", Kind.REAL, "square of correlation", nullable=True, ge=0, le=1),
        Column("correlation", Kind.REAL, "correlation of returns with the benchmark's", nullable=True, ge=-1, le=1),
        Column("tracking_error", Kind.REAL, "standard deviation (n-1) of the difference to the benchmark's returns, times root of periods_per_year", "fraction", nullable=True, ge=0),
        Column("information_ratio", Kind.REAL, "mean difference to the benchmark's returns over its standard deviation, times root of periods_per_year", nullable=True),
        Column("up_capture", Kind.REAL, "yearly return over the benchmark's, on days on which that rose", "ratio", nullable=True),
        Column("down_capture", Kind.REAL, "yearly return over the benchmark's, on days on which that fell", "ratio", nullable=True),
        Column("risk_free_rate", Kind.REAL, "annual risk-free rate used: its mean over the window's days", "fraction"),
        Column("definition_version", Kind.INT, "version of the metric definitions", ge=1),
        Column("reason", Kind.TEXT, "why values are NULL; empty when none is", max_length=600),
    ),
    primary_key=("calc_date", "fund_code", "window"),
    indexes=(("fund_code", "window", "calc_date"),),
    references={"fund_code": "fund_info"},
)  # fmt: skip

#: The measures that funds are ranked by within their group.
PEER_METRICS = (
    "total_return",
    "annualized_return",
    "annualized_volatility",
    "sharpe_ratio",
    "sortino_ratio",
    "calmar_ratio",
    "max_drawdown",
    "alpha",
    "information_ratio",
)

PEER_GROUP = Column(
    "peer_group",
    Kind.TEXT,
    "the group: a type, or where it has fewer than 10 portfolios its pool; a currency but yuan behind it; NULL in rows of before, whose group is the kind",
    max_length=40,
    nullable=True,
)

FUND_PEERS = Table(
    name="fund_peers",
    grain="one row per share class, calculation date and window",
    why="The rank of a fund among the active funds of its type, or of its pool when these are too "
    "few. Share classes of one portfolio in one currency count once. Rank 1 is the best: the highest "
    "value, or the lowest volatility. NULL when the fund has no value or fewer than 10 peers have one.",
    columns=(
        FUND_CODE,
        Column("calc_date", Kind.DATE, "calculation date of the metrics ranked", "yyyymmdd"),
        Column("window", Kind.TEXT, "length of the window", isin=WINDOWS),
        PEER_GROUP,
        *(
            column
            for metric in PEER_METRICS
            for column in (
                Column(f"{metric}_rank", Kind.INT, f"rank by {metric}, 1 is the best", nullable=True, ge=1),
                Column(f"{metric}_peers", Kind.INT, f"portfolios of the group with {metric}, this one included", nullable=True, ge=1),
                Column(f"{metric}_percentile", Kind.REAL, "(peers - rank) / (peers - 1): 1 is the best, 0 the last", "fraction", nullable=True, ge=0, le=1),
            )
        ),
        Column("definition_version", Kind.INT, "version of the definition of groups: 1 was the kind, 2 the type", ge=1),
    ),
    primary_key=("calc_date", "fund_code", "window"),
    references={"fund_code": "fund_info"},
)  # fmt: skip

#: The parts of a fund's score; FUND_SCORE_WEIGHTS weighs them.
SCORE_PARTS = ("return", "risk_adjusted", "drawdown", "consistency")
#: Further parts, of what is known of a fund beside its returns; by default they weigh nothing.
BESIDE_PARTS = ("size", "tenure", "fee")
#: 4433: window → the best 1/n of the group by total return.
SCREEN_WINDOWS = {"1y": 4, "2y": 4, "3y": 4, "5y": 4, "ytd": 4, "6m": 3, "3m": 3}
#: Years over which stars are given.
STAR_YEARS = (3, 5, 10)

FUND_SCORES = Table(
    name="fund_scores",
    grain="one row per active share class and calculation date, weekly",
    why="Where a fund stood in its group by several measures at once: a research statistic of "
        "the past, not a rating. All classes of a portfolio have the row of its "
        "representative class. Rows of past dates are never computed again, so that closed "
        "funds stay in them. The percentiles by window are in fund_peers.",
    columns=(
        FUND_CODE,
        Column("calc_date", Kind.DATE, "calculation date of the metrics scored", "yyyymmdd"),
        Column("scored_at", Kind.STAMP, "when the row was made: nothing seen later is in it", "yyyymmddhhmmss"),
        Column("kind", Kind.TEXT, "kind of the fund", isin=tuple(KINDS)),
        PEER_GROUP,
        FUND_CODE.but(name="standing_for", description="representative class of the "
                                                       "portfolio, chosen by letter and code; "
                                                       "the figures are its figures"),
        Column("composite_score", Kind.REAL, "weighted mean of the four parts, times 100", "points", nullable=True, ge=0, le=100),
        Column("composite_rank", Kind.INT, "rank by it in the group, 1 is the best", nullable=True, ge=1),
        Column("composite_peers", Kind.INT, "portfolios of the group with a score", nullable=True, ge=1),
        Column("return_score", Kind.REAL, "mean percentile of total_return over 1y, 2y and 3y, as far as there is a rank", "fraction", nullable=True, ge=0, le=1),
        Column("risk_adjusted_score", Kind.REAL, "the same of sharpe_ratio", "fraction", nullable=True, ge=0, le=1),
        Column("drawdown_score", Kind.REAL, "the same of max_drawdown", "fraction", nullable=True, ge=0, le=1),
        Column("consistency_score", Kind.REAL, "percentile of months_above_median in the group", "fraction", nullable=True, ge=0, le=1),
        Column("size_score", Kind.REAL, "percentile of net assets at the newest quarter in the group; the largest is 1", "fraction", nullable=True, ge=0, le=1),
        Column("tenure_score", Kind.REAL, "the same of the years of the manager who has been there longest", "fraction", nullable=True, ge=0, le=1),
        Column("fee_score", Kind.REAL, "the same of the purchase fee without a discount; the lowest is 1", "fraction", nullable=True, ge=0, le=1),
        Column("years", Kind.INT, "of the windows 1y, 2y and 3y, how many are in it", nullable=True, ge=1, le=3),
        Column("months_above_median", Kind.REAL, "share of the counted months with a return not below the group's median", "fraction", nullable=True, ge=0, le=1),
        Column("months_counted", Kind.INT, "whole months without a gap up to the newest, at most 36, at least 12", nullable=True, ge=1, le=36),
        *(
            Column(f"top_{window}", Kind.INT, f"4433: 1 when among the best 1/{part} of the group by total return over {window}", nullable=True, ge=0, le=1)
            for window, part in SCREEN_WINDOWS.items()
        ),
        Column("passes_4433", Kind.INT, "1 when all seven flags are 1; NULL while one is not known", nullable=True, ge=0, le=1),
        *(
            Column(f"mrar_{years}y", Kind.REAL, f"risk-adjusted return over the last {12 * years} whole months (gamma 2)", "fraction", nullable=True, ge=-1)
            for years in STAR_YEARS
        ),
        *(
            Column(f"stars_{years}y", Kind.INT, f"one to five by the rank of mrar_{years}y", nullable=True, ge=1, le=5)
            for years in STAR_YEARS
        ),
        Column("stars", Kind.INT, "weighted mean of the spans there are, rounded: a statistic, not a rating", nullable=True, ge=1, le=5),
        Column("weights", Kind.TEXT, "weights of the parts, as set then"),
        Column("definition_version", Kind.INT, "version of the definitions of scores", ge=1),
        Column("reason", Kind.TEXT, "why composite_score is NULL; empty otherwise"),
    ),
    primary_key=("calc_date", "fund_code"),
    indexes=(("fund_code", "calc_date"),),
    references={"fund_code": "fund_info"},
)  # fmt: skip

WEEKLY_LOG = Table(
    name="weekly_log",
    grain="one row per ISO week and step of the weekly job",
    why="What each step of the weekly job found and did, for its report. A repeated step "
    "replaces its row, and keeps what was found and repaired before.",
    columns=(
        Column("week", Kind.TEXT, "ISO week, such as 2026-W47", max_length=8),
        Column("step", Kind.TEXT, "name of the step", max_length=40),
        Column("done_at", Kind.STAMP, "when it was done last", "yyyymmddhhmmss"),
        Column("figures", Kind.TEXT, "JSON object: what it counted", max_length=100_000),
    ),
    primary_key=("week", "step"),
)

SCREEN_TRIAL = Table(
    name="screen_trial",
    grain="one row per screen of a user that was walked",
    why="Each screen that is tried makes a finding by luck likelier. So all of them count in the "
    "correction of each result of `fund-assets report walk-forward`.",
    columns=(
        Column("conditions", Kind.TEXT, "the screen as it was written"),
        Column("first_tried_at", Kind.STAMP, "when it was walked first", "yyyymmddhhmmss"),
        Column("tried_at", Kind.STAMP, "when it was walked last", "yyyymmddhhmmss"),
        Column("quarters", Kind.INT, "quarters in which it had picks", ge=0),
        Column("excess", Kind.REAL, "mean of the quarters: return of the picks less that of their groups", "fraction", nullable=True),
        Column("chance", Kind.REAL, "two-sided t test over the quarters, not corrected", "fraction", nullable=True, ge=0, le=1),
    ),
    primary_key=("conditions",),
)  # fmt: skip

BENCHMARK_INDEX = Table(
    name="benchmark_index",
    grain="one row per index and session",
    why="Closes of the indices that funds are compared with: those of types (schemas/kinds.py), those "
    "that funds name, and exchange rates and gold prices.",
    columns=(
        Column(
            "index_code",
            Kind.TEXT,
            "code of the index; of a bond index of ChinaBond its name and variant. USDCNY, HKDCNY: yuan for one unit. Au99.99: yuan for a gram",
            max_length=80,
        ),
        NAV_DATE.but(description="session, in the index's own country"),
        Column("close", Kind.REAL, "close", "points, or yuan", gt=0),
    ),
    primary_key=("index_code", "nav_date"),
)

#: What became of reading a benchmark text.
BENCHMARK_STATES = ("parsed", "partly", "unknown")
#: What a part of a benchmark may be, and which variant of it.
SERIES_KINDS = ("index", "deposit", "rate", "price", "fixed")
SERIES_VARIANTS = ("", "full_price", "net_price", "wealth", "price", "total_return", "net_return", "after_tax", "before_tax")  # fmt: skip

FUND_BENCHMARK = Table(
    name="fund_benchmark",
    grain="one row per share class and wording of its benchmark",
    why="The benchmark that a fund states (业绩比较基准, 跟踪标的), as on its page, and its parts that "
        "could be read. A changed page makes a new row; the row with the latest first_seen_on "
        "is current. Nothing in it is guessed.",
    columns=(
        FUND_CODE,
        Column("first_seen_on", Kind.DATE, "first date on which the page was seen to say so", "yyyymmdd"),
        Column("last_seen_on", Kind.DATE, "last date on which it was", "yyyymmdd"),
        Column("benchmark_text", Kind.TEXT, "benchmark 业绩比较基准, every character as published; empty when the fund has no page", max_length=20_000),
        Column("tracked_index", Kind.TEXT, "index tracked 跟踪标的, as published; empty when it tracks none"),
        Column("tracked_code", Kind.TEXT, "code of that index in the official lists; of a bond index of ChinaBond 中债- and its name there; empty when they have none of the name, or more than one", max_length=60),
        Column("status", Kind.TEXT, "parsed: every part is understood and the weights sum to 1. partly: some part is. unknown: none is, or none is disclosed", isin=BENCHMARK_STATES),
        Column("not_understood", Kind.TEXT, "the parts that were not understood, joined by semicolons; empty when there are none", max_length=20_000),
        Column("stated_since", Kind.DATE, "day from which it holds, where the text says so", "yyyymmdd", nullable=True),
        Column("parser_version", Kind.INT, "version of the parser that read it", ge=1),
    ),
    primary_key=("fund_code", "first_seen_on"),
    references={"fund_code": "fund_info"},
)  # fmt: skip

FUND_BENCHMARK_PART = Table(
    name="fund_benchmark_part",
    grain="one row per part of a benchmark that was understood",
    why="The weights and series of fund_benchmark. Where status is parsed, the weights of a "
    "benchmark sum to 1; a part without a weight is a rate on top of the others.",
    columns=(
        FUND_CODE,
        FUND_BENCHMARK["first_seen_on"].but(description="of the row of fund_benchmark that it is a part of"),
        Column("part", Kind.INT, "place in the text, from 1", ge=1),
        Column("kind", Kind.TEXT, "index. deposit: a bank's rate. rate: of the market. price: of gold, oil and the like. fixed: a rate of its own", isin=SERIES_KINDS),
        Column("series", Kind.TEXT, "name in one spelling, without variant and currency"),
        Column("weight", Kind.REAL, "share of the benchmark; NULL for a rate that is put on top of it", "fraction", nullable=True, gt=0),
        Column("variant", Kind.TEXT, "full_price 全价, net_price 净价 or wealth 财富 of bond indices; price, total_return 全收益 or net_return 净收益 of others; after_tax or before_tax of deposits; empty where the text says nothing", isin=SERIES_VARIANTS),
        Column("currency", Kind.TEXT, "currency that it is converted into or counted in; empty where the text says nothing", isin=("", "CNY", "USD", "HKD")),
        Column("index_code", Kind.TEXT, "code of the index, which the text names or the official lists have; empty otherwise", max_length=60),
        Column("annual_rate", Kind.REAL, "of kind fixed: return per year", "fraction", nullable=True, gt=-1, lt=1),
    ),
    primary_key=("fund_code", "first_seen_on", "part"),
    references={"fund_code": "fund_info"},
)  # fmt: skip

PERIOD_END = Column("period_end", Kind.DATE, "last day of the period of the report", "yyyymmdd")
_SUPERSEDED_AT = SUPERSEDED_AT.but(
    description="when another figure was seen, or that the report is gone; NULL: it holds",
    nullable=True,
)
_ONCE_SEEN = (
    " They come with the history, in the same answer. A changed figure closes its row and opens "
    "another, so that what was known at a time can be read."
)

FUND_SIZE = Table(
    name="fund_size",
    grain="one row per share class, quarter and version of its figures",
    why="How large a share class is, as its quarterly reports say." + _ONCE_SEEN,
    columns=(
        FUND_CODE,
        PERIOD_END,
        FIRST_SEEN_AT,
        _SUPERSEDED_AT,
        Column("net_assets", Kind.REAL, "net assets 规模 of the class, published in 亿 with two decimals", "yuan", nullable=True, ge=0, le=1e13),
        Column("net_assets_change", Kind.REAL, "change of net assets from the quarter before, as published", "fraction", nullable=True, ge=-1),
        Column("total_shares", Kind.REAL, "shares of the class at the end of the quarter 总份额", "shares", nullable=True, ge=0, le=1e13),
        Column("subscribed_shares", Kind.REAL, "shares subscribed in the quarter 期间申购", "shares", nullable=True, ge=0, le=1e13),
        Column("redeemed_shares", Kind.REAL, "shares redeemed in the quarter 期间赎回", "shares", nullable=True, ge=0, le=1e13),
    ),
    primary_key=("fund_code", "period_end", "first_seen_at"),
    references={"fund_code": "fund_info"},
)  # fmt: skip

FUND_HOLDERS = Table(
    name="fund_holders",
    grain="one row per share class, half year and version of its figures",
    why="Who holds a share class, as its half-yearly reports say." + _ONCE_SEEN,
    columns=(
        FUND_CODE,
        PERIOD_END,
        FIRST_SEEN_AT,
        _SUPERSEDED_AT,
        Column("institutions", Kind.REAL, "share held by institutions 机构持有比例", "fraction", nullable=True, ge=0, le=1),
        Column("individuals", Kind.REAL, "share held by individuals 个人持有比例", "fraction", nullable=True, ge=0, le=1),
        Column("insiders", Kind.REAL, "share held by staff of the manager 内部持有比例, part of individuals", "fraction", nullable=True, ge=0, le=1),
    ),
    primary_key=("fund_code", "period_end", "first_seen_at"),
    references={"fund_code": "fund_info"},
)  # fmt: skip

FUND_ALLOCATION = Table(
    name="fund_allocation",
    grain="one row per share class, quarter and version of its figures",
    why="What the portfolio of a share class is made of, as its quarterly reports say. All classes "
        "of a portfolio have the same figures." + _ONCE_SEEN,
    columns=(
        FUND_CODE,
        PERIOD_END,
        FIRST_SEEN_AT,
        _SUPERSEDED_AT,
        Column("stocks", Kind.REAL, "stocks 股票占净比, of net assets", "fraction", nullable=True, ge=0, le=2),
        Column("bonds", Kind.REAL, "bonds 债券占净比, of net assets; over 1 with borrowed money", "fraction", nullable=True, ge=0, le=2),
        Column("cash", Kind.REAL, "cash 现金占净比, of net assets", "fraction", nullable=True, ge=0, le=2),
        Column("net_assets", Kind.REAL, "net assets 净资产 of the portfolio, all classes together", "yuan", nullable=True, ge=0, le=1e13),
    ),
    primary_key=("fund_code", "period_end", "first_seen_at"),
    references={"fund_code": "fund_info"},
)  # fmt: skip

FUND_POSITION_ESTIMATE = Table(
    name="fund_position_estimate",
    grain="one row per share class, day and version of its figure",
    why="How much of a portfolio is in stocks, as the source estimates it from the NAVs of each day: "
        "no figure of the fund. An answer has about a month of it." + _ONCE_SEEN,
    columns=(
        FUND_CODE,
        NAV_DATE.but(description="day of the estimate"),
        FIRST_SEEN_AT,
        _SUPERSEDED_AT,
        Column("position", Kind.REAL, "estimated stocks 股票仓位测算, of net assets", "fraction", ge=0, le=2),
    ),
    primary_key=("fund_code", "nav_date", "first_seen_at"),
    references={"fund_code": "fund_info"},
)  # fmt: skip

#: What a fund may hold.
HOLDING_KINDS = ("stock", "bond")

FUND_TOP_HOLDINGS = Table(
    name="fund_top_holdings",
    grain="one row per share class, quarter, kind, place and version of what is there",
    why="The largest holdings of a fund in its newest quarterly report, in the order of the source. All "
        "classes of a portfolio have the same." + _ONCE_SEEN,
    columns=(
        FUND_CODE,
        PERIOD_END.but(
            description="last day of the quarter; the lists have no date, so that it is the newest "
            "quarter of the allocation, or else of the size, in the same answer"
        ),
        Column("kind", Kind.TEXT, "stock or bond", isin=HOLDING_KINDS),
        Column("place", Kind.INT, "place in the list, 1 is the largest", ge=1, le=100),
        FIRST_SEEN_AT,
        _SUPERSEDED_AT,
        Column("market", Kind.INT, "the source's number of the market: 0 Shenzhen, 1 Shanghai, 116 Hong Kong, 105 to 107 United States", ge=0, le=9999),
        Column("security_code", Kind.TEXT, "code of the stock or bond in its market", max_length=20),
        Column("weight", Kind.REAL, "share of net assets; NULL: the list has no weights", "fraction", nullable=True, ge=0, le=2),
    ),
    primary_key=("fund_code", "period_end", "kind", "place", "first_seen_at"),
    references={"fund_code": "fund_info"},
)  # fmt: skip

FUND_MANAGER = Table(
    name="fund_manager",
    grain="one row per share class, manager and time in which what is said of them was the same",
    why="Who manages a fund now, as its history answer says." + _ONCE_SEEN,
    columns=(
        FUND_CODE,
        Column("manager_id", Kind.TEXT, "the source's number of the manager", max_length=20),
        FIRST_SEEN_AT,
        _SUPERSEDED_AT.but(description="when it was seen that the manager had left, or that something "
                                       "had changed; NULL: it holds"),
        Column("name", Kind.TEXT, "name of the manager", max_length=60),
        Column("career_days", Kind.INT, "days 任职时间 as a manager of funds at first_seen_at, a year counted as 365; it grows "
                                        "by itself, and alone makes no row", "days", nullable=True, ge=0, le=36_500),
        Column("managed_assets", Kind.REAL, "net assets of all funds of the manager", "yuan", nullable=True, ge=0, le=1e14),
        Column("managed_funds", Kind.INT, "funds of the manager", nullable=True, ge=0, le=10_000),
    ),
    primary_key=("fund_code", "manager_id", "first_seen_at"),
    references={"fund_code": "fund_info"},
)  # fmt: skip

#: What a source states of a share class on a date; parts of its score by their Chinese names.
RETURNS_STATED = {"return_1m": "1m", "return_3m": "3m", "return_6m": "6m", "return_1y": "1y"}
SCORES_STATED = {
    "选证能力": "score_selection",
    "选股能力": "score_selection",
    "收益率": "score_return",
    "抗风险": "score_risk",
    "稳定性": "score_stability",
    "择时能力": "score_timing",
    "跟踪误差": "score_tracking",
    "超额收益": "score_excess",
    "管理规模": "score_size",
}
STATED = (
    *RETURNS_STATED,
    "peers_6m",
    "csi300_6m",
    "rank_3m",
    "score",
    *dict.fromkeys(SCORES_STATED.values()),
)

SOURCE_STATEMENT = Table(
    name="source_statement",
    grain="one row per share class, date, subject and version of the figure",
    why="What the source itself states of a class: its returns, its rank among its peers, its score. "
        "All figures are as printed, and none is used for ours. Of the daily ranks the newest of each "
        "answer and the last of each month are kept." + _ONCE_SEEN,
    columns=(
        FUND_CODE,
        Column("what", Kind.TEXT, "return_1m to return_1y: return over the months up to nav_date. peers_6m and "
                                  "csi300_6m: mean return of its peers and return of 沪深300 over six months. "
                                  "rank_3m: place by the return over three months. score: of the source's own "
                                  "making; score_…: a part of it", isin=STATED),
        NAV_DATE.but(description="date that it is stated for: of a score, the newest NAV of the answer"),
        FIRST_SEEN_AT,
        _SUPERSEDED_AT.but(description="when another figure of the date was seen; NULL: it holds"),
        Column("value", Kind.REAL, "percent of returns, place of a rank, points of a score", ge=-100, lt=1e6),
        Column("ranked", Kind.INT, "of a rank: how many classes are ranked; NULL otherwise", nullable=True, ge=1),
    ),
    primary_key=("fund_code", "what", "nav_date", "first_seen_at"),
    references={"fund_code": "fund_info"},
)  # fmt: skip

#: Why a return of the source and ours differ, in the order in which they are tried.
VERDICTS = (
    "equal",
    "not_compared",
    "rounding",
    "later_correction",
    "different_window",
    "unrecorded_dividend",
    "unknown",
)

SOURCE_AGREEMENT = Table(
    name="source_agreement",
    grain="one row per share class, window and date for which the source states a return",
    why="Each return of the source next to ours of the same window. A row is computed when a history "
        "lands, and stays as it was then. docs/returns.md explains the verdicts.",
    columns=(
        FUND_CODE,
        NAV_DATE.but(description="last date of the window: the newest NAV of the history"),
        Column("window", Kind.TEXT, "length of the window", isin=tuple(RETURNS_STATED.values())),
        Column("theirs", Kind.REAL, "return that the source states", "percent", ge=-100),
        Column("ours", Kind.REAL, "return by total_return_index; NULL when there is no NAV at the window's start", "percent", nullable=True, ge=-100),
        Column("difference", Kind.REAL, "ours less theirs", "percent points", nullable=True),
        Column("verdict", Kind.TEXT, "equal: to the last digit. not_compared: there is no return of ours. "
                                     "rounding: one unit of the last digit. later_correction: equal with the NAV "
                                     "as it was before its correction. different_window: equal over another "
                                     "window. unrecorded_dividend: the source's is higher by what a missing "
                                     "dividend explains. unknown: none of these", isin=VERDICTS),
        Column("located_on", Kind.DATE, "day of the missing dividend or of the corrected NAV, where it is known", "yyyymmdd", nullable=True),
        Column("evidence", Kind.TEXT, "what the verdict is based on; empty when equal", max_length=400),
        Column("compared_at", Kind.STAMP, "when it was computed", "yyyymmddhhmmss"),
    ),
    primary_key=("fund_code", "nav_date", "window"),
    references={"fund_code": "fund_info"},
)  # fmt: skip
FUND_MANAGER_TERM = Table(
    name="fund_manager_term",
    grain="one row per share class, term of its managers and version of what is said of it",
    why="Who has managed a fund since when, as its page of managers says. A term is the time in which "
        "the same people did. The page is requested when the managers of fund_manager are not those of "
        "the running term. Our own return over a term is computed from validated_nav when it is read, so "
        "that it never misses a correction: see docs/history.md.",
    columns=(
        FUND_CODE,
        Column("since", Kind.DATE, "first day of the term 起始期", "yyyymmdd"),
        FIRST_SEEN_AT,
        _SUPERSEDED_AT.but(description="when the page was seen to say another thing; NULL: it holds"),
        Column("until", Kind.DATE, "last day of the term 截止期; NULL: it runs", "yyyymmdd", nullable=True),
        Column("managers", Kind.TEXT, "names of the managers, joined by 、", max_length=400),
        Column("manager_ids", Kind.TEXT, "the source's numbers of the managers, likewise; the name where there is none", max_length=400),
        Column("days", Kind.INT, "length of the term 任职期间 when the page was made; NULL: the page does not say", "days", nullable=True, ge=0, le=36_500),
        Column("published_return", Kind.REAL, "the source's own return over it 任职回报", "fraction", nullable=True, ge=-1),
        Column("unbroken_since", Kind.DATE, "first day from which one manager of this term has been there without a break: tenure counts from it", "yyyymmdd"),
    ),
    primary_key=("fund_code", "since", "first_seen_at"),
    references={"fund_code": "fund_info"},
)  # fmt: skip

FUND_MANAGER_PAGE = Table(
    name="fund_manager_page",
    grain="one row per share class whose page of managers was requested",
    why="When the page of managers was last seen, so that it is requested only when it is owed.",
    columns=(
        FUND_CODE,
        Column("seen_on", Kind.DATE, "when it was last seen", "yyyymmdd"),
        Column("terms", Kind.INT, "terms on it; 0: it has none, or there is not a page", ge=0),
    ),
    primary_key=("fund_code",),
    references={"fund_code": "fund_info"},
)

RISK_FREE_RATE = Table(
    name="risk_free_rate",
    grain="one row per date from which a rate applies",
    why="The risk-free rate as a dated series, entered by hand (`fund-assets rate set`). "
    "While it is empty, FUND_RISK_FREE_RATE applies to all dates. The first rate applies "
    "before its date too.",
    columns=(
        Column("since", Kind.DATE, "first day on which the rate applies", "yyyymmdd"),
        Column("rate", Kind.REAL, "annual rate", "fraction", gt=-0.1, lt=1),
        Column("note", Kind.TEXT, "where the rate is from"),
    ),
    primary_key=("since",),
)

CALENDAR_OVERRIDE = Table(
    name="calendar_override",
    grain="one row per manually entered day",
    why="Corrects or extends the exchange's trading calendar.",
    columns=(
        Column("day", Kind.DATE, "the day", "yyyymmdd"),
        Column("is_open", Kind.INT, "1: the exchange trades, 0: it does not", ge=0, le=1),
        Column("note", Kind.TEXT, "who entered it and why"),
    ),
    primary_key=("day",),
)

SOURCE_REQUEST = Table(
    name="source_request",
    grain="one row per day, source, endpoint and outcome of requests",
    why="How the source answers: requests made by runs, added up when a run ends. The health "
        "server, another process, shows them.",
    columns=(
        Column("day", Kind.DATE, "day of the run", "yyyymmdd"),
        Column("source", Kind.TEXT, "source that was asked", max_length=20),
        Column("endpoint", Kind.TEXT, "short name of what was requested", max_length=40),
        Column("outcome", Kind.TEXT, "ok, status_503 and the like, or transport, unreached, deadline, banned, empty, too_large, truncated, format, defect", max_length=20),
        Column("requests", Kind.INT, "requests that ended so, every try counted", ge=1),
        Column("seconds", Kind.REAL, "time of all of them, without waiting for the rate limit", "seconds", ge=0),
        Column("slowest_s", Kind.REAL, "time of the slowest of them", "seconds", ge=0),
    ),
    primary_key=("day", "source", "endpoint", "outcome"),
)  # fmt: skip

SEVERITIES = ("notice", "warning", "critical")

ALERT_STATE = Table(
    name="alert_state",
    grain="one row per alert that was ever active",
    why="The state of alerts, so that each is sent when it begins and when it ends, not at "
        "every check (docs/alerts.md). Ended alerts are kept for 90 days.",
    columns=(
        Column("fingerprint", Kind.TEXT, "kind, subject and, where each day is another alert, the day; joined by colons"),
        Column("kind", Kind.TEXT, "kind of alert; its section in docs/runbook.md", max_length=40),
        Column("subject", Kind.TEXT, "what it is about", max_length=4_000),
        Column("severity", Kind.TEXT, "the greatest severity so far", isin=SEVERITIES),
        Column("words", Kind.TEXT, "what is wrong, in Chinese", max_length=4_000),
        Column("first_at", Kind.STAMP, "when it was first seen", "yyyymmddhhmmss"),
        Column("resolved_at", Kind.STAMP, "when it was seen to be over; NULL while it is "
                                          "active", "yyyymmddhhmmss", nullable=True),
        Column("told_at", Kind.STAMP, "when it was last sent; NULL when never", "yyyymmddhhmmss", nullable=True),
        Column("told_as", Kind.TEXT, "severity it was last sent with; NULL when never", isin=SEVERITIES, nullable=True),
        Column("repeats", Kind.INT, "how often it was sent again at this severity", ge=0),
        Column("muted_by", Kind.TEXT, "fingerprint of the alert that explains it, so that it "
                                      "is not sent separately; empty otherwise"),
    ),
    primary_key=("fingerprint",),
)  # fmt: skip

ALERT_SILENCE = Table(
    name="alert_silence",
    grain="one row per silenced alert or kind of alerts",
    why="Entered by hand (`fund-assets alert silence`); it ends by itself.",
    columns=(
        ALERT_STATE["fingerprint"].but(description="fingerprint, or name of a kind"),
        Column("ends_at", Kind.STAMP, "until when", "yyyymmddhhmmss"),
        Column("created_at", Kind.STAMP, "when it was entered", "yyyymmddhhmmss"),
        Column("note", Kind.TEXT, "who entered it and why"),
    ),
    primary_key=("fingerprint",),
)

ALERT_OUTBOX = Table(
    name="alert_outbox",
    grain="one row per message and channel",
    why="Messages to be sent. Written in the transaction that changes the alerts' states, so "
        "that none is lost; each is sent at least once. Kept for 30 days.",
    columns=(
        Column("id", Kind.TEXT, "digest of channel, time and text", max_length=40),
        Column("channel", Kind.TEXT, "channel that carries it", max_length=40),
        Column("severity", Kind.TEXT, "severity of the worst alert in it", isin=SEVERITIES),
        Column("title", Kind.TEXT, "its one line", max_length=400),
        Column("words", Kind.TEXT, "its text", max_length=40_000),
        Column("fingerprints", Kind.TEXT, "JSON list of the alerts in it, at most 200", max_length=40_000),
        Column("state", Kind.TEXT, "waiting: to be sent at due_at. sent. merged: sent as part of a digest. dead: given up", isin=("waiting", "sent", "merged", "dead")),
        Column("attempts", Kind.INT, "number of attempts to send it", ge=0),
        Column("created_at", Kind.STAMP, "when it was written", "yyyymmddhhmmss"),
        Column("due_at", Kind.STAMP, "when it is to be sent, or tried again", "yyyymmddhhmmss"),
        Column("sent_at", Kind.STAMP, "when the channel accepted it", "yyyymmddhhmmss", nullable=True),
        Column("error", Kind.TEXT, "why the last attempt failed; empty otherwise", max_length=400),
    ),
    primary_key=("id",),
    indexes=(("state", "due_at"),),
)  # fmt: skip

CHANGE_VERSION = Table(
    name="change_version",
    grain="one row per transaction that changed a table of the change feed",
    why="The versions of the warehouse, each larger than the one before. A cursor of the change feed is "
    "a version and its mark; a copy of the warehouse has both, another warehouse has other marks. "
    "Versions are kept for half a year, and the newest one always.",
    columns=(
        Column("version", Kind.INT, "number of the version, from 1", ge=1),
        Column("mark", Kind.TEXT, "eight random hex digits", max_length=8),
        Column("seen_on", Kind.DATE, "day of the weekly job that saw it first: its age counts from then; NULL before", "yyyymmdd", nullable=True),
    ),
    primary_key=("version",),
)  # fmt: skip

ROW_CHANGE = Table(
    name="row_change",
    grain="one row per version and slice of a table that it changed",
    why="The change feed: what must be read again to follow a table. A slice is the rows of a fund, or "
    "of all funds, between two dates of the table's key. It has every row that was written or deleted, "
    "and may have others. Rows of `what` deleted are the tombstones. `fund-assets export "
    "--changed-since` and `Funds.changes` read it. Not in it: the landing zone, batches, the "
    "quarantine, counts, logs, alerts, and what a person changes by SQL.",
    columns=(
        CHANGE_VERSION["version"].but(description="version that changed it"),
        Column("table_name", Kind.TEXT, "table", max_length=60),
        Column("what", Kind.TEXT, "written: rows were added or changed. deleted: rows were deleted", isin=("written", "deleted")),
        Column("fund_code", Kind.TEXT, "code of the share class; empty: of all", max_length=6),
        Column("first_date", Kind.DATE, "first date of the slice; 1990-01-01 with the last one: all dates", "yyyymmdd"),
        Column("last_date", Kind.DATE, "last date of the slice, included; 2100-12-31 with the first one: all dates", "yyyymmdd"),
    ),
    primary_key=("version", "table_name", "what", "fund_code", "first_date"),
    references={"version": "change_version"},
)  # fmt: skip

WAREHOUSE_META = Table(
    name="warehouse_meta",
    grain="one row per property of the warehouse",
    why="Which source it belongs to and which version of the tables it has.",
    columns=(
        Column("property", Kind.TEXT, "name of the property", max_length=60),
        Column("value", Kind.TEXT, "its value"),
    ),
    primary_key=("property",),
)

TABLES = {
    table.name: table
    for table in (
        FUND_INFO,
        PAST_LIST,
        HISTORY_PROGRESS,
        COLLECTION_BATCH,
        FUND_NAV,
        FUND_EVENTS,
        EVENT_LIST,
        VALIDATED_NAV,
        NAV_REVISION,
        NAV_QUARANTINE,
        PUBLISH_LOG,
        DATE_COUNT,
        FUND_CADENCE,
        ARRIVAL,
        FUND_STATE,
        FUND_CHANGE,
        FUND_STATUS,
        FUND_METRICS,
        FUND_PEERS,
        FUND_SCORES,
        WEEKLY_LOG,
        SCREEN_TRIAL,
        BENCHMARK_INDEX,
        FUND_BENCHMARK,
        FUND_BENCHMARK_PART,
        FUND_SIZE,
        FUND_HOLDERS,
        FUND_ALLOCATION,
        FUND_POSITION_ESTIMATE,
        FUND_TOP_HOLDINGS,
        FUND_MANAGER,
        SOURCE_STATEMENT,
        SOURCE_AGREEMENT,
        FUND_MANAGER_TERM,
        FUND_MANAGER_PAGE,
        RISK_FREE_RATE,
        CALENDAR_OVERRIDE,
        SOURCE_REQUEST,
        ALERT_STATE,
        ALERT_SILENCE,
        ALERT_OUTBOX,
        CHANGE_VERSION,
        ROW_CHANGE,
        WAREHOUSE_META,
    )
}

#: The tables of the change feed: those about funds without the landing zone, and the series that
#: metrics are computed with.
FOLLOWED = frozenset(
    {BENCHMARK_INDEX.name, RISK_FREE_RATE.name, CALENDAR_OVERRIDE.name}
    | {
        table.name
        for table in TABLES.values()
        if any(c.name == "fund_code" and c.kind is Kind.CODE for c in table.columns)
    }
    - {FUND_NAV.name}
)
