"""The content encoding of an answer, member by member."""

import gzip
import zlib

import pytest

from fund_assets.transport.content_encoding import (
    MOST_MEMBERS,
    ContentDecoder,
    ContentDecodingError,
)

PARTS = [b"var db={", b"", b"chars:[]", "基金".encode() * 50]
MEMBERS = b"".join(map(gzip.compress, PARTS))


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_every_member_of_a_gzip_answer_counts(size):
    """The first member of several passed for the whole answer."""
    decoder = ContentDecoder("gzip")
    chunks = [MEMBERS[at : at + size] for at in range(0, len(MEMBERS), size)]
    assert b"".join(decoder.feed(chunk, 10**6) for chunk in chunks) == b"".join(PARTS)
    decoder.end()
    assert gzip.decompress(MEMBERS) == b"".join(PARTS), "as the standard library reads it"


def test_a_cut_in_any_member_is_told():
    """Stops an answer from passing that lacks its last member's end."""
    ends = {len(MEMBERS) - len(b"".join(map(gzip.compress, PARTS[at:]))) for at in range(5)}
    for length in range(1, len(MEMBERS)):
        decoder = ContentDecoder("gzip")
        decoder.feed(MEMBERS[:length], 10**6)
        if length in ends:
            decoder.end()  # nothing says that there should be another
            continue
        with pytest.raises(ContentDecodingError, match="is incomplete"):
            decoder.end()


def test_what_follows_is_a_member_zeros_or_refused():
    """Stops garbage behind an answer, and members without end."""
    whole = gzip.compress(b"x")
    assert ContentDecoder("gzip").feed(whole + b"\0" * 9, 10**6) == b"x"
    with pytest.raises(ContentDecodingError, match="7 bytes follow"):
        ContentDecoder("gzip").feed(whole + b"garbage", 10**6)
    with pytest.raises(ContentDecodingError, match=f"over {MOST_MEMBERS:,} members"):
        ContentDecoder("gzip").feed(gzip.compress(b"") * (MOST_MEMBERS + 1), 10**6)
    with pytest.raises(ContentDecodingError, match="bytes follow"):
        ContentDecoder("deflate").feed(zlib.compress(b"x") + whole, 10**6)


def test_a_bomb_is_unpacked_only_as_far_as_it_may_be():
    """Stops a kilobyte from becoming a gigabyte before the limit is looked at."""
    assert len(ContentDecoder("gzip").feed(gzip.compress(bytes(10**7)) * 3, 5_000)) == 5_000
