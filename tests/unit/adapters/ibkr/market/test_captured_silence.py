"""What stands still is stale until its next tick, and what it did not tell is a gap; in a capture, too."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kept_updates import fields_of

from adapters.configuration import load_settings
from adapters.ibkr.market.budget import SymbolPlan
from adapters.ibkr.market.capture import CaptureWriter
from adapters.ibkr.market.feeds import Feeds
from adapters.ibkr.market.lines import KnownContract, Line, LineKind
from adapters.ibkr.market.recorded import RecordedFeeds
from adapters.ibkr.market.replay import ReplayedCapture, read_capture
from trading.model.market import MarketKind, TradingState
from trading.ports.market_state import SymbolUpdate

NOON = datetime(2026, 11, 13, 17, tzinfo=UTC)
SPY = KnownContract(conid=756733, symbol="SPY", sec_type="STK", exchange="SMART", instrument_id="STK:756733")
BID = 1
PLANS = {"SPY": SymbolPlan(symbol="SPY")}


def states(updates: Sequence[SymbolUpdate]) -> list[tuple[TradingState, str]]:
    """What the warehouse is told of states."""
    return fields_of(updates, MarketKind.STATE, "state", "reason")


def gaps(updates: Sequence[SymbolUpdate]) -> list[tuple[str, str]]:
    """From when to when nothing was heard, and why."""
    return fields_of(updates, MarketKind.REFUSED, "payload", "reason")


def test_what_a_symbol_did_not_tell_while_it_stood_still_is_one_gap() -> None:
    """From its last tick to its first one after the last word about it."""
    feeds = Feeds(PLANS, load_settings({}).ingest)
    feeds.begin(1, Line(kind=LineKind.LEVEL1, symbol="SPY", contract=SPY))
    feeds.price(1, BID, 500.0, 1, NOON)
    for later in (20, 30):
        feeds.stand_still("SPY", "nothing is told of it", NOON + timedelta(seconds=later))
        assert gaps(feeds.flush(NOON + timedelta(seconds=later), NOON)) == []
    back = NOON + timedelta(seconds=31)
    feeds.price(1, BID, 500.01, 1, back)
    words = f"from {NOON.isoformat()} to {back.isoformat()}"
    assert gaps(feeds.flush(back, NOON)) == [(words, "nothing is told of it")]
    assert gaps(feeds.flush(back, NOON)) == []


def test_what_stood_still_stands_still_when_it_is_played_again(tmp_path: Path) -> None:
    """The judgement stands in the capture, for nobody judges a replay."""
    ingest = load_settings({}).ingest
    writer = CaptureWriter(tmp_path / "capture.gz")
    acts = RecordedFeeds(Feeds(PLANS, ingest), writer)
    acts.begin(1, Line(kind=LineKind.LEVEL1, symbol="SPY", contract=SPY), NOON)
    acts.stand_still("SPY", "nothing is told of it", NOON)
    told = states(acts.flush(NOON, NOON))
    writer.close()
    played = ReplayedCapture(PLANS, ingest)
    again = [update for record in read_capture(tmp_path / "capture.gz") for update in played.take(record)]
    assert states(again) == told == [(TradingState.STALE, "nothing is told of it")]
