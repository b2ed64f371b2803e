"""Malformed payloads that every JSON venue must survive: what is done to one row between two good ones."""

from typing import Any

HUGE = "x" * 10_000_000
MANY_KEYS = "".join(f', "k{n % 200_000}": 0' for n in range(400_000)) + "}"


def with_bad_row(good: tuple[str, str], bad: str) -> str:
    """A document of two good rows with a bad one between them, as JSON text."""
    return '{"fills": [' + ", ".join((good[0], bad, good[1])) + "]}"


NO_ROWS: list[Any] = ["null", "7", '"a text"', "true", "[]", "{}", '[{"fill_id": "a"}]', "1e999999999", "NaN"]

BROKEN_DOCUMENTS: list[bytes] = [
    b"",
    b" ",
    b"not json",
    b'{"fills": [',
    b'{"fills": [{"fill_id": "a"',
    b'{"fills": [{"fill_id": "a"}]} trailing',
    b"\xff\xfe\x00",
    b'{"fills": [{"fill_id": "\xff"}]}',
    b"[" * 200_000,
    b'{"fills": {"fill_id": "a"}}',
    b'{"fills": null}',
    b'{"fills": "none"}',
    b'{"fills": [], "fills": [{"fill_id": "lost"}]}',
    b"<html><body>502 Bad Gateway</body></html>",
]
