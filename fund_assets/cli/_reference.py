"""The page `docs/cli.md`, written from the commands themselves.

Belongs here: turning commands, arguments and options into that page. Does not belong here:
anything a reader should know about a command (it stands in its help).

    python -m fund_assets.cli._reference            writes the page
    python -m fund_assets.cli._reference --check    fails when the page is out of date
"""

import sys
from collections.abc import Iterator

import click

from fund_assets.cli import main
from fund_assets.schemas.page import DOCS, write_or_check

PAGE = DOCS / "cli.md"

HEAD = """# Commands

Generated from the commands' own help by `make docs`; `fund-assets COMMAND --help` shows the
same in the terminal.
"""


def commands(
    command: click.Command = main, path: tuple[str, ...] = ("fund-assets",)
) -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name, groups before what is in them."""
    yield " ".join(path), command
    if isinstance(command, click.Group):
        for name, each in command.commands.items():
            yield from commands(each, (*path, name))


def section(name: str, command: click.Command) -> list[str]:
    """A command's part of the page."""
    context = click.Context(command, info_name=name)
    usage = " ".join([name, *command.collect_usage_pieces(context)])
    lines = [f"{'#' * min(name.count(' ') + 2, 4)} {name}", "", "```", usage, "```", ""]
    lines += [_paragraphs(command.help), ""]
    options = [
        record
        for parameter in command.get_params(context)
        if "--help" not in parameter.opts and (record := parameter.get_help_record(context))
        if record[1]
    ]
    if options:
        lines += ["| option | meaning |", "|---|---|"]
        lines += [f"| {_code(form)} | {_cell(meaning)} |" for form, meaning in options]
        lines.append("")
    if command.epilog:
        lines += [command.epilog, ""]
    return lines


def render() -> str:
    """The whole page."""
    lines = [HEAD, *(line for each in commands() for line in section(*each))]
    return "\n".join(lines).rstrip("\n") + "\n"


def _paragraphs(text: str | None) -> str:
    """The help's paragraphs, each on one line; what click sets apart stays so."""
    paragraphs = (text or "").replace("\b\n", "").split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in paragraphs if part.strip())


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(write_or_check(PAGE, render(), sys.argv[1:]))
