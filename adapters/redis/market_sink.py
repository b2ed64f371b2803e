"""The writer's side of the live market: one script for each symbol's update, many in one round trip.

What can lose money here: a state that readers see and the warehouse never hears of (one script writes both,
and a stream that is full refuses both), an update that stands twice after a lost answer (its token is its
content; a source's newest tokens are kept), and a chain that holds the server up (greeks of single contracts
go beside the script, in small portions, and only those that changed).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain as joined
from typing import Any
from uuid import uuid4

from adapters.redis import keys, market_values
from adapters.redis.connection import ANSWER_TIMEOUT_S, asked, open_client, run_script, run_scripts
from adapters.redis.key_family import KeyFamily
from adapters.redis.market_greeks import GreeksTold
from adapters.redis.market_states import StatesTold
from adapters.redis.memory_room import MARKET_SHARE, MemoryRoom
from adapters.redis.outbox import alert
from trading.errors import InvalidFieldError, LiveStateUnavailableError, OutboxFullError
from trading.market.written_streams import WrittenStreams, loss_of
from trading.model.market import ChainSnapshot, MarketBlock
from trading.ports.market_outbox import STREAM_BYTES_MAX, STREAM_ENTRIES_MAX
from trading.ports.market_state import (
    BARS_KEPT,
    CHAIN_YIELDS_S,
    TRADES_KEPT,
    UPDATES_PER_CALL_MAX,
    MarketSink,
    SymbolUpdate,
    chain_counts,
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

Operation = tuple[str, Sequence[object]]


@dataclass(frozen=True, slots=True)
class _Call:
    """One update as the script's keys and arguments."""

    symbol: str
    keys: Sequence[str]
    arguments: Sequence[object]
    size: int
    blocks: Sequence[MarketBlock]


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
        self._streams = WrittenStreams()

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
            full = self._written([call for call in calls if call.size])
            self._tell_losses()
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

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _refuse_without_room(self) -> None:
        """Write nothing of the market where the rest of the memory is for orders and fills."""
        reason = self._room.lacking()
        if not reason:
            return
        if self._room.alert_is_due(ALERT_PAUSE_MS / 1000):
            alert(self._client, "market_outbox_full", f"market data wait: {reason}; is the drain running?")
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
        operations = list(_operations(update))
        arguments = list(joined.from_iterable(told for _, told in operations))
        token = _token(texts, arguments)  # of all that was told, so that a repeat has it again
        if yields:
            operations = list(_operations(replace(update, chain=None)))
            arguments = list(joined.from_iterable(told for _, told in operations))
        head = (self._entries_max, self._bytes_max, self._random, token, TOKENS_KEPT)
        limits = ((keys.OUTBOX_DONE.ttl_s or 0) * 1000, ALERT_PAUSE_MS, len(texts))
        place = {"topic": MARKET_TOPIC, "sym": update.symbol}
        names = [
            keys.OUTBOX.at(**place),
            keys.OUTBOX_JOURNAL.at(**place),
            keys.OUTBOX_DONE.at(**place, source=source),
            *(key for key, _ in operations if key),
        ]
        size = sum(len(told) for told in (*texts, *arguments) if isinstance(told, bytes))
        return _Call(update.symbol, names, (*head, *limits, *texts, *arguments), size, update.blocks)

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
            alert(self._client, "market_outbox_full", f"{len(said.alerts)} symbols: {shown}")
        return said.full

    def _judge(self, call: _Call, answer: Any, said: _Said) -> None:
        if isinstance(answer, Exception):
            raise LiveStateUnavailableError(f"live state refused {call.symbol}: {answer}") from answer
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
        alert(self._client, "market_outbox_lost", f"the live state lost what was not drained of {shown}")

    def _tell_states(self, updates: Sequence[SymbolUpdate]) -> None:
        """States that nothing changed for long, and all of them where the server lost everything."""
        texts = self._states.due(updates)
        if not texts:
            return

        def put() -> None:
            with self._client.pipeline(transaction=False) as pipe:
                for name, text in texts.items():
                    pipe.set(name, text, ex=keys.MARKET_STATE.ttl_s)
                pipe.execute()

        try:
            asked(put)
        except LiveStateUnavailableError:
            self._states.lost()
            raise

    def _tell_greeks(self, update: SymbolUpdate) -> None:
        if update.chain is None:
            return
        told = self._greeks.setdefault(update.symbol, GreeksTold())
        changed = told.changed(update.chain)
        texts = market_values.greeks_texts(list(changed.values()))
        life_ms = _life_ms(keys.OPTION_GREEKS)
        names = list(changed)
        for start in range(0, len(names), GREEKS_PER_SCRIPT_MAX):
            part = slice(start, start + GREEKS_PER_SCRIPT_MAX)
            run_script(self._client, "set_values", names[part], (life_ms, *texts[part]))
        told.remember(update.chain, is_all=told.is_old(update.chain.at))


def _operations(update: SymbolUpdate) -> Iterator[Operation]:
    """What the script writes beside the blocks: a key ('' for a channel) and what to do with it."""
    sym = update.symbol
    if update.ticker:
        yield _set(keys.MARKET_TICKER, sym, market_values.row_text(update.ticker))
    if update.book:
        yield _set(keys.MARKET_BOOK, sym, market_values.row_text(update.book))
    if update.state:
        yield _set(keys.MARKET_STATE, sym, market_values.row_text(update.state))
    if update.trades:
        newest = update.trades[-TRADES_KEPT:]
        texts = market_values.row_texts(type(newest[0]), newest)
        family = keys.MARKET_TRADES
        yield family.at(sym=sym), ("L", _life_ms(family), TRADES_KEPT, len(texts), *texts)
    if update.bars:
        yield _bars(update)
    if update.chain:
        yield from _chain(update.chain, sym)
    if update.sentiment:
        yield _set(keys.SENTIMENT, sym, market_values.row_text(update.sentiment))
    for reading in update.technicals:
        yield _set(keys.TECHNICALS, sym, market_values.row_text(reading), indicator=reading.indicator)


def _bars(update: SymbolUpdate) -> Operation:
    newest = update.bars[-BARS_KEPT:]
    texts = market_values.row_texts(type(newest[0]), newest)
    scored = [
        told for bar, text in zip(newest, texts, strict=True) for told in (int(bar.at.timestamp()), text)
    ]
    family = keys.MARKET_BARS
    return family.at(sym=update.symbol), ("Z", _life_ms(family), BARS_KEPT, len(texts), *scored)


def _chain(chain: ChainSnapshot, sym: str) -> Iterator[Operation]:
    counts = chain_counts(chain)
    texts = market_values.chain_texts(chain, counts)
    yield _set(keys.OPTION_CHAIN, sym, texts.head)
    yield _set(keys.OPTION_CALLS, sym, texts.calls)
    yield _set(keys.OPTION_PUTS, sym, texts.puts)
    told = {"ts": chain.at.isoformat(), "source": chain.source, **counts}
    health = keys.MONITORING_OPTIONS
    pairs = [part for name, value in told.items() for part in (name, "" if value is None else str(value))]
    yield health.at(sym=sym), ("H", _life_ms(health), len(told), *pairs)
    event = market_values.document_text("event", {"ts": chain.at, "symbol": chain.symbol, "counts": counts})
    yield "", ("P", keys.OPTION_CHAIN_EVENTS.at(), event)


def _yields(chain: ChainSnapshot, head: bytes | None, life_left_ms: int) -> bool:
    """Whether another source's chain with more contracts was written a moment ago."""
    age_ms = _life_ms(keys.OPTION_CHAIN) - int(life_left_ms)
    if head is None or age_ms > CHAIN_YIELDS_S * 1000:
        return False
    try:
        source, contracts = market_values.chain_head(head)
    except InvalidFieldError:
        return False  # what cannot be read is replaced
    return source != chain.source and contracts > len(chain.contracts)


def _set(family: KeyFamily, sym: str, text: bytes, **parts: str) -> Operation:
    return family.at(sym=sym, **parts), ("S", _life_ms(family), text)


def _life_ms(family: KeyFamily) -> int:
    return (family.ttl_s or keys.DAY_S) * 1000


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
