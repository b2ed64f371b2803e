"""What a server says beside its status is in the error, bounded and without the key."""

import gzip
from collections.abc import Iterator

import httpx
import pytest

from adapters.venue.refusal_words import refusal_words

NO_DATA = b'{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found"}}}'


class Breaking(httpx.SyncByteStream):
    """A body that breaks off after its first piece."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"Edge: Too Many"
        raise httpx.ReadError("gone")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (httpx.Response(404, stream=httpx.ByteStream(NO_DATA)), "No data found"),
        (httpx.Response(429, stream=httpx.ByteStream(b"Too Many\r\n  Requests")), "'Too Many Requests'"),
        (
            httpx.Response(
                404,
                headers={"Content-Encoding": "gzip"},
                stream=httpx.ByteStream(gzip.compress(NO_DATA)[:-4]),
            ),
            "No data found",
        ),
        (httpx.Response(429, stream=Breaking()), "Edge: Too Many"),
    ],
    ids=["json", "text", "compressed", "broken off"],
)
def test_the_words_are_told(answer: httpx.Response, told: str) -> None:
    """Plain or compressed, whole or not."""
    assert told in refusal_words(answer)


@pytest.mark.parametrize(
    ("headers", "body"),
    [({}, b""), ({}, b" \n"), ({"Content-Encoding": "gzip"}, b"no gzip"), ({"Content-Encoding": "br"}, b"x")],
)
def test_what_cannot_be_read_is_no_words(headers: dict[str, str], body: bytes) -> None:
    """And no second error."""
    assert refusal_words(httpx.Response(500, headers=headers, stream=httpx.ByteStream(body))) == ""


def test_a_bomb_is_cut() -> None:
    """A small body that unpacks to millions of letters does not get into a log, nor into memory."""
    packed = gzip.compress(b"a" * 50_000_000)
    answer = httpx.Response(
        500, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(packed[:1_000])
    )
    assert len(refusal_words(answer)) < 200


def test_a_secret_is_taken_out_before_the_words_are_cut() -> None:
    """Half a key at the cut would be no key to who looks for the whole of it."""
    body = b"x" * 100 + b" KEYKEYKEYKEYKEYKEYKEYKEY"
    answer = httpx.Response(403, stream=httpx.ByteStream(body))
    assert "KEY" not in refusal_words(answer, lambda text: text.replace("KEY" * 8, "(hidden)"))
