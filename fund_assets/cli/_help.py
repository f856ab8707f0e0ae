"""`--help` in the language that is spoken, in lines that fit the terminal.

Belongs here: how a page of help is laid out. Does not belong here: what it says, which stands
at the commands and options, and its Chinese (`language/zh_help.py`).
"""

import re
from collections.abc import Iterable

import click

from fund_assets.language import is_chinese, say, translated

#: What click writes behind an option's help: its default and its range.
EXTRA = re.compile(r"(?P<help>.*?)(?:  \[(?P<extra>[^\[\]]*)\])?", re.DOTALL)
#: Before a paragraph whose lines click leaves as they are.
AS_IT_IS = "\b\n"
#: A word with the space after it, or one character of those that need none.
PIECE = re.compile(r"[!-~]+ *|.", re.DOTALL)
#: No line begins with these: there is room for one at its end.
CLOSING = "，。；：！？、）”》…"


class HelpPage(click.HelpFormatter):
    """A page of help: click's own in English, translated and wrapped anew in Chinese."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """The line of usage."""
        super().write_usage(prog, args, say("Usage: ") if prefix is None else prefix)

    def write_heading(self, heading: str) -> None:
        """Such as Options."""
        super().write_heading(say(heading))

    def write_text(self, text: str) -> None:
        """Paragraphs, with empty lines between."""
        super().write_text(_in_lines(text, self.width - self.current_indent))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Options or commands, each beside its meaning."""
        told = list(rows)
        first = min(max((len(name) for name, _ in told), default=0), col_max) + col_spacing
        room = max(self.width - first - 2, 10)
        super().write_dl([(n, _in_lines(_meaning(m), room)) for n, m in told], col_max)


class SpokenContext(click.Context):
    """A context whose help is a `HelpPage`."""

    formatter_class = HelpPage


def first_sentence(command: click.Command) -> str:
    """What a list of commands says of one."""
    if not is_chinese():
        return command.get_short_help_str(limit=1_000)
    return translated(_joined((command.help or "").split("\n\n")[0])).partition("。")[0]


def _meaning(text: str) -> str:
    found = EXTRA.fullmatch(text)
    if not is_chinese() or found is None:
        return text
    extra = "；".join(translated(one) for one in (found["extra"] or "").split("; "))
    return translated(_joined(found["help"])) + (f" [{extra}]" if extra else "")


def _in_lines(text: str, width: int) -> str:
    """Chinese in lines of `width` columns; English as it is, which click wraps itself."""
    if not is_chinese():
        return text
    return "\n\n".join(
        AS_IT_IS + "\n".join(_lines(translated(_joined(paragraph)), width))
        for paragraph in text.split("\n\n")
    )


def _joined(paragraph: str) -> str:
    return " ".join(paragraph.split())


def _lines(text: str, width: int) -> list[str]:
    from rich.cells import cell_len  # Chinese characters take two columns

    lines, line = [], ""
    for piece in PIECE.findall(text):
        if line and piece not in CLOSING and cell_len(line + piece.rstrip()) > width - 2:
            lines.append(line.rstrip())
            line = ""
        line += piece
    return [*lines, line]
