"""Which funds are meant: by a code, a part of a name, or the codes of an option.

Belongs here: looking them up, and telling of those that there are not. Does not belong here:
what a code looks like (`schemas/codes.py`), the lookup itself (`warehouse/queries/nav.py`).
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click

from fund_assets.cli._arguments import NotThere
from fund_assets.cli._context import console, stored_warehouse
from fund_assets.language import say

if TYPE_CHECKING:
    from fund_assets.warehouse import Warehouse

#: So many are listed where several fit, and so many are named near one that there is not.
SHOWN_FUNDS, NEAR_FUNDS = 20, 5


def chosen_fund(warehouse: "Warehouse", text: str, *, one_only: bool) -> dict[str, Any] | None:
    """The fund that is meant; None when several fit and were listed.

    Raises:
        NotThere: none fits, or several do and only one may (`one_only`).
    """
    from fund_assets.schemas.codes import read_codes
    from fund_assets.warehouse.queries import nav as nav_queries

    try:
        codes = read_codes([text])
    except ValueError:
        codes = []  # a part of a name
    if len(codes) > 1:
        raise NotThere(
            f"{text!r} matches {len(codes)} funds, but this shows one: `fund-assets compare "
            f"{' '.join(codes)}` compares them"
        )
    text = codes[0] if codes else text
    if exact := nav_queries.fund(warehouse, text):
        return exact
    found = nav_queries.find_funds(warehouse, text, SHOWN_FUNDS + 1)
    if len(found) == 1 and not re.fullmatch(r"[0-9]{6}", text):
        return nav_queries.fund(warehouse, found[0]["fund_code"])
    if found and not one_only:
        _list(found)
        return None
    if found:
        raise NotThere(f"{text!r} matches several funds: choose one by its six digits")
    known = nav_queries.codes(warehouse)
    if not known:
        raise NotThere("no funds yet: run `fund-assets run` first")
    near = get_close_matches(text, known, n=NEAR_FUNDS, cutoff=0.6)
    funds = [nav_queries.fund(warehouse, code) for code in near]
    hint = ", ".join(f"{f['fund_code']} {f['name']}" for f in funds if f)
    raise NotThere(
        f"unknown fund {text!r}: "
        + (f"near it are {hint}" if hint else "write its six digits or a part of its name")
    )


def known_codes(texts: Iterable[str], option: str) -> list[str]:
    """The codes that an option names, looked up in the list of funds when there is one.

    Raises:
        click.BadParameter: one is no code, or no fund that is known; nothing was started.
    """
    from fund_assets.export.datasets import ExportError, check_codes
    from fund_assets.schemas.codes import read_codes
    from fund_assets.settings import load_settings
    from fund_assets.warehouse.queries import nav as nav_queries

    try:
        codes = read_codes(texts)
        warehouse = stored_warehouse(load_settings()) if codes else None
        if warehouse is not None:
            if nav_queries.codes(warehouse):
                check_codes(warehouse, codes)
            warehouse.close()
    except (ValueError, ExportError) as error:
        raise click.BadParameter(str(error), param_hint=option) from error
    return codes


def any_codes(texts: Iterable[str]) -> list[str]:
    """The codes of --code, also such as are in no list; these are told of.

    Raises:
        click.BadParameter: one is no code; nothing was started.
    """
    from fund_assets.schemas.codes import read_codes
    from fund_assets.settings import load_settings
    from fund_assets.warehouse.queries import nav as nav_queries

    try:
        codes = read_codes(texts)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--code") from error
    warehouse = stored_warehouse(load_settings()) if codes else None
    if warehouse is not None:
        known = set(nav_queries.codes(warehouse))
        warehouse.close()
        if known and (unknown := [code for code in codes if code not in known]):
            shown = ", ".join(unknown[:NEAR_FUNDS])
            words = say(
                "{count:,} of the codes are in no list, such as {shown}: their histories are "
                "requested all the same", count=len(unknown), shown=shown,
            )  # fmt: skip
            click.echo(words, err=True)
    return codes


def one_code(text: str, option: str) -> str:
    """The one code that an option names, looked up as `known_codes` does."""
    codes = known_codes([text], option)
    if len(codes) != 1:
        raise click.BadParameter(
            f"{text!r} matches {len(codes)} funds: choose one", param_hint=option
        )
    return codes[0]


def _list(funds: list[dict[str, Any]]) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table(say("code"), say("name"), say("type"), say("state"), box=None)
    for fund in funds[:SHOWN_FUNDS]:
        state = "" if fund["status"] == "listed" else say("delisted")
        table.add_row(fund["fund_code"], escape(fund["name"]), escape(fund["fund_type"]), state)
    terminal = console()
    terminal.print(table)
    if len(funds) > SHOWN_FUNDS:
        terminal.print(
            "[dim]"
            + say(
                "only the first {count} are shown: write more of the name",
                count=SHOWN_FUNDS,
            )
            + "[/]"
        )
