"""Documents as JSON and back: numbers as text, times in ISO with their zone, a bound in bytes.

A text that no UTF-8 holds (half a surrogate pair in a broker's message or a vendor's title) is kept escaped.
Keep out: what the documents are (`broker_values`, `market_values`).
"""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from trading.errors import InvalidFieldError
from trading.model.money import canonical

COPIED_MAX = 65_536  # bytes; of a longer text the printer's buffer is hardly larger

FAULTS = (  # what reading hostile JSON may raise
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
    ArithmeticError,
)


def printed(field: str, document: Mapping[str, object], bytes_max: int) -> bytes:
    """Print a document; raises InvalidFieldError where it is too long or no JSON.

    What the printer gives keeps its whole buffer, four to eight thousand bytes for a text of 250: a burst of
    5,000 rows was 40 MB until it was sent. A copy is as long as the text, and the buffer serves the next one,
    which makes many rows ten times as quick.
    """
    try:
        text = orjson.dumps(document, default=_plain)
    except TypeError:  # half a surrogate pair, or an integer beyond 64 bits
        text = _escaped(field, document)
    if len(text) > bytes_max:
        raise InvalidFieldError(field, f"at most {bytes_max} bytes as JSON", f"{len(text)} bytes")
    return bytes(memoryview(text)) if len(text) < COPIED_MAX else text


def read(text: bytes) -> Any:
    """Read one; raises one of FAULTS."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def text_of(value: object) -> str:
    """Read a text."""
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value


def _escaped(field: str, document: Mapping[str, object]) -> bytes:
    try:
        return json.dumps(document, default=_plain, separators=(",", ":"), allow_nan=False).encode()
    except FAULTS as cause:
        raise InvalidFieldError(field, "values that JSON holds", document) from cause


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"no JSON form of {type(value).__name__}")
