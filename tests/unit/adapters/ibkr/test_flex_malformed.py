"""Broken Flex files: a broken row is refused with its reason, a broken file as a whole, nothing is lost."""

import pytest
from flex_documents import (
    ACCOUNT,
    POSITION,
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
from adapters.ibkr.flex_xml import DEPTH_MAX
from adapters.ibkr.refusal import PAYLOAD_CHARS_MAX, FlexRefusedError
from trading.model.fills import Source

TEN_MEGABYTES = "x" * 10 * 1024 * 1024

BAD_TRADES = {
    "no account": (trade(accountId=" \u200b"), "accountId"),
    "account of control signs": (trade(accountId="U\u00851"), "accountId"),
    "account far too long": (trade(accountId="U" * 65), "accountId"),
    "no quantity": (trade(quantity=""), "quantity"),
    "quantity zero": (trade(quantity="0"), "quantity"),
    "quantity NaN": (trade(quantity="NaN"), "quantity"),
    "quantity infinite": (trade(quantity="-Infinity"), "quantity"),
    "quantity 1e308": (trade(quantity="1e308"), "quantity"),
    "quantity beyond the column": (trade(quantity="1" * 27), "quantity"),
    "quantity with too many decimals": (trade(quantity="0.0000000000001"), "quantity"),
    "quantity a word": (trade(quantity="two"), "quantity"),
    "quantity hexadecimal": (trade(quantity="0x10"), "quantity"),
    "quantity with underscores": (trade(quantity="1_000"), "quantity"),
    "quantity grouped wrongly": (trade(quantity="1,00"), "quantity"),
    "quantity against the side": (trade(quantity="-2"), "quantity"),
    "sale with a positive quantity": (trade(buySell="SELL"), "quantity"),
    "no price": (trade(tradePrice=""), "price"),
    "negative price": (trade(tradePrice="-0.73"), "tradePrice"),
    "price NaN": (trade(tradePrice="nan"), "tradePrice"),
    "price 1e308": (trade(tradePrice="1e308"), "tradePrice"),
    "no time": (trade(dateTime=""), "dateTime"),
    "a date without a time": (trade(dateTime="20260717"), "dateTime"),
    "seconds since 1970": (trade(dateTime="1784304280"), "dateTime"),
    "milliseconds since 1970": (trade(dateTime="1784304280000"), "dateTime"),
    "another date order": (trade(dateTime="07/17/2026;12:04:40"), "dateTime"),
    "an unknown zone": (trade(dateTime="20260717;120440 Mars/Olympus"), "dateTime"),
    "a time that clocks skip": (trade(dateTime="20260308;023000"), "dateTime"),
    "month 13": (trade(dateTime="20261317;120440"), "dateTime"),
    "year 1026": (trade(dateTime="10260717;120440", tradeDate=""), "dateTime"),
    "trade date of words": (trade(tradeDate="yesterday"), "tradeDate"),
    "trade date beyond the calendar": (trade(tradeDate="20990717"), "tradeDate"),
    "report date broken": (trade(reportDate="2026-7-17"), "reportDate"),
    "execution id without revision": (trade(ibExecID="0001938c"), "exec_id"),
    "execution id with a word as revision": (trade(ibExecID="a.b.c.latest"), "exec_id"),
    "execution id of blanks inside": (trade(ibExecID="a. .01.01"), "exec_id"),
    "commission a word": (trade(ibCommission="free"), "ibCommission"),
    "commission NaN": (trade(ibCommission="NaN"), "ibCommission"),
    "commission 1e308": (trade(ibCommission="-1e308"), "ibCommission"),
    "commission with ten decimals": (trade(ibCommission="-0.0000000001"), "ibCommission"),
    "tax a word": (trade(taxes="some"), "taxes"),
    "no currency": (trade(currency=""), "currency"),
    "no asset category": (trade(assetCategory=""), "assetCategory"),
    "an asset we do not carry": (trade(assetCategory="BOND"), "assetCategory"),
    "strike negative": (trade(strike="-30"), "strike"),
    "no expiry and no OCC symbol": (trade(expiry="", symbol="CZR"), "expiry"),
    "no strike and no OCC symbol": (trade(strike="", symbol="CZR"), "strike"),
    "expiry no date": (trade(expiry="20260230"), "expiry"),
    "right neither call nor put": (trade(putCall="X"), "right"),
    "multiplier negative": (trade(multiplier="-100"), "multiplier"),
    "multiplier a word": (trade(multiplier="hundred"), "multiplier"),
    "conid a word": (trade(conid="abc"), "conid"),
    "level of detail unknown": (trade(levelOfDetail="GUESS"), "levelOfDetail"),
    "realized figure broken": (trade(fifoPnlRealized="1.2.3"), "fifoPnlRealized"),
    "ten megabytes of symbol": (trade(symbol=TEN_MEGABYTES), "symbol"),
    "ten megabytes of an unknown field": (trade(novelty=TEN_MEGABYTES), "novelty"),
    "no attribute at all": (row("Trade", {}), "assetCategory"),
    "a pair of three": (trade(assetCategory="CASH", symbol="EUR.USD.CHF"), "symbol"),
    "a pair in another currency": (trade(assetCategory="CASH", symbol="EUR.CHF"), "currency"),
    "a symbol OCC cannot print": (trade(symbol="TOOLONG X", underlyingSymbol="TOOLONG"), "trading_class"),
}  # fmt: skip

BAD_CONFIRMS = {
    "no id, no order and no trade": (confirm(execID="", orderID="", tradeID=""), "order_id"),
    "no price": (confirm(price=""), "price"),
    "commission a word": (confirm(commission="free"), "commission"),
    "no time": (confirm(dateTime=""), "dateTime"),
}

GOOD = trade(ibExecID="good.good.01.01", transactionID="1")


@pytest.mark.parametrize("name", BAD_TRADES)
def test_a_bad_trade_is_refused_by_name_and_the_rest_counts(name: str) -> None:
    """One refused row with field, reason and payload; the good row beside it stands; none is lost."""
    bad, field = BAD_TRADES[name]
    (told,) = parse_flex(activity(GOOD, bad), "test")
    (refused,) = told.batch.rejected
    assert (len(told.batch.fills), told.batch.total_rows) == (1, 2)
    assert refused.field == field
    assert refused.reason.startswith(f"{field}: expected")
    assert refused.is_trade_row
    assert refused.source is Source.STATEMENT
    assert len(refused.payload) <= PAYLOAD_CHARS_MAX


@pytest.mark.parametrize("name", BAD_CONFIRMS)
def test_a_bad_confirmation_is_refused_by_name(name: str) -> None:
    """As in statements; its source is the confirmation."""
    bad, field = BAD_CONFIRMS[name]
    (told,) = parse_flex(confirmations(confirm(), bad), "test")
    (refused,) = told.batch.rejected
    assert (len(told.batch.fills), refused.field, refused.source) == (1, field, Source.CONFIRMATION)


@pytest.mark.parametrize(
    "symbol",
    [
        "Ω≈ç√∫",
        "O'Brien",
        'say "hi"',
        "a<b&c>d",
        "'; drop table fills; --",
        "{x:String}",
        "\\",
        "🐍",
        "a\u202eb",
    ],
)
def test_strange_symbols_are_only_text(symbol: str) -> None:
    """Quotes, markup and other alphabets in a share's symbol are kept as they are."""
    nothing = {"strike": "", "expiry": "", "putCall": "", "multiplier": "1"}
    (told,) = parse_flex(
        activity(trade(assetCategory="STK", symbol=symbol, description=symbol, **nothing)), "test"
    )
    assert told.batch.rejected == ()
    assert told.batch.fills[0].description == symbol


BAD_FILES = {
    "nothing": b"",
    "blanks": b"  \n ",
    "not XML": b"accountId,symbol\nU1,CZR",
    "truncated in a row": activity(GOOD)[:300],
    "truncated behind a row": activity(GOOD, trade())[:-40],
    "a second root": activity(GOOD) + activity(GOOD),
    "garbage behind the end": activity(GOOD) + b"!",
    "a duplicate attribute": activity(GOOD.replace("<Trade ", '<Trade symbol="A" symbol="B" ')),
    "an unescaped sign": activity(GOOD.replace("CZR 21AUG26", "CZR & 21AUG26")),
    "an entity bomb": b'<!DOCTYPE a [<!ENTITY b "x"><!ENTITY c "&b;&b;&b;">]>' + activity(GOOD),
    "an external entity": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>' + activity(GOOD),
    "an outside DTD": b'<!DOCTYPE a SYSTEM "http://127.0.0.1/a.dtd">' + activity(GOOD),
    "an undefined entity": activity(GOOD.replace("CZR 21AUG26", "CZR &b; 21AUG26")),
    "another root": b"<Nonsense/>",
    "no statement": document(),
    "a statement without days": document(statement(section("Trades", GOOD), fromDate="")),
    "a statement with a wrong day": document(statement(section("Trades", GOOD), toDate="20260931")),
    "a statement that ends before it begins": document(statement(section("Trades", GOOD), toDate="20250101")),
    "a statement inside a statement": document(
        statement(section("Trades", statement(section("Trades", GOOD))))
    ),
    "elements without end": b"<FlexQueryResponse>" + b"<a>" * 100_000,
    "elements too deep": document(statement("<a>" * DEPTH_MAX + "</a>" * DEPTH_MAX)),
    "bytes that are no text": activity(GOOD).replace(b"CZR 21AUG26", b"\xff\xfe\xfa"),
    "an unknown encoding": b'<?xml version="1.0" encoding="klingon"?>' + activity(GOOD),
    "a NUL": activity(GOOD).replace(b"CZR 21AUG26", b"CZR\x0021AUG26"),
    "the service is busy": b"<FlexStatementResponse><Status>Warn</Status><ErrorCode>1019</ErrorCode>"
    b"<ErrorMessage>Statement generation in progress.</ErrorMessage></FlexStatementResponse>",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_broken_file_is_refused_as_a_whole(name: str) -> None:
    """The refusal names file and reason and is a row for the dead letter; no part of the file counts."""
    with pytest.raises(FlexRefusedError) as refused:
        parse_flex(BAD_FILES[name], "inbox/broken.xml")
    assert "inbox/broken.xml" in str(refused.value)
    (row_refused,) = refused.value.as_batch().rejected
    assert row_refused.reason == str(refused.value)
    assert row_refused.field == "file"


def test_the_service_says_why() -> None:
    """An answer without a statement is told with the service's own words."""
    with pytest.raises(FlexRefusedError, match=r"1019.*generation in progress"):
        parse_flex(BAD_FILES["the service is busy"], "answer")


def test_rows_outside_of_a_statement_are_refused_one_by_one() -> None:
    """Wrong nesting loses nothing: the stray trade is in the dead letter, the good one counts."""
    data = activity(GOOD).replace(b"<FlexStatement ", GOOD.encode() + b"<FlexStatement ", 1)
    (told,) = parse_flex(data, "test")
    assert (len(told.batch.fills), told.batch.total_rows) == (1, 2)
    assert "inside a FlexStatement" in told.batch.rejected[0].reason


def test_rows_in_the_wrong_section_or_within_rows_still_count() -> None:
    """A trade is a trade wherever in its statement it stands."""
    nested = GOOD.replace(" />", ">") + trade() + "</Trade>"
    data = document(
        statement(section("OpenPositions", trade(ibExecID="a.b.01.01")), section("Trades", nested))
    )
    (told,) = parse_flex(data, "test")
    assert (len(told.batch.fills), told.batch.rejected) == (3, ())


def test_an_account_that_nobody_names_loses_no_row() -> None:
    """Without an account on row and statement the row is refused."""
    data = document(statement(section("Trades", trade(accountId="")), accountId=""))
    (told,) = parse_flex(data, "test")
    assert (told.batch.fills, told.batch.rejected[0].field) == ((), "accountId")


def test_an_absurd_account_of_the_statement_is_nobodys() -> None:
    """Rows that name their account count, the others are refused; nothing is cut into another's name."""
    rows = section("Trades", trade(accountId=""), GOOD)
    (told,) = parse_flex(document(statement(rows, accountId=TEN_MEGABYTES)), "test")
    assert (told.account, len(told.batch.fills)) == (ACCOUNT, 1)
    (refused,) = told.batch.rejected
    assert (refused.account, refused.field) == ("", "accountId")


BAD_ROWS = {
    "position": ("OpenPositions", row("OpenPosition", {**POSITION, "position": "many"}), "position"),
    "position level": (
        "OpenPositions",
        row("OpenPosition", {**POSITION, "levelOfDetail": "X"}),
        "levelOfDetail",
    ),
    "cash report": (
        "CashReport",
        row("CashReportCurrency", {"currency": "USD", "startingCash": "1"}),
        "endingCash",
    ),
    "cash line": (
        "CashReport",
        row("CashReportCurrency", {"currency": "USD", "startingCash": "1", "endingCash": "1", "fees": "x"}),
        "fees",
    ),
    "cash flow": (
        "CashTransactions",
        row("CashTransaction", {"currency": "USD", "type": "Fee"}),
        "reportDate",
    ),
    "option event": ("OptionEAE", row("OptionEAE", {**POSITION, "transactionType": "Exercise"}), "quantity"),
    "corporate action": ("CorporateActions", row("CorporateAction", {**POSITION, "quantity": "1"}), "type"),
    "rate": ("ConversionRates", row("ConversionRate", {"rate": "-1"}), "rate"),
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_a_bad_row_of_another_section_is_no_trade_row(name: str) -> None:
    """It is refused by name, and the count of trade rows stays what it is."""
    place, bad, field = BAD_ROWS[name]
    bad = bad.replace('levelOfDetail="LOT"', "") if name == "option event" else bad
    (told,) = parse_flex(document(statement(section("Trades", GOOD), section(place, bad))), "test")
    (refused,) = told.batch.rejected
    assert (refused.field, refused.is_trade_row, refused.account) == (field, False, ACCOUNT)
    assert told.batch.total_rows == 1


def test_a_statement_made_at_an_unreadable_time_is_read_with_a_warning() -> None:
    """When it was made is not needed to read it."""
    (told,) = parse_flex(document(statement(section("Trades", GOOD), whenGenerated="noon")), "test")
    assert (told.generated_at, len(told.batch.fills)) == (None, 1)
    assert "whenGenerated" in told.batch.warnings[0]


def test_fewer_statements_than_announced_is_warned_about() -> None:
    """A file that was cut between statements and closed again is noticed."""
    data = activity(GOOD).replace(b'count="1"', b'count="3"')
    (told,) = parse_flex(data, "test")
    assert "announces 3 statements and has 1" in told.batch.warnings[0]


def test_millions_of_unknown_names_do_not_flood_the_warnings() -> None:
    """The list of unknown names is bounded, the rows are all kept."""
    rows = [row("Trade", {f"new{number}": "1", "quantity": "x"}) for number in range(5_000)]
    (told,) = parse_flex(activity(*rows), "test")
    assert len(told.batch.rejected) == 5_000
    assert len(told.unknown_fields) == 200
