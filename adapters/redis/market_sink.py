"""The writer's side of the live market: one script for each symbol's update, many in one round trip.

What can lose money here: a state that readers see and the warehouse never hears of (one script writes both,
and a stream that is full refuses both), an update that stands twice after a lost answer (its token is its
content; a source's newest tokens are kept), an older one that comes after a newer (the script compares their
times: its blocks are kept, what stands stands), a writer that was followed and does not know
(`market_fence`), and a chain that holds the server up (greeks of single contracts go beside the script, in
small portions, and only those that changed).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from itertools import chain as joined
from operator import attrgetter
from typing import Any
from uuid import uuid4

from adapters.redis import keys, market_values
from adapters.redis.connection import ANSWER_TIMEOUT_S, asked, open_client, run_script, run_scripts
from adapters.redis.full_market_alert import FullMarketAlert
from adapters.redis.market_fence import StreamFence
from adapters.redis.market_greeks import GreeksTold
from adapters.redis.market_minutes import MinutesTold, Scored
from adapters.redis.market_operations import (
    Operation,
    life_ms,
    minutes_of,
    minutes_operation,
    operations_of,
    row_operations,
)
from adapters.redis.market_states import StatesTold
from adapters.redis.memory_room import MARKET_SHARE, MemoryRoom
from trading.errors import InvalidFieldError, LiveStateUnavailableError, OutboxFullError
from trading.market.written_streams import WrittenStreams, loss_of
from trading.model.market import VolatilityReading
from trading.ports.live_state import Lease
from trading.ports.market_outbox import STREAM_BYTES_MAX, STREAM_ENTRIES_MAX
from trading.ports.market_state import (
    MINUTES_TOLD_AGAIN,
    UPDATES_PER_CALL_MAX,
    MarketSink,
    SymbolUpdate,
    check_update,
    is_newer,
)

MARKET_TOPIC = "market"
TOKENS_KEPT = 64  # of one symbol and source: a repeat comes before so many others
TOKEN_BYTES = 12
ALERT_PAUSE_MS = 60_000  # of one symbol
ALERT_SYMBOLS_SHOWN_MAX = 3  # a drain that stands still fills all of them: one alert a call, not hundreds
CALLS_PER_TRIP_MAX = 200
BYTES_PER_TRIP_MAX = 4 * 1024 * 1024  # what a server takes well within the time an answer may need
GREEKS_PER_SCRIPT_MAX = 500  # a millisecond of the server's time


@dataclass(frozen=True, slots=True)
class _Call:
    """One update as the script's keys and arguments."""

    update: SymbolUpdate
    keys: Sequence[str]
    arguments: Sequence[object]
    size: int
    minutes: Sequence[Scored] = ()
    place: int = 0  # in what is published


@dataclass(frozen=True, slots=True)
class _Done:
    """An update that is there, now or since before; whether its chain yielded to another source's."""

    place: int
    update: SymbolUpdate
    is_repeat: bool = False
    is_without_chain: bool = False


@dataclass(slots=True)
class _Said:
    """What the scripts of one call said: what is done, refusals by symbol, alerts, streams that begin.

    A stream begins also where the server lost everything, and with it the set of symbols.
    """

    done: list[_Done] = field(default_factory=list)

    full: dict[str, str] = field(default_factory=dict)
    alerts: list[str] = field(default_factory=list)
    begun: list[str] = field(default_factory=list)


class RedisMarketSink(MarketSink):
    """The port on a real Redis; not to be shared between threads."""

    def __init__(
        self,
        url: str,
        *,
        entries_max: int = STREAM_ENTRIES_MAX,
        bytes_max: int = STREAM_BYTES_MAX,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self._client: Any = open_client(url, timeout_s)
        self._room = MemoryRoom(self._client, MARKET_SHARE)
        self._entries_max, self._bytes_max = entries_max, bytes_max
        self._known: set[str] = set()
        self._writer = uuid4().hex[:8]  # whose order of times it is; and part of an epoch that begins
        self._greeks: dict[str, GreeksTold] = {}
        self._states = StatesTold()
        self._minutes = MinutesTold()
        self._streams = WrittenStreams()
        self._volatility_at: datetime | None = None  # when the newest reading was judged
        self._fence = StreamFence(self._client, MARKET_TOPIC)
        self._alerts = FullMarketAlert(self._client, MARKET_TOPIC)

    def publish(self, updates: Sequence[SymbolUpdate]) -> None:
        """Print all, then write in order; an update that is refused is named, the others are written."""
        if len(updates) > UPDATES_PER_CALL_MAX:
            raise InvalidFieldError("updates", f"at most {UPDATES_PER_CALL_MAX}", len(updates))
        for update in updates:
            check_update(update)
        try:
            self._refuse_without_room()
            calls = [self._call(update, place) for place, update in enumerate(updates)]
            self._register({update.symbol for update in updates if update.blocks})
            said = self._written([call for call in calls if call.size or call.update.volatility])
            done = sorted(said.done, key=attrgetter("place"))
            self._tell_losses()
            self._tell_minutes()
            self._tell_volatility(done)
            self._tell_states([each.update for each in done])
            for each in done:
                if not each.is_without_chain:
                    self._tell_greeks(each.update)
        except LiveStateUnavailableError:
            self._known.clear()  # the server may be another when it answers again
            raise
        self._alerts.judge(said.full.keys(), {each.update.symbol for each in done if each.update.blocks})
        if said.full:
            raise OutboxFullError("; ".join(said.full.values()))

    def take_over(self, lease: Lease, symbols: Sequence[str] = ()) -> None:
        """Keep writers with an older number out, and know the minutes that are there already."""
        self._fence.raise_to(lease, symbols)
        names = [keys.MARKET_BARS.at(sym=symbol) for symbol in symbols]

        def ask() -> list[Any]:
            with self._client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.zrange(name, -MINUTES_TOLD_AGAIN, -1, withscores=True)
                return list(pipe.execute(raise_on_error=False))

        for symbol, found in zip(symbols, asked(ask) if names else (), strict=True):
            if not isinstance(found, Exception):  # another writer's type: the first minute replaces it
                self._minutes.know(symbol, [(int(score), text) for text, score in found])

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _refuse_without_room(self) -> None:
        """Write nothing of the market where the rest of the memory is for orders and fills."""
        reason = self._room.lacking()
        if not reason:
            return
        if self._room.alert_is_due(ALERT_PAUSE_MS / 1000):
            text = f"market data wait: {reason}; is the drain running?"
            self._alerts.tell_full(text)
        raise OutboxFullError(f"market data wait: {reason}")

    def _call(self, update: SymbolUpdate, place: int = 0) -> _Call:
        texts = [market_values.block_text(block) for block in update.blocks]
        source = update.blocks[0].source if update.blocks else "live"
        operations = list(operations_of(update))
        arguments = list(joined.from_iterable(told for _, told in operations))
        token = _token(texts, arguments) if texts or arguments else ""  # the regime alone asks for the fence
        names = self._names(update.symbol, source, [key for key, _ in operations if key])
        return _Call(
            update,
            names,
            (*self._head(token, len(texts)), *texts, *arguments),
            sum(len(told) for told in (*texts, *arguments) if isinstance(told, bytes)),
            minutes_of(operations) if update.bars else (),
            place,
        )

    def _again(self, symbol: str, operations: Sequence[Operation]) -> _Call:
        """What was written before, without a token: it may be written as often as it is lost."""
        told = list(joined.from_iterable(told for _, told in operations))
        size = sum(len(part) for part in told if isinstance(part, bytes))
        names = self._names(symbol, "live", [key for key, _ in operations if key])
        return _Call(SymbolUpdate(symbol=symbol), names, (*self._head("", 0), *told), size)

    def _names(self, symbol: str, source: str, written: Sequence[str]) -> list[str]:
        place = {"topic": MARKET_TOPIC, "sym": symbol}
        done = keys.OUTBOX_DONE.at(**place, source=source)
        return [keys.OUTBOX.at(**place), self._fence.journal(symbol), done, *written]

    def _head(self, token: str, blocks: int) -> tuple[object, ...]:
        head = (self._entries_max, self._bytes_max, self._writer, token, TOKENS_KEPT)
        return (*head, (keys.OUTBOX_DONE.ttl_s or 0) * 1000, ALERT_PAUSE_MS, *self._fence.arguments, blocks)

    def _register(self, symbols: set[str]) -> None:
        """A reader finds a stream by its symbol's name, which is written before the stream is."""
        unknown = sorted(symbols - self._known)
        if unknown:
            asked(lambda: self._client.sadd(keys.OUTBOX_SYMBOLS.at(topic=MARKET_TOPIC), *unknown))
            self._known.update(unknown)

    def _written(self, calls: Sequence[_Call]) -> _Said:
        """Write; what follows a refused update of its symbol waits, too."""
        said = _Said()
        for round_ in _rounds(calls):
            for portion in _portions([call for call in round_ if call.update.symbol not in said.full]):
                answers = run_scripts(
                    self._client, "publish_market", [(call.keys, call.arguments) for call in portion]
                )
                for call, answer in zip(portion, answers, strict=True):
                    self._judge(call, answer, said)
        if said.begun:
            asked(lambda: self._client.sadd(keys.OUTBOX_SYMBOLS.at(topic=MARKET_TOPIC), *said.begun))
        if said.alerts:
            shown = "; ".join(said.alerts[:ALERT_SYMBOLS_SHOWN_MAX])
            text = f"{len(said.alerts)} symbols: {shown}"
            self._alerts.tell_full(text)
        return said

    def _judge(self, call: _Call, answer: Any, said: _Said) -> None:
        update = call.update
        if isinstance(answer, Exception):
            raise LiveStateUnavailableError(f"live state refused {update.symbol}: {answer}") from answer
        if answer[0] == b"fenced":
            raise self._fence.refusal(update.symbol, answer[1].decode())
        if answer[0] == b"full":
            said.full[update.symbol] = (
                f"{call.keys[0]}: expected at most {self._entries_max} unread blocks and {self._bytes_max}"
                f" bytes, was {int(answer[1])} and {int(answer[3])} with more to come; is the drain running?"
            )
            if answer[2] == b"1":
                said.alerts.append(said.full[update.symbol])
            return
        is_repeat = answer[0] == b"repeated"
        said.done.append(_Done(call.place, update, is_repeat, not is_repeat and answer[3] == b"1"))
        self._note(call, is_repeat=is_repeat)
        if is_repeat:
            return
        epoch, first = answer[1].decode(), int(answer[2])
        if update.blocks and self._streams.wrote(update.symbol, epoch, first, update.blocks):
            self._greeks.clear()
            self._states.lost()
            self._minutes.lost()
        if first == 1:
            said.begun.append(update.symbol)

    def _note(self, call: _Call, *, is_repeat: bool) -> None:
        """Know what is there; a repeat, whose answer was lost, takes no newer one's place."""
        update = call.update
        if update.state is not None:
            self._states.note(update.state, is_repeat=is_repeat)
        if call.minutes:
            (self._minutes.know if is_repeat else self._minutes.note)(update.symbol, call.minutes)

    def _tell_volatility(self, done: Sequence[_Done]) -> None:
        newest: VolatilityReading | None = None
        newest_at = self._volatility_at
        for each in done:
            reading = each.update.volatility
            if reading is not None and is_newer(reading.judged_at, newest_at, is_repeat=each.is_repeat):
                newest, newest_at = reading, reading.judged_at
        if newest is not None:
            family, text = keys.VOLATILITY_REGIME, market_values.row_text(newest)
            asked(lambda: self._client.set(family.at(), text, ex=family.ttl_s))
            self._volatility_at = newest_at

    def _tell_losses(self) -> None:
        """A server that lost everything lost what nobody had drained: a record of each symbol, an alert."""
        lost = self._streams.lost()
        if not lost:
            return
        updates = [loss_of(symbol, last) for symbol, last in lost.items()]
        full = self._written([self._call(update) for update in updates]).full
        self._streams.told(lost.keys() - full.keys())
        shown = ", ".join(sorted(lost))
        text = f"the live state lost what was not drained of {shown}"
        self._alerts.tell_lost(text)

    def _tell_minutes(self) -> None:
        """Those of the session, where the server lost everything."""
        calls = []
        for symbol, told in self._minutes.due():
            calls.append(self._again(symbol, [minutes_operation(symbol, told)]))
        self._written(calls)
        self._minutes.told()

    def _tell_states(self, updates: Sequence[SymbolUpdate]) -> None:
        """States that nothing changed for long, and all of them where the server lost everything."""
        due = self._states.due(updates)
        try:
            self._written(
                [self._again(state.symbol, [*row_operations(state.symbol, state)]) for state in due]
            )
        except LiveStateUnavailableError:
            self._states.lost()
            raise

    def _tell_greeks(self, update: SymbolUpdate) -> None:
        if update.chain is None:
            return
        told = self._greeks.setdefault(update.symbol, GreeksTold())
        if told.is_older(update.chain):
            return
        changed = told.changed(update.chain)
        texts = market_values.greeks_texts(list(changed.values()))
        lives_ms = life_ms(keys.OPTION_GREEKS)
        names = list(changed)
        for start in range(0, len(names), GREEKS_PER_SCRIPT_MAX):
            part = slice(start, start + GREEKS_PER_SCRIPT_MAX)
            where = (self._fence.journal(update.symbol), *names[part])
            told_now = run_script(self._client, "set_values", where, self._values(lives_ms, texts[part]))
            self._fence.judge(update.symbol, told_now)
        told.remember(update.chain, is_all=told.is_old(update.chain.at))

    def _values(self, lives_ms: int, texts: Sequence[bytes]) -> tuple[object, ...]:
        return (lives_ms, *self._fence.arguments, *texts)


def _token(texts: Sequence[bytes], arguments: Sequence[object]) -> str:
    """The content's own name: a repeat of the same update has it again."""
    digest = blake2b(digest_size=TOKEN_BYTES)
    for told in (*texts, *arguments):
        part = told if isinstance(told, bytes) else str(told).encode()
        digest.update(len(part).to_bytes(4, "big"))
        digest.update(part)
    return digest.hexdigest()


def _rounds(calls: Sequence[_Call]) -> Iterator[list[_Call]]:
    """Each symbol's first call, then each one's second: a refusal is known before the next is sent."""
    seen: dict[str, int] = {}
    rounds: list[list[_Call]] = []
    for call in calls:
        place = seen.get(call.update.symbol, 0)
        seen[call.update.symbol] = place + 1
        if place == len(rounds):
            rounds.append([])
        rounds[place].append(call)
    yield from rounds


def _portions(calls: Sequence[_Call]) -> Iterator[list[_Call]]:
    portion: list[_Call] = []
    size = 0
    for call in calls:
        if portion and (len(portion) == CALLS_PER_TRIP_MAX or size + call.size > BYTES_PER_TRIP_MAX):
            yield portion
            portion, size = [], 0
        portion.append(call)
        size += call.size
    if portion:
        yield portion
