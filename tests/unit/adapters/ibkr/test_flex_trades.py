"""Trade rows one by one: identity, kinds, sides, fees, contracts, sessions, levels of detail, accounts."""

from datetime import date
from decimal import Decimal

import pytest
from flex_documents import (
    CONVERSION,
    TRADE,
    activity,
    confirm,
    confirmations,
    document,
    row,
    section,
    statement,
    trade,
)

from adapters.ibkr.flex import parse_flex
from trading.model.fills import FillBatch, FillKind, FillRevision, Side
from trading.model.instruments import CurrencyPair, Equity, Future, Option


def batch(data: bytes) -> FillBatch:
    (told,) = parse_flex(data, "test")
    assert told.batch.rejected == ()
    return told.batch


def fill(data: bytes) -> FillRevision:
    (only,) = batch(data).fills
    return only


def test_a_confirmation_and_a_statement_name_one_fill() -> None:
    """Same fill id, revision and commission key from both queries."""
    confirmed, booked = batch(confirmations(confirm())), batch(activity(trade()))
    assert confirmed.fills[0].fill_id == booked.fills[0].fill_id == "0001938c.6a59af42.01"
    assert confirmed.fills[0].revision == booked.fills[0].revision == 1
    assert confirmed.commissions[0].commission_key == booked.commissions[0].commission_key
    assert confirmed.commissions[0].amount == booked.commissions[0].amount == Decimal("1.3666")
    assert confirmed.fills[0].instrument == booked.fills[0].instrument


def test_a_rebate_stays_a_rebate() -> None:
    """A positive Flex commission is money received: negative here."""
    assert batch(activity(trade(ibCommission="0.25"))).commissions[0].amount == Decimal("-0.25")


def test_a_tax_is_a_fee_of_its_own() -> None:
    """It stands beside the commission under its own key, in the trade's currency."""
    commission, tax = batch(activity(trade(taxes="-0.07", ibCommissionCurrency="CHF"))).commissions
    assert (commission.currency, tax.currency) == ("CHF", "USD")
    assert (tax.commission_key, tax.amount) == ("0001938c.6a59af42.01.01#tax", Decimal("0.07"))
    assert tax.fill_id == commission.fill_id


def test_a_cancel_has_an_id_of_its_own_and_names_the_trade() -> None:
    """It never replaces the fill that it cancels, even where it carries its execution id."""
    told = fill(
        activity(
            trade(
                transactionType="TradeCancel",
                quantity="-2",
                buySell="BUY (Ca.)",
                notes="Ca",
                tradeID="",
                origTradeID="1786699376",
                transactionID="77",
            )
        )
    )
    assert (told.fill_id, told.kind, told.cancels_trade_id) == ("flex:77", FillKind.CANCEL, "1786699376")
    assert (told.side, told.quantity) == (Side.SELL, 2)


def test_the_type_decides_before_the_code() -> None:
    """An execution that carries the code of a cancel is one; without a type the code decides."""
    assert fill(activity(trade(notes="Ca"))).kind is FillKind.TRADE
    assert fill(activity(trade(notes="P;Ca", transactionType="", origTradeID="5"))).kind is FillKind.CANCEL


def test_a_cancel_that_names_no_trade_is_warned_about() -> None:
    """It cancels nothing, and a person should know."""
    told = batch(activity(trade(transactionType="TradeCancel", quantity="-2", tradeID="", origTradeID="0")))
    assert told.fills[0].cancels_trade_id == ""
    assert "names no trade" in told.warnings[0]


def test_confirmation_cancels_without_any_id_are_told_apart() -> None:
    """Two equal rows get two ids that depend on the rows, not on their order."""
    cancel = {"transactionType": "TradeCancel", "quantity": "-2", "execID": "", "code": "Ca"}
    first = confirm(**cancel, exchange="CBOE")
    second = confirm(**cancel, exchange="EDGX")
    forward = {told.exchange: told.fill_id for told in batch(confirmations(first, second)).fills}
    backward = {told.exchange: told.fill_id for told in batch(confirmations(second, first)).fills}
    assert forward == backward
    assert len(set(forward.values())) == 2
    fees = batch(confirmations(first, second)).commissions
    assert {fee.commission_key for fee in fees} == set(forward.values()) == {fee.fill_id for fee in fees}


def test_an_execution_without_execution_id_is_named_by_its_row() -> None:
    """A statement row has at least its transaction id."""
    told = fill(activity(trade(ibExecID="")))
    assert (told.fill_id, told.revision, told.kind) == ("flex:10651107881", 0, FillKind.TRADE)


def test_every_revision_has_its_number() -> None:
    """The last dotted part is a number, not text: 10 comes after 9."""
    revisions = [
        fill(activity(trade(ibExecID=f"a.b.01.{part}"))).revision for part in ("01", "09", "10", "0")
    ]
    assert revisions == [1, 9, 10, 0]


@pytest.mark.parametrize("kind", ["BookTrade", "FracShare"])
def test_bookings_may_be_free(kind: str) -> None:
    """An expiry is booked at a price of zero without an execution."""
    told = fill(activity(trade(transactionType=kind, tradePrice="0", ibExecID="", notes="Ep")))
    assert (told.kind, told.price, told.notes) == (FillKind.BOOKING, 0, ("Ep",))


def test_orders_closed_lots_and_summaries_are_no_executions() -> None:
    """They say the same again and count nowhere."""
    told = batch(
        activity(
            trade(),
            trade(levelOfDetail="ORDER", ibExecID=""),
            trade(levelOfDetail="CLOSED_LOT", ibExecID=""),
            row("Order", {**TRADE, "levelOfDetail": "ORDER"}),
            row("Lot", {**TRADE, "levelOfDetail": "CLOSED_LOT"}),
            row("SymbolSummary", {**TRADE, "levelOfDetail": "SYMBOL_SUMMARY"}),
            row("AssetSummary", {**TRADE, "levelOfDetail": "ASSET_SUMMARY"}),
            row("WashSale", {**TRADE, "levelOfDetail": "WASH_SALE"}),
        )
    )
    assert (len(told.fills), told.total_rows) == (1, 1)


def test_a_statement_of_orders_only_claims_nothing_about_trades() -> None:
    """With the level of detail left out of the query, no interval is covered and a warning says so."""
    told = batch(activity(trade(levelOfDetail="ORDER")))
    assert (told.fills, told.coverage) == ((), ())
    assert "trades stay unknown" in told.warnings[0]


def test_an_empty_section_says_none_and_a_missing_one_says_nothing() -> None:
    """Only a section that is there covers the days."""
    assert len(batch(document(statement(section("Trades")))).coverage) == 1
    assert batch(document(statement(section("CashReport")))).coverage == ()


def test_coverage_goes_from_cut_off_to_cut_off() -> None:
    """A statement's day ends at 20:20 New York."""
    (interval,) = batch(activity(trade())).coverage
    assert (interval.start.isoformat(), interval.end.isoformat()) == (
        "2025-09-26T00:20:00+00:00",
        "2026-09-26T00:20:00+00:00",
    )


def test_a_conversion_moves_cash_on_both_sides() -> None:
    """EUR.CHF bought: 244 EUR come, 225.7 CHF go; the commission is in CHF."""
    told = batch(activity(row("Trade", CONVERSION)))
    conversion = told.fills[0]
    assert conversion.instrument == CurrencyPair(base="EUR", quote="CHF")
    assert (conversion.signed_quantity, conversion.currency) == (244, "CHF")
    assert conversion.broker_net_cash == Decimal("-225.7")
    assert (told.commissions[0].currency, told.commissions[0].amount) == ("CHF", Decimal("1.58564"))


def test_a_conversion_on_a_holiday_belongs_to_the_next_session() -> None:
    """Thanksgiving is no session: the trade date stays, the session is the Friday."""
    told = fill(
        activity(row("Trade", {**CONVERSION, "dateTime": "20251126;220027", "tradeDate": "20251127"}))
    )
    assert (told.trade_date, told.session) == (date(2025, 11, 27), date(2025, 11, 28))


def test_without_a_trade_date_the_time_gives_it() -> None:
    """20:30 in New York is the next day's global session."""
    told = fill(activity(trade(tradeDate="", dateTime="20260716;203000")))
    assert told.trade_date == told.session == date(2026, 7, 17)


def test_contracts_are_one_whoever_names_them() -> None:
    """The venue of an execution is no part of the contract."""
    one, other = fill(activity(trade(exchange="CBOE"))), fill(activity(trade(exchange="EDGX")))
    assert one.instrument == other.instrument
    assert (one.exchange, other.exchange) == ("CBOE", "EDGX")


def test_index_options_keep_their_class() -> None:
    """SPXW is a class on SPX."""
    told = fill(
        activity(trade(symbol="SPXW  260821P06000000", underlyingSymbol="SPX", strike="6000", putCall="P"))
    )
    assert isinstance(told.instrument, Option)
    assert (told.instrument.symbol, told.instrument.trading_class) == ("SPX", "SPXW")
    assert told.instrument.instrument_id == "OPT:SPXW  260821P06000000"


def test_what_the_attributes_leave_out_the_symbol_gives() -> None:
    """A query without strike, expiry, right and underlying still names the series."""
    short = fill(activity(trade(strike="", expiry="", putCall="", underlyingSymbol="")))
    assert short.instrument == fill(activity(trade())).instrument


def test_a_symbol_that_contradicts_its_attributes_is_warned_about() -> None:
    """The attributes count, in every section alike; the symbol is only a label."""
    told = batch(activity(trade(expiry="20270820", strike="31")))
    assert told.fills[0].instrument.instrument_id == "OPT:CZR   270820C00031000"
    (warning,) = told.warnings
    assert "'CZR   260821C00030000' is not that of its attributes" in warning


def test_an_option_dated_by_its_last_trading_day_is_named_by_its_expiry() -> None:
    """AM-settled: the broker's Thursday and the symbol's Friday are one series, and no contradiction."""
    index = {"symbol": "SPX   260821C06000000", "underlyingSymbol": "SPX", "strike": "6000"}
    told = batch(activity(trade(**index, expiry="20260820")))
    assert told.fills[0].instrument.instrument_id == "OPT:SPX   260821C06000000"
    assert told.warnings == ()


def test_shares_and_futures_are_carried() -> None:
    """Assigned shares by conid, futures by exchange and local symbol."""
    nothing = {"strike": "", "expiry": "", "putCall": ""}
    share = fill(
        activity(trade(assetCategory="STK", symbol="BRK B", underlyingSymbol="", multiplier="1", **nothing))
    )
    assert share.instrument == Equity(symbol="BRK B", conid=893396239)
    future = fill(
        activity(
            trade(
                assetCategory="FUT",
                symbol="ESU6",
                underlyingSymbol="ES",
                multiplier="50",
                listingExchange="CME",
                expiry="20260918",
                strike="",
                putCall="",
                tradePrice="-37.63",
            )
        )
    )
    assert isinstance(future.instrument, Future)
    assert (future.instrument.instrument_id, future.price) == ("FUT:CME:ESU6", Decimal("-37.63"))


def test_options_on_futures_keep_their_class_apart() -> None:
    """EW2U6 C5400 and ESU6 C5400 are different series."""
    names = [
        fill(
            activity(
                trade(
                    assetCategory="FOP", symbol=symbol, underlyingSymbol="ES", strike="5400", multiplier="50"
                )
            )
        )
        for symbol in ("EW2U6 C5400", "ESU6 C5400")
    ]
    assert len({told.instrument.instrument_id for told in names}) == 2


def test_unknown_attributes_are_kept_and_warned_about_once() -> None:
    """A field that the broker adds tomorrow is in raw; the row counts."""
    told = batch(activity(trade(brandNew="x"), trade(brandNew="y", ibExecID="a.b.01.01", transactionID="2")))
    assert len(told.fills) == 2
    assert '"brandNew":"x"' in told.fills[0].raw
    assert told.warnings == ("Trade.brandNew is not known; kept in raw (2 times)",)


def test_unknown_sections_are_kept_as_they_came() -> None:
    """Their rows are no values of ours, and not lost."""
    data = document(statement(section("Trades", trade()), section("Novelties", row("Novelty", {"a": "1"}))))
    (told,) = parse_flex(data, "test")
    assert [(kept.section, kept.tag, kept.raw) for kept in told.other_rows] == [
        ("Novelties", "Novelty", '{"a":"1"}')
    ]
    assert told.unknown_fields == ("Novelties",)


def test_an_unknown_transaction_type_is_an_execution_with_a_warning() -> None:
    """A trade is not lost because the broker found a new word."""
    told = batch(activity(trade(transactionType="MoonTrade")))
    assert told.fills[0].kind is FillKind.TRADE
    assert "MoonTrade" in told.warnings[0]


def test_raw_is_canonical() -> None:
    """The order of attributes is no part of a row: the same row in another order is a repeat."""
    turned = row("Trade", dict(reversed(TRADE.items())))
    assert fill(activity(turned)).content_hash == fill(activity(trade())).content_hash


def test_many_statements_and_accounts_in_one_file() -> None:
    """Each FlexStatement is a statement; rows of another account inside one get a statement of their own."""
    first = statement(section("Trades", trade(accountId="U1"), trade(accountId="U2")), accountId="U1")
    second = statement(section("Trades", trade(accountId="U3")), accountId="U3")
    told = parse_flex(document(first, second), "test")
    assert [(one.account, len(one.batch.fills)) for one in told] == [("U1", 1), ("U2", 1), ("U3", 1)]
    assert {fill.account for one in told for fill in one.batch.fills} == {"U1", "U2", "U3"}


def test_one_execution_on_two_booked_rows_is_warned_about() -> None:
    """Their fees share a key, so one would hide the other."""
    told = batch(activity(trade(), trade(transactionID="99")))
    assert "0001938c.6a59af42.01.01 stands on rows" in told.warnings[0]
