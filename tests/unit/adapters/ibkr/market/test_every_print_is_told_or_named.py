"""Whatever happens on the way: a print of the market is in the outbox once, or in a hole that is named.

The market prints all the time; a broker tells it by texts and tick by tick, and what is on its way is heard
late, or lost with the link. Losses, silences, refusals, ends of lines and kills come in any order.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import pytest
from driven_market import DrivenMarket, after_opening
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_desk import market_settings, symbol_settings

from adapters.ibkr.market.lines import LineKind
from trading.model.broker import LinkState
from trading.model.market import MarketKind, RefusedRow, Trade

MARKET = market_settings(SPY=symbol_settings(bars=False, tick_by_tick=True), AAPL=symbol_settings(bars=False))
BEGINS = after_opening(date(2026, 11, 13))
EVERY = timedelta(milliseconds=700)  # two prints a second, now and then
FAULTS = ("cut", "silence", "lose the broker", "keep the broker", "end prints", "end texts", "refuse", "kill")
OPS = st.one_of(
    st.tuples(st.just("hear"), st.integers(1, 20)),
    st.tuples(st.just("delay"), st.integers(1, 200)),  # seconds in which nothing that comes is read
    st.tuples(st.sampled_from(FAULTS), st.integers(1, 90)),
)


class Broker:
    """The market of two shares, and what of it is on its way to the session that listens."""

    def __init__(self) -> None:
        self.desk = self.started(BEGINS)
        self.printed: list[datetime] = []
        self.volumes = 10_000
        self.next_at = BEGINS
        self.under_way: list[tuple[int, str, datetime, int]] = []
        self.is_mute = False
        self.updates: list[tuple[object, ...]] = []

    def started(self, at: datetime) -> DrivenMarket:
        """Another process."""
        return DrivenMarket(MARKET, begins_at=at)

    def go_on(self, seconds: float, *, is_read: bool = True) -> None:
        """The market goes on; by and by what it tells is heard, or waits."""
        end = self.desk.clock.at + timedelta(seconds=seconds)
        while self.desk.clock.at < end:
            step = min(timedelta(seconds=5), end - self.desk.clock.at)
            self.trade(self.desk.clock.at + step)
            if is_read:
                self.desk.move(step.total_seconds())
                self.read()
                self.desk.flush()
            else:
                self.desk.clock.at += step
                self.desk.broker_at += step

    def trade(self, until: datetime) -> None:
        """Prints until a moment; those of one look are told by line."""
        lines = self.desk.session.subscribing.lines.by_number
        told: dict[int, list[tuple[int, str, datetime, int]]] = {number: [] for number in lines}
        while self.next_at <= until:
            self.printed.append(self.next_at)
            self.volumes += 100
            for number, line in lines.items():
                if line.kind in (LineKind.LEVEL1, LineKind.PRINTS) and not self.is_mute:
                    told[number].append((number, line.kind.value, self.next_at, self.volumes))
            self.next_at += EVERY
        self.under_way += [each for number in told for each in told[number]]

    def read(self) -> None:
        """Hear what is on its way."""
        waiting, self.under_way = self.under_way, []
        session = self.desk.session
        for number, kind, at, total in waiting:
            if kind == LineKind.PRINTS.value:
                session.print_(number, int(at.timestamp()), 500.0, 100, "ARCA", "")
            else:
                session.price(number, 1, 499.0 + total % 2, 100)
                text = f"500;100;{int(at.timestamp() * 1000)};{total};500;false"
                session.text(number, 48, text)

    def cut(self, seconds: int) -> None:
        """The link breaks, with all that is on its way."""
        self.under_way.clear()
        self.desk.cut()
        self.go_on(seconds)
        self.desk.connect()

    def do(self, word: str, seconds: int) -> None:
        """Let one thing happen for so long."""
        session, lines = self.desk.session, self.desk.session.subscribing.lines
        if session.state is not LinkState.READY and word not in ("hear", "cut", "kill"):
            return
        if word in ("hear", "delay"):
            self.go_on(seconds, is_read=word == "hear")
        elif word == "cut":
            self.cut(seconds)
        elif word == "silence":
            self._be_silent(seconds)
        elif word in ("lose the broker", "keep the broker"):
            self._lose_broker(seconds, is_kept=word == "keep the broker")
        elif word == "kill":
            self._kill(seconds)
        else:
            kind = LineKind.LEVEL1 if word == "end texts" else LineKind.PRINTS
            codes = {"end texts": 10182, "end prints": 10225, "refuse": 322}
            for number, _ in lines.of_kind(kind):
                session.error(number, codes[word], "the broker said so", "")
            self.go_on(seconds)

    def _be_silent(self, seconds: int) -> None:
        """The lines live and tell nothing. Without texts before it nothing on earth would show it."""
        self.go_on(5)
        self.is_mute = len(self.desk.session.subscribing.lines.of_kind(LineKind.LEVEL1)) == len(
            MARKET.symbols
        )
        self.go_on(seconds)
        self.is_mute = False

    def _lose_broker(self, seconds: int, *, is_kept: bool) -> None:
        self.read()
        self.desk.session.error(-1, 1100, "lost", "")
        self.is_mute = True
        self.go_on(seconds)
        self.is_mute = False
        self.desk.session.error(-1, 1102 if is_kept else 1101, "back", "")

    def _kill(self, seconds: int) -> None:
        """What was not flushed is lost; a successor knows what was written.

        A silence that no limit sees shows after seconds in the sums, so there is no kill within them.
        """
        self.go_on(5)
        quotes = {row.symbol: row.at for row in self.desk.rows(MarketKind.QUOTE)}
        prints: dict[str, datetime] = {}
        for row in self.desk.rows(MarketKind.TRADE):
            prints[row.symbol] = max(row.at, prints.get(row.symbol, row.at))
        old, self.under_way = self.desk, []
        at = old.clock.at + timedelta(seconds=seconds)
        self.desk = self.started(at)
        self.desk.calls = old.calls
        self.desk.session.resume(quotes, {}, prints)
        self.trade(at)
        self.under_way.clear()
        self.desk.connect()

    def wrong(self) -> Mapping[str, Sequence[str]]:
        """Prints that are nowhere, or twice, by symbol."""
        return {symbol: found for symbol in MARKET.symbols if (found := self._wrong_of(symbol))}

    def _wrong_of(self, symbol: str) -> list[str]:
        trades: list[Trade] = [row for row in self.desk.rows(MarketKind.TRADE) if row.symbol == symbol]
        rows: list[RefusedRow] = [row for row in self.desk.rows(MarketKind.REFUSED) if row.symbol == symbol]
        words = [row.payload.split(" ") for row in rows if (row.feed, row.field) == ("prints", "gap")]
        holes = [
            (datetime.fromisoformat(since), datetime.fromisoformat(until)) for _, since, _, until in words
        ]
        heard = Counter(int(trade.at.timestamp()) for trade in trades)
        first, last = min(heard), max(heard)
        lost = []
        for at in self.printed:
            second = int(at.timestamp())
            if heard[second]:
                heard[second] -= 1
            elif first < second < last and not any(since <= at <= until for since, until in holes):
                lost.append(f"{at:%H:%M:%S.%f} lost")
        return lost + [f"{second} {count} times too often" for second, count in (+heard).items()]


def play(story: Sequence[tuple[str, int]]) -> Mapping[str, Sequence[str]]:
    """A day's piece with these things happening; it begins and ends in peace."""
    broker = Broker()
    broker.desk.connect()
    broker.go_on(30)
    for word, seconds in story:
        broker.do(word, seconds)
    for _ in range(2):
        if broker.desk.session.state is not LinkState.READY:
            broker.desk.connect()
        broker.go_on(60)
    return broker.wrong()


@given(st.lists(OPS, min_size=1, max_size=6))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
def test_every_print_is_told_once_or_lies_in_a_hole(story: list[tuple[str, int]]) -> None:
    """See the module."""
    assert play(story) == {}, json.dumps(story)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("late", [1, 150])
def test_each_fault_for_itself(fault: str, late: int) -> None:
    """On a machine that keeps up, and on one that is minutes behind."""
    assert play([("delay", late), (fault, 3), ("hear", 5), (fault, 40)]) == {}
