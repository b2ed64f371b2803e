"""A desk that polls the one-day index: stubs over HTTP, a market in memory, a clock that a test moves."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from volatility_samples import default_limits

from adapters.cboe.history import CboeHistory
from adapters.home_folder.volatility_record import VolatilityFolder
from adapters.memory.market import MemoryMarket, MemoryMarketSink, MemoryMarketState
from adapters.venue.whole_answer import AnswerLimits, PublicAddress
from adapters.yahoo.chart import YahooChart
from simulation.http.cboe import CboeStub
from simulation.http.index_path import IndexPath
from simulation.http.yahoo import YahooStub
from trading.errors import DeskError
from trading.feeds.poller import Moment
from trading.model.market import Quote, VolatilityReading
from trading.ports.market_state import SymbolMarket, SymbolUpdate
from trading.services.poll_volatility import VolatilityPoller, VolatilityTools
from trading.volatility.observation import INDEX

LIMITS = AnswerLimits(connect_s=60, answer_s=60, bytes_max=4 * 2**20)
SEED = 7
FIRST = date(2026, 6, 1)  # a short file is enough, and read in no time


@dataclass(slots=True)
class MovedClock:
    """Now of the market, which a test moves; this machine's goes with it."""

    market: datetime

    @property
    def moment(self) -> Moment:
        """Both clocks."""
        return Moment(market=self.market, machine=self.market)

    def now(self) -> datetime:
        """What the stubs read."""
        return self.market


@dataclass(slots=True)
class VolatilityDesk:
    """The poller with all its sources."""

    clock: MovedClock
    cboe: CboeStub
    yahoo: YahooStub
    folder: Path
    market: MemoryMarket = field(default_factory=MemoryMarket)
    has_yahoo: bool = True
    unpublished: list[DeskError] = field(default_factory=list)
    poller: VolatilityPoller = field(init=False)

    def __post_init__(self) -> None:
        """Start the poller."""
        self.restart()

    def restart(self) -> None:
        """A new process on the same folder."""
        quotes = YahooChart(PublicAddress("yahoo", self.yahoo.url, LIMITS)) if self.has_yahoo else None
        self.poller = VolatilityPoller(
            VolatilityTools(
                settings=default_limits(),
                market=MemoryMarketState(self.market),
                sink=MemoryMarketSink(self.market),
                record=VolatilityFolder(self.folder),
                quotes=quotes,
                history=CboeHistory(PublicAddress("cboe", self.cboe.file_url, LIMITS)),
                has_broker=True,
                chance=lambda: 0.5,
            )
        )

    def broker_says(self, value: str, at: datetime | None = None) -> None:
        """The broker's index as ingestion writes it."""
        ticker = Quote(
            symbol=INDEX, instrument_id="INDEX:VIX1D", at=at or self.clock.market, bid=None, ask=None,
            last=Decimal(value),
        )  # fmt: skip
        known = self.market.symbols.get(INDEX, SymbolMarket(symbol=INDEX))
        self.market.symbols[INDEX] = replace(known, ticker=ticker)

    def poll(self) -> list[str]:
        """Ask what is due, at once; which were asked."""
        polls = self.poller.due(self.clock.moment, 100)
        self.unpublished = []
        for poll in polls:
            try:
                answer: object = poll.ask()
            except DeskError as error:
                answer = error
            try:
                self.poller.take(poll, answer, self.clock.moment)
            except DeskError as error:
                self.unpublished.append(error)
        return [poll.feed for poll in polls]

    def after(self, seconds: float) -> list[str]:
        """Poll so many seconds later."""
        self.clock.market += timedelta(seconds=seconds)
        return self.poll()

    @property
    def reading(self) -> VolatilityReading | None:
        """What a reader of the live market sees."""
        return self.market.volatility

    def rows(self) -> list[object]:
        """Everything on its way to the warehouse, in order."""
        return [row for entry in self.market.entries.values() for row in entry.block.rows]

    def published(self) -> list[SymbolUpdate]:
        """Every update."""
        return list(self.market.done)


@contextmanager
def volatility_desk(folder: Path, market: datetime, **kept: object) -> Iterator[VolatilityDesk]:
    """A desk at a moment of the market."""
    clock = MovedClock(market)
    path = IndexPath(SEED)
    with CboeStub(path, clock.now, first=FIRST) as cboe, YahooStub(path, clock.now) as yahoo:
        yield VolatilityDesk(clock=clock, cboe=cboe, yahoo=yahoo, folder=folder / "volatility", **kept)
