"""What the gateway does with each request: a table from the request's type to its handler.

A handler validates as a real gateway does (and answers with its error codes), asks the broker, and sends or
subscribes. It does no matching and spells no message.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from simulation.tws.client import Client
from simulation.tws.handlers import account, contracts, history, market, orders, past_ticks, services, session
from simulation.tws.notices import text_of
from simulation.tws.place_order import PlaceOrder
from simulation.tws.replies.session import NO_REQUEST
from simulation.tws.requests import account as ask_account
from simulation.tws.requests import contracts as ask_contracts
from simulation.tws.requests import market as ask_market
from simulation.tws.requests import orders as ask_orders
from simulation.tws.requests import services as ask_services
from simulation.tws.requests import session as ask_session
from simulation.tws.state import GatewayState

Handler = Callable[[GatewayState, Client, Any], None]

HANDLERS: Final[Mapping[type, Handler]] = {
    ask_session.NextId: session.next_id,
    ask_session.ManagedAccounts: session.managed_accounts,
    ask_session.CurrentTime: session.current_time,
    ask_session.Noted: session.noted,
    ask_contracts.ContractDetails: contracts.details,
    ask_contracts.Chains: contracts.chains,
    ask_contracts.MatchingSymbols: contracts.matching_symbols,
    ask_contracts.MarketRule: contracts.market_rule,
    PlaceOrder: orders.place,
    ask_orders.CancelOrder: orders.cancel,
    ask_orders.GlobalCancel: orders.global_cancel,
    ask_orders.OpenOrders: orders.open_orders,
    ask_orders.AllOpenOrders: orders.all_open_orders,
    ask_orders.AutoOpenOrders: orders.auto_open_orders,
    ask_orders.CompletedOrders: orders.completed_orders,
    ask_orders.Executions: orders.executions,
    ask_account.Positions: account.positions,
    ask_account.CancelPositions: account.cancel_positions,
    ask_account.PositionsMulti: account.positions_multi,
    ask_account.AccountUpdates: account.account_updates,
    ask_account.AccountUpdatesMulti: account.account_updates_multi,
    ask_account.AccountSummary: account.account_summary,
    ask_account.Profit: account.profit,
    ask_account.ProfitSingle: account.profit_single,
    ask_account.CancelSubscription: session.cancel_subscription,
    ask_market.MarketData: market.market_data,
    ask_market.MarketDataType: market.market_data_type,
    ask_market.MarketDepth: market.market_depth,
    ask_market.DepthExchanges: market.depth_exchanges,
    ask_market.TickByTick: market.tick_by_tick,
    ask_market.Calculation: market.calculation,
    ask_market.RealTimeBars: history.real_time_bars,
    ask_market.HistoricalData: history.historical_data,
    ask_market.HistoricalTicks: past_ticks.historical_ticks,
    ask_market.Histogram: history.histogram,
    ask_market.HeadTime: history.head_time,
    ask_services.Service: services.service,
}


REFUSED_READ_ONLY: Final = (PlaceOrder, ask_orders.CancelOrder, ask_orders.GlobalCancel)
FAILING_TEXT: Final = "Server error when processing an API client request."
READ_ONLY_TEXT: Final = "The API interface is currently in Read-Only mode."


def handle(state: GatewayState, client: Client, request: object) -> None:
    """Do what a request asks, of the world as it is now."""
    state.look_anew()
    request_id = getattr(request, "request_id", getattr(request, "order_id", NO_REQUEST))
    if state.options.read_only and isinstance(request, REFUSED_READ_ONLY):
        client.error(request_id, 321, text_of(321, request="cC", reason=READ_ONLY_TEXT))
        return
    code = state.faults.failing_requests.get(type(request).__name__)
    if code is not None:
        client.error(request_id, code, FAILING_TEXT)
        return
    HANDLERS[type(request)](state, client, request)


__all__ = ["HANDLERS", "handle"]
