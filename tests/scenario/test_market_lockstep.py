"""A session in lock-step with a gateway whose clock is moved by hand: the same bytes, the same updates."""

import asyncio
from pathlib import Path

from ingest_desk import broker_settings, ingest_settings, into_trading_hours, market_settings, symbol_settings
from kept_updates import KeptUpdates

from adapters.ibkr.market.capture import CaptureWriter
from adapters.ibkr.market.lockstep import GatewayControl, LockStep
from adapters.ibkr.market.replay import replay_capture
from simulation.gateway import GatewayPlan, run_in_thread
from simulation.tws.options import GatewayOptions
from trading.market_settings import ChainMode
from trading.model.market import MarketKind

SECONDS = 80
MARKET = market_settings(
    SPY=symbol_settings(depth=True, tick_by_tick=True, chain=ChainMode.SNAPSHOT),
    SPX=symbol_settings(chain=ChainMode.STREAM),
)


def played(capture: Path, seconds: float = SECONDS, fault: str = "") -> KeptUpdates:
    """One session of a gateway that stands until it is stepped; a fault goes before its second half."""
    options = GatewayOptions(pump_s=3_600, messages_per_second=1_000_000)
    plan = GatewayPlan(speed=None, orders=0, options=options)
    kept, ingest = KeptUpdates(), ingest_settings()

    async def play(port: int, control: GatewayControl) -> None:
        writer = CaptureWriter(capture)
        driver = LockStep(
            broker_settings(port, 1), MARKET, ingest, kept, control.step, begins_at=control.now(),
            capture=writer,
        )  # fmt: skip
        await driver.connect()
        await driver.advance(seconds / 2)
        if fault:
            running.fault(fault)
        await driver.advance(seconds / 2)
        driver.close()
        writer.close()
        assert [code for code, _ in driver.alerts] == (["book_crossed_SPY"] if fault else [])

    with run_in_thread(plan) as running:
        running.do(into_trading_hours)
        asyncio.run(play(running.port, GatewayControl(running.control_port)))
    return kept


def test_the_same_session_twice_is_the_same_capture_and_a_capture_replayed_is_the_same_session(
    tmp_path: Path,
) -> None:
    """Two runs of one seed give equal bytes; replayed, the sink is called with equal updates in order."""
    first, second = tmp_path / "first.gz", tmp_path / "second.gz"
    told, again = played(first), played(second)
    assert first.read_bytes() == second.read_bytes()
    assert told.calls == again.calls
    replayed = KeptUpdates()
    replay_capture(first, MARKET, ingest_settings(), replayed)
    assert replayed.calls == told.calls
    kinds = {block.kind for call in told.calls for update in call for block in update.blocks}
    assert kinds >= {MarketKind.QUOTE, MarketKind.TRADE, MarketKind.BAR, MarketKind.DEPTH, MarketKind.CHAIN}


def test_a_capture_of_a_book_that_was_wrong_is_the_same_session_when_it_is_replayed(tmp_path: Path) -> None:
    """What the session found wrong, and asked for anew, stands in the capture."""
    told, replayed = played(tmp_path / "one.gz", 40, "cross quotes"), KeptUpdates()
    replay_capture(tmp_path / "one.gz", MARKET, ingest_settings(), replayed)
    assert replayed.calls == told.calls
