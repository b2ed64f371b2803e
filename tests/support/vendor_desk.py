"""A vendor stub over real HTTP with a book of a few rows, a client on it, a poller stepped by hand."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from adapters.alpha_vantage.client import AlphaVantageClient
from adapters.alpha_vantage.source import AlphaVantage
from adapters.configuration import load_settings
from adapters.memory.alerts import MemoryAlerts
from adapters.memory.market import MemoryMarket, MemoryMarketSink, MemoryMarketState
from adapters.memory.vendor import MemoryRequestLedger, MemoryVendorMonitor
from simulation.http.alpha_vantage import AlphaVantageStub
from simulation.http.articles import Article
from simulation.http.vendor_book import Minute, Row
from trading.errors import DeskError
from trading.feeds.breaker import BreakerLimits
from trading.feeds.limiter import RateLimits
from trading.feeds.poller import Moment
from trading.feeds.retry import RetryPolicy
from trading.feeds.vendor_plan import Cadences, VendorPlan
from trading.market_settings import VendorSettings
from trading.model.market import MarketKind, MarketRow, RefusedRow
from trading.ports.indicators import Indicators
from trading.services.poll_vendor import VendorPoller, VendorTools

NOON = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)  # a Monday, New York noon
KEY = "S3CRET-KEY+9/x"  # needs quoting in an address
SYMBOL = "AAPL"
CONNECT_S = 60


def option_row(**changes: str) -> Row:
    """A good row."""
    row = {
        "contractID": "AAPL261218C00250000",
        "symbol": "AAPL",
        "expiration": "2026-12-18",
        "strike": "250.00",
        "type": "call",
        "last": "5.10",
        "mark": "5.05",
        "bid": "5.00",
        "bid_size": "11",
        "ask": "5.10",
        "ask_size": "7",
        "volume": "1200",
        "open_interest": "3400",
        "date": "2026-11-23",
        "implied_volatility": "0.24210",
        "delta": "0.51234",
        "gamma": "0.02100",
        "theta": "-0.11000",
        "vega": "0.31000",
        "rho": "0.08000",
    }
    return {**row, **changes}


def strikes(*values: int, right: str = "C") -> list[Row]:
    """Good rows of these strikes."""
    kind = "call" if right == "C" else "put"
    return [
        option_row(contractID=f"AAPL261218{right}{value * 1000:08d}", strike=f"{value}.00", type=kind)
        for value in values
    ]


@dataclass(slots=True)
class FixedBook:
    """What a test says the vendor knows."""

    rows: dict[str, list[Row]] = field(default_factory=lambda: {SYMBOL: strikes(240, 250, 260)})
    bars: dict[str, list[Minute]] = field(default_factory=dict)
    news: list[Article] = field(default_factory=list)

    def options(self, symbol: str, at: datetime) -> list[Row] | None:
        """The symbol's rows."""
        return self.rows.get(symbol)

    def minutes(self, symbol: str, at: datetime) -> Sequence[Minute] | None:
        """Its minutes."""
        return self.bars.get(symbol, walk(at)) if symbol in self.rows else None

    def articles(self, symbol: str, since: datetime, at: datetime) -> list[Article]:
        """The articles of the window."""
        return [article for article in self.news if since < article.published_at <= at]


def walk(until: datetime, count: int = 60) -> list[Minute]:
    """Minutes that go up and down."""
    first = until.replace(second=0, microsecond=0) - timedelta(minutes=count)
    levels = [250 + (place * 7 % 13) / 4 for place in range(count)]
    return [
        Minute(first + timedelta(minutes=place), level + 0.3, level - 0.2, level)
        for place, level in enumerate(levels)
    ]


def vendor_settings(url: str, **changes: object) -> VendorSettings:
    """The project's settings with a key and an address."""
    told = load_settings({}).vendors
    given: dict[str, Any] = {"connect_timeout_s": CONNECT_S, **changes}
    return replace(told, alpha_vantage_key=KEY, alpha_vantage_url=url, **given)


@contextmanager
def stub_and_source(
    book: FixedBook | None = None, **changes: object
) -> Iterator[tuple[AlphaVantageStub, AlphaVantage]]:
    """A running stub and a source that asks it."""
    with AlphaVantageStub(book or FixedBook(), lambda: NOON, key=KEY, per_minute=0) as stub:
        assert isinstance(stub, AlphaVantageStub)
        source = AlphaVantage(AlphaVantageClient(vendor_settings(stub.url, **changes)))
        try:
            yield stub, source
        finally:
            source.close()


@dataclass(slots=True)
class VendorDesk:
    """A poller on a stub, its clocks, and everything it writes to."""

    stub: AlphaVantageStub
    source: AlphaVantage
    plan: VendorPlan
    local: Indicators | None = None
    now: Moment = field(default_factory=lambda: Moment(market=NOON, machine=NOON))
    market: MemoryMarket = field(default_factory=MemoryMarket)
    ledger: MemoryRequestLedger = field(default_factory=MemoryRequestLedger)
    monitor: MemoryVendorMonitor = field(default_factory=MemoryVendorMonitor)
    alerts: MemoryAlerts = field(default_factory=MemoryAlerts)
    speed: float = 1.0
    poller: VendorPoller = field(init=False)

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new poller over the same ledger and market, as after a kill."""
        tools = VendorTools(
            source=self.source,
            sink=MemoryMarketSink(self.market),
            state=MemoryMarketState(self.market),
            ledger=self.ledger,
            monitor=self.monitor,
            local=self.local,
            alerts=self.alerts,
            chance=lambda: 0.5,
        )
        self.poller = VendorPoller(
            self.plan,
            tools,
            RetryPolicy(attempts_max=2, first_s=1, most_s=4),
            BreakerLimits(failures_max=2, open_s=60),
            self.now,
            self.speed,
        )

    def step(self, seconds: float = 0.0, most: int = 16) -> list[str]:
        """Let time pass, ask what is due, take the answers; returns what was asked."""
        self.move(seconds)
        polls = self.poller.due(self.now, most)
        for poll in polls:
            answer: object
            try:
                answer = poll.ask()
            except DeskError as error:
                answer = error
            self.poller.take(poll, answer, self.now)
        return [f"{poll.feed} {poll.symbol}" for poll in polls]

    def move(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        machine = self.now.machine + timedelta(seconds=seconds)
        market = self.now.market + timedelta(seconds=seconds * self.speed)
        self.now = Moment(market=market, machine=machine)
        self.stub.now = lambda: market
        self.stub.machine = lambda: machine

    def rows(self, kind: MarketKind) -> list[MarketRow]:
        """Everything of a kind that is on its way to the warehouse."""
        blocks = [block for update in self.market.done for block in update.blocks]
        return [row for block in blocks if block.kind is kind for row in block.rows]

    def refused(self) -> list[RefusedRow]:
        """The dead letter."""
        return [row for row in self.rows(MarketKind.REFUSED) if isinstance(row, RefusedRow)]


def plan(**changes: object) -> VendorPlan:
    """Chains of one symbol every ten seconds, and nothing else."""
    told = VendorPlan(
        chains=(SYMBOL,),
        technicals=(),
        sentiment=(),
        cadences=Cadences(chains_s=10, technicals_s=60, sentiment_s=300),
        limits=RateLimits(per_minute=75),
        news_window_s=86_400,
    )
    return replace(told, **changes)


@contextmanager
def vendor_desk(
    book: FixedBook | None = None, *, speed: float = 1.0, local: Indicators | None = None, **changes: object
) -> Iterator[VendorDesk]:
    """A desk whose plan is `plan(**changes)`."""
    with stub_and_source(book) as (stub, source):
        yield VendorDesk(stub, source, plan(**changes), local=local, speed=speed)
