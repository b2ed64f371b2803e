"""A market-data session without a socket: raw messages go through the library's decoder, without waiting.

The gateway's answers are the least that opens every kind of line. Keep out: what messages mean.
"""

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from ingest_desk import broker_settings, ingest_settings, market_settings, symbol_settings
from kept_updates import rows_of

from adapters.ibkr.market.heard import ChainHeard
from adapters.ibkr.market.lines import KnownContract, Line, LineKind
from adapters.ibkr.market.listener import MarketListener
from adapters.ibkr.market.requests import MarketSend
from adapters.ibkr.market.session import MarketSession
from adapters.ibkr.session.client_library import new_client
from adapters.ibkr.session.pacing import Request, Send
from adapters.ibkr.session.tap import tap
from trading.market_settings import ChainMode
from trading.model.broker import BrokerEvent
from trading.model.instruments import Option, Right
from trading.model.market import MarketKind, MarketRow
from trading.ports.clock import Clock
from trading.ports.market_state import SymbolUpdate

TEN = datetime(2026, 11, 23, 15, tzinfo=UTC)
EXPIRY = date(2026, 11, 27)
STRIKES = (105, 110, 115)
CONIDS = {"SPY": 1, "AAPL": 2, "VIX1D": 3}


class WireClock(Clock):
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = TEN

    def now(self) -> datetime:
        """Return where it stands."""
        return self.at


class MarketWire:
    """SPY with every kind of line and looks at its chain, AAPL with a line for each contract."""

    def __init__(self) -> None:
        self.clock = WireClock()
        spy = symbol_settings(depth=True, tick_by_tick=True, chain=ChainMode.SNAPSHOT)
        market = market_settings(SPY=spy, AAPL=symbol_settings(chain=ChainMode.STREAM))
        broker, chance = broker_settings(4002, 1), random.Random(7)
        self.session = MarketSession(broker, market, ingest_settings(), self.clock, chance)
        client = new_client(MarketListener(self.session, "America/New_York", lambda: None))
        client.decoder.serverVersion = 176
        tap(client.decoder, self.session, frozenset())
        self._interpret = client.decoder.interpret
        self.sent: list[Request] = []
        self.events: list[BrokerEvent] = []
        self.updates: list[SymbolUpdate] = []
        self.session.start()
        self.session.link_ready(("DU1",), 176)
        for _ in range(40):
            self.hear()

    def hear(self, *messages: Sequence[object], seconds: float = 0.25) -> None:
        """Let time pass, hear one packet, do what the session wants."""
        self.clock.at += timedelta(seconds=seconds)
        self.session.anything()
        for message in messages:
            self._interpret([str(field) for field in message])
        self._turn()

    def lines(self) -> dict[int, Line]:
        """The open lines by their number."""
        return dict(self.session.subscribing.lines.by_number)

    def number(self, kind: LineKind, symbol: str) -> int:
        """The number of a line."""
        return next(n for n, line in self.lines().items() if line.kind is kind and line.symbol == symbol)

    def rows(self, kind: MarketKind) -> list[MarketRow]:
        """What was told of one kind."""
        return rows_of(self.updates, kind)

    def _turn(self) -> None:
        self.session.tick()
        outputs = self.session.outputs
        self.events += outputs.events
        outputs.events.clear()
        outputs.link.clear()
        requests = list(outputs.requests)
        outputs.requests.clear()
        self.sent += requests
        for request in requests:
            self._answer(request)
        self.updates += self.session.flush(self.clock.at)

    def _answer(self, request: Request) -> None:
        number, asked = request.number, request.content
        if request.send is Send.TIME:
            self._interpret(["49", "1", str(int(self.clock.at.timestamp()))])
        elif request.send is MarketSend.DESCRIBE:
            for contract in _contracts(asked.symbol, asked.expiry):
                self.session.contract(number, contract)
            self.session.contracts_end(number)
        elif request.send is MarketSend.CHAIN:
            heard = ChainHeard(
                exchange="SMART", trading_class=asked.symbol, expiries=(EXPIRY,), strikes=(Decimal(110),)
            )
            self.session.chain(number, heard)
            self.session.chain_end(number)
        elif request.send is MarketSend.OPEN and asked.kind is LineKind.LEVEL1:
            for tick, price in ((1, 110.0), (2, 110.1), (4, 110.05)):
                self._interpret(["1", "6", str(number), str(tick), str(price), "100", "1"])


def _contracts(symbol: str, expiry: date | None) -> Iterable[KnownContract]:
    if expiry is None:
        yield KnownContract(
            conid=CONIDS[symbol],
            symbol=symbol,
            sec_type="STK",
            exchange="SMART",
            instrument_id=f"STK:{symbol}",
        )
        return
    for strike in STRIKES:
        for right in Right:
            option = Option(symbol=symbol, expiry=expiry, strike=Decimal(strike), right=right)
            yield KnownContract(
                conid=1_000 * CONIDS[symbol] + 10 * strike + (right is Right.CALL),
                symbol=symbol,
                sec_type="OPT",
                exchange="SMART",
                instrument_id=option.instrument_id,
                option=option,
            )
