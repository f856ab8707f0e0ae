"""What real histories say of our returns: the figures behind docs/returns.md.

Belongs here: reading the real data, and our functions on it, for the tests and for
`proofs.py`. Does not belong here: what the figures must be (tests, docs/returns.md).
"""

import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fund_assets.calendar import TradingCalendar, keys_to_days
from fund_assets.metrics.agreement import compare
from fund_assets.nav.history import HistoryChoice
from fund_assets.nav.inference import infer
from fund_assets.nav.money import WEEK_HOLD_PCT, Yields, judge_income
from fund_assets.nav.returns import Published, chain, last_digit, step_returns
from fund_assets.nav.timeline import keys_of
from fund_assets.pipeline.fund_events import refresh_events
from fund_assets.pipeline.fund_info import refresh
from fund_assets.pipeline.nav_history import collect_histories
from fund_assets.pipeline.validated_nav import validate
from fund_assets.schemas.tables import RETURNS_STATED
from fund_assets.sources.eastmoney.cells import event_frame
from fund_assets.sources.eastmoney.decode_history import decode_history, read_events
from fund_assets.sources.eastmoney.decode_statements import decode_statements
from fund_assets_tests.integration.evenings import THURSDAY, Market, truths

CALENDAR = TradingCalendar.build()
#: The last day of the recorded dividends and splits.
RECORDED_TO = 20201012
NO_EVENTS = event_frame([])
RANK_DAY = 20260427
#: Columns of the rank list.
WINDOWS = {
    "1w": "week_change",
    "1m": "month_change",
    "3m": "three_month_change",
    "6m": "six_month_change",
    "1y": "year_change",
}
#: Variables of a history's payload. The source's 1y is a month: 1月.
OWN_RETURNS = {"1m": "syl_1y", "3m": "syl_3y", "6m": "syl_6y", "1y": "syl_1n"}

#: Recorded answers with all variables.
RECORDED = ("161725_2026-02-27", "710001_2026-05-14")
#: Histories with both NAVs and growth: the columns of each, and what makes its growth percent.
SCRAPED = {
    "xujinjie151_2017": ("code", "time", "value", "hisvalue", "dayrate", 1),
    "ohiyox_2019-2020": ("CODE", "DATE", "NETWORTH", "ACCWORTH", "INCREASE_RATE", 100),
    "saaltfiish_emfund_2024-01": ("Code", "TradingDay", "UnitNAV", "CumNAV", "Return", 100),
}


def as_keys(dates: pd.Series) -> pd.Series:
    """Dates as yyyymmdd."""
    return dates.astype("str").str.slice(0, 10).str.replace("-", "").astype("int32")


def read_recorded(folder: Path) -> pd.DataFrame:
    """Every dividend and split recorded until October 2020, columns of `EVENT_COLUMNS`."""
    told = pd.read_parquet(folder / "other" / "lcc_dividends_splits.parquet")
    rows = [
        (code, int(day.replace("-", "")), kind, value, text)
        for code, day, text in told.itertuples(index=False)
        for kind, value in read_events(text)
    ]
    events = event_frame(rows)
    assert (len(told), len(events), int(events["value"].isna().sum())) == (11082, 11082, 6)
    return events.dropna(subset="value")


def read_histories(folder: Path) -> pd.DataFrame:
    """309 funds with unit NAV, growth as published, accumulated NAV, and dividends."""
    path = folder / "histories_acc" / "ethanj_unit_acc_reconstructed.parquet"
    frame = pd.read_parquet(path).rename(columns={"code": "fund_code"})
    frame = frame.assign(nav_date=as_keys(frame["date"]))
    return frame.sort_values(["fund_code", "nav_date"], ignore_index=True)


def told(
    frame: pd.DataFrame, code: str, day: str, unit: str, acc: str, growth: str, scale: int = 1
) -> pd.DataFrame:
    """Rows of a history or panel by our names, ascending; `scale` makes growth percent."""

    def numbers(name: str) -> pd.Series:
        return pd.to_numeric(frame[name].astype("str").str.rstrip("%"), errors="coerce")

    rows = pd.DataFrame(
        {
            "fund_code": frame[code].astype("str").str.zfill(6),
            "nav_date": as_keys(frame[day]),
            "unit_nav": numbers(unit),
            "acc_nav": numbers(acc),
            "growth_pct": numbers(growth) * scale,
        }
    ).dropna(subset="unit_nav")
    rows = rows.drop_duplicates(["fund_code", "nav_date"])
    return rows.sort_values(["fund_code", "nav_date"], ignore_index=True)


def read_scraped(folder: Path, name: str) -> pd.DataFrame:
    """One of SCRAPED, columns as `told` has them."""
    frame = pd.read_parquet(folder / "histories_acc" / f"{name}.parquet")
    return told(frame, *SCRAPED[name])


def steps_of(frame: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Rows (fund_code, nav_date, unit_nav, acc_nav, growth_pct) with the step of each."""
    first = (frame["fund_code"] != frame["fund_code"].shift()).to_numpy()
    position = CALENDAR.positions(frame["nav_date"].to_numpy())
    gap = np.maximum(np.diff(position, prepend=position[:1]) - 1, 0)
    keys = keys_of(frame["fund_code"], frame["nav_date"])
    wanted = keys_of(events["fund_code"], events["ex_date"])
    at = np.searchsorted(keys, wanted)
    inside = at < len(keys)
    inside[inside] = keys[at[inside]] // 100_000_000 == wanted[inside] // 100_000_000
    dividend, split = np.zeros(len(frame)), np.ones(len(frame))
    for row, kind, value in zip(
        at[inside], events["kind"][inside], events["value"][inside], strict=True
    ):
        if kind == "dividend":
            dividend[row] += value
        else:
            split[row] *= value
    figures = {
        name: frame[name].to_numpy(dtype=float)
        for name in ("unit_nav", "acc_nav", "growth_pct")
    }
    steps = step_returns(
        Published(**figures, yield_per_10k=np.full(len(frame), np.nan)),
        dividend=dividend,
        split=split,
        first=first,
        gap=np.where(first, 0, gap),
    )
    return frame.assign(
        dividend=dividend,
        split=split,
        returns=steps.returns,
        status=steps.status,
        by_events=steps.by_events,
        disagreement_pct=steps.disagreement_pct,
        prev_unit_nav=frame["unit_nav"].shift().where(~first),
        prev_acc_nav=frame["acc_nav"].shift().where(~first),
        index=chain(steps.returns, first, np.ones(len(frame))),
    )


def steps_with_all_events(histories: pd.DataFrame, recorded: pd.DataFrame) -> pd.DataFrame:
    """Every real step, with recorded events and, after them, the dividends of the data."""
    later = histories[histories["div_inferred"] & (histories["div_per_share"] > 0)]
    rows = [
        (r.fund_code, r.nav_date, "dividend", r.div_per_share, "") for r in later.itertuples()
    ]
    return steps_of(histories, pd.concat([recorded, event_frame(rows)], ignore_index=True))


@dataclass(frozen=True)
class Inference:
    """What inference finds while all recorded events are withheld.

    Attributes:
        blind: the steps without events.
        known: recorded events that have a NAV before them.
        found: inferred events until the last recorded one.
        both: those of the same fund and day; the inferred columns end in _found.
        error: of those of the same kind, the difference in yuan per share or in the ratio.
    """

    blind: pd.DataFrame
    known: pd.DataFrame
    found: pd.DataFrame
    both: pd.DataFrame
    error: pd.Series


def withheld(histories: pd.DataFrame, recorded: pd.DataFrame) -> Inference:
    """Infer all events of the histories, beside the recorded ones."""
    blind = steps_of(histories, NO_EVENTS)
    found = infer(blind, "test")
    found = found[found["ex_date"] <= RECORDED_TO]
    span = histories.groupby("fund_code")["nav_date"].agg(["min", "max"])
    known = recorded[recorded["fund_code"].isin(span.index)]
    limits = span.loc[known["fund_code"]]
    known = known[
        (known["ex_date"].to_numpy() > limits["min"].to_numpy())
        & (known["ex_date"].to_numpy() <= limits["max"].to_numpy())
    ]
    both = known.merge(found, on=["fund_code", "ex_date"], suffixes=("", "_found"))
    same = both[both["kind"] == both["kind_found"]]
    return Inference(blind, known, found, both, (same["value"] - same["value_found"]).abs())


def withheld_splits(folder: Path, recorded: pd.DataFrame) -> pd.DataFrame:
    """Recorded splits of the funds in SCRAPED, with what is inferred while all are withheld.

    Returns:
        fund_code, ex_date, value, kind_found, value_found, unit_nav, acc_nav and `effect`:
        yuan per share by which the inferred event is wrong.
    """
    parts = []
    for name in SCRAPED:
        rows = read_scraped(folder, name)
        found = withheld(rows, recorded)
        known = found.known[found.known["kind"] == "split"]
        both = known.merge(
            found.found, on=["fund_code", "ex_date"], how="left", suffixes=("", "_found")
        )
        navs = rows.rename(columns={"nav_date": "ex_date"})
        parts.append(both.merge(navs, on=["fund_code", "ex_date"], how="left"))
    splits = pd.concat(parts, ignore_index=True)
    right = splits["unit_nav"] * (splits["value"] - 1)
    as_split = splits["unit_nav"] * (splits["value_found"] - 1)
    paid = as_split.where(splits["kind_found"] == "split", splits["value_found"])
    return splits.assign(effect=(paid - right).abs())


def recorded_payload(folder: Path, name: str = "161725_2026-02-27") -> bytes:
    """A recorded answer; that for 161725 has nine splits and three dividends."""
    return gzip.decompress(
        (folder / "raw_payloads" / f"pingzhongdata_{name}.js.gz").read_bytes()
    )


def points_of(payload: bytes) -> tuple[list[dict], list[list[float]]]:
    """Unit and accumulated trend of a payload, parsed with the standard library alone."""
    text = payload.decode("utf-8-sig")
    trend = json.loads(re.search(r"Data_netWorthTrend = (\[.*?\]);", text)[1])
    acc = json.loads(re.search(r"Data_ACWorthTrend = (\[.*?\]);", text)[1])
    return trend, acc


def own_returns(payload: bytes) -> dict[str, float]:
    """Window → the return in percent that the source itself states in a payload."""
    text = payload.decode("utf-8-sig")
    return {
        window: float(re.search(name + r'="(-?[\d.]+)"', text)[1])
        for window, name in OWN_RETURNS.items()
    }


def payload_index(payload: bytes) -> dict[int, float]:
    """Day → our total-return index of the payload of 161725."""
    steps = steps_of(*decode_history(payload, "161725"))
    return dict(zip(steps["nav_date"].tolist(), steps["index"].tolist(), strict=True))


def month_returns(index: dict[int, float]) -> dict[str, float]:
    """Window → return in percent, two decimals, by pandas' months and not by our kernel."""
    days = sorted(index)
    end, found = pd.Timestamp(str(days[-1])), {}
    for window, months in (("1m", 1), ("3m", 3), ("6m", 6), ("1y", 12)):
        target = int((end - pd.DateOffset(months=months)).strftime("%Y%m%d"))
        start = max(day for day in days if day <= target)
        found[window] = round((index[days[-1]] / index[start] - 1) * 100, 2)
    return found


def read_rank(folder: Path) -> pd.DataFrame:
    """The rank list of 27 April 2026 by fund code."""
    path = folder / "snapshots" / "yuyanpsy_rank_2026-04-27.csv.gz"
    return pd.read_csv(path, dtype={"code": str}).set_index("code")


def read_listed(folder: Path, rank: pd.DataFrame) -> pd.DataFrame:
    """Unit NAVs, which is all there is, of the funds of the rank list that have a history."""
    nav = pd.read_parquet(folder / "histories_ak" / "yuyanpsy_unitnav.parquet")
    nav = nav[nav["code"].isin(rank.index) & (nav["nav"] > 0)]
    nav = nav.rename(columns={"code": "fund_code", "nav": "unit_nav"})
    nav = nav.assign(nav_date=as_keys(nav["date"]), acc_nav=np.nan, growth_pct=np.nan)
    return nav.sort_values(["fund_code", "nav_date"], ignore_index=True)


def listed_index(
    listed: pd.DataFrame, recorded: pd.DataFrame, blind: pd.DataFrame
) -> pd.DataFrame:
    """Steps of those funds, with recorded events and those inferred from other histories."""
    inferred = infer(blind, "test")
    inferred = inferred[inferred["ex_date"] > RECORDED_TO].assign(text="")
    events = pd.concat([recorded, inferred[recorded.columns]], ignore_index=True)
    return steps_of(listed, events[events["fund_code"].isin(listed["fund_code"])])


def beside_published(rows: pd.DataFrame, values: str, rank: pd.DataFrame) -> pd.DataFrame:
    """One row per fund and window: our return of `values`, and the rank list's.

    What `compare` returns, with `factor`, by how much the published wealth is higher, and the
    columns of the rank list.
    """
    stated = rank.rename(columns={column: window for window, column in WINDOWS.items()})
    stated = stated[[*WINDOWS]].stack().dropna().rename_axis(["fund_code", "window"])
    stated = stated.rename("theirs").reset_index()
    days = as_keys(rank["nav_date"])
    stated = stated.assign(nav_date=days.loc[stated["fund_code"]].to_numpy())
    unit = rows["unit_nav"].to_numpy()
    paid = rows["dividend"] if "dividend" in rows else pd.Series(0.0, index=rows.index)
    inferred = (paid > 0) & (rows["nav_date"] > RECORDED_TO)
    ours = compare(
        rows.assign(
            total_return_index=rows[values],
            digit=last_digit(unit, np.append(unit[:1], unit[:-1])),
            # Inferred from a growth of two decimals: the fourth decimal is not known.
            unsure=np.where(inferred, 0.00005 + 0.00005 / unit, 0.0),
        ),
        stated,
    ).rows.join(rank.drop(columns="nav_date"), on="fund_code")
    ours["factor"] = (1 + ours["theirs"] / 100) / (1 + ours["ours"] / 100) - 1
    return ours


def agreement_of(payload: bytes, code: str) -> pd.DataFrame:
    """What `compare` says of the returns that a recorded answer states."""
    frame, events = decode_history(payload, code)
    newest = int(frame["nav_date"].max())
    figures = decode_statements(payload, code, newest).figures
    stated = pd.DataFrame(
        [
            (code, newest, window, figures[what, newest])
            for what, window in RETURNS_STATED.items()
        ],
        columns=["fund_code", "nav_date", "window", "theirs"],
    )
    steps = steps_of(frame, events)
    return compare(
        steps.assign(total_return_index=steps["index"], digit=0.0001, unsure=0.0), stated
    ).rows


def simulated_beside_truth(folder: Path) -> pd.DataFrame:
    """Rows (fund_code, nav_date, ours, truth) of a simulated market with all events known.

    The rows that are still published wrongly at this moment are left out. `folder` is empty
    and takes the warehouse.
    """
    market = Market(folder, sim_funds=300)
    platform = market.platform(THURSDAY)
    warehouse, source = platform.warehouse, platform.source
    refresh(warehouse, source, 20260917)
    refresh_events(warehouse, source, platform.now)
    collect_histories(warehouse, source, platform.now, HistoryChoice())
    validate(warehouse, platform.calendar, platform.now())
    stored = market.table("validated_nav")
    warehouse.close()
    assert not {"suspected_event"} & set(stored["return_status"])
    parts = []
    for code, one in truths(market, THURSDAY).items():
        right = ~one.index["nav_date"].isin(one.corrections["nav_date"])
        parts.append(one.index.assign(fund_code=code, right=right))
    truth = pd.concat(parts)
    both = stored.merge(
        truth, "outer", on=["fund_code", "nav_date"], suffixes=("", "_truth"), indicator=True
    )
    assert (both["_merge"] == "both").all(), "a day is lost or invented"
    both = both.rename(
        columns={"total_return_index": "ours", "total_return_index_truth": "truth"}
    )
    return both.loc[both["right"], ["fund_code", "nav_date", "ours", "truth"]]


def read_incomes(folder: Path) -> pd.DataFrame:
    """All real incomes at hand, with what each covers and what the 7-day yield says of it.

    Returns:
        fund_code, nav_date, income, week_pct, gap (days since the row before, 0 for a first
        one), days_covered, overlap, contradicted; and of weeks of which every day is known,
        error_pct, recomputed here by plain loops, and cut, where it begins inside a sum.
    """
    told = pd.read_parquet(folder / "snapshots" / "lcc_2020-10-early_money.parquet")
    rows = pd.DataFrame(
        {
            "fund_code": told["code"],
            "nav_date": as_keys(told["date"]),
            "income": pd.to_numeric(told["wan_yield"], errors="coerce"),
            "week_pct": pd.to_numeric(told["seven_day"].str.rstrip("%"), errors="coerce"),
        }
    ).sort_values(["fund_code", "nav_date"], ignore_index=True)
    day = keys_to_days(rows["nav_date"].to_numpy()).astype(np.int64)
    first = ~rows["fund_code"].duplicated().to_numpy()
    found = judge_income(
        Yields(day, first, rows["income"].to_numpy(), rows["week_pct"].to_numpy()),
        known=np.full(len(rows), np.nan),
        settled=np.zeros(len(rows), dtype=bool),
        calendar=CALENDAR,
        hold_from_pct=WEEK_HOLD_PCT,
    )
    rows = rows.assign(
        day=day,
        gap=np.where(first, 0, np.diff(day, prepend=day[:1])),
        days_covered=found.days_covered,
        overlap=found.overlap,
        contradicted=found.contradicted,
    )
    weeks = [week for _, one in rows.groupby("fund_code") for week in _weeks(one)]
    return rows.assign(
        error_pct=[error for error, _ in weeks], cut=[cut for _, cut in weeks]
    ).drop(columns="day")


def _weeks(one: pd.DataFrame) -> list[tuple[float, bool]]:
    """Published less recomputed 7-day yield of each row of a fund; NaN with a day unknown."""
    found = []
    for end, published in zip(one["day"], one["week_pct"], strict=True):
        parts, cut = [], False
        for row in one[one["day"] <= end].itertuples():
            inside = min(row.days_covered, row.day - (end - 7))
            if inside > 0:
                parts.append((row.income * inside / row.days_covered, inside))
                cut |= inside < row.days_covered
        if sum(days for _, days in parts) != 7:
            found.append((np.nan, False))
            continue
        simple = sum(income for income, _ in parts) / 7 * 365 / 100
        compound = 100 * (np.prod([1 + income / 1e4 for income, _ in parts]) ** (365 / 7) - 1)
        found.append((min(published - simple, published - compound, key=abs), bool(cut)))
    return found


def doubled(one: pd.DataFrame, nav_date: int) -> bool:
    """Whether a fund is convicted when its figure of a date has the day before in it too."""
    at = int(np.flatnonzero(one["nav_date"] == nav_date)[0])
    income = one["income"].to_numpy().copy()
    income[at] = round(income[at] + income[at - 1], 4)
    day = keys_to_days(one["nav_date"].to_numpy()).astype(np.int64)
    found = judge_income(
        Yields(day, np.arange(len(one)) == 0, income, one["week_pct"].to_numpy()),
        known=np.ones(len(one)),
        settled=np.arange(len(one)) != at,
        calendar=CALENDAR,
        hold_from_pct=WEEK_HOLD_PCT,
    )
    return bool(found.overlap[at] or found.contradicted[at])
