"""The market's hot path in one process: ticks and books a second, beside the library's decoding of the bytes.

The same bytes, as a gateway sends them, go through the unmodified client library twice: once into nothing,
once into the normalizers, with a flush to rows four times a second of market time. The difference is what the
normalizers cost. Then updates of a hundred symbols go to Redis through the sink, beside a bare pipeline of
the same SET and XADD. Medians of several turns; CPU time, so that a busy machine measures the same.
"""

import argparse
import random
import statistics
import struct
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "support")]

from ib_insync.client import Client  # noqa: E402
from real_redis import start_redis  # noqa: E402

from adapters.redis import keys, market_values  # noqa: E402
from adapters.redis.market_outbox import RedisMarketOutboxReader  # noqa: E402
from adapters.redis.market_sink import RedisMarketSink  # noqa: E402
from adapters.redis.market_state import RedisMarketState  # noqa: E402
from trading.market.book import PositionBook  # noqa: E402
from trading.market.quote_board import QuoteBoard  # noqa: E402
from trading.market.tape import PrintSource, Tape  # noqa: E402
from trading.market.updates import Flush  # noqa: E402

MESSAGES, TURNS, SEED = 60_000, 5, 7
LINES, BOOKS, ROWS = 100, 3, 10
PACKET_BYTES = 4_096
FLUSH_EVERY = 500  # messages: four flushes a second at 2,000 messages a second
SYMBOLS, ROUNDS = 100, 20
AT = datetime(2026, 11, 13, 17, tzinfo=UTC)
AIM = 0.8


def main() -> None:
    """Measure and print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--messages", type=int, default=MESSAGES)
    asked.add_argument("--turns", type=int, default=TURNS)
    told = asked.parse_args()
    print(f"normalizers beside the client library's decoding, {told.messages:,} messages, CPU time")
    beside("level-1 ticks", list(level1(told.messages)), Level1, told.turns)
    beside("depth updates", list(depth(told.messages)), Depth, told.turns)
    beside("prints as text", list(prints(told.messages)), Prints, told.turns, has_aim=False)
    print("    (a print is a text that the library leaves as it is, and becomes a row of its own)")
    with tempfile.TemporaryDirectory() as folder:
        running = start_redis(Path(folder))
        try:
            redis_rates(running.url, told.turns)
        finally:
            running.kill()


def beside(
    name: str, messages: Sequence[Sequence[str]], hearer: type, turns: int, *, has_aim: bool = True
) -> None:
    """Decode into nothing and into a normalizer, and print both rates and their ratio."""
    packets = list(packets_of(messages))
    decoded, both = [], []
    for _ in range(turns):
        decoded.append(seconds(lambda: decode(packets, Nothing())))
        both.append(seconds(lambda: decode(packets, hearer())))
    alone = statistics.median(decoded)
    cost = max(1e-9, statistics.median(both) - alone)
    rate, limit = len(messages) / cost, len(messages) / alone
    verdict = f" (aim {AIM}, {'reached' if rate / limit >= AIM else 'missed'})" if has_aim else ""
    print(
        f"  {name:15s} normalizer {rate:9,.0f}/s   decoding {limit:9,.0f}/s   ratio {rate / limit:5.2f}"
        f"{verdict}   together {len(messages) / statistics.median(both):9,.0f}/s"
    )


def decode(packets: Sequence[bytes], wrapper: Any) -> None:
    """Give the library's client what a socket would."""
    client = Client(wrapper)
    client._serverVersion = client.decoder.serverVersion = 176
    client._apiReady = True
    for packet in packets:
        client._onSocketHasData(packet)
    wrapper.end()


class Nothing:
    """Hears everything and does nothing."""

    def priceSizeTick(self, number: int, tick: int, price: float, size: float) -> None:  # noqa: N802
        """A price."""

    def tickSize(self, number: int, tick: int, size: float) -> None:  # noqa: N802
        """A size."""

    def tickString(self, number: int, tick: int, text: str) -> None:  # noqa: N802
        """A text."""

    def updateMktDepthL2(self, number: int, *change: Any) -> None:  # noqa: N802
        """A change of a book."""

    def end(self) -> None:
        """All was heard."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


class Level1(Nothing):
    """A quote board, flushed."""

    def __init__(self) -> None:
        self._board, self._heard, self._at, self.rows = QuoteBoard(), 0, AT, 0
        for line in range(LINES):
            self._board.open_line(line, f"S{line}", f"STK:S{line}", conid=line)

    def priceSizeTick(self, number: int, tick: int, price: float, size: float) -> None:  # noqa: N802
        """A price."""
        self._board.price(number, tick, price, size, self._at)
        self._count()

    def tickSize(self, number: int, tick: int, size: float) -> None:  # noqa: N802
        """A size."""
        self._board.size(number, tick, size, self._at)
        self._count()

    def end(self) -> None:
        """The last flush."""
        self.rows += len(self._board.flush().quotes)
        assert self.rows > LINES

    def _count(self) -> None:
        self._heard += 1
        if self._heard % FLUSH_EVERY == 0:
            self._at += timedelta(milliseconds=250)
            self.rows += len(self._board.flush().quotes)


class Depth(Nothing):
    """Books by position, told at each flush."""

    def __init__(self) -> None:
        self._books = [PositionBook(f"S{line}", f"STK:S{line}", line) for line in range(BOOKS)]
        self._heard, self._at, self.rows = 0, AT, 0

    def updateMktDepthL2(  # noqa: N802
        self,
        number: int,
        position: int,
        maker: str,
        operation: int,
        side: int,
        price: float,
        size: float,
        _is_smart: bool = False,
    ) -> None:
        """A change."""
        assert self._books[number].change(position, maker, operation, side, price, size, self._at)
        self._heard += 1
        if self._heard % FLUSH_EVERY == 0:
            self._at += timedelta(milliseconds=250)
            self.rows += sum(1 for book in self._books if book.snapshot(ROWS))


class Prints(Nothing):
    """A tape, flushed; its quote moves with the prints."""

    def __init__(self) -> None:
        self._tape = Tape("SPY", "STK:SPY", source=PrintSource.RT_VOLUME)
        self._heard = 0

    def tickString(self, number: int, tick: int, text: str) -> None:  # noqa: N802
        """A print."""
        self._tape.rt_volume(text, AT)
        self._heard += 1
        if self._heard % 5 == 0:
            self._tape.touch(500.0, 500.01 + self._heard % 3 / 100, AT + timedelta(milliseconds=self._heard))
        if self._heard % FLUSH_EVERY == 0:
            self._tape.flush()

    def end(self) -> None:
        """All of them were prints."""
        assert self._tape.total == self._heard


def level1(count: int) -> Iterator[Sequence[str]]:
    """Prices with their sizes and sizes alone, as a busy line tells them."""
    chance = random.Random(SEED)
    prices = [round(chance.uniform(5, 600), 2) for _ in range(LINES)]
    for _ in range(count):
        line = chance.randrange(LINES)
        if chance.random() < 0.55:
            tick, size = chance.choice(((0, 9), (3, 9), (5, 9), (8, 90_000)))
            yield ("2", "6", str(line), str(tick), str(chance.randint(1, size) * 100))
            continue
        prices[line] = max(1.0, round(prices[line] + chance.choice((-0.01, 0.0, 0.01)), 2))
        tick = chance.choice((1, 2, 4))
        price = prices[line] + (0.01 if tick == 2 else 0)
        yield ("1", "6", str(line), str(tick), f"{price:.2f}", str(chance.randint(1, 90) * 100), "1")


def depth(count: int) -> Iterator[Sequence[str]]:
    """Ten rows a side with venues: mostly updates, some inserts with the delete that they push out."""
    chance = random.Random(SEED)
    told = 0
    for line in range(BOOKS):
        for side in (0, 1):
            for position in range(ROWS):
                yield _level(line, position, 0, side, 500 + position, 100)
                told += 1
    while told < count:
        line, side, position = chance.randrange(BOOKS), chance.randrange(2), chance.randrange(ROWS)
        size = chance.randint(1, 90) * 100
        if chance.random() < 0.7:
            yield _level(line, position, 1, side, 500 + position, size)
            told += 1
        else:
            yield _level(line, position, 2, side, 0, 0)
            yield _level(line, ROWS - 1, 0, side, 500 + position, size)
            told += 2


def _level(line: int, position: int, operation: int, side: int, cents: int, size: int) -> Sequence[str]:
    price = f"{cents / 100 + (10 if side == 0 else 0):.2f}" if operation != 2 else "0.0"
    return ("13", "1", str(line), str(position), "NSDQ", str(operation), str(side), price, str(size), "1")


def prints(count: int) -> Iterator[Sequence[str]]:
    """Prints as text, two a millisecond."""
    chance = random.Random(SEED)
    first = int(AT.timestamp() * 1000)
    total = 0
    for number in range(count):
        size = chance.randint(1, 5) * 100
        total += size
        price = 500 + chance.randint(0, 3) / 100
        text = f"{price:.2f};{size}.0000000000000000;{first + number // 2};{total};500.0142;false"
        yield ("46", "6", "1", "48", text)


def packets_of(messages: Sequence[Sequence[str]]) -> Iterator[bytes]:
    """Bytes as a socket hands them over."""
    waiting = b""
    for fields in messages:
        body = "\0".join(fields).encode() + b"\0"
        waiting += struct.pack(">I", len(body)) + body
        if len(waiting) >= PACKET_BYTES:
            yield waiting
            waiting = b""
    yield waiting


def seconds(work: Callable[[], None]) -> float:
    """CPU seconds of this process."""
    began = time.process_time()
    work()
    return time.process_time() - began


def redis_rates(url: str, turns: int) -> None:
    """Updates through the sink, the same through a bare pipeline, what a drain reads, what a reader reads."""
    sink, reader = RedisMarketSink(url), RedisMarketOutboxReader(url, consumer="bench")
    bare, through, drained = [], [], []
    for turn in range(turns):
        flushes = [_updates(turn * ROUNDS + number) for number in range(ROUNDS)]
        bare.append(_rate(lambda flushes=flushes: [_bare(sink, told) for told in flushes]))
        through.append(_rate(lambda flushes=flushes: [sink.publish(told) for told in flushes]))
        drained.append(_rate(lambda: _drain(reader)))
    ours, limit = statistics.median(through), statistics.median(bare)
    print(f"publishing to Redis, {SYMBOLS} symbols a flush, wall time")
    print(f"  sink {ours:9,.0f}/s   bare SET and XADD {limit:9,.0f}/s   ratio {ours / limit:5.2f}")
    print(f"  drained {statistics.median(drained):9,.0f} blocks/s, read and acknowledged")
    state = RedisMarketState(url)
    names = [f"S{line}" for line in range(SYMBOLS)]
    took = statistics.median(_wall(lambda: state.read(names)) for _ in range(turns))
    print(f"  {SYMBOLS} symbols read in {took * 1e3:,.1f} ms, one round trip")


def _updates(number: int) -> Sequence[Any]:
    """A flush in which every symbol's quote moved."""
    board = QuoteBoard()
    flush = Flush("ibkr", {f"S{line}": f"STK:S{line}" for line in range(SYMBOLS)})
    at = AT + timedelta(milliseconds=250 * number)
    for line in range(SYMBOLS):
        board.open_line(line, f"S{line}", f"STK:S{line}", conid=line)
        board.price(line, 1, 100 + number / 100, 300, at)
        board.price(line, 2, 100.01 + number / 100, 200, at)
    flush.quotes(board.flush().quotes)
    return flush.updates(at)


def _bare(sink: RedisMarketSink, updates: Sequence[Any]) -> None:
    """The least that could write the same: one pipeline, no script, no bound, no token."""
    with sink._client.pipeline(transaction=False) as pipe:
        for update in updates:
            pipe.set(keys.MARKET_TICKER.at(sym=update.symbol), market_values.row_text(update.ticker), ex=60)
            text = market_values.block_text(update.blocks[0])
            pipe.xadd(keys.OUTBOX.at(topic="bench", sym=update.symbol), {"block": text})
        pipe.execute()


def _drain(reader: RedisMarketOutboxReader) -> None:
    while entries := reader.read(2_000, 0).entries:
        reader.ack(entries)


def _rate(work: Callable[[], object]) -> float:
    return SYMBOLS * ROUNDS / _wall(work)


def _wall(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
