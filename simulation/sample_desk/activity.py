"""The Activity statement of one account and session, made over night: the book of record."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from simulation.sample_desk import flex_attributes as names
from simulation.sample_desk.activity_trades import trade_rows
from simulation.sample_desk.books import Lot
from simulation.sample_desk.cash_report import cash_report_rows
from simulation.sample_desk.contracts import Contract, plain
from simulation.sample_desk.flex_values import Row, Style, contract_columns, element, money
from simulation.sample_desk.market import Market
from simulation.sample_desk.month import Evening
from simulation.sample_desk.trades import CashEvent, Trade, TradeKind

EVENT_WORDS = {
    TradeKind.EXPIRATION: "Expiration",
    TradeKind.EXERCISE: "Exercise",
    TradeKind.ASSIGNMENT: "Assignment",
    TradeKind.CASH_EXERCISE: "Exercise",
    TradeKind.CASH_ASSIGNMENT: "Assignment",
}
UNIT_PLACES = Decimal("0.000000001")
ROWS = {
    "AccountInformation": names.ACCOUNT_INFORMATION,
    "CashReportCurrency": names.CASH_REPORT,
    "OpenPosition": names.OPEN_POSITION,
    "Trade": names.TRADE,
    "OptionEAE": names.OPTION_EAE,
    "CashTransaction": names.CASH_TRANSACTION,
    "SecurityInfo": names.SECURITY_INFO,
}
SECTION_ROWS = {
    "CashReport": "CashReportCurrency",
    "OpenPositions": "OpenPosition",
    "Trades": "Trade",
    "OptionEAE": "OptionEAE",
    "CashTransactions": "CashTransaction",
    "SecuritiesInfo": "SecurityInfo",
}


@dataclass(slots=True)
class ActivityStatement:
    """Rows by section; still open to change, because breaks are planted in them before they are printed."""

    head: Row
    generated_again: str
    information: Row
    sections: dict[str, list[Row]] = field(default_factory=dict)

    @property
    def trades(self) -> list[Row]:
        """The Trade rows."""
        return self.sections["Trades"]

    @property
    def positions(self) -> list[Row]:
        """The OpenPosition rows, LOT and SUMMARY."""
        return self.sections["OpenPositions"]

    @property
    def cash(self) -> list[Row]:
        """The CashReportCurrency rows."""
        return self.sections["CashReport"]

    def xml(self, *, made_again: bool = False) -> str:
        """The file as the broker's web service sends it; made again it differs in its time only."""
        lines = ['<FlexQueryResponse queryName="Desk Activity" type="AF">', '<FlexStatements count="1">']
        head = {**self.head, "whenGenerated": self.generated_again} if made_again else self.head
        told = element("FlexStatement", names.FLEX_STATEMENT, head)
        lines += [
            told.replace(" />", ">"),
            element("AccountInformation", ROWS["AccountInformation"], self.information),
        ]
        for section in _sections():
            lines += self._section(section)
        return "\n".join([*lines, "</FlexStatement>", "</FlexStatements>", "</FlexQueryResponse>", ""])

    def _section(self, section: str) -> list[str]:
        rows = self.sections.get(section, [])
        if not rows:
            return [f"<{section} />"]
        tag = SECTION_ROWS[section]
        return [f"<{section}>", *(element(tag, ROWS[tag], row) for row in rows), f"</{section}>"]


def activity_statement(evening: Evening, market: Market) -> ActivityStatement:
    """What the broker says about one account and session the next morning."""
    style = style_of(evening, market)
    made_at = evening.session + timedelta(days=1)
    day = style.day(evening.session)
    account = evening.account
    made, again = ("04:12:31", "05:40:02") if style.dashed else ("041231", "054002")
    head = {
        "accountId": account.name,
        "fromDate": day,
        "toDate": day,
        "period": "LastBusinessDay",
        "whenGenerated": f"{style.day(made_at)};{made}",
    }
    return ActivityStatement(
        head=head,
        generated_again=f"{style.day(made_at)};{again}",
        information={
            "accountId": account.name,
            "currency": account.base_currency,
            "name": "Sample Desk",
            "accountType": "Individual",
            "customerType": "Individual",
            "accountCapabilities": "Margin",
            "tradingPermissions": "Stocks,Options,Forex",
            "ibEntity": "IBLLC-US",
        },
        sections={
            "CashReport": cash_report_rows(evening, style),
            "OpenPositions": _position_rows(evening, market, style),
            "Trades": _trade_rows(evening, market, style),
            "OptionEAE": list(_option_event_rows(evening, market, style)),
            "CashTransactions": list(_cash_rows(evening.events, style)),
            "SecuritiesInfo": [
                _security_row(item, style) for item in evening.contracts.values() if item.asset != "CASH"
            ],
        },
    )


def style_of(evening: Evening, market: Market) -> Style:
    """How this account's statements are written on this session."""
    return Style(
        dashed=evening.account.dashed_times,
        base_currency=evening.account.base_currency,
        euro=market.euro[evening.session],
    )


def _sections() -> tuple[str, ...]:
    """The real year's order without AccountInformation, with the option events after the trades."""
    sections = [name for name in names.ACTIVITY_SECTIONS if name != "AccountInformation"]
    sections.insert(sections.index("Trades") + 1, "OptionEAE")
    return tuple(sections)


def mark_of(contract: Contract, evening: Evening, market: Market) -> Decimal:
    """The closing mark; 0 for what has expired this session or has none."""
    if contract.asset == "CASH" or contract.expiry == evening.session:
        return Decimal(0)
    return market.mark(contract, evening.session)


def _trade_rows(evening: Evening, market: Market, style: Style) -> list[Row]:
    rows = []
    for effect in evening.effects:
        told = trade_rows(effect, style, mark_of(effect.trade.contract, evening, market))
        rows += [
            {**row, "openCloseIndicator": row.get("openCloseIndicator", effect.open_close)} for row in told
        ]
    return sorted(rows, key=lambda row: (row["assetCategory"], row["symbol"], int(row["transactionID"])))


def _position_rows(evening: Evening, market: Market, style: Style) -> list[Row]:
    rows = []
    for contract in evening.contracts.values():
        lots = [lot for lot in evening.lots if lot.trade.contract.conid == contract.conid]
        if not lots:
            continue
        mark = mark_of(contract, evening, market)
        base = {
            **contract_columns(contract, style),
            "accountId": evening.account.name,
            "fxRateToBase": plain(style.rate(contract.currency)),
            "reportDate": style.day(evening.session),
            "markPrice": plain(mark),
        }
        rows.append({**base, **_position_figures(contract, lots, mark), "levelOfDetail": "SUMMARY"})
        rows += [
            {**base, **_position_figures(contract, [lot], mark), **_lot_columns(lot, style)} for lot in lots
        ]
    return rows


def _position_figures(contract: Contract, lots: list[Lot], mark: Decimal) -> Row:
    quantity = sum((lot.quantity for lot in lots), Decimal(0))
    basis = -sum((lot.cash for lot in lots), Decimal(0))
    value = quantity * mark * contract.multiplier
    unit = (basis / (quantity * contract.multiplier)).quantize(UNIT_PLACES)
    return {
        "position": plain(quantity),
        "positionValue": money(value),
        "openPrice": plain(unit),
        "costBasisPrice": plain(unit),
        "costBasisMoney": money(basis),
        "fifoPnlUnrealized": money(value - basis),
        "side": "Long" if quantity > 0 else "Short",
    }


def _lot_columns(lot: Lot, style: Style) -> Row:
    opened = style.moment(lot.opened_at)
    booked = lot.trade.kind.is_booking
    return {
        "levelOfDetail": "LOT",
        "openDateTime": opened,
        "holdingPeriodDateTime": opened,
        "code": "ST",
        "originatingOrderID": str(lot.transaction_id if booked else lot.trade.order.perm_id),
        "originatingTransactionID": str(lot.transaction_id),
    }


def _option_event_rows(evening: Evening, market: Market, style: Style) -> Iterable[Row]:
    for effect in evening.effects:
        trade = effect.trade
        if not trade.kind.is_booking:
            continue
        yield {
            **contract_columns(trade.contract, style),
            "accountId": trade.account,
            "date": style.day(trade.session),
            "transactionType": _event_word(trade),
            "quantity": plain(trade.signed_quantity),
            "tradePrice": plain(trade.last.price),
            "markPrice": plain(mark_of(trade.contract, evening, market)),
            "realizedPnl": money(effect.realized),
            "tradeID": str(trade.trade_id),
        }


def _event_word(trade: Trade) -> str:
    return EVENT_WORDS.get(trade.kind, "Buy" if trade.side > 0 else "Sell")


def _cash_rows(events: Iterable[CashEvent], style: Style) -> Iterable[Row]:
    """Each event twice, as DETAIL and in the broker's nameless SUMMARY: never to be added up."""
    for event in events:
        named = contract_columns(event.contract, style) if event.contract else {"multiplier": "0"}
        day = style.day(event.session)
        row = {
            **named,
            "currency": event.currency,
            "fxRateToBase": plain(style.rate(event.currency)),
            "description": event.description,
            "settleDate": day,
            "amount": plain(event.amount),
            "type": event.kind,
            "reportDate": day,
            "exDate": day if event.contract else "",
            "actionID": str(event.action_id or ""),
            "fineness": "0.0",
            "weight": "0.0",
        }
        late = f"{day};20:20:00" if style.dashed else f"{day};202000"
        yield {**row, "accountId": "-", "acctAlias": "-", "dateTime": day, "levelOfDetail": "SUMMARY"}
        number = str(event.transaction_id)
        detail = {
            "accountId": event.account,
            "dateTime": late,
            "transactionID": number,
            "levelOfDetail": "DETAIL",
        }
        yield {**row, **detail}


def _security_row(contract: Contract, style: Style) -> Row:
    row = contract_columns(contract, style)
    if contract.asset != "OPT":
        return row
    index = contract.settles_in_cash
    policy = "Cash Settlement" if index else "Delivery"
    return {**row, "underlyingCategory": "IND" if index else "STK", "settlementPolicyMethod": policy}
