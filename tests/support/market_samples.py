"""Market rows and blocks for tests: quotes, trades, bars and the rest of a Friday; entries of an outbox."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from trading.model.instruments import Option, Right
from trading.model.market import (
    Aggressor,
    Bar,
    ChainContract,
    ChainSnapshot,
    DepthLevel,
    DepthSnapshot,
    GreeksSource,
    InstrumentState,
    MarketBlock,
    MarketEntry,
    MarketKind,
    MarketRow,
    NewsItem,
    OptionGreeks,
    Quote,
    Regime,
    SentimentReading,
    SignedBy,
    TechnicalReading,
    TickerSentiment,
    Trade,
    TradingState,
    VolatilityReading,
    VolatilitySource,
)

SESSION = date(2026, 11, 13)
OPEN = datetime(2026, 11, 13, 14, 30, tzinfo=UTC)
HEARD = datetime(2026, 11, 21, 9, 0, 0, 123000, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CALL = Option(symbol="SPY", expiry=date(2026, 11, 20), right=Right.CALL, strike=Decimal(600))


def after(seconds: float) -> datetime:
    """So long after the opening."""
    return OPEN + timedelta(seconds=seconds)


def quote(seconds: float = 0, bid: str | None = "599.99", ask: str | None = "600.01", **more: Any) -> Quote:
    """A quote of SPY."""
    told: dict[str, Any] = {
        "symbol": "SPY",
        "instrument_id": "STK:SPY",
        "at": after(seconds),
        "bid": None if bid is None else Decimal(bid),
        "ask": None if ask is None else Decimal(ask),
        "bid_size": Decimal(3),
        "ask_size": Decimal(4),
    }
    return Quote(**told | more)


def trade(seconds: float = 0, price: str = "600", size: str = "100", **more: Any) -> Trade:
    """A print of SPY that bought."""
    told: dict[str, Any] = {
        "symbol": "SPY",
        "instrument_id": "STK:SPY",
        "at": after(seconds),
        "price": Decimal(price),
        "size": Decimal(size),
        "exchange": "ARCA",
        "aggressor": Aggressor.BUY,
        "signed_by": SignedBy.QUOTE,
    }
    return Trade(**told | more)


def bar(minute: int = 0, close: str = "600.5", **more: Any) -> Bar:
    """A bar of a minute of SPY."""
    told: dict[str, Any] = {
        "symbol": "SPY",
        "instrument_id": "STK:SPY",
        "at": after(60 * minute),
        "seconds": 60,
        "open": Decimal(600),
        "high": Decimal(601),
        "low": Decimal(599),
        "close": Decimal(close),
        "volume": Decimal(1000),
        "trades": 10,
    }
    return Bar(**told | more)


def book(seconds: float = 0) -> DepthSnapshot:
    """Two levels a side."""
    bids = (
        DepthLevel(price=Decimal("599.99"), size=Decimal(3), maker="ARCA"),
        DepthLevel(price=Decimal("599.98"), size=Decimal(9)),
    )
    asks = (DepthLevel(price=Decimal("600.01"), size=Decimal(2), maker="BATS"),)
    return DepthSnapshot(
        symbol="SPY", instrument_id="STK:SPY", at=after(seconds), bids=bids, asks=asks, is_synthetic=False
    )


def greeks(seconds: float = 0, **more: Any) -> OptionGreeks:
    """Of a call near the money."""
    told: dict[str, Any] = {
        "at": after(seconds),
        "source": GreeksSource.IBKR,
        "implied_volatility": 0.18,
        "delta": 0.5,
        "gamma": 0.02,
        "vega": 0.4,
        "theta": -0.3,
    }
    return OptionGreeks(**told | more)


def chain(seconds: float = 0, strikes: Sequence[int] = (595, 600, 605), **more: Any) -> ChainSnapshot:
    """A call and a put of one expiry for each strike; the last put has no greeks."""
    contracts = [
        ChainContract(
            option=replace(CALL, strike=Decimal(strike), right=right),
            at=after(seconds),
            bid=Decimal("4.9"),
            ask=Decimal("5.1"),
            bid_size=Decimal(10),
            ask_size=Decimal(11),
            open_interest=1200,
            open_interest_date=SESSION,
            greeks=greeks(seconds, delta=0.5 if right is Right.CALL else -0.5),
        )
        for strike in strikes
        for right in Right
    ]
    contracts[-1:] = [replace(contracts[-1], greeks=None, open_interest=None)]
    told: dict[str, Any] = {
        "symbol": "SPY",
        "at": after(seconds),
        "source": "ibkr",
        "spot": Decimal("600.02"),
        "contracts": tuple(contracts),
        "listed": 400,
    }
    return ChainSnapshot(**told | more)


def state(seconds: float = 0, of: TradingState = TradingState.HALTED) -> InstrumentState:
    """A change of SPY's state."""
    return InstrumentState(
        symbol="SPY", instrument_id="STK:SPY", at=after(seconds), state=of, reason="tick 49 says 1"
    )


def volatility(seconds: float = 0, value: str = "17.25", **more: Any) -> VolatilityReading:
    """A reading of VIX1D."""
    told: dict[str, Any] = {
        "index": "VIX1D",
        "at": after(seconds),
        "value": Decimal(value),
        "source": VolatilitySource.YAHOO,
        "regime": Regime.NORMAL,
        "judged_at": after(seconds + 1),
        "change_5m": Decimal("0.5"),
        "z_score": -0.2,
        "samples": 40,
    }
    return VolatilityReading(**told | more)


def article(name: str = "a1", score: float = 0.25) -> NewsItem:
    """An article about two symbols."""
    return NewsItem(
        item_id=name,
        published_at=after(-600),
        title="Chips are eaten",
        url=f"https://example.org/{name}",
        publisher="Example",
        score=score,
        label="Somewhat-Bullish",
        topics=("technology", "earnings"),
        tickers=(
            TickerSentiment(symbol="NVDA", score=0.4, relevance=0.9, label="Bullish"),
            TickerSentiment(symbol="AAPL", score=-0.1, relevance=0.2, label="Neutral"),
        ),
    )


def sentiment(seconds: float = 0) -> SentimentReading:
    """A window without articles."""
    return SentimentReading(
        symbol="NVDA", at=after(seconds), window_s=3600, articles=0, score=None, label="none"
    )


def technical(seconds: float = 0, figure: float = 55.5) -> TechnicalReading:
    """An RSI."""
    return TechnicalReading(
        symbol="NVDA",
        indicator="RSI",
        at=after(seconds),
        interval="5min",
        source="alpha_vantage",
        values={"RSI": figure},
    )


SAMPLES: dict[MarketKind, MarketRow] = {
    MarketKind.QUOTE: quote(1, conid=756733, last=Decimal("600.00000001")),
    MarketKind.TRADE: trade(1, ordinal=2, bid=Decimal("599.99")),
    MarketKind.BAR: bar(1, average=Decimal("600.123456789012")),
    MarketKind.DEPTH: book(1),
    MarketKind.CHAIN: chain(1),
    MarketKind.STATE: state(1),
    MarketKind.VOLATILITY: volatility(1),
    MarketKind.NEWS: article(),
    MarketKind.SENTIMENT: sentiment(1),
    MarketKind.TECHNICAL: technical(1),
}


def entry(
    kind: MarketKind, *rows: MarketRow, number: int = 1, symbol: str = "SPY", source: str = "ibkr"
) -> MarketEntry:
    """A block in its stream."""
    block = MarketBlock(kind=kind, symbol=symbol, source=source, heard_at=HEARD, rows=rows)
    entry_ms = (HEARD - EPOCH) // timedelta(milliseconds=1) + number
    return MarketEntry(
        stream=f"outbox:market:{{{symbol}}}",
        entry_id=f"{entry_ms}-0",
        epoch="e",
        sequence=number,
        block=block,
    )


def sample_entries() -> list[MarketEntry]:
    """One entry of each kind."""
    return [entry(kind, row, number=number) for number, (kind, row) in enumerate(SAMPLES.items(), start=1)]
