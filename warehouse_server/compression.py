"""Content encodings of HTTP bodies, both ways, frame after frame. Keep out the engine's own block framing.

A body may hold many frames: the client sends one LZ4 frame per block. A reader of the first frame alone
stored 32,768 of 1,000,000 rows and answered OK, hence every decoder here goes on until the body ends.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, Final, Protocol

import lz4.frame
import zstandard

from warehouse_server.refusals import Refusal, refuse

try:
    brotli: Any = import_module("brotli")
except ImportError:  # an optional codec: then `br` is not offered
    brotli = None

CANNOT_DECOMPRESS: Final = 271
UNKNOWN_COMPRESSION: Final = 89
_LZ4_LEVEL: Final = 0  # fastest
_ZSTD_LEVEL: Final = 1
_ZLIB_LEVEL: Final = 3


class _FrameDecoder(Protocol):
    """One frame: `eof` once it is complete, `unused_data` what came behind it."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class Encoder(Protocol):
    """A response body on its way out."""

    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


_DECODERS: Final[dict[str, Callable[[], Any]]] = {
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": lambda: zstandard.ZstdDecompressor().decompressobj(),
    "gzip": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
    "x-gzip": lambda: zlib.decompressobj(zlib.MAX_WBITS | 16),
    "deflate": lambda: zlib.decompressobj(),
    "xz": lzma.LZMADecompressor,
    "bz2": bz2.BZ2Decompressor,
}


class _Lz4Encoder:
    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor(compression_level=_LZ4_LEVEL, auto_flush=True)
        self._begun = False

    def compress(self, data: bytes, /) -> bytes:
        head = b"" if self._begun else self._frame.begin()
        self._begun = True
        return bytes(head + self._frame.compress(data))

    def flush(self) -> bytes:
        head = b"" if self._begun else self._frame.begin()
        return bytes(head + self._frame.flush())


class _BrotliEncoder:
    def __init__(self) -> None:
        self._stream = brotli.Compressor(quality=1)

    def compress(self, data: bytes, /) -> bytes:
        return bytes(self._stream.process(data))

    def flush(self) -> bytes:
        return bytes(self._stream.finish())


_ENCODERS: Final[dict[str, Callable[[], Any]]] = {
    "lz4": _Lz4Encoder,
    "zstd": lambda: zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj(),
    "gzip": lambda: zlib.compressobj(_ZLIB_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16),
    "deflate": lambda: zlib.compressobj(_ZLIB_LEVEL),
    **({"br": _BrotliEncoder} if brotli is not None else {}),
}


def decode(body: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The plain bytes of a body sent with this Content-Encoding; every frame of it."""
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return iter(body)
    if name == "br" and brotli is not None:
        return _decode_brotli(body)
    if name not in _DECODERS:
        raise refuse(
            UNKNOWN_COMPRESSION, "UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method: {name[:32]}", 400
        )
    return _decode_frames(body, name)


def choose_encoding(accept: str) -> str | None:
    """The encoding for an answer: the first the client names of those offered."""
    for item in accept.lower().split(","):
        name, _, quality = item.strip().partition(";")
        if name.strip() in _ENCODERS and quality.replace(" ", "") not in ("q=0", "q=0.0"):
            return name.strip()
    return None


def encoder(name: str) -> Encoder:
    """A fresh encoder of one of the names `choose_encoding` gives."""
    made: Encoder = _ENCODERS[name]()
    return made


def _decode_frames(body: Iterable[bytes], name: str) -> Iterator[bytes]:
    decoder: _FrameDecoder | None = None
    try:
        for part in body:
            data: bytes = part
            while data:
                decoder = decoder or _DECODERS[name]()
                plain = decoder.decompress(data)
                if plain:
                    yield plain
                data, decoder = (decoder.unused_data or b"", None) if decoder.eof else (b"", decoder)
    except (
        RuntimeError,
        zlib.error,
        zstandard.ZstdError,
        lzma.LZMAError,
        OSError,
        EOFError,
        ValueError,
    ) as error:
        raise _broken(name, str(error)) from error
    if decoder is not None:
        raise _broken(name, "the last frame is not complete")


def _decode_brotli(body: Iterable[bytes]) -> Iterator[bytes]:
    stream = brotli.Decompressor()
    try:
        for part in body:
            yield bytes(stream.process(part))
    except brotli.error as error:
        raise _broken("br", str(error)) from error
    if not stream.is_finished():
        raise _broken("br", "the stream is not complete")


def _broken(name: str, reason: str) -> Refusal:
    return refuse(CANNOT_DECOMPRESS, "CANNOT_DECOMPRESS", f"Cannot decompress the {name} body: {reason}", 400)
