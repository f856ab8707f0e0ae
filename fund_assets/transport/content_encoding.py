"""The content encoding of an answer, taken off as it comes.

Belongs here: gzip with all its members, zlib, and saying when either is damaged, cut short or
followed by something else. Does not belong here: reading from the network (`http_answer.py`).

Not left to urllib3, which takes the first half of a compressed answer, or the first of its
members, for the whole.
"""

import zlib

#: Servers make one member; some a few.
MOST_MEMBERS = 1_000


class ContentDecodingError(ValueError):
    """The compressed answer cannot be unpacked; the message says why."""


class ContentDecoder:
    """Takes off one content encoding; `identity` is none."""

    def __init__(self, encoding: str) -> None:
        if encoding not in ("identity", "gzip", "deflate"):
            raise ContentDecodingError(f"unknown content encoding {encoding[:40]!r}")
        self._packed = encoding != "identity"
        self._gzip = encoding == "gzip"
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 32)  # gzip or zlib, by its bytes
        self._members = 1
        self._begun = not self._packed

    def feed(self, chunk: bytes, most: int) -> bytes:
        """What these bytes hold, `most` bytes of it at the most.

        Raises:
            ContentDecodingError: they are damaged, or go on after the end.
        """
        if not self._packed:
            return chunk
        found = bytearray()
        try:
            while chunk and len(found) < most:
                if self._stream.eof and not self._next(chunk):
                    break
                self._begun = True
                found += self._stream.decompress(chunk, most - len(found))
                chunk = self._stream.unused_data if self._stream.eof else b""
        except zlib.error as error:
            raise ContentDecodingError(f"the compressed answer is damaged: {error}") from error
        return bytes(found)

    def end(self) -> None:
        """Everything has come.

        Raises:
            ContentDecodingError: and it ends in the middle.
        """
        if self._packed and self._begun and not self._stream.eof:
            raise ContentDecodingError("the compressed answer is incomplete")

    def _next(self, chunk: bytes) -> bool:
        """Whether another member begins; zeros after the last one are none."""
        if not chunk.strip(b"\0"):
            return False
        if not self._gzip or chunk[:1] != b"\x1f":
            raise ContentDecodingError(f"{len(chunk)} bytes follow the compressed answer's end")
        self._members += 1
        if self._members > MOST_MEMBERS:
            raise ContentDecodingError(
                f"the compressed answer has over {MOST_MEMBERS:,} members"
            )
        self._stream = zlib.decompressobj(zlib.MAX_WBITS | 16)
        return True
