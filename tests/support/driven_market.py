"""A market-data session without a link: time moves by hand, what it sends is kept, what it hears is said.

Questions for the time and for what an underlying is are answered at once; all else is the test's to answer.
"""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ingest_desk import broker_settings, ingest_settings
from kept_updates import rows_of

from adapters.ibkr.market.capture import CaptureWriter
from adapters.ibkr.market.lines import KnownContract, Line, LineKind
from adapters.ibkr.market.lockstep import StepClock
from adapters.ibkr.market.requests import Described, MarketSend
from adapters.ibkr.market.session import MarketSession
from adapters.ibkr.session.pacing import Request, Send
from trading.calendar import session_open
from trading.market_settings import MarketSettings
from trading.model.broker import BrokerEventKind
from trading.model.market import MarketKind
from trading.ports.market_state import SymbolUpdate

NO_PORT = 1
SERVER_VERSION = 176
INSERT, UPDATE, DELETE = 0, 1, 2
ASK, BID = 0, 1


class DrivenMarket:
    """One session; `knows` says which symbols the broker lists."""

    def __init__(
        self,
        market: MarketSettings,
        *,
        begins_at: datetime,
        speed: int = 1,
        timeout_s: int = 90,
        capture: Path | None = None,
        **ingest: Any,
    ) -> None:
        self.clock = StepClock(begins_at)
        self.broker_at, self.speed = begins_at, speed
        self.market, self.ingest = market, ingest_settings(**ingest)
        self.writer = CaptureWriter(capture) if capture else None
        settings = broker_settings(NO_PORT, speed, silence_after_s=3_600, request_timeout_s=timeout_s)
        self.session = MarketSession(settings, market, self.ingest, self.clock, random.Random(7), self.writer)
        self.sent: list[Request] = []
        self.alerts: list[str] = []
        self.over: list[str] = []  # of those that have an end
        self.calls: list[tuple[SymbolUpdate, ...]] = []

    def connect(self) -> None:
        """The link is there, and every line is asked for that may be."""
        self.session.start()
        self.turn()
        self.session.link_ready(("DU1",), SERVER_VERSION)
        for _ in range(5):
            self.turn()

    def cut(self, reason: str = "the test cut it") -> None:
        """The link is gone."""
        self.session.link_closed(reason)
        self.turn()

    def move(self, seconds: float) -> None:
        """Let the market's time go on, and something be heard."""
        self.clock.at += timedelta(seconds=seconds) / self.speed
        self.broker_at += timedelta(seconds=seconds)
        self.session.anything()
        self.turn()

    def turn(self) -> None:
        """Let the session do what it wants; what it asks is answered or kept."""
        self.session.tick()
        outputs = self.session.outputs
        while outputs.events:
            event = outputs.events.popleft()
            if event.kind is BrokerEventKind.ALERT:
                told = self.over if event.payload.get("is_over") else self.alerts
                told.append(str(event.payload["code"]))
        outputs.link.clear()
        while outputs.requests:
            self._answer(outputs.requests.popleft())

    def flush(self) -> None:
        """Tell what was heard."""
        self.calls.append(tuple(self.session.flush(self.clock.at)))

    def rows(self, kind: MarketKind) -> list[Any]:
        """Everything of one kind that was told."""
        return rows_of((update for call in self.calls for update in call), kind)

    def number(self, kind: LineKind, symbol: str = "SPY") -> int:
        """The number of an open line."""
        found = {line.symbol: number for number, line in self.session.subscribing.lines.of_kind(kind)}
        return found[symbol]

    def asked(self, send: MarketSend) -> list[Request]:
        """What was sent of one kind, oldest first."""
        return [request for request in self.sent if request.send is send]

    def asked_lines(self, kind: LineKind) -> list[Line]:
        """The lines that were asked for, oldest first."""
        return [request.content for request in self.asked(MarketSend.OPEN) if request.content.kind is kind]

    def quote(self, bid: float, ask: float, symbol: str = "SPY") -> None:
        """Level 1 of an underlying."""
        number = self.number(LineKind.LEVEL1, symbol)
        self.session.price(number, 1, bid, 100)
        self.session.price(number, 2, ask, 100)

    def level(self, operation: int, side: int, price: float, position: int = 0) -> None:
        """A change of the book."""
        self.session.level(self.number(LineKind.DEPTH), position, "ARCA", operation, side, price, 100)

    def _answer(self, request: Request) -> None:
        asked = request.content
        if request.send is Send.TIME:
            self.session.time(self.broker_at.replace(microsecond=0))
        elif request.send is MarketSend.DESCRIBE and isinstance(asked, Described) and asked.expiry is None:
            if asked.symbol in self.market.symbols:
                self.session.contract(request.number, listed(asked.symbol, asked.sec_type))
                self.session.contracts_end(request.number)
            else:
                self.session.error(request.number, 200, "no security definition", "")
        else:
            self.sent.append(request)


def listed(symbol: str, sec_type: str) -> KnownContract:
    """A share, or an index, as the broker lists it."""
    conid = int.from_bytes(symbol.encode())
    return KnownContract(
        conid=conid, symbol=symbol, sec_type=sec_type, exchange="SMART", instrument_id=f"{sec_type}:{symbol}"
    )


def share(symbol: str) -> KnownContract:
    """A listed share."""
    return listed(symbol, "STK")


def after_opening(session: Any, minutes: float = 5) -> datetime:
    """So long after a session's opening."""
    return session_open(session) + timedelta(minutes=minutes)
