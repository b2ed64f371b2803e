"""Rows of one session of the market, as a test wants them: 3 March 2026, 14:30 to 21:00 UTC."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from trading.model.instruments import Option, Right
from trading.model.market import (
    Bar,
    ChainContract,
    ChainSnapshot,
    GreeksSource,
    OptionGreeks,
    Quote,
    Regime,
    SentimentReading,
    TechnicalReading,
    Trade,
    VolatilityReading,
    VolatilitySource,
)

SESSION = date(2026, 3, 3)
OPEN = datetime(2026, 3, 3, 14, 30, tzinfo=UTC)
CLOSE = datetime(2026, 3, 3, 21, 0, tzinfo=UTC)
LAST = CLOSE - timedelta(milliseconds=1)
NOON = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)
SHARE = "STK:AAPL"
SPOT = Decimal(100)


def quote(
    at: datetime = LAST,
    *,
    name: str = SHARE,
    symbol: str = "AAPL",
    bid: str | None = "9",
    ask: str | None = "10",
) -> Quote:
    """A quote of a share or of what is named."""
    return Quote(
        symbol=symbol,
        instrument_id=name,
        at=at,
        bid=None if bid is None else Decimal(bid),
        ask=None if ask is None else Decimal(ask),
    )


def trade(at: datetime = NOON, *, ordinal: int = 0, price: str = "10") -> Trade:
    """A print of the share."""
    return Trade(
        symbol="AAPL", instrument_id=SHARE, at=at, price=Decimal(price), size=Decimal(1), ordinal=ordinal
    )


def bar(at: datetime, *, seconds: int = 60, name: str = SHARE, symbol: str = "AAPL", price: int = 10) -> Bar:
    """A bar of one price."""
    prices = dict.fromkeys(("open", "high", "low", "close"), Decimal(price))
    return Bar(symbol=symbol, instrument_id=name, at=at, seconds=seconds, **prices)


def minutes(count: int = 390) -> list[Bar]:
    """A bar for each minute from the opening on."""
    return [bar(OPEN + timedelta(minutes=n)) for n in range(count)]


def option(strike: str = "100", right: Right = Right.CALL, expiry: date = date(2026, 4, 2)) -> Option:
    """A contract on the share."""
    return Option(symbol="AAPL", expiry=expiry, right=right, strike=Decimal(strike))


def greeks(at: datetime = LAST, **changes: Any) -> OptionGreeks:
    """Model values of a call at the money."""
    values = {"implied_volatility": 0.3, "delta": 0.5, "gamma": 0.05, "vega": 0.1, "theta": -0.05}
    return OptionGreeks(at=at, source=GreeksSource.VENUE_FILE, **{**values, **changes})


def contract(
    series: Option | None = None, *, bid: str | None = "3", ask: str | None = "3.2", **more: Any
) -> ChainContract:
    """One contract of a chain, quoted at its end."""
    return ChainContract(
        option=series or option(),
        at=LAST,
        bid=None if bid is None else Decimal(bid),
        ask=None if ask is None else Decimal(ask),
        **more,
    )


def chain(
    *contracts: ChainContract,
    at: datetime = LAST,
    listed: int | None = None,
    watched: int | None = None,
    spot: Decimal = SPOT,
) -> ChainSnapshot:
    """A chain of the share."""
    return ChainSnapshot(
        symbol="AAPL", at=at, source="lean", spot=spot, contracts=contracts, listed=listed, watched=watched
    )


def call_and_put(
    call: Sequence[str], put: Sequence[str], strike: str = "100"
) -> tuple[ChainContract, ChainContract]:
    """Both of one strike with their bids and asks."""
    return (
        contract(option(strike), bid=call[0], ask=call[1]),
        contract(option(strike, Right.PUT), bid=put[0], ask=put[1]),
    )


def volatility(at: datetime = NOON, value: Decimal = Decimal(15)) -> VolatilityReading:
    """A calm reading."""
    return VolatilityReading(
        index="VIX1D",
        at=at,
        value=value,
        source=VolatilitySource.IBKR,
        regime=Regime.NORMAL,
        judged_at=at,
    )


def sentiment(score: float | None, *, articles: int = 3) -> SentimentReading:
    """What some articles say."""
    return SentimentReading(
        symbol="AAPL", at=NOON, window_s=86_400, articles=articles, score=score, label="neutral"
    )


def technical(indicator: str, **values: float) -> TechnicalReading:
    """One indicator."""
    return TechnicalReading(
        symbol="AAPL", indicator=indicator, at=NOON, interval="1min", source="local", values=values
    )
