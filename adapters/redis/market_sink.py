"""The writer's side of the live market: one script for each symbol's update, many in one round trip.

What can lose money here: a state that readers see and the warehouse never hears of (one script writes both,
and a stream that is full refuses both), an update that stands twice after a lost answer (its token is its
content; a source's newest tokens are kept), a writer that was followed and does not know (`market_fence`),
and a chain that holds the server up (greeks of single contracts go beside the script, in small portions, and
only those that changed).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain as joined
from typing import Any
from uuid import uuid4

from adapters.redis import keys, market_values
from adapters.redis.connection import ANSWER_TIMEOUT_S, asked, open_client, run_script, run_scripts
from adapters.redis.market_fence import StreamFence
from adapters.redis.market_greeks import GreeksTold
from adapters.redis.market_minutes import MinutesTold, Scored
from adapters.redis.market_operations import life_ms, minutes_of, minutes_operation, operations_of
from adapters.redis.market_states import StatesTold
from adapters.redis.memory_room import MARKET_SHARE, MemoryRoom
from adapters.redis.outbox import alert
from trading.errors import InvalidFieldError, LiveStateUnavailableError, OutboxFullError
from trading.market.written_streams import WrittenStreams, loss_of
from trading.model.market import ChainSnapshot, InstrumentState, MarketBlock
from trading.ports.live_state import Lease
from trading.ports.market_outbox import STREAM_BYTES_MAX, STREAM_ENTRIES_MAX
from trading.ports.market_state import (
    CHAIN_YIELDS_S,
    MINUTES_TOLD_AGAIN,
    UPDATES_PER_CALL_MAX,
    MarketSink,
    SymbolUpdate,
    check_update,
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

    symbol: str
    keys: Sequence[str]
    arguments: Sequence[object]
    size: int
    blocks: Sequence[MarketBlock]
    minutes: Sequence[Scored] = ()
    state: InstrumentState | None = None
    is_check: bool = False  # of the fence alone, for what no script can write


@dataclass(slots=True)
class _Said:
    """What the scripts of one call said: refusals by symbol, those to alert, streams that begin.

    A stream begins also where the server lost everything, and with it the set of symbols.
    """

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
        memory_share: float = MARKET_SHARE,
        timeout_s: float = ANSWER_TIMEOUT_S,
    ) -> None:
        self._client: Any = open_client(url, timeout_s)
        self._room = MemoryRoom(self._client, memory_share)
        self._entries_max, self._bytes_max = entries_max, bytes_max
        self._known: set[str] = set()
        self._random = uuid4().hex[:8]  # of an epoch that begins
        self._greeks: dict[str, GreeksTold] = {}
        self._states = StatesTold()
        self._minutes = MinutesTold()
        self._streams = WrittenStreams()
        self._fence = StreamFence(self._client, MARKET_TOPIC)

    def publish(self, updates: Sequence[SymbolUpdate]) -> None:
        """Print all, then write in order; an update that is refused is named, the others are written."""
        if len(updates) > UPDATES_PER_CALL_MAX:
            raise InvalidFieldError("updates", f"at most {UPDATES_PER_CALL_MAX}", len(updates))
        for update in updates:
            check_update(update)
        try:
            self._refuse_without_room()
            yielding = self._yielding(updates)
            calls = [self._call(update, yields=place in yielding) for place, update in enumerate(updates)]
            self._register({update.symbol for update in updates if update.blocks})
            full = self._written([call for call in calls if call.size or call.is_check])
            self._tell_losses()
            self._tell_minutes()
            done = [(place, update) for place, update in enumerate(updates) if update.symbol not in full]
            self._tell_volatility([update for _, update in done])
            self._tell_states([update for _, update in done])
            for place, update in done:
                if place not in yielding:
                    self._tell_greeks(update)
        except LiveStateUnavailableError:
            self._known.clear()  # the server may be another when it answers again
            raise
        if full:
            raise OutboxFullError("; ".join(full.values()))

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
            alert(self._client, "market_outbox_full", text, component=MARKET_TOPIC)
        raise OutboxFullError(f"market data wait: {reason}")

    def _yielding(self, updates: Sequence[SymbolUpdate]) -> set[int]:
        """The places of updates whose chain yields to the fuller one of another source that stands."""
        told = [(place, update.chain) for place, update in enumerate(updates) if update.chain is not None]
        if not told:
            return set()
        names = [keys.OPTION_CHAIN.at(sym=updates[place].symbol) for place, _ in told]

        def ask() -> list[Any]:
            with self._client.pipeline(transaction=False) as pipe:
                for name in names:
                    pipe.get(name)
                    pipe.pttl(name)
                return list(pipe.execute())

        answers = asked(ask)
        return {
            place
            for number, (place, chain) in enumerate(told)
            if _yields(chain, answers[2 * number], answers[2 * number + 1])
        }

    def _call(self, update: SymbolUpdate, *, yields: bool = False) -> _Call:
        texts = [market_values.block_text(block) for block in update.blocks]
        source = update.blocks[0].source if update.blocks else "live"
        operations = list(operations_of(update))
        arguments = list(joined.from_iterable(told for _, told in operations))
        token = _token(texts, arguments)  # of all that was told, so that a repeat has it again
        if yields:
            operations = list(operations_of(replace(update, chain=None)))
            arguments = list(joined.from_iterable(told for _, told in operations))
        names = self._names(update.symbol, source, [key for key, _ in operations if key])
        size = sum(len(told) for told in (*texts, *arguments) if isinstance(told, bytes))
        return _Call(
            update.symbol,
            names,
            (*self._head(token, len(texts)), *texts, *arguments),
            size,
            update.blocks,
            minutes_of(operations) if update.bars else (),
            update.state,
            is_check=update.volatility is not None and self._fence.is_up,
        )

    def _names(self, symbol: str, source: str, written: Sequence[str]) -> list[str]:
        place = {"topic": MARKET_TOPIC, "sym": symbol}
        done = keys.OUTBOX_DONE.at(**place, source=source)
        return [keys.OUTBOX.at(**place), self._fence.journal(symbol), done, *written]

    def _head(self, token: str, blocks: int) -> tuple[object, ...]:
        head = (self._entries_max, self._bytes_max, self._random, token, TOKENS_KEPT)
        return (*head, (keys.OUTBOX_DONE.ttl_s or 0) * 1000, ALERT_PAUSE_MS, *self._fence.arguments, blocks)

    def _register(self, symbols: set[str]) -> None:
        """A reader finds a stream by its symbol's name, which is written before the stream is."""
        unknown = sorted(symbols - self._known)
        if unknown:
            asked(lambda: self._client.sadd(keys.OUTBOX_SYMBOLS.at(topic=MARKET_TOPIC), *unknown))
            self._known.update(unknown)

    def _written(self, calls: Sequence[_Call]) -> dict[str, str]:
        """Write; return the reasons of what was refused, by symbol. What follows a refused one waits too."""
        said = _Said()
        for round_ in _rounds(calls):
            for portion in _portions([call for call in round_ if call.symbol not in said.full]):
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
            alert(self._client, "market_outbox_full", text, component=MARKET_TOPIC)
        return said.full

    def _judge(self, call: _Call, answer: Any, said: _Said) -> None:
        if isinstance(answer, Exception):
            raise LiveStateUnavailableError(f"live state refused {call.symbol}: {answer}") from answer
        if answer[0] == b"fenced":
            raise self._fence.refusal(call.symbol, answer[1].decode())
        if call.state is not None and answer[0] in (b"written", b"repeated"):
            self._states.note(call.state, is_repeat=answer[0] == b"repeated")
        if call.minutes and answer[0] == b"written":
            self._minutes.note(call.symbol, call.minutes)
        elif call.minutes and answer[0] == b"repeated":  # whose answer was lost; an older one changes nothing
            self._minutes.know(call.symbol, call.minutes)
        if answer[0] == b"full":
            said.full[call.symbol] = (
                f"{call.keys[0]}: expected at most {self._entries_max} unread blocks and {self._bytes_max}"
                f" bytes, was {int(answer[1])} and {int(answer[3])} with more to come; is the drain running?"
            )
            if answer[2] == b"1":
                said.alerts.append(said.full[call.symbol])
        elif answer[0] == b"written":
            if call.blocks and self._streams.wrote(
                call.symbol, answer[1].decode(), int(answer[2]), call.blocks
            ):
                self._greeks.clear()
                self._states.lost()
                self._minutes.lost()
            if answer[2] == b"1":
                said.begun.append(call.symbol)

    def _tell_volatility(self, updates: Sequence[SymbolUpdate]) -> None:
        readings = [update.volatility for update in updates if update.volatility]
        if readings:
            family = keys.VOLATILITY_REGIME
            text = market_values.row_text(readings[-1])
            asked(lambda: self._client.set(family.at(), text, ex=family.ttl_s))

    def _tell_losses(self) -> None:
        """A server that lost everything lost what nobody had drained: a record of each symbol, an alert."""
        lost = self._streams.lost()
        if not lost:
            return
        updates = [loss_of(symbol, last) for symbol, last in lost.items()]
        full = self._written([self._call(update) for update in updates])
        self._streams.told(lost.keys() - full.keys())
        shown = ", ".join(sorted(lost))
        text = f"the live state lost what was not drained of {shown}"
        alert(self._client, "market_outbox_lost", text, component=MARKET_TOPIC)

    def _tell_minutes(self) -> None:
        """Those of the session, where the server lost everything."""
        calls = []
        for symbol, told in self._minutes.due():
            key, operation = minutes_operation(symbol, told)
            arguments = (*self._head("", 0), *operation)  # no token: it may be written as often as it is lost
            size = sum(len(text) for _, text in told)
            calls.append(_Call(symbol, self._names(symbol, "live", [key]), arguments, size, ()))
        self._written(calls)
        self._minutes.told()

    def _tell_states(self, updates: Sequence[SymbolUpdate]) -> None:
        """States that nothing changed for long, and all of them where the server lost everything."""
        texts = self._states.due(updates)
        if not texts:
            return
        lives_ms = life_ms(keys.MARKET_STATE)
        calls = [
            ((self._fence.journal(symbol), keys.MARKET_STATE.at(sym=symbol)), self._values(lives_ms, [text]))
            for symbol, text in texts.items()
        ]
        try:
            for symbol, answer in zip(texts, run_scripts(self._client, "set_values", calls), strict=True):
                self._fence.judge(symbol, answer)
        except LiveStateUnavailableError:
            self._states.lost()
            raise

    def _tell_greeks(self, update: SymbolUpdate) -> None:
        if update.chain is None:
            return
        told = self._greeks.setdefault(update.symbol, GreeksTold())
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


def _yields(chain: ChainSnapshot, head: bytes | None, life_left_ms: int) -> bool:
    """Whether another source's chain with more contracts was written a moment ago."""
    age_ms = life_ms(keys.OPTION_CHAIN) - int(life_left_ms)
    if head is None or age_ms > CHAIN_YIELDS_S * 1000:
        return False
    try:
        source, contracts = market_values.chain_head(head)
    except InvalidFieldError:
        return False  # what cannot be read is replaced
    return source != chain.source and contracts > len(chain.contracts)


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
        place = seen.get(call.symbol, 0)
        seen[call.symbol] = place + 1
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
