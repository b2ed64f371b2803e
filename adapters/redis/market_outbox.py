"""The reader's side of the market's outbox: one consumer over the streams of all symbols.

The streams are found by the set of their symbols. What one read takes is shared out by the lengths, so a
busy symbol starves no quiet one, and is bounded by blocks and by bytes, for a chain's block has megabytes.
On a Redis Cluster it looks again and again instead of waiting: no command there is over several streams.

What can lose money here: blocks that were given in an answer that never came. They are this consumer's, and
nobody else's, so every try looks first at what it holds, until it knows each block that it was given.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from typing import Any

import redis

from adapters.redis import keys, market_values
from adapters.redis.connection import (
    ANSWER_TIMEOUT_S,
    asked,
    group_exists,
    group_is_missing,
    is_of_another_type,
    open_client,
    run_scripts,
)
from adapters.redis.market_sink import MARKET_TOPIC
from adapters.redis.outbox import ACKS_PER_SCRIPT_MAX, DRAIN_GROUP
from trading.errors import InvalidFieldError
from trading.model.market import MarketEntry
from trading.ports.market_outbox import READ_BLOCKS_MAX, READ_BYTES_MAX, MarketBatch, MarketOutboxReader
from trading.ports.outbox import OutboxBacklog, UnreadableEntry

UNKNOWN = ("", "")
STREAMS_LOOKED_FOR_S = 1.0  # a new symbol's stream is found so soon while nothing else comes
POLL_S = 0.1
LEFT_OUT_MAX = 1_000  # names that are said to be none
BLOCKS_PER_TRIP_MAX = 64  # of one round trip, so that the bound in bytes is looked at often enough

logger = logging.getLogger(__name__)

Told = list[tuple[str, bytes, Mapping[bytes, bytes] | None]]  # stream, entry id, fields


class RedisMarketOutboxReader(MarketOutboxReader):
    """One consumer of the group; not to be shared between threads."""

    def __init__(self, url: str, *, consumer: str, bytes_max: int = READ_BYTES_MAX) -> None:
        self._client: Any = open_client(url, STREAMS_LOOKED_FOR_S + ANSWER_TIMEOUT_S)
        self._consumer, self._bytes_max = consumer, bytes_max
        self._turn = 0  # whose it is, where there are more streams than a read takes
        self._grouped: set[str] = set()  # streams whose group is there
        self._left_out: set[str] = set()  # what is no name or no stream; each is said once
        self._holds: set[tuple[str, str]] = {UNKNOWN}  # what it was given, perhaps in a life before

    def read(self, blocks_max: int, wait_s: float) -> MarketBatch:
        """Return what this consumer holds, else what is new."""
        count = min(blocks_max, READ_BLOCKS_MAX)
        self._turn += count
        told, is_repeat = asked(lambda: self._read(count, wait_s))
        return _batch(told, is_repeat=is_repeat)

    def claim(self, blocks_max: int, idle_s: float) -> int:
        """Take over what was given and left for `idle_s`, from one stream after another."""
        left = min(blocks_max, READ_BLOCKS_MAX)
        taken = 0
        for stream in asked(self._streams):
            taken += asked(partial(self._claimed, stream, left - taken, idle_s))
            if taken >= left:
                break
        if taken:
            self._holds.add(UNKNOWN)
        return taken

    def ack(self, entries: Sequence[MarketEntry | UnreadableEntry]) -> int:
        """Acknowledge and delete, a bounded number of one stream at a time."""
        calls: list[tuple[Sequence[str], Sequence[object]]] = []
        ordered = sorted(entries, key=lambda entry: entry.stream)
        for stream, group in groupby(ordered, key=lambda entry: entry.stream):
            ids = [entry.entry_id for entry in group]
            for start in range(0, len(ids), ACKS_PER_SCRIPT_MAX):
                part = ids[start : start + ACKS_PER_SCRIPT_MAX]
                calls.append(([stream, _journal(stream)], (DRAIN_GROUP, *part)))
        answers = run_scripts(self._client, "ack_blocks", calls) if calls else []
        asked(partial(_refuse_errors, answers))
        self._holds -= {(entry.stream, entry.entry_id) for entry in entries}
        return sum(int(count) for count in answers)

    def backlog(self) -> OutboxBacklog:
        """Say how much waits, over all streams."""

        def ask() -> list[Any]:
            with self._client.pipeline(transaction=False) as pipe:
                for stream in self._streams():
                    pipe.xlen(stream)
                    pipe.xpending(stream, DRAIN_GROUP)
                    pipe.xrange(stream, count=1)
                return list(pipe.execute(raise_on_error=False))

        told = asked(ask)
        lengths, pending, firsts = told[0::3], told[1::3], told[2::3]
        _refuse_errors([*lengths, *firsts])
        given = sum(int(one["pending"]) for one in pending if not isinstance(one, Exception))
        oldest = min((_milliseconds(first[0][0]) for first in firsts if first), default=None)
        return OutboxBacklog(
            entries=sum(map(int, lengths)),
            given=given,
            oldest_at=None if oldest is None else datetime.fromtimestamp(oldest / 1000, UTC),
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _read(self, count: int, wait_s: float) -> tuple[Told, bool]:
        """One try; a try after a lost answer finds among the held what that answer gave."""
        if self._holds:
            held = self._held(count)
            if held:
                self._holds.add(UNKNOWN)  # there may be more: only the next look says that there is not
                return held, True
        self._holds = {UNKNOWN}
        fresh = self._fresh(count, wait_s)
        self._holds = {(stream, entry_id.decode()) for stream, entry_id, _ in fresh}
        return fresh, False

    def _streams(self) -> list[str]:
        """Every stream that was ever written to, with its group made from the stream's beginning."""
        symbols = sorted(self._client.smembers(keys.OUTBOX_SYMBOLS.at(topic=MARKET_TOPIC)))
        named = [self._stream_of(symbol) for symbol in symbols]
        streams = [stream for stream in named if stream is not None]
        self._make_groups([stream for stream in streams if stream not in self._grouped])
        return [stream for stream in streams if stream in self._grouped]

    def _stream_of(self, symbol: bytes) -> str | None:
        """The stream of a name; what a foreign hand put among the names must not keep the others waiting."""
        try:
            return keys.OUTBOX.at(topic=MARKET_TOPIC, sym=symbol.decode())
        except (InvalidFieldError, UnicodeDecodeError) as error:
            self._leave_out(repr(symbol), error)
            return None

    def _leave_out(self, what: str, error: Exception) -> None:
        if what not in self._left_out and len(self._left_out) < LEFT_OUT_MAX:
            self._left_out.add(what)
            logger.error("market_stream_left_out name=%s error=%s", what, error)

    def _make_groups(self, streams: Sequence[str]) -> None:
        if not streams:
            return
        with self._client.pipeline(transaction=False) as pipe:
            for stream in streams:
                pipe.xgroup_create(stream, DRAIN_GROUP, id="0", mkstream=True)
            answers = pipe.execute(raise_on_error=False)
        odd = {
            stream: answer
            for stream, answer in zip(streams, answers, strict=True)
            if is_of_another_type(answer)
        }
        for stream, error in odd.items():
            self._leave_out(stream, error)
        errors = [answer for answer in answers if not (group_exists(answer) or is_of_another_type(answer))]
        _refuse_errors(errors)
        self._grouped.update(stream for stream in streams if stream not in odd)

    def _held(self, count: int) -> Told:
        """What this consumer was given and has not acknowledged; what is gone meanwhile is forgotten."""
        streams = self._streams()
        pending = self._lengths(streams, is_held=True)
        told = self._given("0", shares_of(pending, count, self._turn))
        gone: dict[str, list[bytes]] = {}
        for stream, entry_id, fields in told:
            if not fields:
                gone.setdefault(stream, []).append(entry_id)
        for stream, ids in gone.items():  # deleted by another hand; the journal's sequence shows it
            self._client.xack(stream, DRAIN_GROUP, *ids)
        kept = [one for one in told if one[2]]
        return kept or (self._held(count) if gone else [])

    def _fresh(self, count: int, wait_s: float) -> Told:
        streams = self._streams()
        lengths = self._lengths(streams, is_held=False)
        told = self._given(">", shares_of(lengths, count, self._turn)) if lengths else []
        if told or not wait_s:
            return told
        return self._waited(streams, count, wait_s)

    def _waited(self, streams: Sequence[str], count: int, wait_s: float) -> Told:
        """Wait for the first new block, but not so long that a new symbol's stream is overlooked."""
        if not streams:
            time.sleep(min(wait_s, STREAMS_LOOKED_FOR_S))
            return []
        wait_ms = max(1, int(min(wait_s, STREAMS_LOOKED_FOR_S) * 1000))
        watched = dict.fromkeys(streams[:count], ">")
        each = max(1, min(BLOCKS_PER_TRIP_MAX, count // len(watched)))
        try:
            return _told(
                self._client.xreadgroup(DRAIN_GROUP, self._consumer, watched, count=each, block=wait_ms)
            )
        except redis.ResponseError as error:
            if group_is_missing(error):  # flushed while it waited
                self._grouped.clear()
            elif isinstance(error, redis.exceptions.ClusterCrossSlotError):
                time.sleep(min(wait_s, POLL_S))
            else:
                raise
            return []

    def _lengths(self, streams: Sequence[str], *, is_held: bool) -> dict[str, int]:
        """How much each stream has for this consumer; streams that have nothing are left out."""
        with self._client.pipeline(transaction=False) as pipe:
            for stream in streams:
                if is_held:
                    pipe.xpending_range(
                        stream,
                        DRAIN_GROUP,
                        min="-",
                        max="+",
                        count=READ_BLOCKS_MAX,
                        consumername=self._consumer,
                    )
                else:
                    pipe.xlen(stream)
            answers = pipe.execute(raise_on_error=False)
        if any(group_is_missing(answer) for answer in answers):
            self._grouped.clear()
        found = [0 if group_is_missing(answer) else answer for answer in answers]
        _refuse_errors(found)
        lengths = (len(one) if isinstance(one, list) else int(one) for one in found)
        return {stream: length for stream, length in zip(streams, lengths, strict=True) if length}

    def _given(self, after: str, shares: Mapping[str, int]) -> Told:
        """Read the shares in small portions until the bytes are enough."""
        told: Told = []
        size = 0
        for portion in portions_of(shares):
            answer, missing = self._asked_for(after, portion, told)
            if missing:  # a server that was flushed has no groups
                self._grouped.difference_update(missing)
                self._make_groups(list(missing))
                answer += self._asked_for(after, missing, told)[0]
            told.extend(answer)
            size += sum(len(text) for _, _, fields in answer for text in (fields or {}).values())
            if size >= self._bytes_max:
                break
        return told

    def _asked_for(
        self, after: str, portion: Mapping[str, int], before: Told
    ) -> tuple[Told, Mapping[str, int]]:
        """What these streams have, and which of them have no group."""
        last = {stream: entry_id.decode() for stream, entry_id, _ in before} if after == "0" else {}
        with self._client.pipeline(transaction=False) as pipe:
            for stream, count in portion.items():
                pipe.xreadgroup(DRAIN_GROUP, self._consumer, {stream: last.get(stream, after)}, count=count)
            answers = pipe.execute(raise_on_error=False)
        missing = {
            stream: count
            for (stream, count), answer in zip(portion.items(), answers, strict=True)
            if group_is_missing(answer)
        }
        there = [answer for answer in answers if not group_is_missing(answer)]
        _refuse_errors(there)
        return [one for answer in there for one in _told(answer)], missing

    def _claimed(self, stream: str, count: int, idle_s: float) -> int:
        answer = self._client.xautoclaim(
            stream, DRAIN_GROUP, self._consumer, min_idle_time=int(idle_s * 1000), count=count, justid=True
        )
        if answer and isinstance(answer[0], list):  # newer servers put the cursor before, the deleted after
            return len(answer[0])
        return len(answer[1] if len(answer) > 1 and isinstance(answer[1], list) else answer)


def _journal(stream: str) -> str:
    parts = keys.OUTBOX.read(stream)
    if parts is None:
        raise InvalidFieldError("stream", f"a stream of {keys.OUTBOX.pattern}", stream)
    return keys.OUTBOX_JOURNAL.at(**parts)


def shares_of(lengths: Mapping[str, int], count: int, turn: int = 0) -> dict[str, int]:
    """Share `count` out: the shortest first get all of theirs, what is left goes to the longer ones.

    Where there are more streams than that, each has its turn.
    """
    if count < len(lengths):
        names = list(lengths)
        start = turn % len(names)
        return dict.fromkeys((names[start:] + names[:start])[:count], 1)
    shares: dict[str, int] = {}
    left = count
    waiting = sorted(lengths.items(), key=lambda one: one[1])
    for place, (stream, length) in enumerate(waiting):
        shares[stream] = min(length, left // (len(waiting) - place))
        left -= shares[stream]
    return shares


def portions_of(shares: Mapping[str, int]) -> list[dict[str, int]]:
    """Cut shares into portions of a round trip, in the order of the streams."""
    portions: list[dict[str, int]] = [{}]
    room = BLOCKS_PER_TRIP_MAX
    for stream, share in shares.items():
        left = share
        while left:
            if not room:
                portions.append({})
                room = BLOCKS_PER_TRIP_MAX
            part = min(left, room)
            portions[-1][stream] = part
            left -= part
            room -= part
    return portions


def _told(answer: Any) -> Told:
    return [
        (stream.decode(), entry_id, fields)
        for stream, entries in answer or []
        for entry_id, fields in entries
    ]


def _batch(told: Told, *, is_repeat: bool) -> MarketBatch:
    entries: list[MarketEntry] = []
    unreadable: list[UnreadableEntry] = []
    for stream, entry_id, fields in told:
        try:
            entries.append(_entry(stream, entry_id.decode(), fields or {}))
        except (InvalidFieldError, KeyError, ValueError) as error:
            unreadable.append(_unreadable(stream, entry_id.decode(), fields or {}, error))
    return MarketBatch(entries=tuple(entries), unreadable=tuple(unreadable), is_repeat=is_repeat)


def _entry(stream: str, entry_id: str, fields: Mapping[bytes, bytes]) -> MarketEntry:
    return MarketEntry(
        stream=stream,
        entry_id=entry_id,
        epoch=fields[b"epoch"].decode(),
        sequence=int(fields[b"sequence"]),
        block=market_values.block_of(fields[b"block"]),
    )


def _unreadable(
    stream: str, entry_id: str, fields: Mapping[bytes, bytes], error: Exception
) -> UnreadableEntry:
    told = {name.decode("utf-8", "replace"): text.decode("utf-8", "replace") for name, text in fields.items()}
    sequence = told.get("sequence", "")
    return UnreadableEntry(
        stream=stream,
        entry_id=entry_id,
        epoch=told.get("epoch", ""),
        sequence=int(sequence) if sequence.isascii() and sequence.isdigit() else None,
        text=told.get("block", str(told)),
        reason=f"{type(error).__name__}: {error}",
    )


def _refuse_errors(answers: Sequence[Any]) -> None:
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer


def _milliseconds(entry_id: bytes) -> int:
    return int(entry_id.split(b"-")[0])
