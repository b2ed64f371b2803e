"""JSON payloads of venues, read so that no row is lost and no number passes through a float.

A document that is not JSON is refused as a whole: no part of it can be trusted. Everything less is
refused by row, and the other rows count. What is refused is kept with its reason, cut and named by its
hash where it is absurdly long.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from json.encoder import encode_basestring, encode_basestring_ascii

from trading.errors import InvalidFieldError
from trading.model.fills import RejectedRow, Source, Venue

DOCUMENT_BYTES_MAX = 256 * 2**20  # of one file or answer; a year of fills has a tenth of it
PAYLOAD_CHARS_MAX = 65_536  # of one refused row in the dead letter
FIELD_CHARS_KEPT = 200  # of a field that is cut there
ID_CHARS_MAX = 256  # real ids have 36
ROW_CHARS_MAX = 32_768  # of one row; real ones have 600
INT_DIGITS_MAX = 30  # longer whole numbers stay decimals; the language refuses to read them as ints
SURROGATE = re.compile("[\ud800-\udfff]")  # half a character: no table stores it
ROW_ERRORS = (InvalidFieldError, ValueError, ArithmeticError, LookupError)  # what a bad row may raise


class JsonObject(dict[str, object]):
    """One JSON object; `repeated` names the keys that it held more than once."""

    repeated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """A whole document that cannot be read."""

    reason: str
    sample: str


def decode(payload: bytes | str) -> object:
    """Read JSON with exact numbers; returns Refused for what is no JSON."""
    if len(payload) > DOCUMENT_BYTES_MAX:
        return Refused(f"expected at most {DOCUMENT_BYTES_MAX} bytes, was {len(payload)}", sample_of(payload))
    try:
        text = payload.decode("utf-8-sig") if isinstance(payload, bytes) else payload
        return json.loads(
            text,
            parse_float=_decimal,
            parse_int=_whole,
            parse_constant=_decimal,
            object_pairs_hook=_object,
        )
    except (ValueError, RecursionError) as cause:
        return Refused(f"expected a JSON document, was refused: {cause}", sample_of(payload))


def sample_of(payload: bytes | str) -> str:
    """A document as text for the dead letter, cut where it is long."""
    text = payload if isinstance(payload, str) else payload.decode("utf-8", "replace")
    return cut(text, PAYLOAD_CHARS_MAX)


def canonical_text(value: object) -> str:
    """Print JSON in one form: sorted keys, no blanks, numbers as they came; every character storable."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Mapping):
        pairs = (f"{_quoted(str(key))}:{canonical_text(value[key])}" for key in sorted(value))
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical_text, value)) + "]"
    if isinstance(value, Decimal):
        return str(value) if value.is_finite() else _quoted(str(value))
    return json.dumps(value)


def checked_row(row: object) -> tuple[JsonObject, str]:
    """Return the row and its canonical text; refuses what is no object, repeats a key or is too long."""
    if not isinstance(row, JsonObject):
        raise InvalidFieldError("row", "a JSON object", row)
    if row.repeated:
        raise InvalidFieldError(row.repeated[0], "a key once", row[row.repeated[0]])
    try:
        text = canonical_text(row)
    except RecursionError as cause:
        raise InvalidFieldError("row", "an object without depth", "…") from cause
    if len(text) > ROW_CHARS_MAX:
        raise InvalidFieldError("row", f"at most {ROW_CHARS_MAX} characters", len(text))
    return row, text


def text_field(row: Mapping[str, object], *names: str) -> str:
    """The first of the names that is there, as trimmed text; empty if none is. Numbers are ids too."""
    for name in names:
        value = row.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str) or len(value) > ID_CHARS_MAX or not _is_storable(value):
            raise InvalidFieldError(name, f"text of at most {ID_CHARS_MAX} printable characters", value)
        return value.strip()
    return ""


def first_present(row: Mapping[str, object], *names: str) -> tuple[str, object]:
    """Name and value of the first of the names that is there; the first name and None if none is."""
    return next(
        ((name, row[name]) for name in names if row.get(name) is not None and row[name] != ""),
        (names[0], None),
    )


def dead_letter(venue: Venue, source: Source, account: str, error: Exception, row: object) -> RejectedRow:
    """Turn what was wrong with a row into a refused row, with the row as it came."""
    return RejectedRow(
        venue=venue,
        source=source,
        reason=str(error) or type(error).__name__,
        payload=_shown_row(row),
        field=error.field if isinstance(error, InvalidFieldError) else "",
        account=account,
    )


def refused_document(venue: Venue, source: Source, account: str, refused: Refused) -> RejectedRow:
    """A whole document for the dead letter."""
    return RejectedRow(
        venue=venue,
        source=source,
        reason=refused.reason,
        payload=refused.sample,
        field="file",
        account=account,
    )


def cut(text: str, chars_max: int, kept: int | None = None) -> str:
    """The text, or its beginning and its hash where it is longer than the limit."""
    storable = text.encode("utf-8", "backslashreplace").decode()
    if len(storable) <= chars_max:
        return storable
    digest = sha256(storable.encode()).hexdigest()
    return f"{storable[: kept or chars_max - 200]}… ({len(storable)} characters, sha256 {digest})"


def _shown_row(row: object) -> str:
    try:
        if isinstance(row, Mapping):
            row = {
                cut(str(key), ROW_CHARS_MAX, FIELD_CHARS_KEPT): _short(value) for key, value in row.items()
            }
        return cut(canonical_text(row), PAYLOAD_CHARS_MAX)
    except RecursionError:
        pairs = row.items() if isinstance(row, Mapping) else ()
        shallow = {key: value for key, value in pairs if not isinstance(value, dict | list)}
        return cut(
            canonical_text({**shallow, "…": "what is too deep to print was left out"}), PAYLOAD_CHARS_MAX
        )


def _short(value: object) -> object:
    text = value if isinstance(value, str) else canonical_text(value)
    return value if len(text) <= ROW_CHARS_MAX else cut(text, ROW_CHARS_MAX, FIELD_CHARS_KEPT)


def _object(pairs: list[tuple[str, object]]) -> JsonObject:
    built = JsonObject(pairs)
    if len(built) != len(pairs):
        counts = Counter(name for name, _ in pairs)
        built.repeated = tuple(name for name, count in counts.items() if count > 1)
    return built


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond what any number has
        return Decimal("NaN")


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) <= INT_DIGITS_MAX else Decimal(text)


def _quoted(text: str) -> str:
    return encode_basestring(text) if _is_encodable(text) else encode_basestring_ascii(text)


def _is_storable(text: str) -> bool:
    return text.isprintable() and _is_encodable(text)


def _is_encodable(text: str) -> bool:
    return SURROGATE.search(text) is None
