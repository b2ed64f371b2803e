"""Lines of an export file of TWS messages: JSON objects with a list of text fields, one per line.

Only the form is read here. A line that is not such an object is refused by itself, with its text.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from adapters.ibkr.refusal import FlexRefusedError, dead_letter
from trading.errors import InvalidFieldError
from trading.model.fills import RejectedRow, Source

FILE_BYTES_MAX = 512 * 1024 * 1024
LINE_BYTES_MAX = 1024 * 1024  # the longest real message has a few thousand
LINES_MAX = 10_000_000
FIELDS_MAX = 10_000  # of one message; contract details come nearest, with about fifty

LINE_ERRORS = (InvalidFieldError, ValueError, RecursionError)  # what reading a hostile line may raise


@dataclass(frozen=True, slots=True)
class MessageLine:
    """A message and the line that it stood in."""

    fields: Sequence[str]
    text: str


def read_message_lines(data: bytes, origin: str) -> tuple[list[MessageLine], list[RejectedRow]]:
    """Split a file into messages and refused lines; blank lines count as neither."""
    if len(data) > FILE_BYTES_MAX:
        raise FlexRefusedError(
            origin, f"expected at most {FILE_BYTES_MAX} bytes, was {len(data)}", sample=data
        )
    messages: list[MessageLine] = []
    rejected: list[RejectedRow] = []
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        if number > LINES_MAX:
            raise FlexRefusedError(origin, f"expected at most {LINES_MAX} lines", where=f"line {number}")
        try:
            messages.append(MessageLine(_fields(line), line.decode()))
        except LINE_ERRORS as error:
            rejected.append(_refused(line, number, error))
    return messages, rejected


def _fields(line: bytes) -> Sequence[str]:
    if len(line) > LINE_BYTES_MAX:
        raise InvalidFieldError("line", f"at most {LINE_BYTES_MAX} bytes", f"{len(line)} bytes")
    told = json.loads(line, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    fields = told.get("fields") if isinstance(told, dict) else None
    if not isinstance(fields, list) or not 0 < len(fields) <= FIELDS_MAX:
        raise InvalidFieldError("fields", f"a list of 1 to {FIELDS_MAX} texts", fields)
    for place, value in enumerate(fields):
        if not isinstance(value, str):
            raise InvalidFieldError(f"fields[{place}]", "a text", value)
    return fields


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    told = dict(pairs)
    if len(told) < len(pairs):
        raise InvalidFieldError("line", "every key once", [name for name, _ in pairs])
    return told


def _no_constant(text: str) -> NoReturn:
    raise InvalidFieldError("line", "JSON numbers", text)


def _refused(line: bytes, number: int, error: Exception) -> RejectedRow:
    reason = ValueError(f"line {number}: {error or type(error).__name__}")
    return dead_letter(Source.LIVE, reason, line.decode("utf-8", "replace"))
