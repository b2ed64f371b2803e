"""Alerts on their way to the warehouse: the streams that people watch, read from a mark on.

Who raises an alert writes it once, where people see it; nobody waits for the warehouse. The mark is kept
beside the streams, so what loses one loses the other, and a drain never waits at a place that is gone. A
stream keeps its newest entries: while the warehouse is away the oldest go, which is seen from the mark's own
entry being gone, and said.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from adapters.redis import keys
from adapters.redis.alert_words import RESOLVED, STREAMS, Fields, at_of, kind_of, market_at_of, text_of
from adapters.redis.connection import asked, is_of_another_type, open_client
from trading.errors import LiveStateUnavailableError
from trading.ports.alerts import READ_MAX, AlertBatch, AlertEntry, AlertLevel, AlertQueue, AlertWord

BEGINNING = b"0-0"
LOOKED_AT = b"begun"  # beside the streams' marks: this live state was looked at
LEVEL_OF = {stream: level for level, stream in STREAMS.items()}
EVERY_STREAM = (*LEVEL_OF, RESOLVED)

Marks = Mapping[bytes, bytes]  # of each stream the last entry that is stored
Told = Sequence[tuple[bytes, Fields]]


class RedisAlertQueue(AlertQueue):
    """The port on a real Redis. Several drains may share it: each word is stored once by its name."""

    def __init__(self, url: str) -> None:
        self._client: Any = open_client(url)
        self._known: Marks = {}  # as this drain saw them last
        self._looked_at: datetime | None = None

    def read(self, most: int) -> AlertBatch:
        """Read each stream from its mark's own entry on, which tells whether any after it were dropped."""
        marks = self._marks()
        lost = []
        if not self._known.keys() <= {LOOKED_AT} and not marks:
            lost.append(f"the live state lost everything after {_words(self._looked_at)}")
        entries: list[AlertEntry] = []
        for stream, (told, newest) in zip(EVERY_STREAM, self._told(marks, min(most, READ_MAX)), strict=True):
            mark = marks.get(stream.encode(), BEGINNING)
            if newest and _number(newest[0][0]) < _number(mark):  # the stream began anew under another clock
                mark, told = BEGINNING, self._from_its_beginning(stream)
            if told and mark != BEGINNING and told[0][0] != mark:
                lost.append(f"{stream}: what came after {at_of(mark)} and before {at_of(told[0][0])}")
            entries += [_entry(stream, *each) for each in told if each[0] != mark]
        self._looked_at = datetime.now(UTC)
        if not lost:
            self._known = marks
        return AlertBatch(entries=tuple(entries), lost="; ".join(lost), begins=not marks)

    def done(self, batch: AlertBatch) -> None:
        """Move the marks."""
        marks = {LOOKED_AT: BEGINNING} if batch.begins else {}
        marks |= {entry.stream.encode(): entry.entry_id.encode() for entry in batch.entries}
        if marks:
            asked(lambda: self._client.hset(keys.ALERTS_DRAINED.at(), mapping=marks))
        self._known = marks

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _marks(self) -> Marks:
        """None where a foreign hand made another type of them: all is stored again, which changes nothing."""
        key = keys.ALERTS_DRAINED.at()
        if asked(lambda: self._client.type(key)) not in (b"hash", b"none"):
            asked(lambda: self._client.delete(key))
        return asked(lambda: self._client.hgetall(key))

    def _told(self, marks: Marks, most: int) -> Sequence[tuple[Told, Told]]:
        """Of each stream what stands from its mark on, and its newest entry."""

        def ask() -> list[Any]:
            with self._client.pipeline(transaction=False) as pipe:
                for stream in EVERY_STREAM:
                    pipe.xrange(stream, marks.get(stream.encode(), BEGINNING), count=most + 1)
                    pipe.xrevrange(stream, count=1)
                return list(pipe.execute(raise_on_error=False))

        told = [self._checked(answer) for answer in asked(ask)]
        return list(zip(told[::2], told[1::2], strict=True))

    def _checked(self, answer: Any) -> Told:
        """A stream that is of another type has no entries: the next word replaces it."""
        if isinstance(answer, Exception):
            if not is_of_another_type(answer):
                raise LiveStateUnavailableError(f"live state refused: {answer}") from answer
            return []
        return list(answer)

    def _from_its_beginning(self, stream: str) -> Told:
        return list(asked(lambda: self._client.xrange(stream, count=READ_MAX)))


def _entry(stream: str, entry_id: bytes, fields: Fields) -> AlertEntry:
    level: AlertLevel | None = LEVEL_OF.get(stream)
    return AlertEntry(
        stream=stream,
        entry_id=entry_id.decode(),
        word=AlertWord.RESOLVED if level is None else AlertWord.RAISED,
        identity=text_of(fields, b"id") or f"{stream} {entry_id.decode()}",
        level=level,
        code=text_of(fields, b"code"),
        text=text_of(fields, b"text"),
        component=text_of(fields, b"component"),
        at=at_of(entry_id, fields),
        market_at=market_at_of(fields),
        kind=kind_of(fields),
    )


def _number(entry_id: bytes) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition(b"-")
    return int(milliseconds), int(number or 0)


def _words(at: datetime | None) -> str:
    return "the beginning" if at is None else f"{at:%Y-%m-%d %H:%M:%S} UTC"
