"""Updates of the live market by number: each says its number in everything, and large chains."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from trading.model.instruments import Option, Right
from trading.model.market import (
    ChainContract,
    ChainSnapshot,
    GreeksSource,
    MarketBlock,
    MarketKind,
    OptionGreeks,
    Quote,
    Trade,
)
from trading.ports.market_state import SymbolUpdate

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)


def update(number: int, symbol: str = "SPY") -> SymbolUpdate:
    """An update that says its number in everything."""
    quote = Quote(
        symbol=symbol, instrument_id=f"STK:{symbol}", at=NOON, bid=Decimal(number), ask=Decimal(number + 1)
    )
    trade = Trade(
        symbol=symbol, instrument_id=f"STK:{symbol}", at=NOON, price=Decimal(number), size=Decimal(1)
    )
    block = MarketBlock(kind=MarketKind.QUOTE, symbol=symbol, source="ibkr", heard_at=NOON, rows=(quote,))
    return SymbolUpdate(symbol=symbol, ticker=quote, trades=(trade,), blocks=(block,))


def contract(place: int, delta: float) -> ChainContract:
    """One of many contracts."""
    return ChainContract(
        option=Option(
            symbol="SPY",
            expiry=date(2026, 11, 20) + timedelta(days=7 * (place // 1_000)),
            right=Right.CALL if place % 2 else Right.PUT,
            strike=Decimal(100 + place % 1_000),
        ),
        at=NOON,
        bid=Decimal("1.05"),
        ask=Decimal("1.10"),
        open_interest=place,
        open_interest_date=date(2026, 11, 13),
        greeks=OptionGreeks(at=NOON, source=GreeksSource.IBKR, implied_volatility=0.2, delta=delta),
    )


def chain(contracts: tuple[ChainContract, ...], at: datetime = NOON) -> SymbolUpdate:
    """An update with a chain."""
    told = ChainSnapshot(symbol="SPY", at=at, source="ibkr", spot=Decimal(500), contracts=contracts, listed=7)
    block = MarketBlock(kind=MarketKind.CHAIN, symbol="SPY", source="ibkr", heard_at=NOON, rows=(told,))
    return SymbolUpdate(symbol="SPY", chain=told, blocks=(block,))


def client(adapter: Any) -> Any:
    """The driver under the adapter."""
    return adapter._client
