"""The statement's cash report: by currency, what it began with, what came and went, what it ended with."""

from collections import defaultdict
from decimal import Decimal

from simulation.sample_desk.flex_attributes import CASH_REPORT_LINES
from simulation.sample_desk.flex_values import Row, Style, money
from simulation.sample_desk.month import Evening
from simulation.sample_desk.trades import CashEvent, TradeKind

EVENT_LINES = {
    "Dividends": "dividends",
    "Withholding Tax": "withholdingTax",
    "Broker Interest Received": "brokerInterest",
    "Broker Interest Paid": "brokerInterest",
    "Other Fees": "otherFees",
}
Lines = dict[str, Decimal]


def cash_report_rows(evening: Evening, style: Style) -> list[Row]:
    """BASE_SUMMARY first, then one row for each currency."""
    by_currency = currency_lines(evening)
    rows = [
        _row(evening, style, currency, "Currency", by_currency[currency]) for currency in sorted(by_currency)
    ]
    summary = _base_summary(style, by_currency)
    return [_row(evening, style, "BASE_SUMMARY", "BaseCurrency", summary), *rows]


def currency_lines(evening: Evening) -> dict[str, Lines]:
    """The report's items by currency; they add up from starting to ending cash."""
    lines: dict[str, Lines] = defaultdict(lambda: defaultdict(Decimal))
    for effect in evening.effects:
        trade = effect.trade
        _add_proceeds(lines[trade.contract.currency], effect.proceeds)
        if trade.kind is TradeKind.CONVERSION:
            _add_proceeds(lines[trade.contract.symbol.partition(".")[0]], trade.signed_quantity)
        lines[trade.fee_currency]["commissions"] -= trade.fee
    for event in evening.events:
        _add_event(lines[event.currency], event)
    for currency, ending in evening.ending_cash.items():
        told = lines[currency]
        told["startingCash"] = evening.starting_cash.get(currency, Decimal(0))
        for name in ("endingCash", "endingSettledCash", "slbNetCash", "slbNetSettledCash"):
            told[name] = ending
    return dict(lines)


def _add_proceeds(lines: Lines, amount: Decimal) -> None:
    lines["netTradesSales" if amount > 0 else "netTradesPurchases"] += amount


def _add_event(lines: Lines, event: CashEvent) -> None:
    if event.kind == "Deposits/Withdrawals":
        lines["depositWithdrawals"] += event.amount
        lines["deposits" if event.amount > 0 else "withdrawals"] += event.amount
    else:
        lines[EVENT_LINES[event.kind]] += event.amount


def _base_summary(style: Style, by_currency: dict[str, Lines]) -> Lines:
    total: Lines = defaultdict(Decimal)
    for currency, lines in by_currency.items():
        for name, amount in lines.items():
            total[name] += amount * style.rate(currency)
    return total


def _row(evening: Evening, style: Style, currency: str, level: str, lines: Lines) -> Row:
    day = style.day(evening.session)
    row = {
        "accountId": evening.account.name,
        "currency": currency,
        "levelOfDetail": level,
        "fromDate": day,
        "toDate": day,
    }
    for name in CASH_REPORT_LINES:
        row[name] = row[f"{name}Sec"] = money(lines.get(name, Decimal(0)))
        row[f"{name}Com"] = "0"
    return row
