"""What commands take: days, kinds, rules and words, each refused with what is known.

Belongs here: reading an argument or option before anything starts, and telling a wrong one in
one sentence. Does not belong here: looking an answer up (`_context.py`), what a command does.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from difflib import get_close_matches
from typing import IO, Any

import click

from fund_assets.cli._help import SpokenContext, first_sentence
from fund_assets.language import say, translated

#: So many are told of what is known.
SHOWN = 30


class NotThere(click.ClickException):
    """What was named does not exist: wrong use, told without the usage lines."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        """One line of standard error."""
        words = say("Error: ") + translated(self.format_message())
        click.echo(words, file=file, err=file is None)


class Failed(NotThere):
    """What was asked for could not be done."""

    exit_code = 1


def nearest(written: str, known: Iterable[str]) -> str:
    """`did you mean X?`, or all that is known where nothing is near."""
    names = list(known)
    folded = {name.casefold(): name for name in names}
    near = get_close_matches(written.casefold(), folded, n=1, cutoff=0.5)
    if near:
        return f"did you mean {folded[near[0]]}?"
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"choose from {', '.join(names[:SHOWN])}{more}"


@contextmanager
def plainly() -> Iterator[None]:
    """Wrong use in one sentence, and where the right one stands."""
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        words = error.format_message().rstrip(".").replace("\n", " ")
        if not error.ctx:
            raise NotThere(words) from error
        command = error.ctx.command_path
        if words.endswith("?"):
            raise NotThere(f"{words} See `{command} --help`") from error
        raise NotThere(f"{words}; see `{command} --help`") from error


class Commands(click.Group):
    """A group that names the nearest command for one that there is not."""

    context_class = SpokenContext

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """As click does; its help is in the language that is spoken."""
        cmd.context_class = SpokenContext
        super().add_command(cmd, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, each with its first sentence whole."""
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl([(name, first_sentence(c)) for name, c in commands if c])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but for a name that is no command."""
        name = args[0] if args else ""
        if name and not name.startswith("-") and self.get_command(ctx, name) is None:
            ctx.fail(f"unknown command {name!r}: {nearest(name, self.list_commands(ctx))}")
        return super().resolve_command(ctx, args)


class _Day(click.ParamType[datetime]):
    """A day such as 2026-11-24 or 20261124, as a datetime of its beginning."""

    name = "date"

    def __init__(self, *, past: bool = False) -> None:
        self._past = past

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime:
        if isinstance(value, datetime):
            return value
        day = None
        for form in ("%Y-%m-%d", "%Y%m%d"):
            try:
                day = datetime.strptime(value, form)  # noqa: DTZ007
            except ValueError:
                continue
            break
        if day is None or not 1990 <= day.year <= 2100:
            self.fail(
                f"{value!r} is not a date from 1990 on: write it as 2026-11-24", param, ctx
            )
        if self._past:
            from fund_assets.settings import load_settings

            today = load_settings().now().date()
            if day.date() > today:
                self.fail(
                    f"{day:%Y-%m-%d} is in the future, today is {today}: choose an earlier "
                    "date",
                    param, ctx,
                )  # fmt: skip
        return day


#: A day, and one that has come.
DAY, PAST_DAY = _Day(), _Day(past=True)


class OneOf(click.Choice[str]):
    """One of some words; the nearest is named for another."""

    def __init__(self, words: Sequence[str]) -> None:
        super().__init__(words)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        """The word, if it is one of them."""
        if value not in self.choices:
            self.fail(
                f"{value!r} is not a valid value: {nearest(str(value), self.choices)}",
                param,
                ctx,
            )
        return value


class _Kind(click.ParamType[str]):
    """A kind of funds, by its name or its Chinese word."""

    name = "kind"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        from fund_assets.schemas.kinds import read_kind

        try:
            return read_kind(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


KIND = _Kind()


class _FundType(click.ParamType[str]):
    """A type of funds, by the source's word or a part of it that only one type has."""

    name = "type"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        from fund_assets.schemas.fund_types import read_type

        try:
            return read_type(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


FUND_TYPE = _FundType()


class _Window(click.ParamType[str]):
    """A window of metrics, by its name or its Chinese word."""

    name = "window"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        from fund_assets.schemas.words import read_window

        try:
            return read_window(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


WINDOW = _Window()


class _Rule(click.ParamType[str]):
    """A rule of the rule book, by its id or its number."""

    name = "rule"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        from fund_assets.nav.rulebook import EVERY

        ids = [rule.id for rule in EVERY]
        found = [name for name in ids if value in (name, name.partition("_")[0])]
        if len(found) != 1:
            self.fail(f"unknown rule {value!r}: {nearest(value, ids)}", param, ctx)
        return found[0]


RULE = _Rule()


def check_text(text: str, option: str, most: int) -> str:
    """A text that a person must give, without the blanks around it."""
    if not 0 < len(text.strip()) <= most:
        raise click.BadParameter(
            f"{len(text.strip())} characters: write 1 to {most}", param_hint=option
        )
    return text.strip()
