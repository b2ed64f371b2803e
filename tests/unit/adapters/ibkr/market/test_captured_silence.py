"""A symbol that stands still is stale in a capture that is played again, too."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from adapters.configuration import load_settings
from adapters.ibkr.market.budget import SymbolPlan
from adapters.ibkr.market.capture import CaptureWriter
from adapters.ibkr.market.feeds import Feeds
from adapters.ibkr.market.lines import KnownContract, Line, LineKind
from adapters.ibkr.market.recorded import RecordedFeeds
from adapters.ibkr.market.replay import ReplayedCapture, read_capture
from trading.model.market import InstrumentState, MarketKind, TradingState
from trading.ports.market_state import SymbolUpdate

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
SPY = KnownContract(conid=756733, symbol="SPY", sec_type="STK", exchange="SMART", instrument_id="STK:756733")
PLANS = {"SPY": SymbolPlan(symbol="SPY")}


def states(updates: Sequence[SymbolUpdate]) -> list[tuple[TradingState, str]]:
    """What the warehouse is told of states."""
    rows = [
        row
        for each in updates
        for block in each.blocks
        if block.kind is MarketKind.STATE
        for row in block.rows
    ]
    return [(row.state, row.reason) for row in rows if isinstance(row, InstrumentState)]


def test_what_stood_still_stands_still_when_it_is_played_again(tmp_path: Path) -> None:
    """The judgement stands in the capture, for nobody judges a replay."""
    ingest = load_settings({}).ingest
    writer = CaptureWriter(tmp_path / "capture.gz")
    acts = RecordedFeeds(Feeds(PLANS, ingest), writer)
    acts.begin(1, Line(kind=LineKind.LEVEL1, symbol="SPY", contract=SPY), NOON)
    acts.stand_still(SPY.conid, "nothing is told of it", NOON)
    told = states(acts.flush(NOON, NOON))
    writer.close()
    played = ReplayedCapture(PLANS, ingest)
    again = [update for record in read_capture(tmp_path / "capture.gz") for update in played.take(record)]
    assert states(again) == told == [(TradingState.STALE, "nothing is told of it")]
