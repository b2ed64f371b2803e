"""What markets say, as every part of the desk speaks of it: quotes, trades, bars, depth, chains, news.

One venue-free type for each. Prices and sizes are Decimal, times aware UTC, `None` is "there is none"; model
values (greeks, volatilities, indicators) are floats, since they are estimates and never summed as money.
`at` is the market's own time (the venue's, or the broker's clock when the line was heard). `symbol` is the
underlying's; `instrument_id` is the canonical name of `trading.model.instruments`. Keep out: where it comes
from, where it goes, what follows from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from trading.model.instruments import Option


class MarketKind(StrEnum):
    """The kinds of rows that market data come in; a block of the outbox holds rows of one kind."""

    QUOTE = "quote"
    TRADE = "trade"
    BAR = "bar"
    DEPTH = "depth"
    CHAIN = "chain"
    STATE = "state"
    VOLATILITY = "volatility"
    NEWS = "news"
    SENTIMENT = "sentiment"
    TECHNICAL = "technical"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """Level 1 of one instrument as it stood at `at`; sizes in contracts or shares, volume of the session."""

    symbol: str
    instrument_id: str
    at: datetime
    bid: Decimal | None
    ask: Decimal | None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None
    last_size: Decimal | None = None
    volume: Decimal | None = None
    conid: int | None = None


class Aggressor(StrEnum):
    """Who crossed the spread."""

    BUY = "buy"
    SELL = "sell"
    UNKNOWN = "unknown"


class SignedBy(StrEnum):
    """How the aggressor was found: by the quote that stood when it printed, or by the last price change."""

    QUOTE = "quote"
    TICK = "tick"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """One print. `ordinal` counts prints of one (instrument, at) and source, so equal ones are kept apart.

    bid and ask are those that stood when it printed, None where none was known.
    """

    symbol: str
    instrument_id: str
    at: datetime
    price: Decimal
    size: Decimal
    exchange: str = ""
    conditions: str = ""
    aggressor: Aggressor = Aggressor.UNKNOWN
    signed_by: SignedBy = SignedBy.NONE
    bid: Decimal | None = None
    ask: Decimal | None = None
    ordinal: int = 0
    conid: int | None = None


class BarOf(StrEnum):
    """What a bar is made of."""

    TRADES = "trades"
    MIDPOINT = "midpoint"
    BID = "bid"
    ASK = "ask"


class BarOrigin(StrEnum):
    """How a bar came to be known; one that is told again replaces the one that was there."""

    TOLD = "told"  # whole, when it was over
    PARTIAL = "partial"  # rolled up without some of its pieces
    REFILLED = "refilled"  # asked of the source's history, since nobody had heard it whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Prices of the `seconds` from `at` on; volume and trade count are None where the source has none."""

    symbol: str
    instrument_id: str
    at: datetime
    seconds: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None = None
    average: Decimal | None = None
    trades: int | None = None
    of: BarOf = BarOf.TRADES
    conid: int | None = None
    origin: BarOrigin = BarOrigin.TOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthLevel:
    """One level of a book; `maker` is the venue or market maker, empty when levels are aggregated."""

    price: Decimal
    size: Decimal
    maker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DepthSnapshot:
    """Both sides of a book, best first. A synthetic one is made of quotes and has one level a side."""

    symbol: str
    instrument_id: str
    at: datetime
    bids: tuple[DepthLevel, ...]
    asks: tuple[DepthLevel, ...]
    is_synthetic: bool = False
    conid: int | None = None


class GreeksSource(StrEnum):
    """Whose model."""

    IBKR = "ibkr"
    ALPHA_VANTAGE = "alpha_vantage"
    VENUE_FILE = "venue_file"
    OWN = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionGreeks:
    """Model values of one option: vega per volatility point, theta per day, volatility as a fraction."""

    at: datetime
    source: GreeksSource
    implied_volatility: float
    delta: float | None = None
    gamma: float | None = None
    vega: float | None = None
    theta: float | None = None
    rho: float | None = None
    price: float | None = None
    underlying_price: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainContract:
    """One contract in a chain snapshot; open interest is that of the morning of `open_interest_date`.

    `at` is the time of its quote (of its model where it has no quote); the model's is in the greeks.
    """

    option: Option
    at: datetime
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None
    volume: Decimal | None = None
    open_interest: int | None = None
    open_interest_date: date | None = None
    greeks: OptionGreeks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSnapshot:
    """A symbol's option chain at one moment, each contract with the time of its own quote.

    `listed` counts what is listed, None where nobody knows; `watched` what of it was to be looked at, None
    where that is all.
    """

    symbol: str
    at: datetime
    source: str
    spot: Decimal | None
    contracts: tuple[ChainContract, ...]
    listed: int | None = None
    watched: int | None = None


class TradingState(StrEnum):
    """What stops signals: anything but open."""

    OPEN = "open"
    HALTED = "halted"
    LOCKED = "locked"
    CROSSED = "crossed"
    STALE = "stale"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstrumentState:
    """A change of an instrument's state, and why."""

    symbol: str
    instrument_id: str
    at: datetime
    state: TradingState
    reason: str = ""


class VolatilitySource(StrEnum):
    """Where a reading of the volatility index comes from; the history's is yesterday's close."""

    IBKR = "ibkr"
    YAHOO = "yahoo"
    CBOE_HISTORY = "cboe_history"


class Regime(StrEnum):
    """What the one-day volatility says of the day; UNKNOWN vetoes trading of 0DTE."""

    SHOCK = "SHOCK"
    ELEVATED = "ELEVATED"
    NORMAL = "NORMAL"
    BENIGN = "BENIGN"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class VolatilityReading:
    """The index at `at` (index points), what it did, and the regime judged at `judged_at`."""

    index: str
    at: datetime
    value: Decimal
    source: VolatilitySource
    regime: Regime
    judged_at: datetime
    change_5m: Decimal | None = None
    change_1h: Decimal | None = None
    z_score: float | None = None
    samples: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TickerSentiment:
    """What one article says of one symbol, -1 to 1, and how much it is about it, 0 to 1."""

    symbol: str
    score: float
    relevance: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsItem:
    """One article. `item_id` is the hash of its address, since vendors give no id."""

    item_id: str
    published_at: datetime
    title: str
    url: str
    publisher: str
    score: float
    label: str
    topics: tuple[str, ...] = ()
    tickers: tuple[TickerSentiment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentReading:
    """A symbol's sentiment over a window of articles, weighted by relevance; None when there were none."""

    symbol: str
    at: datetime
    window_s: int
    articles: int
    score: float | None
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TechnicalReading:
    """One indicator of one symbol; `values` by name (RSI has one, MACD and BBANDS three)."""

    symbol: str
    indicator: str
    at: datetime
    interval: str
    source: str
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRow:
    """What was not taken as market data: which field, why, and its payload as it came.

    One refusal may speak for many `rows` of one file that a rule left out; its payload is then the first.
    """

    symbol: str
    feed: str
    at: datetime
    field: str
    reason: str
    payload: str
    rows: int = 1


MarketRow = (
    Quote
    | Trade
    | Bar
    | DepthSnapshot
    | ChainSnapshot
    | InstrumentState
    | VolatilityReading
    | NewsItem
    | SentimentReading
    | TechnicalReading
    | RefusedRow
)


ROW_TYPES: Mapping[MarketKind, type] = {
    MarketKind.QUOTE: Quote,
    MarketKind.TRADE: Trade,
    MarketKind.BAR: Bar,
    MarketKind.DEPTH: DepthSnapshot,
    MarketKind.CHAIN: ChainSnapshot,
    MarketKind.STATE: InstrumentState,
    MarketKind.VOLATILITY: VolatilityReading,
    MarketKind.NEWS: NewsItem,
    MarketKind.SENTIMENT: SentimentReading,
    MarketKind.TECHNICAL: TechnicalReading,
    MarketKind.REFUSED: RefusedRow,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketBlock:
    """Rows of one kind and symbol on their way to the warehouse: one entry of the outbox.

    `source` names who heard them (ibkr, alpha_vantage, …); heard_at is this machine's clock, and does not
    belong to what a replay must repeat.
    """

    kind: MarketKind
    symbol: str
    source: str
    heard_at: datetime
    rows: tuple[MarketRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketEntry:
    """One block as it lies in its stream; (stream, entry_id) is its identity for ever."""

    stream: str
    entry_id: str
    epoch: str
    sequence: int
    block: MarketBlock
