"""The command `fund`: what one fund is, its life, and what it says it is measured against.

Belongs here: what is shown. Does not belong here: reads (`warehouse/queries/`).
"""

from typing import TYPE_CHECKING, Any

import click

from fund_assets.cli._context import console, reading
from fund_assets.cli._funds import chosen_fund
from fund_assets.cli._manager_cells import current_managers, terms_table
from fund_assets.cli._metric_cells import measured_against
from fund_assets.cli._report_cells import reported
from fund_assets.labels import (
    BENCHMARK_STATES,
    FUND_CHANGES,
    FUND_STATES,
    SERIES_VARIANTS,
    TRADE_STATUSES,
    amount_words,
)
from fund_assets.language import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from fund_assets.warehouse import Warehouse
    from fund_assets.warehouse.queries.fund_status import Status


@click.command()
@click.argument("fund", metavar="CODE")
def fund(fund: str) -> None:
    """Show what a fund is, its benchmark and size, whether it can be bought, and its life.

    CODE has six digits. A part of a name, or the beginning of a pinyin abbreviation, lists the
    funds that match.
    """
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.schemas.kinds import KINDS
    from fund_assets.schemas.portfolios import currency_of
    from fund_assets.warehouse.queries.benchmarks import benchmark_of
    from fund_assets.warehouse.queries.fund_status import statuses_of
    from fund_assets.warehouse.queries.metrics import newest_metrics
    from fund_assets.warehouse.queries.nav import classes_of

    warehouse = reading()
    row = chosen_fund(warehouse, fund, one_only=False)
    if row is None:
        return
    terminal = console()
    state = "" if row["status"] == "listed" else f" {say('delisted')}"
    terminal.print(f"[bold]{row['fund_code']} {escape(row['name'])}[/][dim]{state}[/]")
    facts = {
        say("type"): f"{row['fund_type']} ({KINDS[row['kind']].label}, {row['kind']})",
        say("portfolio"): row["family"],
        say("classes"): ", ".join(classes_of(warehouse, row["family"])),
        say("currency"): currency_of(row["name"]),
        **_benchmark(benchmark_of(warehouse, row["fund_code"])),
    }
    measured = newest_metrics(warehouse, row["fund_code"])
    if measured and (against := measured_against(measured[0])):
        facts[say("measured against")] = against
    statuses = statuses_of(warehouse, row["fund_code"])
    if statuses:
        facts |= _purchase(statuses[-1])
    facts |= reported(warehouse, row["fund_code"])
    facts |= current_managers(warehouse, row["fund_code"])
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in facts.items():
        table.add_row(name, escape(str(value)))
    terminal.print(table)
    for part in (
        terms_table(warehouse, row["fund_code"]),
        _statuses(statuses),
        _states(warehouse, row["fund_code"]),
        _changes(warehouse, row["fund_code"]),
    ):
        if part.row_count:
            terminal.print()
            terminal.print(part)


def _purchase(status: "Status") -> dict[str, str]:
    """Can a fund be bought, up to how much and at what fee, by its label."""
    from fund_assets.calendar import from_key

    fees = _fee(status.fee)
    if status.full_fee is not None and status.full_fee != status.fee:
        full = say("{fee} without the discount", fee=_fee(status.full_fee))
        fees = f"{fees} ({full})"
    facts = {
        say("purchases"): _trade(status.purchase, status.purchase_word),
        say("daily limit"): _limit(status),
        say("redemptions"): _trade(status.redemption, status.redemption_word),
        say("purchase fee"): fees,
    }
    if status.least_amount is not None:
        facts[say("least amount")] = say(
            "{amount} yuan", amount=amount_words(status.least_amount)
        )
    if status.next_open_date is not None:
        facts[say("next open day")] = f"{from_key(status.next_open_date)}"
    return facts


def _limit(status: "Status") -> str:
    """The most that can be bought a day."""
    if status.daily_limit is not None:
        return say("{amount} yuan", amount=amount_words(status.daily_limit))
    return {
        None: say("not read yet"), "unlimited": say("no limit"), "unstated": say("not stated"),
    }.get(status.limit_state, "—")  # fmt: skip


def _trade(status: str, word: str) -> str:
    told = say(TRADE_STATUSES[status])
    return f"{told} ({word})" if word and word != told else told


def _fee(fee: float | None) -> str:
    return "—" if fee is None else f"{round(100 * fee, 6):g} %"


def _statuses(statuses: "Sequence[Status]") -> "Table":
    """Status, limit and fee of a fund, ascending; no rows while nothing has changed."""
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.calendar import from_stamp

    table = Table(
        say("purchases"), say("daily limit"), say("redemptions"), say("purchase fee"),
        say("since"), say("until"), box=None,
    )  # fmt: skip
    for one in statuses if len(statuses) > 1 else ():
        gone = one.superseded_at
        table.add_row(
            escape(_trade(one.purchase, one.purchase_word)),
            _limit(one),
            escape(_trade(one.redemption, one.redemption_word)),
            _fee(one.fee),
            f"{from_stamp(one.first_seen_at):%Y-%m-%d %H:%M}",
            f"{from_stamp(gone):%Y-%m-%d %H:%M}" if gone else "",
        )
    return table


def _states(warehouse: "Warehouse", code: str) -> "Table":
    """The states of a fund, ascending."""
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.calendar import from_key
    from fund_assets.warehouse.queries.life import spells_of

    table = Table(say("state"), say("since"), say("until"), say("evidence"), box=None)
    for spell in spells_of(warehouse, code):
        until = f"{from_key(spell.until)}" if spell.until else ""
        state = say(FUND_STATES[spell.state])
        table.add_row(state, f"{from_key(spell.since)}", until, escape(spell.evidence))
    return table


def _changes(warehouse: "Warehouse", code: str) -> "Table":
    """What changed in a fund, ascending."""
    from rich.markup import escape
    from rich.table import Table

    from fund_assets.calendar import from_key
    from fund_assets.warehouse.queries.life import changes_of

    table = Table(
        say("change"), say("seen on"), say("before"), say("now"), say("evidence"), box=None
    )
    for change in changes_of(warehouse, code):
        gone = change.what in ("delisted", "relisted")
        texts = ("", "") if gone else (change.old, change.new)
        table.add_row(
            say(FUND_CHANGES[change.what]),
            f"{from_key(change.seen_on)}",
            *map(escape, (*texts, change.evidence)),
        )
    return table


def _benchmark(found: dict[str, Any] | None) -> dict[str, str]:
    """What is known of a fund's benchmark, by its label."""
    from fund_assets.calendar import from_key

    if found is None:
        words = say("not requested yet: one of the next evenings requests it")
        return {say("benchmark"): words}
    facts = {say("benchmark"): found["benchmark_text"] or say("none is disclosed")}
    if found["tracked_index"]:
        code = f" ({found['tracked_code']})" if found["tracked_code"] else ""
        facts[say("tracks")] = found["tracked_index"] + code
    facts[say("as read")] = say(BENCHMARK_STATES[found["status"]])
    if found["parts"]:
        facts[say("made of")] = "\n".join(map(_part, found["parts"]))
    if found["not_understood"]:
        facts[say("not understood")] = found["not_understood"]
    if found["stated_since"]:
        facts[say("holds since")] = f"{from_key(found['stated_since'])}"
    first, last = (from_key(found[name]) for name in ("first_seen_on", "last_seen_on"))
    facts[say("seen on the page")] = f"{first}" if first == last else f"{first} – {last}"
    return facts


def _part(part: dict[str, Any]) -> str:
    told = [part["series"]]
    if part["annual_rate"] is not None:
        told = [say("{rate:g} % a year", rate=round(100 * part["annual_rate"], 6))]
    if part["index_code"]:
        told.append(part["index_code"])
    if part["variant"]:
        told.append(say(SERIES_VARIANTS[part["variant"]]))
    if part["currency"]:
        told.append(say("in {currency}", currency=part["currency"]))
    weight = "+" if part["weight"] is None else f"{100 * part['weight']:g} %"
    return f"{weight:>6}  {', '.join(told)}"
