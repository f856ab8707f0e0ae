"""Scores written a second time, slowly and plainly, for tests to hold the fast ones to.

One fund at a time, in Python's own numbers, from dictionaries of NAVs and the stored positions.
"""

import calendar
import statistics
from datetime import date, timedelta

PARTS = {"return": "total_return", "risk_adjusted": "sharpe_ratio", "drawdown": "max_drawdown"}


def whole_months(calc, count):
    """(year, month) of the last whole months before a date, the newest last."""
    year, month = calc.year, calc.month
    end = date(year, month, calendar.monthrange(year, month)[1])
    left = [calc + timedelta(n) for n in range(1, (end - calc).days + 1)]
    if any(day.weekday() < 5 for day in left):
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    found = []
    for _ in range(count):
        found.append((year, month))
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return found[::-1]


def value_at(navs, end, calc):
    """The last NAV on or before a day, at most 15 days old, of those known on `calc`."""
    for age in range(16):
        day = end - timedelta(age)
        if day in navs and day <= calc:
            return navs[day]
    return None


def monthly(navs, calc, count):
    """Month → return, None where an end is missing."""
    found = {}
    for year, month in whole_months(calc, count):
        end = date(year, month, calendar.monthrange(year, month)[1])
        before = value_at(navs, date(year, month, 1) - timedelta(1), calc)
        after = value_at(navs, end, calc)
        found[year, month] = None if before is None or after is None else after / before - 1
    return found


def rank(values, code):
    """Rank among those with a value, 1 for the highest, and their number; None below 10."""
    there = [v for v in values.values() if v is not None]
    if values[code] is None or len(there) < 10:
        return None, None
    return 1 + sum(v > values[code] for v in there), len(there)


def percentile(values, code):
    place, peers = rank(values, code)
    return None if place is None else (peers - place) / (peers - 1)


def mrar(returns, rate):
    worth = [((1 + r) / (1 + rate) ** (1 / 12)) ** -2 for r in returns]
    return statistics.fmean(worth) ** -6 - 1


def stars_of(place, peers):
    if place is None:
        return None
    for share, count in ((0.1, 5), (0.325, 4), (0.675, 3), (0.9, 2)):
        if place <= share * peers + 1e-9:
            return count
    return 1


def group_scores(members, navs, places, calc, weights, rate):
    """Scores of one group.

    Args:
        members: codes that stand for their portfolios.
        navs: code → {date: index value}.
        places: (code, window, measure) → (percentile, rank, peers); absent: no rank.
    """
    months = {code: monthly(navs[code], calc, 36) for code in members}
    medians = {}
    for month in whole_months(calc, 36):
        there = [months[c][month] for c in members if months[c][month] is not None]
        medians[month] = statistics.median(there) if len(there) >= 10 else None
    rows = {code: {} for code in members}
    shares = {}
    for code in members:
        above, counted = 0, 0
        for month in reversed(whole_months(calc, 36)):
            if months[code][month] is None or medians[month] is None:
                break
            counted += 1
            above += months[code][month] >= medians[month]
        shares[code] = above / counted if counted >= 12 else None
        rows[code]["months_counted"] = counted if counted >= 12 else None
        rows[code]["months_above_median"] = shares[code]
    for code, row in rows.items():
        row["consistency_score"] = percentile(shares, code)
        for part, measure in PARTS.items():
            known = [places.get((code, window, measure)) for window in ("1y", "2y", "3y")]
            there = [place[0] for place in known if place]
            row[f"{part}_score"] = statistics.fmean(there) if known[0] else None
        parts = {part: row[f"{part}_score"] for part in (*PARTS, "consistency")}
        row["composite_score"] = (
            None
            if None in parts.values()
            else 100 * sum(weights[p] * v for p, v in parts.items()) / sum(weights.values())
        )
        tops = {"1y": 4, "2y": 4, "3y": 4, "5y": 4, "ytd": 4, "6m": 3, "3m": 3}
        for window, part in tops.items():
            place = places.get((code, window, "total_return"))
            row[f"top_{window}"] = (
                None if not place else int(place[1] / place[2] <= 1 / part + 1e-12)
            )
        flags = [row[f"top_{window}"] for window in tops]
        row["passes_4433"] = None if None in flags else int(all(flags))
    for years in (3, 5, 10):
        values = {}
        for code in members:
            returns = list(monthly(navs[code], calc, 12 * years).values())
            values[code] = None if None in returns else mrar(returns, rate)
        for code in members:
            rows[code][f"mrar_{years}y"] = values[code]
            rows[code][f"stars_{years}y"] = stars_of(*rank(values, code))
    for row in rows.values():
        three, five, ten = (row[f"stars_{n}y"] for n in (3, 5, 10))
        mean = three
        if three and five:
            mean = 0.4 * three + 0.6 * five
        if three and five and ten:
            mean = 0.2 * three + 0.3 * five + 0.5 * ten
        row["stars"] = None if mean is None else int(mean + 0.5 + 1e-9)
    scores = {code: row["composite_score"] for code, row in rows.items()}
    for code, row in rows.items():
        row["composite_rank"], row["composite_peers"] = rank(scores, code)
        if row["composite_rank"] is None:
            row["composite_score"] = None
    return rows
