"""What a server says beside a status that is none of success: bounded, on one line, for the error's words.

A status alone does not tell why ("no data found, symbol may be delisted", "invalid crumb"). Keep out: what
follows from it (the status decides). Who sends a secret hands in what takes it out: it does so before the
words are cut, since half a secret is none to it.
"""

import zlib
from collections.abc import Callable, Iterable

import httpx

from trading.errors import shown

WORDS_BYTES_MAX = 2_000
GZIP = 16 + zlib.MAX_WBITS
PLAIN = frozenset({"", "identity"})


def refusal_words(answer: httpx.Response, clean: Callable[[str], str] = str) -> str:
    """A comma and the quoted words; empty where there are none that can be read."""
    encoding = answer.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in PLAIN and encoding != "gzip":
        return ""
    packed = _first_bytes(answer.iter_raw())
    try:
        body = packed if encoding in PLAIN else zlib.decompressobj(GZIP).decompress(packed, WORDS_BYTES_MAX)
    except zlib.error:
        return ""
    text = clean(" ".join(body.decode("utf-8", "replace").split()))
    return f", {shown(text)}" if text else ""


def _first_bytes(pieces: Iterable[bytes]) -> bytes:
    """The beginning of a body; what came of one that breaks off."""
    found = b""
    try:
        for piece in pieces:
            found += piece
            if len(found) >= WORDS_BYTES_MAX:
                break
    except (httpx.HTTPError, httpx.StreamError):
        pass
    return found[:WORDS_BYTES_MAX]
