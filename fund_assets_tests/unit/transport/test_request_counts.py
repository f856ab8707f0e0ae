"""Requests counted in a process, by how they ended."""

import pytest

from fund_assets.schemas.tables import SOURCE_REQUEST
from fund_assets.transport import errors
from fund_assets.transport.errors import SourceError, StatusError
from fund_assets.transport.request_counts import (
    OUTCOMES,
    RequestCount,
    RequestCounter,
    outcome_of,
)

#: Errors that end no request: nothing was asked, or it had been answered before.
BESIDE = {
    "ArchiveError",
    "HeldOffError",
    "UnknownFundError",
    "UnknownIndexError",
    "WrongFundError",
}
KINDS = [
    kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type)
    and issubclass(kind, SourceError)
    and kind not in (SourceError, StatusError)
    and name not in BESIDE
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_failure_has_a_word_of_its_own(kind):
    """Stops a new kind of error from being counted as another, or as one of no kind."""
    assert outcome_of(kind("x")) == OUTCOMES[kind]


def test_words_of_outcomes():
    """Stops two endings from being one row of the account, and a word that does not fit it."""
    assert outcome_of(None) == "ok" and outcome_of(SourceError("x")) == "other"
    assert outcome_of(StatusError("x", 503)) == "status_503"
    words = [*OUTCOMES.values(), "other"]
    assert len(set(words)) == len(words)
    assert max(map(len, words)) <= SOURCE_REQUEST["outcome"].max_length


def test_what_is_taken_is_counted_once():
    """Stops requests from being added to the account at the end of every later run."""
    counter = RequestCounter()
    counter.add("history", "ok", 0.25)
    counter.add("history", "ok", 0.5)
    assert counter.take() == [RequestCount("history", "ok", 2, 0.75, 0.5)]
    assert counter.take() == []
