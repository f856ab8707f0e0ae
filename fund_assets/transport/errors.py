"""What may go wrong when a source is asked.

Belongs here: the typed errors of asking and of reading an answer. Does not belong here: what is
done about one (`gateway.py`, `pipeline/`).
"""

from fund_assets.errors import FundAssetsError
from fund_assets.safe_text import plain


class SourceError(FundAssetsError, RuntimeError):
    """The source did not give what was asked for; the message says what and what to do.

    Of what it quotes from an answer, nothing can act on a terminal or a log.
    """

    def __init__(self, message: str) -> None:
        super().__init__(plain(message))


class TransportError(SourceError):
    """No whole answer arrived: refused, reset, timed out, cut short, 4xx or 5xx."""


class StatusError(TransportError):
    """The server answered with a status that is no success."""

    def __init__(self, message: str, status: int, retry_after_s: float = 0.0) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class DeadlineError(TransportError):
    """The call's time is over; it is not tried again."""


class UnreachedError(TransportError):
    """There was no connection to the server at all."""


class BannedError(SourceError):
    """The source answered with a ban, login or captcha page instead of data."""


class HeldOffError(BannedError):
    """Nothing was asked: the source refuses us, or cannot be reached, until a later time."""


class ArchiveError(SourceError):
    """The answer came and cannot be kept on this machine."""


class DefectError(SourceError):
    """Something of ours broke over an answer; the log has the traceback."""


class EmptyAnswerError(SourceError):
    """The answer is well formed but holds nothing."""


class TruncatedError(SourceError):
    """The answer holds fewer rows than it says it should, or ends in the middle."""


class FormatError(SourceError):
    """The answer's columns or shape are not the ones this version knows."""


class WrongFundError(SourceError):
    """The answer is another fund's."""


class TooLargeError(SourceError):
    """The answer is larger than the limit."""


class UnknownFundError(SourceError):
    """The source has no such fund."""


class UnknownIndexError(SourceError):
    """No provider has an index of this code; asking again does not help."""
