"""ClickHouse's own block framing (`compress=1`, `decompress=1`): checksum, method, two sizes, data.

The checksum is CityHash128 in the version ClickHouse froze (1.0.2), over everything behind it. In Python it
runs at some 10 MB/s: it is here for the drivers that know nothing else; HTTP encodings are the fast way.
Source: ClickHouse `src/Compression/ICompressionCodec.h`; google/cityhash 1.0.2 `city.cc`.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

import lz4.block
import zstandard

from warehouse_server.limits import FRAME_BYTES
from warehouse_server.refusals import Refusal, refuse

_CHECKSUM: Final = 16
_HEADER: Final = 9  # method, size with this header, size when plain
_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90
CANNOT_DECOMPRESS: Final = 271
CHECKSUM_DOESNT_MATCH: Final = 40

_MASK: Final = (1 << 64) - 1
_K0: Final = 0xC3A5C85C97CB3127
_K1: Final = 0xB492B66FBE98F273
_K2: Final = 0x9AE16A3B2F90404F
_K3: Final = 0xC949D7C7509E6557
_MUL: Final = 0x9DDFEA08EB382D69


class FrameEncoder:
    """An answer in frames, one per piece."""

    def compress(self, data: bytes, /) -> bytes:
        """Frames of at most FRAME_BYTES plain bytes each."""
        view = memoryview(data)
        return b"".join(_frame(bytes(view[at : at + FRAME_BYTES])) for at in range(0, len(data), FRAME_BYTES))

    def flush(self) -> bytes:
        """Nothing is held back."""
        return b""


def unframe(body: Iterable[bytes]) -> Iterator[bytes]:
    """The plain bytes of a body in frames; every frame of it, each with its checksum checked."""
    held = bytearray()
    for part in body:
        held += part
        while (size := _frame_size(held)) is not None and len(held) >= size:
            yield _plain(bytes(held[:size]))
            del held[:size]
    if held:
        raise _broken("the last frame is not complete")


def _frame(plain: bytes) -> bytes:
    packed = bytes(lz4.block.compress(plain, store_size=False))
    behind = struct.pack("<BII", _LZ4, len(packed) + _HEADER, len(plain)) + packed
    return struct.pack("<QQ", *city_hash_128(behind)) + behind


def _frame_size(held: bytearray) -> int | None:
    """The size of the frame that begins here, once its header is complete."""
    if len(held) < _CHECKSUM + _HEADER:
        return None
    _, packed, plain = struct.unpack_from("<BII", held, _CHECKSUM)
    if not _HEADER <= packed <= FRAME_BYTES * 2 or plain > FRAME_BYTES * 2:
        raise _broken(f"a frame of {packed} bytes for {plain}")
    return int(_CHECKSUM + packed)


def _plain(frame: bytes) -> bytes:
    if struct.unpack_from("<QQ", frame) != city_hash_128(frame[_CHECKSUM:]):
        raise refuse(
            CHECKSUM_DOESNT_MATCH, "CHECKSUM_DOESNT_MATCH", "Checksum doesn't match: corrupted data", 400
        )
    method, _, size = struct.unpack_from("<BII", frame, _CHECKSUM)
    data = frame[_CHECKSUM + _HEADER :]
    try:
        if method == _LZ4:
            return bytes(lz4.block.decompress(data, uncompressed_size=size))
        if method == _ZSTD:
            return bytes(zstandard.ZstdDecompressor().decompress(data, max_output_size=size))
    except (lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise _broken(str(error)) from error
    if method == _NONE:
        return data
    raise _broken(f"unknown method {method:#x}")


def _broken(reason: str) -> Refusal:
    return refuse(CANNOT_DECOMPRESS, "CANNOT_DECOMPRESS", f"Cannot decompress the body: {reason}", 400)


def city_hash_128(data: bytes) -> tuple[int, int]:
    """CityHash128 1.0.2: the low and the high half."""
    if len(data) >= 16:
        low, high = struct.unpack_from("<QQ", data)
        return _with_seed(data[16:], low ^ _K3, high)
    if len(data) >= 8:
        low, high = _fetch(data, 0), _fetch(data, len(data) - 8)
        return _with_seed(b"", low ^ (len(data) * _K0 & _MASK), high ^ _K1)
    return _with_seed(data, _K0, _K1)


def _with_seed(data: bytes, x: int, y: int) -> tuple[int, int]:
    if len(data) < 128:
        return _murmur(data, x, y)
    length = len(data)
    z = length * _K1 & _MASK
    v1 = (_rotate(y ^ _K1, 49) * _K1 + _fetch(data, 0)) & _MASK
    v2 = (_rotate(v1, 42) * _K1 + _fetch(data, 8)) & _MASK
    w1 = (_rotate(y + z & _MASK, 35) * _K1 + x) & _MASK
    w2 = _rotate(x + _fetch(data, 88) & _MASK, 53) * _K1 & _MASK
    at = 0
    while length - at >= 128:
        x, y, z, v1, v2, w1, w2 = _mix(data, at, x, y, z, v1, v2, w1, w2)
        z, x = x, z
        x, y, z, v1, v2, w1, w2 = _mix(data, at + 64, x, y, z, v1, v2, w1, w2)
        z, x = x, z
        at += 128
    return _tail(data, length - at, x, y, z, v1, v2, w1, w2)


def _mix(
    data: bytes, at: int, x: int, y: int, z: int, v1: int, v2: int, w1: int, w2: int
) -> tuple[int, int, int, int, int, int, int]:
    """Sixty-four bytes into the state."""
    word = struct.unpack_from("<8Q", data, at)
    x = _rotate(x + y + v1 + word[2] & _MASK, 37) * _K1 & _MASK
    y = _rotate(y + v2 + word[6] & _MASK, 42) * _K1 & _MASK
    x ^= w2
    y ^= v1
    z = _rotate(z ^ w1, 33)
    v1, v2 = _weak(word[0:4], v2 * _K1 & _MASK, x + w1 & _MASK)
    w1, w2 = _weak(word[4:8], z + w2 & _MASK, y)
    return x, y, z, v1, v2, w1, w2


def _tail(
    data: bytes, left: int, x: int, y: int, z: int, v1: int, v2: int, w1: int, w2: int
) -> tuple[int, int]:
    """Less than 128 bytes are left: taken from the end, 32 at a time."""
    y = (y + _rotate(w1, 37) * _K0 + z) & _MASK
    x = (x + _rotate(v1 + z & _MASK, 49) * _K0) & _MASK
    done = 0
    while done < left:
        done += 32
        word = struct.unpack_from("<4Q", data, len(data) - done)
        y = (_rotate(y - x & _MASK, 42) * _K0 + v2) & _MASK
        w1 = (w1 + word[2]) & _MASK
        x = (_rotate(x, 49) * _K0 + w1) & _MASK
        w1 = (w1 + v1) & _MASK
        v1, v2 = _weak(word, v1, v2)
    x = _hash_16(x, v1)
    y = _hash_16(y, w1)
    return (_hash_16(x + v2 & _MASK, w2) + y) & _MASK, _hash_16(x + w2 & _MASK, y + v2 & _MASK)


def _murmur(data: bytes, a: int, b: int) -> tuple[int, int]:
    length = len(data)
    if length <= 16:
        a = _shift_mix(a * _K1 & _MASK) * _K1 & _MASK
        c = (b * _K1 + _hash_up_to_16(data)) & _MASK
        d = _shift_mix(a + (_fetch(data, 0) if length >= 8 else c) & _MASK)
    else:
        c = _hash_16(_fetch(data, length - 8) + _K1 & _MASK, a)
        d = _hash_16(b + length & _MASK, c + _fetch(data, length - 16) & _MASK)
        a = (a + d) & _MASK
        for at in range(0, length - 16, 16):
            a = (a ^ _shift_mix(_fetch(data, at) * _K1 & _MASK) * _K1 & _MASK) * _K1 & _MASK
            b ^= a
            c = (c ^ _shift_mix(_fetch(data, at + 8) * _K1 & _MASK) * _K1 & _MASK) * _K1 & _MASK
            d ^= c
    a, b = _hash_16(a, c), _hash_16(d, b)
    return a ^ b, _hash_16(b, a)


def _hash_up_to_16(data: bytes) -> int:
    length = len(data)
    if length > 8:
        a, b = _fetch(data, 0), _fetch(data, length - 8)
        return _hash_16(a, _rotate(b + length & _MASK, length)) ^ b
    if length >= 4:
        a = int.from_bytes(data[:4], "little")
        return _hash_16(length + (a << 3) & _MASK, int.from_bytes(data[-4:], "little"))
    if length > 0:
        y = data[0] + (data[length >> 1] << 8)
        z = length + (data[-1] << 2)
        return _shift_mix(y * _K2 & _MASK ^ z * _K3 & _MASK) * _K2 & _MASK
    return _K2


def _weak(word: tuple[int, ...], a: int, b: int) -> tuple[int, int]:
    a = (a + word[0]) & _MASK
    b = _rotate(b + a + word[3] & _MASK, 21)
    c = a
    a = (a + word[1] + word[2]) & _MASK
    b = (b + _rotate(a, 44)) & _MASK
    return (a + word[3]) & _MASK, (b + c) & _MASK


def _hash_16(low: int, high: int) -> int:
    a = (low ^ high) * _MUL & _MASK
    a ^= a >> 47
    b = (high ^ a) * _MUL & _MASK
    b ^= b >> 47
    return b * _MUL & _MASK


def _rotate(value: int, shift: int) -> int:
    return value if shift == 0 else (value >> shift | value << 64 - shift) & _MASK


def _shift_mix(value: int) -> int:
    return value ^ value >> 47


def _fetch(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")
