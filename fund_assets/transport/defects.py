"""Where anything that breaks over one answer becomes the error of that answer alone.

Belongs here: telling a defect of ours from what a source did, and leaving the traceback of the
former in the log. Does not belong here: the typed errors that decoders raise by themselves.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fund_assets.safe_text import disarm
from fund_assets.transport.errors import DefectError, SourceError

log = logging.getLogger(__name__)
_PACKAGE = str(Path(__file__).resolve().parents[1])


@contextmanager
def boundary(what: str) -> Iterator[None]:
    """Whatever the block raises leaves it as a `SourceError`, and its words are plain.

    Raises:
        SourceError: as the block raised it.
        DefectError: for anything else; the log has the traceback.
    """
    try:
        yield
    except SourceError as error:
        disarm(error)
        raise
    except Exception as error:
        disarm(error)
        log.exception("%s: a defect of fund-assets", what)
        raise DefectError(
            f"{what}: a defect of fund-assets: {type(error).__name__}: {str(error)[:200]}; "
            "see the log, and please report it"
        ) from error


def is_ours(error: BaseException) -> bool:
    """Whether an error was raised by code of ours, and not by a library that it called."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_filename.startswith(_PACKAGE)
