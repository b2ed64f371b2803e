"""Trade rows: Activity's `Trade` and Confirmation's `TradeConfirm`, one row to one fill and its fees.

Two dialects of one thing: `ibExecID`, `ibOrderID`, `tradePrice`, `ibCommission`, `notes` there are
`execID`, `orderID`, `price`, `commission`, `code` here. Signs are turned at this edge: Flex writes a cost
negative, the house positive.

Identity: the execution id without its last part, which is the revision; a cancel and a row without
execution id are ``flex:`` and the transaction id; a row with neither is left unnamed here and named by
`flex` over the whole answer. A cancel never takes the id of what it cancels: it would replace the fill
instead of ending it.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from adapters.ibkr.contracts import contract_size, flex_instrument
from adapters.ibkr.flex_rows import FlexRow
from trading.calendar import session_on_or_after, trade_date_of
from trading.errors import InvalidFieldError
from trading.model.fills import CommissionFact, FillKind, FillRevision, Side, Source, Venue
from trading.model.ids import split_ibkr_execution_id
from trading.model.instruments import CurrencyPair, Instrument

EXECUTION_LEVELS = frozenset({"", "EXECUTION"})
OTHER_LEVELS = frozenset({"ORDER", "CLOSED_LOT", "SYMBOL_SUMMARY", "ASSET_SUMMARY", "WASH_SALE"})
UNNAMED = "unnamed"  # stands in for the id until the whole answer is known
FLEX_PREFIX = "flex:"
TAX_SUFFIX = "#tax"
CANCELLED_CODE, CANCELLED_SIDE = "Ca", "(Ca.)"

KINDS = {
    "ExchTrade": FillKind.TRADE,
    "DvpTrade": FillKind.TRADE,
    "TradeCorrect": FillKind.TRADE,
    "BookTrade": FillKind.BOOKING,
    "FracShare": FillKind.BOOKING,
    "TradeCancel": FillKind.CANCEL,
    "FracShareCancel": FillKind.CANCEL,
}


@dataclass(frozen=True, slots=True)
class TradeReading:
    """What one trade row says."""

    fill: FillRevision
    fees: tuple[CommissionFact, ...]


def is_execution(row: FlexRow) -> bool:
    """Whether a trade row is an execution: orders, closed lots and summaries say the same again."""
    level = row.text("levelOfDetail")
    if level not in EXECUTION_LEVELS and level not in OTHER_LEVELS:
        expected = f"EXECUTION or one of {', '.join(sorted(OTHER_LEVELS))}"
        raise InvalidFieldError("levelOfDetail", expected, level)
    return level in EXECUTION_LEVELS


def trade_kind(row: FlexRow, notes: tuple[str, ...]) -> FillKind:
    """Execution, booking or cancel; an unknown transaction type counts as an execution.

    The codes decide only where the type does not: a trade that was cancelled later may carry the code, too.
    """
    if CANCELLED_SIDE in row.text("buySell"):
        return FillKind.CANCEL
    told = KINDS.get(row.text("transactionType"))
    return told or (FillKind.CANCEL if CANCELLED_CODE in notes else FillKind.TRADE)


def read_trade(row: FlexRow, account: str, source: Source) -> TradeReading:
    """Read one execution, booking or cancel; raises InvalidFieldError naming the attribute."""
    notes = tuple(code.strip() for code in row.text("notes", "code").split(";") if code.strip())
    kind = trade_kind(row, notes)
    instrument = flex_instrument(row)
    exec_id = row.text("ibExecID", "execID")
    fill_id, revision, fee_key = _identity(kind, exec_id, row.text("transactionID"))
    trade_date, session = _days(row)
    quantity = row.number("quantity")
    fill = FillRevision(
        venue=Venue.IBKR,
        account=account,
        fill_id=fill_id,
        revision=revision,
        source=source,
        kind=kind,
        instrument=instrument,
        conid=getattr(instrument, "conid", None) or _conid(row),
        side=_side(row, quantity, kind),
        quantity=abs(quantity),
        price=_price(row, instrument),
        multiplier=contract_size(instrument, row.text("multiplier")),
        currency=row.currency("currency"),
        fill_ts=row.execution_moment(),
        trade_date=trade_date,
        report_date=row.day("reportDate"),
        session=session,
        exec_id=exec_id,
        order_id=row.text("ibOrderID", "orderID"),
        order_ref=row.text("orderReference"),
        trade_id=row.text("tradeID"),
        transaction_id=row.text("transactionID"),
        cancels_trade_id=_cancelled_trade(row) if kind is FillKind.CANCEL else "",
        action_id=row.text("positionActionID"),
        exchange=row.text("exchange"),
        description=row.text("description"),
        open_close=_open_close(row, notes),
        notes=notes,
        broker_realized=row.money("fifoPnlRealized"),
        broker_cost=row.money("cost"),
        broker_net_cash=_net_cash(row, instrument),
        fx_rate_to_base=row.optional_number("fxRateToBase"),
        raw=row.raw,
    )
    return TradeReading(fill, _fees(row, fill, fee_key))


def _identity(kind: FillKind, exec_id: str, transaction_id: str) -> tuple[str, int, str]:
    by_row = FLEX_PREFIX + transaction_id if transaction_id else UNNAMED
    if kind is FillKind.CANCEL or not exec_id:
        return by_row, 0, by_row
    fill_id, revision = split_ibkr_execution_id(exec_id)
    return fill_id, revision, exec_id


def _conid(row: FlexRow) -> int | None:
    text = row.text("conid")
    return int(text) if text.isascii() and text.isdigit() else None


def _days(row: FlexRow) -> tuple[date, date]:
    trade_date = row.day("tradeDate") or trade_date_of(Venue.IBKR, row.execution_moment())
    try:
        return trade_date, session_on_or_after(trade_date)
    except InvalidFieldError as cause:
        raise InvalidFieldError("tradeDate", cause.expected, trade_date) from cause


def _side(row: FlexRow, quantity: Decimal, kind: FillKind) -> Side:
    """The sign says the side; the word must agree, but on a cancel it names the side of what is cancelled."""
    if quantity == 0:
        raise InvalidFieldError("quantity", "a quantity other than zero", row.text("quantity"))
    side = Side.BUY if quantity > 0 else Side.SELL
    word = row.text("buySell").split(" ")[0].upper()
    if kind is not FillKind.CANCEL and word not in ("", side):
        raise InvalidFieldError("quantity", f"the sign of {word}", row.text("quantity"))
    return side


def _price(row: FlexRow, instrument: Instrument) -> Decimal:
    name = "tradePrice" if row.text("tradePrice") else "price"
    price = row.number(name)
    if (
        price < 0 and instrument.asset_class != "future"
    ):  # futures have traded below zero, nothing else here can
        raise InvalidFieldError(name, "a price of zero or more", row.text(name))
    return price


def _cancelled_trade(row: FlexRow) -> str:
    original = row.text("origTradeID")
    return original if original not in ("", "0") else row.text("tradeID")


def cancels_nothing(fill: FillRevision) -> str:
    """A sentence where a cancel does not say which trade it cancels, else an empty text."""
    if fill.kind is not FillKind.CANCEL or fill.cancels_trade_id:
        return ""
    return f"cancel {fill.transaction_id or fill.order_id} names no trade (origTradeID): it cancels nothing"


def _open_close(row: FlexRow, notes: tuple[str, ...]) -> str:
    told = row.text("openCloseIndicator")
    return told or next((code for code in notes if code in ("O", "C")), "")


def _net_cash(row: FlexRow, instrument: Instrument) -> Decimal | None:
    """Money of the row; a conversion's `netCash` is 0, its `proceeds` are what the quote side moved."""
    return row.money("proceeds" if isinstance(instrument, CurrencyPair) else "netCash")


def _fees(row: FlexRow, fill: FillRevision, key: str) -> tuple[CommissionFact, ...]:
    commission_name = "ibCommission" if row.text("ibCommission") else "commission"
    tax_name = "taxes" if row.text("taxes") else "tax"
    commission, tax = row.money(commission_name), row.money(tax_name)
    facts = []
    if commission is not None:
        currency = row.currency("ibCommissionCurrency", "commissionCurrency", "currency")
        facts.append(_fee(fill, key, commission, currency, commission_name))
    if tax:
        facts.append(_fee(fill, key + TAX_SUFFIX, tax, fill.currency, tax_name))
    return tuple(facts)


def _fee(fill: FillRevision, key: str, told: Decimal, currency: str, attribute: str) -> CommissionFact:
    return CommissionFact(
        venue=fill.venue,
        account=fill.account,
        commission_key=key,
        fill_id=fill.fill_id,
        source=fill.source,
        amount=Decimal(0) - told,
        currency=currency,
        session=fill.session,
        raw=f'{{"{attribute}":"{told}"}}',
    )
