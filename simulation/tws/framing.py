"""Messages to bytes and back: a four-byte length, then texts each ended by NUL.

What belongs here is only where a message begins and ends; what is in it is for requests and replies.
"""

import struct
from collections.abc import Iterator, Sequence

LENGTH = struct.Struct(">I")
MESSAGE_BYTES_MAX = 1_048_576  # a client's longest order with all blocks is under 4 kB
NUL = "\0"


class BadFrame(Exception):
    """The bytes cannot be a message; the connection is not worth keeping."""


def framed(fields: Sequence[str]) -> bytes:
    """One message as it goes over the wire."""
    body = (NUL.join(fields) + NUL).encode()
    return LENGTH.pack(len(body)) + body


def fields_of(body: bytes) -> list[str]:
    """The texts of one message; the last is ended by NUL like all others."""
    texts = body.decode(errors="backslashreplace").split(NUL)
    return texts[:-1] if texts[-1] == "" else texts


class Inbox:
    """Bytes as they arrive, messages as they are whole: several in a segment, one over many."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def take(self, data: bytes) -> None:
        """Keep what arrived."""
        self._bytes += data

    def starts_with(self, prefix: bytes) -> bool | None:
        """Whether the stream starts so; None while too little has come. Consumes the prefix when it does."""
        head = bytes(self._bytes[: len(prefix)])
        if head != prefix[: len(head)]:
            return False
        if len(head) < len(prefix):
            return None
        del self._bytes[: len(prefix)]
        return True

    def bodies(self) -> Iterator[bytes]:
        """Each whole message, in order; raises BadFrame for a length no client sends."""
        start = 0
        try:
            while len(self._bytes) - start >= LENGTH.size:
                (length,) = LENGTH.unpack_from(self._bytes, start)
                if length == 0 or length > MESSAGE_BYTES_MAX:
                    raise BadFrame(f"message length: expected 1..{MESSAGE_BYTES_MAX}, was {length}")
                end = start + LENGTH.size + length
                if len(self._bytes) < end:
                    return
                body = bytes(self._bytes[start + LENGTH.size : end])
                start = end
                yield body
        finally:
            del self._bytes[:start]
