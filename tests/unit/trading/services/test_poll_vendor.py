"""Polling a vendor over real HTTP: what comes is published, what fails costs only itself."""

from vendor_desk import SYMBOL, vendor_desk

from trading.model.market import MarketKind
from trading.ports.feed_health import FeedState


def test_a_chain_is_in_the_live_market_and_on_its_way_to_the_warehouse() -> None:
    """One poll publishes the whole chain, dated by the market's clock."""
    with vendor_desk() as desk:
        assert desk.step() == ["chain AAPL"]
        chain = desk.market.symbols[SYMBOL].chain
        assert chain is not None
        assert [contract.option.strike for contract in chain.contracts] == [240, 250, 260]
        assert chain.at == desk.now.market
        assert desk.rows(MarketKind.CHAIN) == [chain]
        (health,) = desk.poller.health(desk.now)
        assert (health.state, health.rows, health.newest_at) == (FeedState.RUNNING, 3, desk.now.market)
