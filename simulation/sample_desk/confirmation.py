"""The Trade Confirmation of the same evening: executions of securities, no bookings, no row numbers.

It is made before the broker cancels anything for good, so a bust stands in it as if it were good; a
corrected trade stands in it with both prints, as their fees add. Conversions are not in it: its rows cannot
say the fee's currency.
"""

from decimal import Decimal

from simulation.sample_desk import flex_attributes as names
from simulation.sample_desk.activity import style_of
from simulation.sample_desk.books import Effect
from simulation.sample_desk.contracts import plain
from simulation.sample_desk.flex_values import Row, Style, contract_columns, element, money
from simulation.sample_desk.market import Market
from simulation.sample_desk.month import Evening
from simulation.sample_desk.trades import Print, TradeKind


def confirmation_rows(evening: Evening, market: Market) -> list[Row]:
    """One row for each print of each execution."""
    style = style_of(evening, market)
    return [
        _row(effect, told, style)
        for effect in evening.effects
        if effect.trade.kind is TradeKind.EXECUTION
        for told in effect.trade.prints
    ]


def confirmation_xml(evening: Evening, market: Market, rows: list[Row]) -> str:
    """The file as the broker's web service sends it."""
    style = style_of(evening, market)
    day = style.day(evening.session)
    clock = "16:45:02" if style.dashed else "164502"
    head = {
        "accountId": evening.account.name,
        "fromDate": day,
        "toDate": day,
        "period": "Today",
        "whenGenerated": f"{day};{clock}",
    }
    return "\n".join(
        [
            '<FlexQueryResponse queryName="Desk Today" type="TCF">',
            '<FlexStatements count="1">',
            element("FlexStatement", names.FLEX_STATEMENT, head).replace(" />", ">"),
            "<TradeConfirms>",
            *(element("TradeConfirm", names.TRADE_CONFIRM, row) for row in rows),
            "</TradeConfirms>",
            "</FlexStatement>",
            "</FlexStatements>",
            "</FlexQueryResponse>",
            "",
        ]
    )


def _row(effect: Effect, told: Print, style: Style) -> Row:
    trade = effect.trade
    partial = told.quantity < trade.order.quantity
    codes = [effect.open_close, "P" if partial else ""]
    return {
        **contract_columns(trade.contract, style),
        "accountId": trade.account,
        "transactionType": "ExchTrade",
        "tradeID": str(trade.trade_id),
        "orderID": str(trade.order.perm_id),
        "execID": told.exec_id,
        "dateTime": style.moment(trade.executed_at),
        "tradeDate": style.day(trade.session),
        "buySell": "BUY" if trade.side > 0 else "SELL",
        "quantity": plain(trade.side * told.quantity),
        "price": plain(told.price),
        "commission": money(Decimal(0) - told.fee),
        "code": ";".join(code for code in codes if code),
        "levelOfDetail": "EXECUTION",
    }
