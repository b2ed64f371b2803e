"""What a listener keeps does not grow with the days it has heard: session, normalizers, turns, sink."""

import gc
import types
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from driven_market import (
    ASK,
    BID,
    DELETE,
    INSERT,
    SERVER_VERSION,
    UPDATE,
    DrivenMarket,
    after_opening,
    listed,
)
from ingest_desk import market_settings, symbol_settings
from real_redis import redis_binary, start_redis

from adapters.ibkr.market.health import healths
from adapters.ibkr.market.heard import ChainHeard, GreeksHeard, HistoryBar
from adapters.ibkr.market.lines import KnownContract, Line, LineKind
from adapters.ibkr.market.requests import Described, HistoryAsked, MarketSend
from adapters.redis.market_minutes import MinutesTold
from adapters.redis.market_sink import RedisMarketSink
from trading.calendar import next_session
from trading.market_settings import ChainMode
from trading.model.instruments import Option, Right
from trading.services.watch_feeds import FeedWatch

FIRST = date(2026, 11, 9)  # a Monday: five whole sessions
MARKET = market_settings(
    SPY=symbol_settings(depth=True, tick_by_tick=True, chain=ChainMode.SNAPSHOT),
    QQQ=symbol_settings(chain=ChainMode.STREAM),
    AAPL=symbol_settings(),
)
BEFORE, AFTER, STEP = -40, 430, 10  # minutes of a session's opening
EXPIRIES, STRIKES = 3, range(480, 525, 5)
GREEKS = GreeksHeard(0.2, 0.5, 1.0, 0.0, 0.1, 0.1, -0.1, 500.0)
WAITING, WAITING_SHARE = 4, 1.03  # what waits at the moment of the look is a little more or less
TIMES_WAITING = 100  # those of quotes are kept for half an hour, and forgotten every quarter of one
ELSEWHERE = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.CodeType,
    MinutesTold,  # has a test of its own: it packs portions, which end at another minute each day
)


class Days:
    """Sessions like each other: the same moves, prints and faults, each with contracts of its own."""

    def __init__(self, url: str) -> None:
        self.desk = DrivenMarket(MARKET, begins_at=after_opening(FIRST, BEFORE))
        self.sink, self.watch = RedisMarketSink(url), FeedWatch()
        self.at = FIRST
        self.looks = 0
        self.desk.connect()

    def play(self) -> None:
        """One session, with hours before and after it."""
        for minute in range(BEFORE, AFTER, STEP):
            self._move(minute)
            self._answer()
            self._tell(minute)
            if minute in (100, 200, 300):
                self._fail(minute)
            self._flush()
        self.at = next_session(self.at)

    def kept(self) -> Counter[str]:
        """Everything that is reached from the session, the sink and the watch, by its type."""
        gc.collect()
        found: dict[int, object] = {}
        waiting: list[object] = [self.desk.session, self.sink, self.watch]
        while waiting:
            one = waiting.pop()
            is_client = type(one).__module__.startswith("redis")
            if id(one) not in found and not isinstance(one, ELSEWHERE) and not is_client:
                found[id(one)] = one
                waiting += gc.get_referents(one)
        return Counter(type(one).__name__ for one in found.values())

    def _move(self, minute: float) -> None:
        desk = self.desk
        desk.move((after_opening(self.at, minute) - desk.broker_at).total_seconds())

    def _flush(self) -> None:
        desk, at = self.desk, self.desk.session.market_time()
        self.sink.publish(desk.session.flush(desk.clock.at))
        assert at is not None
        self.watch.judge(healths(desk.session, desk.ingest, at, desk.clock.at), at)

    def _fail(self, minute: int) -> None:
        """Each kind of loss once a day."""
        desk = self.desk
        if minute == 100:
            desk.cut()
            self._move(minute + 1)
            desk.session.link_ready(("DU1",), SERVER_VERSION)
            desk.turn()
        elif minute == 200:
            desk.session.error(desk.number(LineKind.BARS), 420, "pacing", "")
            desk.session.undecodable(("1", "x"), "no number")
        else:
            desk.session.error(desk.number(LineKind.DEPTH), 317, "reset", "")
            desk.session.stand_still("AAPL", "nothing is told of it", None)

    def _answer(self) -> None:
        """What was asked since the last step."""
        for _ in range(8):
            asked, self.desk.sent = self.desk.sent, []
            for request in asked:
                if request.send is MarketSend.CHAIN:
                    self._chain(request.number, request.content.symbol)
                elif request.send is MarketSend.DESCRIBE:
                    self._contracts(request.number, request.content)
                elif request.send is MarketSend.HISTORY:
                    self._history(request.number, request.content)
            self.desk.move(0.5)

    def _chain(self, number: int, symbol: str) -> None:
        expiries = [self.at]
        while len(expiries) < EXPIRIES:
            expiries.append(next_session(expiries[-1]))
        strikes = tuple(map(Decimal, STRIKES))
        heard = ChainHeard(exchange="SMART", trading_class=symbol, expiries=tuple(expiries), strikes=strikes)
        self.desk.session.chain(number, heard)
        self.desk.session.chain_end(number)

    def _contracts(self, number: int, asked: Described) -> None:
        for strike in STRIKES:
            for right in Right:
                assert asked.expiry is not None
                self.desk.session.contract(number, option(asked.symbol, asked.expiry, strike, right))
        self.desk.session.contracts_end(number)

    def _history(self, number: int, asked: HistoryAsked) -> None:
        at = asked.since
        while at < asked.until:
            heard = HistoryBar(int(at.timestamp()), (500.0, 501.0, 499.0, 500.5), 100, 500, 7)
            self.desk.session.history_bar(number, heard)
            at += timedelta(minutes=1)
        self.desk.session.history_end(number)

    def _tell(self, minute: int) -> None:
        session, lines = self.desk.session, self.desk.session.subscribing.lines
        price = 500.0 + minute % 40  # strikes come and go
        for number, line in list(lines.by_number.items()):
            at = int(self.desk.broker_at.timestamp())
            if line.kind is LineKind.LEVEL1:
                session.price(number, 1, price, 100)
                session.price(number, 2, price + 0.01, 100)
                session.text(number, 48, f"{price};1;{at * 1_000};{minute + 1_000};{price};false")
            elif line.kind is LineKind.PRINTS:
                session.print_(number, at, price, 10, "ARCA", "")
            elif line.kind is LineKind.TOUCHES:
                session.touch(number, at, price, price + 0.01, (100, 100))
            elif line.kind is LineKind.DEPTH:
                self._book(number, price)
            elif line.kind is LineKind.BARS:
                for piece in range(12):
                    begins = at - at % 60 - 60 + 5 * piece
                    session.bar(number, begins, (price, price + 1, price - 1, price), 100, price, 7)
            else:
                self._option(number, line)

    def _book(self, number: int, price: float) -> None:
        self.desk.session.level(number, 0, "ARCA", INSERT, BID, price, 100)
        self.desk.session.level(number, 0, "ARCA", INSERT, ASK, price + 0.01, 100)
        self.desk.session.level(number, 0, "ARCA", UPDATE, BID, price, 200)
        self._flush()
        self.desk.session.level(number, 0, "ARCA", DELETE, BID, 0, 0)
        self.desk.session.level(number, 0, "ARCA", DELETE, ASK, 0, 0)

    def _option(self, number: int, line: Line) -> None:
        session = self.desk.session
        self.looks += line.kind is LineKind.SNAPSHOT
        session.price(number, 1, 1.05, 10)
        session.price(number, 2, 1.10, 10)
        if line.contract.conid % 7 == 0:
            session.text(number, 48, f"1.05;1;{int(self.desk.broker_at.timestamp() * 1_000)};1;1.05;false")
        session.size(number, 27, 100)
        session.greeks(number, 13, GREEKS)
        session.snapshot_end(number)


def option(symbol: str, expiry: date, strike: int, right: Right) -> KnownContract:
    """A contract with a number of its own."""
    conid = listed(symbol, "STK").conid % 1_000 * 10**9 + expiry.toordinal() * 1_000 + strike
    conid = conid * 2 + (right is Right.CALL)
    told = Option(symbol=symbol, expiry=expiry, right=right, strike=Decimal(strike), conid=conid)
    return KnownContract(
        conid=conid,
        symbol=symbol,
        sec_type="OPT",
        exchange="SMART",
        instrument_id=told.instrument_id,
        option=told,
    )


@pytest.mark.skipif(redis_binary() is None, reason="no redis-server")
def test_after_three_days_a_listener_keeps_no_more_objects_than_after_two(tmp_path: Path) -> None:
    """Contracts, lines, questions, prints, minutes and losses of a day are forgotten when it is over."""
    redis = start_redis(tmp_path)
    try:
        days, kept = Days(redis.url), []
        for _ in range(3):
            days.play()
            kept.append(days.kept())
    finally:
        redis.kill()
    _, before, now = kept
    assert days.looks > 2_000
    assert all(before[name] for name in ("Tape", "Option", "KnownContract", "QuoteLine", "OptionGreeks"))
    most = {name: before[name] * WAITING_SHARE + WAITING for name in now}
    most["datetime"] += TIMES_WAITING
    assert {name: (before[name], count) for name, count in now.items() if count > most[name]} == {}
