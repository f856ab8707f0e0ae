"""Answers that are kept: every one in the archive, and one fund's until it is stored.

Belongs here: what a kept answer is to whoever asks, and what it means that one cannot be kept.
Does not belong here: files (`archive.py`), asking (`gateway.py`).
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus

from fund_assets.transport.archive import RawArchive
from fund_assets.transport.errors import ArchiveError, StatusError
from fund_assets.transport.http_answer import Answer
from fund_assets.transport.request import Request

log = logging.getLogger(__name__)
#: What is kept in the archive of a page that is not there.
NO_PAGE = "status 404"


@dataclass(frozen=True)
class KeptAnswers:
    """What was answered before; without an archive, nothing is kept."""

    archive: RawArchive | None

    def find(self, request: Request) -> Answer | None:
        """An answer that is kept, as if it came now; None when there is none to be read.

        Raises:
            StatusError: what is kept is that page not found.
        """
        if not request.keep or self.archive is None:
            return None
        what, digest = request.what, self.archive.at_hand(request.endpoint, request.subject)
        if digest is None:
            return None
        if digest == NO_PAGE:
            raise StatusError(f"{what}: status 404, page not found", HTTPStatus.NOT_FOUND.value)
        try:
            body = self.archive.get(digest)
        except (OSError, ValueError) as error:  # pruned meanwhile, or damaged
            log.warning(
                "%s: the stored answer cannot be used, it is requested again: %s", what, error
            )
            return None
        if not body:
            return None
        return Answer(request.endpoint, request.url, HTTPStatus.OK.value, {}, body, digest)

    def store(self, request: Request, answer: Answer) -> None:
        """Put an answer into the archive, and keep it for its fund when it is one's.

        Raises:
            ArchiveError: it cannot be kept.
        """
        if self.archive:
            with _storing(request.what):
                self.archive.put(answer.body)
            self._keep(request, answer.sha256)

    def store_missing(self, request: Request) -> None:
        """Keep that page not found.

        Raises:
            ArchiveError: it cannot be kept.
        """
        self._keep(request, NO_PAGE)

    def _keep(self, request: Request, digest: str) -> None:
        if self.archive and request.keep:
            with _storing(request.what):
                self.archive.keep(request.endpoint, request.subject, digest)


@contextmanager
def _storing(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ArchiveError(
            f"{what}: the answer arrived but cannot be stored: {error}; free space on the "
            "disk of FUND_STATE, or set it to a writable folder"
        ) from error
