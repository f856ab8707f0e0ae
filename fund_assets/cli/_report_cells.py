"""What a fund's reports say, as the command `fund` shows it.

Belongs here: the newest period of size, holders and portfolio in words. Does not belong here:
reads (`warehouse/queries/reports.py`).
"""

from typing import TYPE_CHECKING, Any

from fund_assets.language import say

if TYPE_CHECKING:
    from fund_assets.warehouse import Warehouse

Row = dict[str, Any]


def reported(warehouse: "Warehouse", code: str) -> dict[str, str]:
    """Size, holders and portfolio of the newest period with a figure, by label."""
    from fund_assets.schemas.tables import (
        FUND_ALLOCATION,
        FUND_HOLDERS,
        FUND_POSITION_ESTIMATE,
        FUND_SIZE,
        FUND_TOP_HOLDINGS,
    )
    from fund_assets.warehouse.queries.reports import periods_of

    sizes = periods_of(warehouse, FUND_SIZE, code)
    found = {
        say("net assets"): _newest(sizes, "net_assets", _assets),
        say("shares"): _newest(sizes, "total_shares", _shares),
        say("held by"): _newest(
            periods_of(warehouse, FUND_HOLDERS, code), "institutions", _holders
        ),
        say("portfolio of"): _newest(
            periods_of(warehouse, FUND_ALLOCATION, code), "net_assets", _allocation
        ),
        say("stocks by estimate"): _newest(
            periods_of(warehouse, FUND_POSITION_ESTIMATE, code), "position", _position
        ),
        say("largest holdings"): _holdings(periods_of(warehouse, FUND_TOP_HOLDINGS, code)),
    }
    return {label: words for label, words in found.items() if words}


def _newest(rows: list[Row], column: str, tell: Any) -> str:
    from fund_assets.calendar import from_key

    row = next((row for row in rows if row[column] is not None), None)
    if row is None:
        return ""
    day = row.get("period_end") or row["nav_date"]
    return say("{figures}, at {date}", figures=tell(row), date=from_key(day))


def _assets(row: Row) -> str:
    told = say("{amount} yuan", amount=_whole(row["net_assets"]))
    change = row["net_assets_change"]
    return told if change is None else f"{told} ({change:+.2%})"


def _shares(row: Row) -> str:
    return say(
        "{total}; {new} subscribed and {old} redeemed in the quarter",
        total=_whole(row["total_shares"]), new=_whole(row["subscribed_shares"]),
        old=_whole(row["redeemed_shares"]),
    )  # fmt: skip


def _holders(row: Row) -> str:
    return say(
        "institutions {institutions}, individuals {individuals}, insiders {insiders}",
        **{name: _part(row[name]) for name in ("institutions", "individuals", "insiders")},
    )


def _allocation(row: Row) -> str:
    return say(
        "stocks {stocks}, bonds {bonds}, cash {cash} of {amount} yuan",
        **{name: _part(row[name]) for name in ("stocks", "bonds", "cash")},
        amount=_whole(row["net_assets"]),
    )


def _position(row: Row) -> str:
    return say("{part}, estimated by the source", part=_part(row["position"]))


def _holdings(rows: list[Row]) -> str:
    """Codes of the newest quarter, stocks and bonds in a line each."""
    from fund_assets.calendar import from_key

    newest = [row for row in rows if row["period_end"] == rows[0]["period_end"]]
    lines = [
        " ".join(map(_security, held))
        for kind in ("stock", "bond")
        if (held := [row for row in newest if row["kind"] == kind])
    ]
    if not lines:
        return ""
    date = from_key(newest[0]["period_end"])
    return say("{figures}, at {date}", figures="\n".join(lines), date=date)


def _security(row: Row) -> str:
    weight = "" if row["weight"] is None else f" {_part(row['weight'])}"
    return f"{row['security_code']}{_MARKETS.get(row['market'], '')}{weight}"


#: Market number of the source → what follows a code of it.
_MARKETS = {0: ".SZ", 1: ".SH", 116: ".HK", 105: ".US", 106: ".US", 107: ".US"}


def _part(value: float | None) -> str:
    return "—" if value is None else f"{value:.2%}"


def _whole(value: float | None) -> str:
    return "—" if value is None else f"{value:,.0f}"
