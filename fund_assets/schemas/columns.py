"""The columns that more than one table has: one name, one meaning, one unit.

Does not belong here: a column that a single table has (it stands in that table).
Percentages as published end in `_pct`; every other rate is a fraction (0.05 is 5 %).
"""

from fund_assets.schemas.table import Column, Kind

FUND_CODE = Column("fund_code", Kind.CODE, "code of the share class, six digits")
NAV_DATE = Column("nav_date", Kind.DATE, "valuation date the figures belong to", "yyyymmdd")
BATCH_ID = Column(
    "batch_id", Kind.TEXT, "collection batch it came with; made from the content", max_length=40
)
UNIT_NAV = Column(
    "unit_nav", Kind.REAL, "unit net asset value 单位净值", "yuan per share",
    nullable=True, gt=0, lt=1e6,
)  # fmt: skip
ACC_NAV = Column(
    "acc_nav", Kind.REAL, "accumulated net asset value 累计净值, as published",
    "yuan per share", nullable=True, gt=0, lt=1e6,
)  # fmt: skip
GROWTH_PCT = Column(
    "growth_pct", Kind.REAL,
    "daily growth 日增长率 as published: adjusted for dividends and splits", "percent",
    nullable=True, gt=-100, lt=1e5,
)  # fmt: skip
YIELD_PER_10K = Column(
    "yield_per_10k", Kind.REAL, "money-market funds: income per 10,000 shares 万份收益",
    "yuan", nullable=True, gt=-1e4, lt=1e5,
)  # fmt: skip
YIELD_7D_PCT = Column(
    "yield_7d_pct", Kind.REAL, "money-market funds: 7-day annualised yield 7日年化",
    "percent", nullable=True, gt=-100, lt=1e4,
)  # fmt: skip
OBSERVED = (UNIT_NAV, ACC_NAV, GROWTH_PCT, YIELD_PER_10K, YIELD_7D_PCT)
OBSERVED_NAMES = [column.name for column in OBSERVED]
#: A growth with two decimals and one with four are the same when this close.
GROWTH_ROUNDING = 0.00501
#: Two sources tell the same event when they differ by no more than the lists' fourth decimal.
EVENT_ROUNDING = 0.00005001
#: What people are shown as their names.
FIGURE_LABELS = {
    "unit_nav": "单位净值",
    "acc_nav": "累计净值",
    "growth_pct": "日增长率%",
    "yield_per_10k": "万份收益",
    "yield_7d_pct": "7日年化%",
}
#: The same as seen, before any rule: a negative NAV can be seen, but is never accepted.
AS_SEEN = tuple(column.but(gt=None, lt=None) for column in OBSERVED)

DAYS_COVERED = Column(
    "days_covered", Kind.INT,
    "money-market funds: calendar days up to nav_date whose income the figure is; 1 for a "
    "day's own, more for a sum. NULL where that is not known, and for other funds", "days",
    nullable=True, ge=1, le=31,
)  # fmt: skip
TOTAL_RETURN_INDEX = Column(
    "total_return_index", Kind.REAL,
    "value of 1 yuan put in at the fund's first stored NAV, dividends reinvested", "ratio",
    gt=0,
)  # fmt: skip
#: How sure the return of a day is; see docs/returns.md.
RETURN_STATUSES = ("first", "proven", "single_source", "suspected_event", "unproven")
RETURN_STATUS = Column(
    "return_status", Kind.TEXT,
    "first: no day before it. proven: events and published growth agree. single_source: no "
    "second witness. suspected_event: published growth implies a dividend or split that is "
    "not recorded, and is used. unproven: the witnesses disagree",
    isin=RETURN_STATUSES,
)  # fmt: skip
FIRST_SEEN_AT = Column(
    "first_seen_at", Kind.STAMP, "when this platform first saw a value here", "yyyymmddhhmmss"
)
SUPERSEDED_AT = Column(
    "superseded_at", Kind.STAMP, "when it was seen that the value had changed", "yyyymmddhhmmss"
)
