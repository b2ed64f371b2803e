"""What clients send: message id to reader, and a frozen value for each request.

A reader takes a cursor behind the message id and the server version, and must read the message to its end:
what is left over is a request of another version, which is refused rather than half understood.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from simulation.tws.fields import Cursor, MalformedRequest
from simulation.tws.place_order import read_place_order
from simulation.tws.requests import account, contracts, market, orders, session
from simulation.tws.requests.cancels import cancel_of
from simulation.tws.requests.services import service

Reader = Callable[[Cursor, int], object]

READERS: Final[Mapping[int, Reader]] = {
    1: market.market_data,
    2: cancel_of("level1", has_version=True),
    3: read_place_order,
    4: orders.cancel_order,
    5: orders.open_orders,
    6: account.account_updates,
    7: orders.executions,
    8: session.next_id,
    9: contracts.contract_details,
    10: market.market_depth,
    11: cancel_of("depth", has_version=True, more=1),
    12: session.noted,
    13: session.noted,
    14: session.noted,
    15: orders.auto_open_orders,
    16: orders.all_open_orders,
    17: session.managed_accounts,
    18: service("advisor", has_version=True, has_id=False),
    19: service("advisor", has_version=True, has_id=False),
    21: service("exercise", has_version=True),
    22: service("scanner", has_version=False),
    23: cancel_of("scanner", has_version=True),
    24: service("scanner_parameters", has_version=True, has_id=False),
    20: market.historical_data,
    25: cancel_of("history", has_version=True),
    49: session.current_time,
    50: market.real_time_bars,
    51: cancel_of("bars", has_version=True),
    52: service("fundamentals", has_version=True),
    53: session.noted,
    54: market.implied_volatility,
    55: market.option_price,
    56: session.noted,
    57: session.noted,
    58: orders.global_cancel,
    59: market.market_data_type,
    61: account.positions,
    62: account.account_summary,
    63: cancel_of("summary", has_version=True),
    64: account.cancel_positions,
    65: service("verify", has_version=True, has_id=False),
    66: session.noted,
    67: service("display_groups", has_version=True),
    68: service("group_events", has_version=True),
    69: service("group_events", has_version=True),
    70: session.noted,
    71: session.start_api,
    72: service("verify", has_version=True, has_id=False),
    73: session.noted,
    74: account.positions_multi,
    75: session.noted,
    76: account.account_updates_multi,
    77: cancel_of("updates_multi", has_version=True),
    78: contracts.chains,
    79: service("soft_dollar_tiers", has_version=False),
    80: service("family_codes", has_version=False, has_id=False),
    81: contracts.matching_symbols,
    82: market.depth_exchanges,
    83: service("smart_components", has_version=False),
    84: service("news_article", has_version=False),
    85: service("news_providers", has_version=False, has_id=False),
    86: service("historical_news", has_version=False),
    87: market.head_time,
    88: market.histogram,
    89: session.noted,
    90: session.noted,
    91: contracts.market_rule,
    92: account.profit,
    93: cancel_of("profit", has_version=False),
    94: account.profit_single,
    95: cancel_of("profit_single", has_version=False),
    96: market.historical_ticks,
    97: market.tick_by_tick,
    98: cancel_of("tick_by_tick", has_version=False),
    99: orders.completed_orders,
    100: service("corporate_events", has_version=False),
    101: session.noted,
    102: service("corporate_events", has_version=False),
    103: session.noted,
    104: service("user_info", has_version=False),
}


WITH_VERSION = frozenset(
    {"1", "2", "4", "7", "9", "10", "11", "21", "23", "25", "50", "51", "52", "54", "55", "62", "63"}
    | {"67", "68", "69", "74", "76", "77"}
)
WITHOUT_ID = frozenset(
    {"5", "6", "8", "12", "14", "15", "16", "17", "18", "19", "24", "49", "58", "59", "61", "64", "65", "71"}
    | {"72", "80", "82", "85", "91", "99"}
)


class UnknownRequest(Exception):
    """A message id no request of this gateway has."""


def read_request(fields: Sequence[str], version: int) -> object:
    """The request of one message; raises UnknownRequest or MalformedRequest."""
    cursor = Cursor(fields)
    message_id = cursor.integer("message id")
    reader = READERS.get(message_id)
    if reader is None:
        raise UnknownRequest(f"message id: expected one of {len(READERS)} known, was {message_id}")
    request = reader(cursor, version)
    cursor.end()
    return request


def request_id_of(fields: Sequence[str]) -> int:
    """The id under which a request that could not be read is best answered; -1 where none can be told."""
    place = 2 if fields and fields[0] in WITH_VERSION else 1
    if not fields or fields[0] in WITHOUT_ID:
        return -1
    text = fields[place] if len(fields) > place else ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 10 else -1


__all__ = ["READERS", "MalformedRequest", "UnknownRequest", "read_request", "request_id_of"]
