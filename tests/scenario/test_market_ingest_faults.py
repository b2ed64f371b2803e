"""Each fault of the market-data catalogue against the real gateway: the state that follows, and the alert."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from ingest_desk import (
    MarketDesk,
    ingest_settings,
    market_desk,
    market_settings,
    second_session,
    symbol_settings,
)

from adapters.ibkr.market.lines import LineKind
from adapters.memory.market import MemoryMarketState
from simulation.gateway import GatewayPlan
from simulation.tws.options import DataPermission, GatewayOptions
from trading.market_settings import ChainMode
from trading.model.broker import LinkState
from trading.model.market import (
    ChainContract,
    ChainSnapshot,
    InstrumentState,
    MarketKind,
    RefusedRow,
    TradingState,
)
from trading.ports.feed_health import FeedState

SPY = market_settings(SPY=symbol_settings(depth=True, tick_by_tick=True))
LEVEL1 = market_settings(SPY=symbol_settings(bars=False))
CHAIN = market_settings(SPY=symbol_settings(bars=False, chain=ChainMode.SNAPSHOT))


def plan(**options: Any) -> GatewayPlan:
    """A fast session of a gateway with these options."""
    return GatewayPlan(
        speed=60, orders=0, control_port=None, skip_nights=True, options=GatewayOptions(**options)
    )


def states(desk: MarketDesk, symbol: str = "SPY") -> list[TradingState]:
    """The underlying's states as they were told."""
    rows = [row for row in desk.rows(MarketKind.STATE, symbol) if isinstance(row, InstrumentState)]
    return [row.state for row in rows if row.instrument_id.startswith("STK")]


def gaps(desk: MarketDesk, feed: str = "level1", symbol: str = "SPY") -> list[str]:
    """Why something was not heard."""
    rows = [row for row in desk.rows(MarketKind.REFUSED, symbol) if isinstance(row, RefusedRow)]
    return [row.reason for row in rows if row.field == "gap" and row.feed == feed]


def alerted(desk: MarketDesk, code: str) -> Callable[[], bool]:
    """Whether an alert of this code was raised."""
    return lambda: any(told.startswith(f"ingest_{code}") for told in desk.alerts.told)


def health(desk: MarketDesk, feed: str, symbol: str = "SPY") -> Any:
    """What the board says of one feed."""
    return next((each for each in desk.board.feeds() if (each.feed, each.symbol) == (feed, symbol)), None)


@pytest.mark.parametrize("words", ["drop link", "drop link mid-message"])
def test_a_cut_link_is_stale_at_once_then_everything_is_asked_for_again(words: str) -> None:
    """The state says stale with the reason, the hole is a refused row, and quotes come again."""
    with market_desk(SPY, reconnect_first_s=1, reconnect_max_s=1) as desk:
        desk.has(MarketKind.DEPTH, "SPY", 2)
        desk.running.fault(words)
        desk.wait_for(lambda: TradingState.STALE in states(desk), "stale")
        desk.wait_for(lambda: states(desk)[-1] is TradingState.OPEN, lambda: f"open again: {states(desk)}")
        desk.wait_for(lambda: gaps(desk), "the record of the hole")
        before = len(desk.rows(MarketKind.DEPTH, "SPY"))
        desk.has(MarketKind.DEPTH, "SPY", before + 2)
        assert desk.runner.session.connects == 2


def test_what_nobody_heard_while_the_process_was_away_is_a_gap() -> None:
    """Another process on the same live state: the hole between the two is recorded, and asked of nobody."""

    def with_state(market: Any) -> dict[str, Any]:
        return {"state": MemoryMarketState(market)}

    with market_desk(SPY, ports=with_state) as first:
        first.has(MarketKind.QUOTE, "SPY", 5)
        heard = first.state.read(["SPY"])["SPY"].ticker
        with second_session(SPY, first.running.port, market=first.market, client_id=13) as second:
            second.wait_for(lambda: "nobody listened" in gaps(second), lambda: str(gaps(second)))
    assert heard is not None


def test_a_half_open_link_is_noticed_by_its_silence() -> None:
    """Nothing comes and nothing fails: the time is asked, nobody answers, the link is left and made anew."""
    with market_desk(SPY, silence_after_s=0.5, connect_timeout_s=3) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 5)
        desk.running.fault("half-open link")
        desk.wait_for(lambda: TradingState.STALE in states(desk), "stale")
        desk.running.fault("clear faults")
        desk.wait_for(lambda: states(desk)[-1] is TradingState.OPEN, lambda: f"open again: {states(desk)}")
        assert any("nothing heard" in reason for reason in gaps(desk))


def test_after_1101_every_line_is_asked_for_again() -> None:
    """The gateway lost its broker and the subscriptions with it; the connection stays the same."""
    with market_desk(SPY) as desk:
        desk.has(MarketKind.DEPTH, "SPY", 2)
        lines = dict(desk.runner.session.subscribing.lines.by_number)
        desk.running.fault("lose broker")
        desk.wait_for(alerted(desk, "code_1100"), "the alert")
        desk.wait_for(lambda: states(desk)[-1] is TradingState.STALE, "stale")
        desk.running.fault("find broker data lost")
        desk.wait_for(lambda: states(desk)[-1] is TradingState.OPEN, lambda: f"open again: {states(desk)}")
        before = len(desk.rows(MarketKind.DEPTH, "SPY"))
        desk.has(MarketKind.DEPTH, "SPY", before + 2)
        now = desk.runner.session.subscribing.lines.by_number
        assert desk.runner.session.connects == 1
        assert not set(now) & set(lines), "lines have new numbers"


def test_after_1102_the_lines_go_on() -> None:
    """Subscriptions were kept: nothing is asked twice, and the hole is recorded."""
    with market_desk(SPY) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 5)
        desk.wait_for(lambda: len(desk.runner.session.subscribing.lines.by_number) >= 5, "all lines")
        lines = dict(desk.runner.session.subscribing.lines.by_number)
        desk.running.fault("lose broker")
        desk.wait_for(lambda: TradingState.STALE in states(desk), "stale")
        desk.running.fault("find broker data kept")
        desk.wait_for(lambda: states(desk)[-1] is TradingState.OPEN, lambda: f"open again: {states(desk)}")
        assert dict(desk.runner.session.subscribing.lines.by_number) == lines
        desk.wait_for(lambda: gaps(desk), "the record of the hole")


def test_crossed_quotes_stop_signals_until_they_uncross() -> None:
    """They stay as told; the state says crossed, and open again by itself."""
    with market_desk(LEVEL1) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 5)
        desk.running.fault("cross quotes")
        desk.wait_for(lambda: states(desk)[-1] is TradingState.CROSSED, lambda: f"crossed: {states(desk)}")
        desk.running.fault("clear faults")
        desk.wait_for(lambda: states(desk)[-1] is TradingState.OPEN, lambda: f"open again: {states(desk)}")


def test_a_halt_is_a_state_and_its_end_too() -> None:
    """Tick 49."""
    with market_desk(SPY) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 5)
        desk.running.fault("halt SPY")
        desk.wait_for(lambda: states(desk)[-1] is TradingState.HALTED, lambda: f"halted: {states(desk)}")
        desk.running.fault("clear faults")
        desk.wait_for(lambda: states(desk)[-1] is TradingState.OPEN, lambda: f"open again: {states(desk)}")


def test_a_halt_of_the_market_stops_its_index_too() -> None:
    """No tick says so of an index: the shares that are heard do, and their going on ends it."""

    def index_states() -> list[tuple[TradingState, str]]:
        rows = [row for row in desk.rows(MarketKind.STATE, "SPX") if isinstance(row, InstrumentState)]
        return [(row.state, row.reason) for row in rows]

    with market_desk(market_settings(SPY=symbol_settings(), SPX=symbol_settings())) as desk:
        desk.has(MarketKind.QUOTE, "SPX", 2)
        desk.has(MarketKind.QUOTE, "SPY", 2)
        desk.running.fault("halt SPY")
        halted = (TradingState.HALTED, "market-wide halt")
        desk.wait_for(lambda: index_states()[-1] == halted, lambda: f"halted: {index_states()}")
        desk.running.fault("clear faults")
        desk.wait_for(
            lambda: index_states()[-1][0] is TradingState.OPEN, lambda: f"open again: {index_states()}"
        )


def test_a_market_that_falls_silent_is_stale_on_the_board_and_for_readers_with_one_alert() -> None:
    """Connected, and nothing comes in trading hours: who goes by the symbol's state is stopped, too."""
    with market_desk(SPY) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 5)
        desk.wait_for(lambda: health(desk, "level1") is not None, "the board")
        desk.running.fault("silence market")
        desk.wait_for(lambda: health(desk, "level1").state is FeedState.STALE, "stale on the board")
        stale = [text for code, text in desk.alerts.told.items() if "feed_stale" in code]
        assert len([text for text in stale if "level1" in text and "SPY" in text]) == 1
        desk.wait_for(lambda: states(desk)[-1] is TradingState.STALE, lambda: f"stale: {states(desk)}")
        live = desk.state.read(["SPY"])["SPY"].state
        assert live is not None and live.state is TradingState.STALE
        desk.running.fault("clear faults")
        desk.wait_for(lambda: health(desk, "level1").state is FeedState.RUNNING, "running again")
        desk.wait_for(lambda: states(desk)[-1] is TradingState.OPEN, lambda: f"open again: {states(desk)}")


def test_a_book_that_is_reset_is_emptied_and_filled_again() -> None:
    """317: the record says so, and the same line tells the book anew."""
    with market_desk(SPY) as desk:
        desk.has(MarketKind.DEPTH, "SPY", 2)
        desk.running.fault("reset depth")
        desk.wait_for(lambda: gaps(desk, "depth"), "the record")
        before = len(desk.rows(MarketKind.DEPTH, "SPY"))
        desk.has(MarketKind.DEPTH, "SPY", before + 2)


def test_a_book_that_stays_crossed_is_asked_for_anew() -> None:
    """One alert and a record; another line, and a whole book on it when the fault is over."""
    with market_desk(SPY, ingest=ingest_settings(book_crossed_max_s=5)) as desk:
        desk.has(MarketKind.DEPTH, "SPY", 2)
        lines = desk.runner.session.subscribing.lines
        (first,) = (number for number, _ in lines.of_kind(LineKind.DEPTH))
        desk.running.fault("cross quotes")
        desk.wait_for(alerted(desk, "book_crossed_SPY"), "the alert")
        desk.wait_for(lambda: any("crossed" in why for why in gaps(desk, "depth")), "the record")
        desk.running.fault("clear faults")
        desk.wait_for(lambda: states(desk)[-1] is TradingState.OPEN, lambda: f"open again: {states(desk)}")
        before = len(desk.rows(MarketKind.DEPTH, "SPY"))
        desk.has(MarketKind.DEPTH, "SPY", before + 2)
        assert first not in lines.by_number
        assert len([code for code in desk.alerts.told if "book_crossed" in code]) == 1


def test_greeks_that_are_not_computed_are_none() -> None:
    """-1 and -2 are no numbers; the contracts stay in the chain."""

    def told(desk: MarketDesk, is_so: Callable[[ChainContract], bool]) -> bool:
        rows = [row for row in desk.rows(MarketKind.CHAIN, "SPY") if isinstance(row, ChainSnapshot)]
        return bool(rows) and len(rows[-1].contracts) >= 25 and all(map(is_so, rows[-1].contracts))

    with market_desk(CHAIN) as desk:
        desk.wait_for(lambda: told(desk, lambda each: each.greeks is not None), "greeks")
        desk.running.fault("withhold greeks")
        desk.wait_for(
            lambda: told(desk, lambda each: each.greeks is None and each.open_interest is not None),
            "contracts with open interest and without greeks",
        )


def test_a_farm_that_is_down_degrades_the_link_until_it_is_up() -> None:
    """2103 and 2104 name their farm."""
    with market_desk(SPY) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 5)
        desk.running.fault("notice 2103")
        desk.wait_for(lambda: desk.runner.state is LinkState.DATA_DEGRADED, "degraded")
        desk.running.fault("notice 2104")
        desk.wait_for(lambda: desk.runner.state is LinkState.READY, "ready")


def test_another_session_of_the_user_is_an_alert() -> None:
    """10197: the market data are elsewhere."""
    with market_desk(SPY) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 5)
        desk.running.fault("notice 10197")
        desk.wait_for(alerted(desk, "code_10197"), "the alert")
        assert desk.runner.state is LinkState.DATA_DEGRADED


def test_a_message_that_nobody_can_read_is_put_aside_and_alerted() -> None:
    """The feed goes on."""
    with market_desk(SPY) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 5)
        desk.running.fault("send unknown message 250")
        desk.wait_for(alerted(desk, "undecodable_250"), "the alert")
        desk.has(MarketKind.REFUSED, "IBKR")
        desk.has(MarketKind.QUOTE, "SPY", len(desk.rows(MarketKind.QUOTE, "SPY")) + 5)


def test_without_permission_delayed_data_are_asked_for_and_marked() -> None:
    """354, then 10167: the delayed types become the same quotes, and the board says delayed."""
    with market_desk(SPY, plan=plan(permission=DataPermission.DELAYED)) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 5)
        desk.wait_for(lambda: health(desk, "level1") is not None, "the board")
        desk.wait_for(lambda: "delayed" in health(desk, "level1").text, "marked")
        desk.wait_for(alerted(desk, "code_10167"), "the alert")


def test_with_no_permission_at_all_the_feed_is_broken_and_says_why() -> None:
    """354 also for delayed data: asked for again later, not in a loop."""
    with market_desk(SPY, plan=plan(permission=DataPermission.NONE)) as desk:
        desk.wait_for(
            lambda: health(desk, "level1") is not None and health(desk, "level1").state is FeedState.BROKEN,
            "broken",
        )
        assert "354" in health(desk, "level1").text
        assert desk.runner.session.subscribing.errors < 20


def test_a_login_with_fewer_lines_than_configured_is_named() -> None:
    """101: the lines that are there go on, the other one is broken on the board."""
    two = market_settings(SPY=symbol_settings(bars=False), QQQ=symbol_settings(bars=False))
    with market_desk(two, plan=plan(market_data_lines=1)) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 5)
        desk.wait_for(
            lambda: (
                health(desk, "level1", "QQQ") is not None
                and health(desk, "level1", "QQQ").state is FeedState.BROKEN
            ),
            "broken",
        )
        desk.wait_for(alerted(desk, "code_101"), "the alert")


def test_a_login_without_tick_by_tick_lines_has_its_tape_from_level_1() -> None:
    """10190: prints come as text instead."""
    with market_desk(SPY, plan=plan(tick_by_tick_lines=0)) as desk:
        desk.has(MarketKind.TRADE, "SPY", 10)
        desk.wait_for(alerted(desk, "code_10190"), "the alert")


def test_a_login_without_depth_lines_has_a_book_of_its_quote() -> None:
    """309: the live book has one level a side, and says that it is synthetic."""
    with market_desk(SPY, plan=plan(depth_lines=0)) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 5)
        desk.wait_for(alerted(desk, "code_309"), "the alert")
        desk.wait_for(lambda: desk.state.read(["SPY"])["SPY"].book is not None, "a book")
        book = desk.state.read(["SPY"])["SPY"].book
        assert book is not None and book.is_synthetic and len(book.bids) == 1


def test_a_client_id_that_is_taken_is_refused_and_alerted() -> None:
    """326."""
    with market_desk(SPY) as first:
        first.has(MarketKind.QUOTE, "SPY", 2)
        port = first.running.port
        with second_session(SPY, port) as second:
            second.wait_for(alerted(second, "code_326"), "the alert")
            assert second.runner.state in (LinkState.REFUSED, LinkState.LOST)


def test_a_clock_that_jumps_is_alerted() -> None:
    """The broker's clock an hour ahead of its pace."""

    def skew(gateway: Any) -> None:
        gateway.clock.skew = timedelta(hours=1)

    with market_desk(SPY) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 5)
        desk.running.do(skew)
        desk.wait_for(alerted(desk, "clock_skew"), "the alert")
        desk.wait_for(lambda: "ingest_clock_skew" in desk.alerts.over, "its end: both go together again")


def test_an_unknown_symbol_is_named_and_hinders_no_other() -> None:
    """200: tried as a share and as an index, then broken for the session."""
    two = market_settings(NOSUCH=symbol_settings(), SPY=symbol_settings())
    with market_desk(two) as desk:
        desk.has(MarketKind.QUOTE, "SPY", 5)
        desk.wait_for(
            lambda: (
                health(desk, "level1", "NOSUCH") is not None
                and health(desk, "level1", "NOSUCH").state is FeedState.BROKEN
            ),
            "broken",
        )
        assert any("NOSUCH" in text for text in desk.alerts.told.values())


def test_lines_beyond_the_budget_are_named_before_anything_is_asked() -> None:
    """Configured for less than is wanted: who gets nothing, and why."""
    two = market_settings(SPY=symbol_settings(depth=True), QQQ=symbol_settings(depth=True))
    with market_desk(two, ingest=ingest_settings(depth_lines=1)) as desk:
        desk.wait_for(lambda: health(desk, "depth", "QQQ") is not None, "the board")
        assert health(desk, "depth", "QQQ").state is FeedState.ABSENT
        assert "ingest.depth_lines is 1" in health(desk, "depth", "QQQ").text
        assert desk.runner.session.subscribing.lines.of_kind(LineKind.DEPTH)
