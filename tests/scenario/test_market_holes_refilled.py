"""Minutes that nobody heard over TCP are told from history, and are those of the gateway's own tape."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from ingest_desk import (
    SPEED,
    MarketDesk,
    broker_settings,
    ingest_settings,
    into_trading_hours,
    market_settings,
    second_session,
    symbol_settings,
)
from kept_updates import KeptUpdates

from adapters.ibkr.market.capture import CaptureWriter
from adapters.ibkr.market.lockstep import GatewayControl, LockStep
from adapters.ibkr.market.replay import replay_capture
from adapters.memory.market import MemoryMarket
from simulation.gateway import Gateway, GatewayPlan, run_in_thread
from simulation.tws.options import GatewayOptions
from trading.calendar import session_open, trading_session
from trading.model.market import Bar, BarOrigin, MarketKind, RefusedRow

MARKET = market_settings(SPY=symbol_settings(), AAPL=symbol_settings(), SPX=symbol_settings())
SYMBOLS = ("SPY", "AAPL", "SPX")
STEP_S = 5.0


def tape(gateway: Gateway, until: datetime) -> Mapping[str, Mapping[datetime, Any]]:
    """The minutes of the session as the world says them, by symbol."""
    opens = session_open(trading_session(until))
    seconds = int((until - opens).total_seconds())
    told = {}
    for each in gateway.world.listings.by_conid.values():
        if each.symbol in SYMBOLS and each.asset == "STK":
            bars = gateway.broker.bars(each.conid, until, seconds, 60, "TRADES")
            told[each.symbol] = {bar.at: bar for bar in bars}
    return told


def minutes_of(rows: list[Any]) -> dict[datetime, Bar]:
    """Each minute as it was told last: what the warehouse keeps."""
    return {row.at: row for row in rows}


def same(bar: Bar, told: Any) -> bool:
    """Whether a bar is the tape's."""
    prices = (bar.open, bar.high, bar.low, bar.close) == (told.open, told.high, told.low, told.close)
    volume = None if told.volume < 0 else Decimal(told.volume)
    return prices and (bar.volume or None) == (volume or None)


def played(capture: Path) -> tuple[KeptUpdates, Mapping[str, Mapping[datetime, Any]], datetime]:
    """A session in lock-step whose link is lost for some minutes; what it told, and what the world says."""
    options = GatewayOptions(pump_s=3_600, messages_per_second=1_000_000)
    kept = KeptUpdates()

    async def play(port: int, control: GatewayControl) -> None:
        writer = CaptureWriter(capture)
        driver = LockStep(
            broker_settings(port, 1), MARKET, ingest_settings(), kept, control.step, begins_at=control.now(),
            capture=writer,
        )  # fmt: skip
        await driver.connect()
        await driver.advance(150, of=STEP_S)
        await driver.be_deaf(250)
        await driver.advance(300, of=STEP_S)
        driver.close()
        writer.close()

    with run_in_thread(GatewayPlan(speed=None, orders=0, options=options)) as running:
        running.do(into_trading_hours)
        asyncio.run(play(running.port, GatewayControl(running.control_port)))
        until = running.do(lambda gateway: gateway.clock.now())
        return kept, running.do(lambda gateway: tape(gateway, until)), until


def test_a_lost_links_minutes_are_the_tapes_own_and_a_replay_tells_them_again(tmp_path: Path) -> None:
    """Every minute since the opening, those that nobody heard marked; the capture is the same session."""
    kept, truth, until = played(tmp_path / "one.gz")
    asked_until = (until - timedelta(minutes=2)).replace(second=0)
    for symbol in SYMBOLS:
        minutes = minutes_of(kept.rows(MarketKind.BAR, symbol))
        for at, told in truth[symbol].items():
            if at < asked_until:
                assert same(minutes[at], told), (symbol, at, minutes[at], told)
        refilled = [at for at, bar in minutes.items() if bar.origin is BarOrigin.REFILLED]
        assert len(refilled) >= 5, (symbol, refilled)
        records = [row for row in kept.rows(MarketKind.REFUSED, symbol) if row.feed == "bars"]
        holes = {row.payload for row in records if row.field == "gap" and "heard whole" in row.reason}
        became = {row.payload for row in records if row.field == "refill"}
        assert holes and holes == became
    replayed = KeptUpdates()
    replay_capture(tmp_path / "one.gz", MARKET, ingest_settings(), replayed)
    assert replayed.calls == kept.calls


def test_a_process_that_was_away_refills_what_it_did_not_hear() -> None:
    """Another process on the same live state, ten minutes later: asked once, told, and recorded."""
    only, memory = market_settings(SPY=symbol_settings()), MemoryMarket()
    plan = GatewayPlan(speed=SPEED, orders=0, control_port=None, skip_nights=True)
    with run_in_thread(plan) as running:
        running.do(into_trading_hours)
        with second_session(only, running.port, market=memory) as first:
            first.wait_for(lambda: len(whole_minutes(first)) >= 2, "whole minutes")
        before = set(whole_minutes(first))
        running.do(lambda gateway: gateway.move_to(gateway.clock.now() + timedelta(minutes=10)))
        with second_session(only, running.port, market=memory) as second:
            second.wait_for(lambda: refilled(second), lambda: f"minutes of history: {second.alerts.told}")
        truth = running.do(lambda gateway: tape(gateway, gateway.clock.now()))["SPY"]
    told = refilled(second)
    assert len(told) >= 9
    assert not before & set(told), "what was heard whole is not asked for again"
    assert all(same(bar, truth[at]) for at, bar in told.items())
    rows = [row for row in second.rows(MarketKind.REFUSED, "SPY") if isinstance(row, RefusedRow)]
    holes = [row.payload for row in rows if row.field == "refill"]
    assert len(set(holes)) == len(holes) >= 1, "each hole once"


def whole_minutes(desk: MarketDesk) -> dict[datetime, Bar]:
    """Minutes that were heard, as they stand."""
    bars = minutes_of(desk.rows(MarketKind.BAR, "SPY"))
    return {at: bar for at, bar in bars.items() if bar.origin is BarOrigin.TOLD}


def refilled(desk: MarketDesk) -> dict[datetime, Bar]:
    """Minutes that came from history, as they stand, but for those before anybody listened."""
    bars = minutes_of(desk.rows(MarketKind.BAR, "SPY"))
    first = min(whole_minutes(desk), default=None)
    return {
        at: bar
        for at, bar in bars.items()
        if bar.origin is BarOrigin.REFILLED and first is not None and at > first
    }
