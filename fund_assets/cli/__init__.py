"""The command line `fund-assets`: its commands, and how an error is told.

Belongs here: the group, and turning the project's errors into one message and an exit code.
Does not belong here: what a command does (one module a command), facts (`observability/`).

Commands import what they need when they are called: `--help` must not wait for Dagster.
"""

import errno
import gc
import sys
from typing import Any

import click

from fund_assets.cli._arguments import Commands, plainly
from fund_assets.cli.alert import alert
from fund_assets.cli.backfill import backfill
from fund_assets.cli.calendar import calendar
from fund_assets.cli.canary import canary
from fund_assets.cli.collect import collect
from fund_assets.cli.compare import compare
from fund_assets.cli.copy_warehouse import copy_warehouse
from fund_assets.cli.corrections import corrections
from fund_assets.cli.dashboard import dashboard
from fund_assets.cli.doctor import doctor
from fund_assets.cli.export import export
from fund_assets.cli.fund import fund
from fund_assets.cli.gaps import gaps
from fund_assets.cli.init import init
from fund_assets.cli.logs import logs
from fund_assets.cli.metrics import metrics
from fund_assets.cli.migrate import migrate
from fund_assets.cli.nav import nav
from fund_assets.cli.prove import prove
from fund_assets.cli.quarantine import quarantine
from fund_assets.cli.rate import rate
from fund_assets.cli.report import report
from fund_assets.cli.run import run
from fund_assets.cli.screen import screen
from fund_assets.cli.serve import serve
from fund_assets.cli.validate import validate
from fund_assets.cli.watch import watch
from fund_assets.cli.weekly import weekly
from fund_assets.errors import FundAssetsError
from fund_assets.language import chosen, say, speaking, translated
from fund_assets.safe_text import plain_lines
from fund_assets.version import __version__

#: So many objects are made before Python looks for garbage among them.
GARBAGE_AFTER = 50_000
#: The exit code of wrong usage or settings.
WRONG_USE = 2
#: A place that a person must open, or choose another one.
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR)


class _Plain(Commands):
    """A group that tells the project's errors in words; any other error is a defect."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with plainly():
                return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise
        except (FundAssetsError, OSError) as error:
            code = _exit_code(error)
            if code is None:
                raise
            mark = click.style(say("Error: "), fg="red", bold=True)
            click.echo(mark + translated(_words(error)), err=True)
            ctx.exit(code)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with plainly():
            return super().make_context(*args, **kwargs)

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """The whole command, in the language of whoever reads it.

        Nearly all that a short command makes are modules, which stay: looking for garbage
        after each 700 objects, Python's habit, would be a tenth of its time.
        """
        usual = gc.get_threshold()
        gc.set_threshold(GARBAGE_AFTER)
        try:
            with speaking(chosen()):
                return super().main(*args, **kwargs)
        finally:
            gc.set_threshold(*usual)


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return (
            f"{error.filename} cannot be used: {error.strerror}: fix its permissions, or set "
            "FUND_STATE to another folder"
        )
    return plain_lines(str(error))


def _exit_code(error: Exception) -> int | None:
    if isinstance(error, FundAssetsError):
        return error.exit_code
    if isinstance(error, OSError) and error.errno in CLOSED and error.filename:
        return WRONG_USE
    return None


@click.group(
    cls=_Plain,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 88},
    epilog="Settings are environment variables or lines of .env: see .env.example. "
    "Start with `fund-assets run`, then `fund-assets dashboard`.",
)
@click.version_option(__version__, prog_name="fund-assets")
def main() -> None:
    """NAVs, returns and risk of Chinese public mutual funds, stored on this machine.

    Every run is recorded in the project's Dagster instance: `make dev` shows it in the
    browser. Exit codes: 0 all is well, 1 a run failed or something is unhealthy, 2 wrong
    usage or settings.
    """
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that cannot write Chinese


COMMANDS = (
    run, weekly, collect, backfill, gaps, validate, metrics, canary, dashboard, logs, fund, nav,
    prove, corrections, quarantine, compare, screen, report, export, serve, rate, init, migrate,
    copy_warehouse, doctor, calendar, alert, watch,
)  # fmt: skip
for command in COMMANDS:
    main.add_command(command)
