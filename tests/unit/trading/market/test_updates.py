"""A flush by underlying: live state of the underlying alone, blocks of all, in the order that was heard."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from trading.market.updates import Flush
from trading.model.market import (
    Bar,
    ChainSnapshot,
    DepthSnapshot,
    InstrumentState,
    MarketKind,
    Quote,
    RefusedRow,
    Trade,
    TradingState,
)
from trading.ports.market_state import ROWS_PER_BLOCK_MAX, check_update

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
SPY, CALL = "STK:SPY", "OPT:SPY   261120C00500000"


def quote(instrument: str = SPY, symbol: str = "SPY", bid: int = 500) -> Quote:
    """A quote."""
    return Quote(symbol=symbol, instrument_id=instrument, at=NOON, bid=Decimal(bid), ask=None)


def state(instrument: str, told: TradingState) -> InstrumentState:
    """A change of state."""
    return InstrumentState(symbol="SPY", instrument_id=instrument, at=NOON, state=told)


def flush() -> Flush:
    """An empty one."""
    return Flush("ibkr", {"SPY": SPY, "QQQ": "STK:QQQ"})


def test_options_travel_with_their_underlying_and_are_not_its_ticker() -> None:
    """One update for each underlying, in the order in which they changed."""
    told = flush()
    told.quotes([quote("STK:QQQ", "QQQ"), quote(CALL), quote(), quote(bid=501), quote(CALL)])
    told.states([state(CALL, TradingState.CROSSED)])
    qqq, spy = told.updates(NOON)
    assert (qqq.symbol, spy.symbol) == ("QQQ", "SPY")
    assert spy.ticker == quote(bid=501)
    assert spy.state is None
    assert [len(block.rows) for block in spy.blocks] == [4, 1]
    assert {block.source for block in spy.blocks} == {"ibkr"}


def test_every_kind_has_its_block_and_its_live_value() -> None:
    """What the sink takes passes its own checks."""
    at = {"symbol": "SPY", "instrument_id": SPY, "at": NOON}
    trade = Trade(**at, price=Decimal(1), size=Decimal(2))  # type: ignore[arg-type]
    price = Decimal(1)
    bar = Bar(**at, seconds=60, open=price, high=price, low=price, close=price)  # type: ignore[arg-type]
    book = DepthSnapshot(**at, bids=(), asks=())  # type: ignore[arg-type]
    chain = ChainSnapshot(symbol="SPY", at=NOON, source="ibkr", spot=None, contracts=())
    refused = RefusedRow(symbol="SPY", feed="quote", at=NOON, field="bid", reason="no price", payload="nan")
    told = flush()
    told.trades([trade])
    told.bars([bar])
    told.book(book, for_warehouse=True)
    told.chain(chain)
    told.states([state(SPY, TradingState.HALTED)])
    told.refused([refused])
    (update,) = told.updates(NOON)
    check_update(update)
    assert (update.trades, update.bars, update.book, update.chain) == ((trade,), (bar,), book, chain)
    assert update.state == state(SPY, TradingState.HALTED)
    assert {block.kind: block.rows for block in update.blocks} == {
        MarketKind.TRADE: (trade,),
        MarketKind.BAR: (bar,),
        MarketKind.DEPTH: (book,),
        MarketKind.CHAIN: (chain,),
        MarketKind.STATE: (update.state,),
        MarketKind.REFUSED: (refused,),
    }


def test_a_book_that_is_only_live_goes_to_no_warehouse() -> None:
    """Readers see each flush, the warehouse one a second."""
    told = flush()
    told.book(DepthSnapshot(symbol="SPY", instrument_id=SPY, at=NOON, bids=(), asks=()), for_warehouse=False)
    (update,) = told.updates(NOON)
    assert update.book is not None
    assert update.blocks == ()


def test_large_flushes_are_cut_into_blocks_and_chains_stand_alone() -> None:
    """No block is beyond what a stream takes."""
    told = flush()
    told.quotes([quote(CALL, bid=number + 1) for number in range(ROWS_PER_BLOCK_MAX + 1)])
    chain = ChainSnapshot(symbol="SPY", at=NOON, source="ibkr", spot=None, contracts=())
    told.chain(chain)
    told.chain(replace(chain, at=datetime.combine(date(2026, 11, 14), NOON.timetz())))
    (update,) = told.updates(NOON)
    assert [(block.kind, len(block.rows)) for block in update.blocks] == [
        (MarketKind.QUOTE, ROWS_PER_BLOCK_MAX),
        (MarketKind.QUOTE, 1),
        (MarketKind.CHAIN, 1),
        (MarketKind.CHAIN, 1),
    ]
    assert [int(row.bid or 0) for block in update.blocks[:2] for row in block.rows] == list(  # type: ignore
        range(1, ROWS_PER_BLOCK_MAX + 2)
    )


def test_nothing_heard_is_no_update() -> None:
    """A quiet flush writes nothing."""
    assert flush().updates(NOON) == ()
