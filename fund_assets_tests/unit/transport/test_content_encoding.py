"""The content encoding of an answer, member by member."""

import gzip
import zlib

import pytest

from fund_assets.transport.content_encoding import MOST_MEMBERS, Unpacker, UnpackingError

PARTS = [b"var db={", b"", b"chars:[]", "基金".encode() * 50]
MEMBERS = b"".join(map(gzip.compress, PARTS))


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_every_member_of_a_gzip_answer_counts(size):
    """The first member of several passed for the whole answer."""
    unpacker = Unpacker("gzip")
    chunks = [MEMBERS[at : at + size] for at in range(0, len(MEMBERS), size)]
    assert b"".join(unpacker.feed(chunk, 10**6) for chunk in chunks) == b"".join(PARTS)
    unpacker.end()
    assert gzip.decompress(MEMBERS) == b"".join(PARTS), "as the standard library reads it"


def test_a_cut_in_any_member_is_told():
    """Stops an answer from passing that lacks its last member's end."""
    ends = {len(MEMBERS) - len(b"".join(map(gzip.compress, PARTS[at:]))) for at in range(5)}
    for length in range(1, len(MEMBERS)):
        unpacker = Unpacker("gzip")
        unpacker.feed(MEMBERS[:length], 10**6)
        if length in ends:
            unpacker.end()  # nothing says that there should be another
            continue
        with pytest.raises(UnpackingError, match="ends in the middle"):
            unpacker.end()


def test_what_follows_is_a_member_zeros_or_refused():
    """Stops garbage behind an answer, and members without end."""
    whole = gzip.compress(b"x")
    assert Unpacker("gzip").feed(whole + b"\0" * 9, 10**6) == b"x"
    with pytest.raises(UnpackingError, match="7 bytes follow"):
        Unpacker("gzip").feed(whole + b"garbage", 10**6)
    with pytest.raises(UnpackingError, match=f"over {MOST_MEMBERS:,} members"):
        Unpacker("gzip").feed(gzip.compress(b"") * (MOST_MEMBERS + 1), 10**6)
    with pytest.raises(UnpackingError, match="bytes follow"):
        Unpacker("deflate").feed(zlib.compress(b"x") + whole, 10**6)


def test_a_bomb_is_unpacked_only_as_far_as_it_may_be():
    """Stops a kilobyte from becoming a gigabyte before the limit is looked at."""
    assert len(Unpacker("gzip").feed(gzip.compress(bytes(10**7)) * 3, 5_000)) == 5_000
