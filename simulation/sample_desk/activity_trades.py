"""Trade rows of the Activity statement: executions, cancels, bookings, with the broker's own figures.

A corrected trade has three rows: the first print, its cancel (no execution id, pointing back by
origTradeID), and the second print under the next revision. Their quantities, money, costs and realized
figures add up to what stands.
"""

from decimal import Decimal

from simulation.sample_desk.books import Effect
from simulation.sample_desk.contracts import plain
from simulation.sample_desk.flex_values import Row, Style, contract_columns, money
from simulation.sample_desk.trades import BOOKING_NOTES, Cancel, Print, Trade, TradeKind

CONSTANTS: Row = {
    "taxes": "0",
    "origTradePrice": "0",
    "origOrderID": "0",
    "origTransactionID": "0",
    "exchOrderId": "N/A",
    "levelOfDetail": "EXECUTION",
    "changeInPrice": "0",
    "changeInQuantity": "0",
    "accruedInt": "0",
}


def trade_rows(effect: Effect, style: Style, close_price: Decimal) -> list[Row]:
    """All rows of one trade, in the order in which they were booked."""
    trade = effect.trade
    rows: list[tuple[int, Row]] = []
    for place, row in enumerate(trade.prints):
        stands = place == len(trade.prints) - 1 and not trade.busted
        figures = _standing_figures(effect) if stands else _taken_back_figures(effect, row)
        rows.append((row.transaction_id, _print_row(trade, row, style, figures)))
    for place, cancel in enumerate(trade.cancels):
        figures = _taken_back_figures(effect, trade.prints[place])
        rows.append((cancel.transaction_id, _cancel_row(trade, trade.prints[place], cancel, style, figures)))
    rows.sort(key=lambda item: item[0])
    return [{**row, "closePrice": plain(close_price)} for _, row in rows]


def _standing_figures(effect: Effect) -> tuple[Decimal, Decimal]:
    """Cost and realized of the print that stands, so that all rows together give the trade's."""
    trade, cost = effect.trade, effect.cost
    if trade.corrected and not effect.closed:
        for row, cancel in zip(trade.prints, trade.cancels, strict=False):
            cost -= _returned(trade, row, cancel) - _net(trade, row)
    return cost, effect.realized


def _taken_back_figures(effect: Effect, row: Print) -> tuple[Decimal, Decimal]:
    """Cost and realized of a print that did not last; its cancel carries them with the other sign."""
    if not effect.closed:
        return -_net(effect.trade, row), Decimal(0)
    return effect.cost, effect.realized - (effect.net_cash - _net(effect.trade, row))


def _proceeds(trade: Trade, row: Print) -> Decimal:
    return -trade.side * row.quantity * row.price * trade.contract.multiplier


def _net(trade: Trade, row: Print) -> Decimal:
    return _proceeds(trade, row) - row.fee


def _returned(trade: Trade, row: Print, cancel: Cancel) -> Decimal:
    return _proceeds(trade, row) + cancel.fee


def _print_row(trade: Trade, row: Print, style: Style, figures: tuple[Decimal, Decimal]) -> Row:
    cost, realized = figures
    proceeds = _proceeds(trade, row)
    converts = trade.kind is TradeKind.CONVERSION
    return {
        **_base_columns(trade, style),
        "tradeID": str(trade.trade_id),
        "transactionType": "BookTrade" if trade.kind.is_booking else "ExchTrade",
        "quantity": plain(trade.side * row.quantity),
        "tradePrice": plain(row.price),
        "tradeMoney": money(-proceeds),
        "proceeds": money(proceeds),
        "ibCommission": money(-row.fee),
        "netCash": "0" if converts else money(proceeds - row.fee),
        "cost": "0" if converts else money(cost),
        "fifoPnlRealized": money(realized),
        "notes": _notes(trade, row),
        "buySell": "BUY" if trade.side > 0 else "SELL",
        "ibOrderID": str(row.transaction_id if trade.kind.is_booking else trade.order.perm_id),
        "transactionID": str(row.transaction_id),
        "ibExecID": row.exec_id,
    }


def _cancel_row(
    trade: Trade, row: Print, cancel: Cancel, style: Style, figures: tuple[Decimal, Decimal]
) -> Row:
    cost, realized = figures
    proceeds = -_proceeds(trade, row)
    opening = not realized and cost == -_net(trade, row)
    return {
        **_base_columns(trade, style),
        "openCloseIndicator": "",
        "transactionType": "TradeCancel",
        "quantity": plain(-trade.side * row.quantity),
        "tradePrice": plain(row.price),
        "tradeMoney": money(-proceeds),
        "proceeds": money(proceeds),
        "ibCommission": money(-cancel.fee),
        "netCash": money(proceeds - cancel.fee),
        "cost": money(cancel.fee - proceeds if opening else -cost),
        "fifoPnlRealized": money(-realized),
        "notes": "Ca",
        "buySell": "BUY (Ca.)" if trade.side > 0 else "SELL (Ca.)",
        "ibOrderID": str(trade.order.perm_id),
        "transactionID": str(cancel.transaction_id),
        "origTradeID": str(trade.trade_id),
    }


def _base_columns(trade: Trade, style: Style) -> Row:
    """What every row of a trade says alike."""
    session = style.day(trade.session)
    row = {
        **CONSTANTS,
        **contract_columns(trade.contract, style),
        "accountId": trade.account,
        "fxRateToBase": plain(style.rate(trade.contract.currency)),
        "reportDate": session,
        "dateTime": style.moment(trade.executed_at),
        "tradeDate": session,
        "settleDateTarget": session,
        "exchange": trade.exchange,
        "ibCommissionCurrency": trade.fee_currency,
        "mtmPnl": "0",
        "orderReference": trade.order.reference,
        "isAPIOrder": "Y" if trade.order.client_id else "N",
        "positionActionID": str(trade.action_id or ""),
    }
    if trade.kind.is_booking:
        return {**row, "extExecID": "N/A", "isAPIOrder": "N"}
    order_type = "MKT" if trade.kind is TradeKind.CONVERSION else "LMT"
    return {**row, "orderTime": style.moment(trade.order.placed_at), "orderType": order_type}


def _notes(trade: Trade, row: Print) -> str:
    if trade.kind.is_booking:
        return BOOKING_NOTES[trade.kind]
    return "P" if row.quantity < trade.order.quantity else ""
