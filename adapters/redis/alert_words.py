"""Words on alerts as entries of the streams: how one is written, how one is read.

A word is that an alert was raised, or that it is over. It names its alert, so that written twice it is the
same word. Belongs here: fields, streams, what a text or a code may hold. Keep out: when something is told
(`alert_writer`), who looks (`alerts`, `alert_queue`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import redis

from adapters.redis import keys
from adapters.redis.connection import asked, is_of_another_type
from trading.model.alerts import CODE_CHARS_MAX, TEXT_CHARS_MAX, AlertKind
from trading.ports.alerts import AlertLevel

ALERTS_KEPT = 10_000
STREAMS = {AlertLevel.CRITICAL: keys.ALERTS_CRITICAL.at(), AlertLevel.EMERGENCY: keys.ALERTS_EMERGENCY.at()}
RESOLVED = keys.ALERTS_RESOLVED.at()
LATE_MS = 1_000  # a word that is written later than that says when it was meant
UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
UNCODED = re.compile(r"[\x00-\x1f\x7f{}*?\[\]\\\s]")  # what no key may hold
DIGEST_CHARS = 8

Fields = Mapping[bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One word; `at_ms` is when it was meant, by the server's clock, None for now."""

    identity: str
    code: str
    text: str
    component: str
    is_raised: bool = True
    kind: AlertKind = AlertKind.CONDITION
    market_at: str = ""
    at_ms: int | None = None


def write_word(client: Any, word: Word, now_ms: int | None = None) -> None:
    """Append it, and publish its code where it is raised; a key of another type is replaced.

    Raises LiveStateUnavailableError; written again it is the same word.
    """
    key = STREAMS[AlertLevel.CRITICAL] if word.is_raised else RESOLVED
    said = {"code": word.code, "text": word.text, "id": word.identity, "component": word.component}
    if word.is_raised:
        said["kind"] = str(word.kind)
    if word.market_at:
        said["market_at"] = word.market_at
    if word.at_ms is not None and (now_ms is None or now_ms - word.at_ms > LATE_MS):
        said["at_ms"] = str(word.at_ms)

    def append() -> None:
        try:
            client.xadd(key, said, maxlen=ALERTS_KEPT, approximate=True)
        except redis.ResponseError as error:
            if not is_of_another_type(error):
                raise
            client.delete(key)
            client.xadd(key, said, maxlen=ALERTS_KEPT, approximate=True)
        if word.is_raised:
            client.publish(key, word.code)

    asked(append)


def printable(text: str, chars_max: int = TEXT_CHARS_MAX) -> str:
    """A text on one line that no terminal obeys, at most so long."""
    plain = UNPRINTED.sub(" ", text[: 2 * chars_max])
    return plain if len(plain) <= chars_max else plain[: chars_max - 1] + "…"


def printable_code(code: str) -> str:
    """A code as a part of a key; one that is cut keeps a digest of the whole, so that two stay two."""
    plain = UNCODED.sub("_", printable(code, 2 * CODE_CHARS_MAX)) or "_"
    if len(plain) <= CODE_CHARS_MAX and len(code) <= 2 * CODE_CHARS_MAX:
        return plain
    digest = sha256(code.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_CHARS]
    return f"{plain[: CODE_CHARS_MAX - DIGEST_CHARS - 1]}-{digest}"


def at_of(entry_id: bytes, fields: Fields | None = None) -> datetime:
    """When a word was meant, by the server's clock: when it was written, unless it says otherwise."""
    written_ms = int(entry_id.split(b"-")[0])
    told = (fields or {}).get(b"at_ms", b"")
    meant_ms = int(told) if told.isdigit() and len(told) < len("00000000000000") else written_ms
    return datetime.fromtimestamp(min(meant_ms, written_ms) / 1000, UTC)


def text_of(fields: Fields, name: bytes) -> str:
    """A field as text; what no program of ours wrote is shown all the same."""
    return printable(fields.get(name, b"").decode("utf-8", "replace"))


def kind_of(fields: Fields) -> AlertKind:
    """What the word says that it is; an event where it says nothing."""
    return AlertKind.CONDITION if fields.get(b"kind") == b"condition" else AlertKind.EVENT


def market_at_of(fields: Fields) -> datetime | None:
    """The market's time, where it was told."""
    try:
        told = datetime.fromisoformat(text_of(fields, b"market_at"))
    except ValueError:
        return None
    return told if told.tzinfo else None
