"""What is refused: whole files that are no statement, and rows that say something impossible.

A file is refused only when its form is broken (truncated, not XML, entities, no statement in it): then no
part of it can be trusted. Everything less is refused by row, and the other rows count.
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256

import orjson

from trading.errors import InvalidFieldError, PermanentError, shown
from trading.model.fills import FillBatch, RejectedRow, Source, Venue

PAYLOAD_CHARS_MAX = 65_536  # of one refused row; a longer field is cut and named by its hash
FIELD_CHARS_KEPT = 200  # of a field that is cut
FIELD_CHARS_MAX = 32_768  # no real field comes near it; a longer one refuses its row
SAMPLE_BYTES = 1_000  # of a refused file, so that a person recognizes it
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

ROW_ERRORS = (
    InvalidFieldError,
    ValueError,
    ArithmeticError,
    LookupError,
)  # what a bad row may raise while it is read


class FlexRefusedError(PermanentError):
    """A file that cannot be read as a whole: names the file, the place in it and the reason."""

    def __init__(self, origin: str, reason: str, *, where: str = "", sample: bytes = b"") -> None:
        self.origin = origin
        self.reason = reason
        self.where = where
        self.sample = sample[:SAMPLE_BYTES]
        place = f" at {where}" if where else ""
        super().__init__(f"{origin}: refused{place}: {reason}")

    def as_batch(self) -> FillBatch:
        """The refusal as a batch of one refused row, for the dead letter."""
        row = RejectedRow(
            venue=Venue.IBKR,
            source=Source.STATEMENT,
            reason=str(self),
            payload=self.sample.decode("utf-8", "replace"),
            field="file",
        )
        return FillBatch(venue=Venue.IBKR, source=Source.STATEMENT, origin=self.origin, rejected=(row,))


def canonical_row(attributes: Mapping[str, object]) -> str:
    """A row as canonical JSON: sorted keys, no blanks; the form in which rows are kept and hashed."""
    try:
        return orjson.dumps(attributes, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # half a surrogate pair, or an integer beyond 64 bits: escaped, any table takes it
        return json.dumps(attributes, sort_keys=True, separators=(",", ":"), default=str)


def dead_letter(
    source: Source,
    error: Exception,
    attributes: Mapping[str, object] | str,
    *,
    account: str = "",
    is_trade_row: bool = True,
) -> RejectedRow:
    """Make a refused row of an error and the row as it came (cut where it is absurdly long)."""
    return RejectedRow(
        venue=Venue.IBKR,
        source=source,
        reason=str(error) or type(error).__name__,
        payload=_bounded(
            attributes if isinstance(attributes, str) else canonical_row(_cut_fields(attributes))
        ),
        field=error.field if isinstance(error, InvalidFieldError) else "",
        account=account,
        is_trade_row=is_trade_row,
    )


def _cut_fields(attributes: Mapping[str, object]) -> dict[str, object]:
    return {
        _cut(name): _cut(value) if isinstance(value, str) else value for name, value in attributes.items()
    }


def _cut(text: str) -> str:
    return text if len(text) <= FIELD_CHARS_MAX else _named_by_hash(text, FIELD_CHARS_KEPT)


def _bounded(payload: str) -> str:
    return payload if len(payload) <= PAYLOAD_CHARS_MAX else _named_by_hash(payload, PAYLOAD_CHARS_MAX - 200)


def _named_by_hash(text: str, kept: int) -> str:
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{text[:kept]}… ({len(text)} characters, sha256 {digest})"


def checked_texts(fields: Mapping[str, str]) -> None:
    """Refuse a field that no table can keep: too long, or with half a surrogate pair or a NUL in it."""
    checked_lengths(fields)
    if not UNSTORABLE.search("".join(fields.values())):
        return
    for name, value in fields.items():
        if UNSTORABLE.search(value):
            raise InvalidFieldError(name, "a text of whole characters", value)


def checked_lengths(attributes: Mapping[str, str]) -> None:
    """Refuse a row with a field longer than FIELD_CHARS_MAX."""
    if max(map(len, (*attributes, *attributes.values())), default=0) <= FIELD_CHARS_MAX:
        return  # nearly always, and three times as fast as looking at each
    for name, value in attributes.items():
        if len(value) > FIELD_CHARS_MAX or len(name) > FIELD_CHARS_MAX:
            raise InvalidFieldError(
                name[:FIELD_CHARS_KEPT], f"at most {FIELD_CHARS_MAX} characters", shown(value)
            )
