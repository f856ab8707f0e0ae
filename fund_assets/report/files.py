"""Where reports lie, and writing one so that nobody ever reads half of it.

Belongs here: names and files. Does not belong here: what is in them (`page.py`).
"""

from pathlib import Path

from fund_assets.durable_files import move, work_folder
from fund_assets.errors import FundAssetsError
from fund_assets.settings import Settings

#: A mailed report must fit through every mail server.
LARGEST_BYTES = 3_000_000


class ReportError(FundAssetsError, RuntimeError):
    """A report cannot be made or written; the message says why and what to do."""


def report_folder(settings: Settings) -> Path:
    """The folder of the reports of the chosen source."""
    return settings.state_dir / "reports"


def weekly_file(settings: Settings, week: str) -> Path:
    """The file of a week's report."""
    return report_folder(settings) / f"weekly-{week}.html"


def walk_forward_file(settings: Settings) -> Path:
    """The file that says what past screens did next."""
    return report_folder(settings) / "walk-forward.html"


def walked_screens_file(settings: Settings) -> Path:
    """The file that says what a user's screens did next."""
    return report_folder(settings) / "walk-forward-screens.html"


def write_page(path: Path, page: str) -> int:
    """Write a page whole or not at all; returns its size in bytes.

    Raises:
        ReportError: it is too large to be mailed, or the folder takes nothing.
    """
    body = page.encode()
    if len(body) > LARGEST_BYTES:
        raise ReportError(f"{path.name} has {len(body):,} bytes, {LARGEST_BYTES:,} are allowed")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with work_folder(path.parent) as folder:
            (folder / path.name).write_bytes(body)
            move(folder / path.name, path)
    except OSError as error:
        raise ReportError(f"{path} cannot be written: {error}") from error
    return len(body)
