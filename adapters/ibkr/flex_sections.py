"""Rows of a statement that are no trades: positions, cash, option events, corporate actions, contracts.

One function per kind of row, each from a FlexRow to a value of `trading.model.statements`; a row that
cannot be read raises InvalidFieldError naming the attribute. Figures keep the broker's sign. Which level
of detail to add up is the reader's business: `SUMMARY` rows are kept beside `LOT` and `DETAIL` rows and
marked.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from adapters.ibkr.contracts import contract_size, flex_instrument
from adapters.ibkr.flex_rows import FlexRow
from trading.errors import InvalidFieldError
from trading.model.contract_fields import parse_conid
from trading.model.money import MONEY_PLACES
from trading.model.statements import (
    CashBalance,
    CashFlow,
    CorporateAction,
    DetailLevel,
    FxRate,
    OptionEvent,
    StatementContract,
    StatementPosition,
)

CASH_FRAME = frozenset(
    {
        "accountId",
        "acctAlias",
        "model",
        "currency",
        "levelOfDetail",
        "fromDate",
        "toDate",
        "startingCash",
        "endingCash",
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """Who a row is about and which days its statement covers, where the row itself does not say."""

    account: str
    from_date: date
    to_date: date


def read_position(row: FlexRow, told: Told) -> StatementPosition:
    """An `OpenPosition` row: a lot, or the summary of all lots of a contract."""
    instrument = flex_instrument(row)
    return StatementPosition(
        account=told.account,
        report_date=row.day("reportDate") or told.to_date,
        instrument=instrument,
        conid=parse_conid(row.text("conid")),
        level=_level(row, DetailLevel.SUMMARY),
        quantity=row.number("position"),
        multiplier=contract_size(instrument, row.text("multiplier")),
        currency=row.currency("currency"),
        mark_price=row.optional_number("markPrice"),
        cost_basis=row.money("costBasisMoney"),
        open_ts=row.moment_or_day("openDateTime"),
        originating_transaction_id=row.text("originatingTransactionID"),
        fx_rate_to_base=row.optional_number("fxRateToBase"),
        raw=row.raw,
    )


def read_cash_balance(row: FlexRow, told: Told) -> CashBalance:
    """A `CashReportCurrency` row; every figure but the two ends is a line, zero or not."""
    lines = ((name, row.money(name)) for name in row.attributes if name not in CASH_FRAME)
    return CashBalance(
        account=told.account,
        from_date=row.day("fromDate") or told.from_date,
        to_date=row.day("toDate") or told.to_date,
        currency=row.currency("currency"),
        starting=row.number("startingCash", MONEY_PLACES),
        ending=row.number("endingCash", MONEY_PLACES),
        lines=tuple((name, amount) for name, amount in lines if amount is not None),
        raw=row.raw,
    )


def read_cash_flow(row: FlexRow, told: Told) -> CashFlow:
    """A `CashTransaction` row: dividend, interest, fee, tax, deposit."""
    report_date = row.day("reportDate", "dateTime", "settleDate")
    if report_date is None:
        raise InvalidFieldError("reportDate", "a date", "")
    return CashFlow(
        account=told.account,
        report_date=report_date,
        settle_date=row.day("settleDate"),
        currency=row.currency("currency"),
        amount=row.number("amount", MONEY_PLACES),
        kind=row.required("type"),
        level=_level(row, DetailLevel.DETAIL),
        description=row.text("description"),
        transaction_id=row.text("transactionID"),
        conid=parse_conid(row.text("conid")),
        fx_rate_to_base=row.optional_number("fxRateToBase"),
        raw=row.raw,
    )


def read_option_event(row: FlexRow, told: Told) -> OptionEvent:
    """An `OptionEAE` row: expiration, exercise, assignment, or the delivery beside it."""
    event_date = row.day("date", "reportDate")
    if event_date is None:
        raise InvalidFieldError("date", "a date", "")
    instrument = flex_instrument(row)
    return OptionEvent(
        account=told.account,
        event_date=event_date,
        kind=row.required("transactionType"),
        instrument=instrument,
        conid=parse_conid(row.text("conid")),
        quantity=row.number("quantity"),
        price=row.optional_number("tradePrice") or Decimal(0),
        mark_price=row.optional_number("markPrice"),
        realized=row.money("realizedPnl"),
        trade_id=row.text("tradeID"),
        action_id=row.text("positionActionID"),
        raw=row.raw,
    )


def read_corporate_action(row: FlexRow, told: Told) -> CorporateAction:
    """A `CorporateAction` row: a split, a rename, a merger, an adjusted contract."""
    report_date = row.day("reportDate", "dateTime")
    if report_date is None:
        raise InvalidFieldError("reportDate", "a date", "")
    return CorporateAction(
        account=told.account,
        report_date=report_date,
        action_ts=row.moment_or_day("dateTime"),
        kind=row.required("type"),
        instrument=flex_instrument(row),
        conid=parse_conid(row.text("conid")),
        quantity=row.number("quantity"),
        currency=row.currency("currency"),
        proceeds=row.money("proceeds") or Decimal(0),
        description=row.text("actionDescription", "description"),
        action_id=row.text("actionID"),
        transaction_id=row.text("transactionID"),
        raw=row.raw,
    )


def read_contract(row: FlexRow, _told: Told) -> StatementContract:
    """A `SecurityInfo` row."""
    return StatementContract(
        instrument=flex_instrument(row),
        conid=parse_conid(row.text("conid")),
        description=row.text("description"),
        isin=row.text("isin"),
        listing_exchange=row.text("listingExchange"),
        raw=row.raw,
    )


def read_fx_rate(row: FlexRow, told: Told) -> FxRate:
    """A `ConversionRate` row."""
    rate = row.number("rate")
    if rate <= 0:
        raise InvalidFieldError("rate", "a positive rate", row.text("rate"))
    return FxRate(
        report_date=row.day("reportDate") or told.to_date,
        from_currency=row.currency("fromCurrency"),
        to_currency=row.currency("toCurrency"),
        rate=rate,
    )


def _level(row: FlexRow, default: DetailLevel) -> DetailLevel:
    text = row.text("levelOfDetail").upper()
    if text and text not in DetailLevel.__members__:
        raise InvalidFieldError("levelOfDetail", f"one of {', '.join(DetailLevel)}", text)
    return DetailLevel(text) if text else default
