"""Accounts: positions, portfolio, values, summary, profit."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from simulation.broker.model import PositionView
from simulation.broker.questions import AccountPnl, PositionPnl
from simulation.tws.contracts import listing_of, spelled
from simulation.tws.fields import double, plain
from simulation.tws.replies import Message
from trading.model.times import NEW_YORK


@dataclass(frozen=True, slots=True, kw_only=True)
class PortfolioRow:
    """A position at its price; profits as the broker knows them."""

    position: PositionView
    price: Decimal
    value: Decimal
    unrealized: Decimal
    realized: Decimal


def position(view: PositionView) -> Message:
    """One position; a quantity of 0 says that it is gone. Only shares name an exchange, their listing's."""
    return ["61", "3", *_position_fields(view)]


def positions_end() -> Message:
    """No more positions."""
    return ["62", "1"]


def position_multi(request_id: int, view: PositionView, model: str) -> Message:
    """One position of an account asked for by request."""
    return ["71", "1", str(request_id), *_position_fields(view), model]


def positions_multi_end(request_id: int) -> Message:
    """No more positions for this request."""
    return ["72", "1", str(request_id)]


def account_value(account: str, key: str, value: str, currency: str) -> Message:
    """One account value."""
    return ["6", "2", key, value, currency, account]


def portfolio_value(row: PortfolioRow) -> Message:
    """One position at its price."""
    contract = spelled(row.position.contract)
    return [
        "7",
        "8",
        contract.conid,
        contract.symbol,
        contract.sec_type,
        contract.expiry,
        contract.strike_double,
        contract.right or "0",
        contract.multiplier,
        listing_of(row.position.contract),
        contract.currency,
        contract.local_symbol,
        contract.trading_class,
        plain(row.position.quantity),
        double(row.price),
        double(row.value),
        double(row.position.average_cost),
        double(row.unrealized),
        double(row.realized),
        row.position.account,
    ]


def account_time(now: datetime) -> Message:
    """When the account was last looked at, hours and minutes."""
    return ["8", "1", f"{now.astimezone(NEW_YORK):%H:%M}"]


def account_download_end(account: str) -> Message:
    """The account has been told whole."""
    return ["54", "1", account]


def account_update_multi(
    request_id: int, account: str, model: str, key: str, value: str, currency: str
) -> Message:
    """One account value of a request."""
    return ["73", "1", str(request_id), account, model, key, value, currency]


def account_update_multi_end(request_id: int) -> Message:
    """The account has been told whole."""
    return ["74", "1", str(request_id)]


def account_summary(request_id: int, account: str, tag: str, value: str, currency: str) -> Message:
    """One figure of the summary."""
    return ["63", "1", str(request_id), account, tag, value, currency]


def account_summary_end(request_id: int) -> Message:
    """The summary has been told whole."""
    return ["64", "1", str(request_id)]


def profit(request_id: int, pnl: AccountPnl) -> Message:
    """Profit of an account; a part the broker does not know is the double maximum."""
    return ["94", str(request_id), double(pnl.daily), double(pnl.unrealized), double(pnl.realized)]


def profit_single(request_id: int, pnl: PositionPnl) -> Message:
    """Profit of one position."""
    return [
        "95",
        str(request_id),
        plain(pnl.quantity),
        double(pnl.daily),
        double(pnl.unrealized),
        double(pnl.realized),
        double(pnl.value),
    ]


def _position_fields(view: PositionView) -> Message:
    contract = spelled(view.contract)
    return [
        view.account,
        contract.conid,
        contract.symbol,
        contract.sec_type,
        contract.expiry,
        contract.strike_double,
        contract.right,
        contract.multiplier,
        listing_of(view.contract),
        contract.currency,
        contract.local_symbol,
        contract.trading_class,
        plain(view.quantity),
        double(view.average_cost),
    ]
