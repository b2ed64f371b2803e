"""Bodies in every encoding, cut anywhere; and ClickHouse's own frames."""

import gzip
import random
import zlib

import lz4.frame
import pytest
import zstandard

from warehouse_server.block_frames import FrameEncoder, city_hash_128, unframe
from warehouse_server.compression import choose_encoding, decode, encoder
from warehouse_server.refusals import Refusal

ENCODE = {
    "lz4": lz4.frame.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}

GOLDEN = (
    "9f7a2e565b1d6e30862552617f4f8c11822f0100000000010022010001000f08003512024f000f0800ffffb81303d002"
    "0f0800ffffffffffffffffffffffffffffffffffffffffffffffffffffffff211304201c0f0800ffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
    "ffffffffffffffffffffffffffffffffffffffffffffffff81500000000000"
)


def cut(data: bytes, seed: int) -> list[bytes]:
    source = random.Random(seed)
    places = sorted(source.randrange(len(data) + 1) for _ in range(20))
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


@pytest.mark.parametrize("name", ENCODE)
@pytest.mark.parametrize("seed", range(5))
def test_many_frames_cut_anywhere(name: str, seed: int) -> None:
    """The plain bytes do not depend on frames or on where the network cut."""
    plain = [b"block %d " % n * 1000 for n in range(30)]
    body = b"".join(ENCODE[name](part) for part in plain)
    assert b"".join(decode(cut(body, seed), name)) == b"".join(plain)


@pytest.mark.parametrize("name", ENCODE)
def test_a_body_that_stops_in_a_frame(name: str) -> None:
    """A torn frame is an error, never the end."""
    with pytest.raises(Refusal):
        b"".join(decode([ENCODE[name](b"x" * 1000)[:-3]], name))


@pytest.mark.parametrize("name", ENCODE)
def test_rubbish_is_refused(name: str) -> None:
    """Bytes that are no frame are an error of the client."""
    with pytest.raises(Refusal) as caught:
        b"".join(decode([b"no frame at all, whatever it may be"], name))
    assert caught.value.status == 400


def test_an_unknown_encoding() -> None:
    """An encoding that is not served is named."""
    with pytest.raises(Refusal, match="snappy"):
        decode([], "snappy")


@pytest.mark.parametrize("name", ENCODE)
def test_answers_can_be_read_back(name: str) -> None:
    """What the encoder makes of pieces is one body."""
    made = encoder(name)
    body = b"".join([*(made.compress(b"piece %d" % n) for n in range(50)), made.flush()])
    assert b"".join(decode([body], name)) == b"".join(b"piece %d" % n for n in range(50))


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", None),
        ("identity", None),
        ("snappy, lz4, gzip", "lz4"),
        ("zstd;q=0, gzip;q=0.5", "gzip"),
        ("GZIP", "gzip"),
    ],
)
def test_the_clients_first_known_encoding(accept: str, chosen: str | None) -> None:
    """The order is the client's."""
    assert choose_encoding(accept) == chosen


@pytest.mark.parametrize("size", [0, 1, 15, 100, 5_000, 3_000_000])
def test_frames_there_and_back(size: int) -> None:
    """Frames of our own, cut anywhere, give the same bytes."""
    plain = random.Random(size).randbytes(size // 2) * 2
    framed = FrameEncoder().compress(plain)
    assert b"".join(unframe(cut(framed, 1))) == plain


def test_a_changed_byte_is_noticed() -> None:
    """The checksum covers header and data."""
    framed = bytearray(FrameEncoder().compress(b"some data " * 50))
    framed[-1] ^= 1
    with pytest.raises(Refusal) as caught:
        list(unframe([bytes(framed)]))
    assert caught.value.code == 40


def test_a_torn_frame() -> None:
    """A body that stops in a frame is an error."""
    with pytest.raises(Refusal):
        list(unframe([FrameEncoder().compress(b"data" * 50)[:-1]]))


def test_the_checksum_of_a_frame_that_the_engine_wrote() -> None:
    """The first block of a column file, as engine 26.9 wrote it."""
    golden = bytes.fromhex(GOLDEN)
    low_high = (int.from_bytes(golden[:8], "little"), int.from_bytes(golden[8:16], "little"))
    assert city_hash_128(golden[16:]) == low_high
