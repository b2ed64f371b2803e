"""Broken execution messages: each is refused with its reason and the good ones beside it count."""

import json

import pytest
from flex_documents import commission, execution, export

from adapters.ibkr.executions import parse_executions
from adapters.ibkr.message_lines import LINE_BYTES_MAX
from adapters.ibkr.refusal import PAYLOAD_CHARS_MAX
from trading.model.fills import Source

GOOD = export(execution(execId="good.good.01.01"))
TEN_MEGABYTES = "x" * 10 * 1024 * 1024

BAD_EXECUTIONS = {
    "no execution id": (execution(execId=""), "exec_id"),
    "execution id without revision": (execution(execId="0001938c"), "exec_id"),
    "execution id with a word as revision": (execution(execId="a.b.c.latest"), "exec_id"),
    "execution id with an empty part": (execution(execId="a..01.01"), "exec_id"),
    "no time": (execution(time=""), "time"),
    "a date without a time": (execution(time="20260717"), "time"),
    "seconds since 1970": (execution(time="1784304280"), "time"),
    "milliseconds since 1970": (execution(time="1784304280000"), "time"),
    "an unknown zone": (execution(time="20260717 12:04:40 Mars/Olympus"), "time"),
    "a zone of three words": (execution(time="20260717 12:04:40 British Summer Time"), "time"),
    "a time that clocks skip": (execution(time="20260308 02:30:00"), "time"),
    "month 13": (execution(time="20261317 12:04:40"), "time"),
    "the year 1026": (execution(time="10260717 12:04:40"), "time"),
    "a day beyond the calendar": (execution(time="20990717 12:04:40"), "time"),
    "no account": (execution(account=""), "account"),
    "an account of control signs": (execution(account="U\u00851"), "account"),
    "an account far too long": (execution(account="U" * 65), "account"),
    "no side": (execution(side=""), "side"),
    "an unknown side": (execution(side="BUY"), "side"),
    "no shares": (execution(shares=""), "shares"),
    "shares zero": (execution(shares="0"), "shares"),
    "negative shares": (execution(shares="-2"), "shares"),
    "shares NaN": (execution(shares="NaN"), "shares"),
    "shares infinite": (execution(shares="Infinity"), "shares"),
    "shares 1e308": (execution(shares="1e308"), "shares"),
    "shares unset": (execution(shares="1.7976931348623157E308"), "shares"),
    "no price": (execution(price=""), "price"),
    "negative price": (execution(price="-0.73"), "price"),
    "price NaN": (execution(price="nan"), "price"),
    "price 1e308": (execution(price="1e308"), "price"),
    "price a word": (execution(price="market"), "price"),
    "price with too many decimals": (execution(price="0.1234567890123"), "price"),
    "no contract kind": (execution(secType=""), "assetCategory"),
    "a contract that we do not carry": (execution(secType="BOND"), "assetCategory"),
    "a conid of letters": (execution(conId="abc"), "conid"),
    "a negative conid": (execution(conId="-5"), "conid"),
    "no strike": (execution(strike="", localSymbol=""), "strike"),
    "strike NaN": (execution(strike="nan"), "strike"),
    "a strike of another contract": (execution(strike="31.0"), "localSymbol"),
    "no expiry": (execution(expiry="", localSymbol=""), "expiry"),
    "an expiry that is no date": (execution(expiry="20260230"), "expiry"),
    "a right of neither kind": (execution(right="X"), "right"),
    "a negative multiplier": (execution(multiplier="-100"), "multiplier"),
    "no currency": (execution(currency=""), "currency"),
    "one field too few": (execution()[:-1], "fields"),
    "two fields too many": ([*execution(), "", "", ""], "fields"),
    "a flag of neither kind": (execution(pendingPriceRevision="maybe"), "pendingPriceRevision"),
    "half a character": (execution(orderRef="\ud83d"), "orderRef"),
    "a NUL": (execution(symbol="CZ\x00R"), "symbol"),
    "a very long field": (execution(orderRef="x" * 40_000), "orderRef"),
}

BAD_LINES = {
    "no JSON": b"11,-1,5,265598",
    "truncated": GOOD[:120],
    "a list": b'["11", "-1"]',
    "a number": b"11",
    "no fields": b'{"group": "a"}',
    "fields empty": b'{"fields": []}',
    "fields a text": b'{"fields": "11"}',
    "fields of numbers": b'{"fields": [11, -1, 5]}',
    "fields with null": b'{"fields": ["11", null]}',
    "nested fields": b'{"fields": [["11"]]}',
    "keys twice": b'{"fields": ["11"], "fields": ["59"]}',
    "NaN": b'{"fields": ["11"], "seq": NaN}',
    "an integer of thousands of digits": b'{"fields": ["11"], "seq": ' + b"9" * 5_000 + b"}",
    "deeply nested": b"[" * 100_000,
    "deeply nested objects": b'{"a":' * 100_000,
    "not UTF-8": b'{"fields": ["11", "\xff\xfe"]}',
    "ten megabytes": json.dumps({"fields": ["11", TEN_MEGABYTES]}).encode(),
    "too many fields": json.dumps({"fields": ["11"] * 10_001}).encode(),
}

BAD_COMMISSIONS = {
    "no id": (commission(execId=""), "exec_id"),
    "no amount": (commission(commission=""), "commission"),
    "amount unset": (commission(commission="1.7976931348623157E308"), "commission"),
    "amount NaN": (commission(commission="NaN"), "commission"),
    "amount 1e308": (commission(commission="1e308"), "commission"),
    "amount a word": (commission(commission="free"), "commission"),
    "no currency": (commission(currency=""), "currency"),
    "one field too few": (commission()[:-1], "fields"),
    "of an execution nobody told": (commission(execId="other.id.01.01"), "execId"),
}


@pytest.mark.parametrize("name", BAD_EXECUTIONS)
def test_a_bad_execution_is_refused_by_name_and_the_rest_counts(name: str) -> None:
    """One refused row with field and reason; the good row beside it stands; none is lost."""
    message, field = BAD_EXECUTIONS[name]
    told = parse_executions(GOOD + export(message), "test")
    (refused,) = told.rejected
    assert (len(told.fills), told.total_rows) == (1, 2)
    assert (refused.field, refused.is_trade_row, refused.source) == (field, True, Source.LIVE)
    assert len(refused.payload) <= PAYLOAD_CHARS_MAX
    refused.payload.encode()


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_line_that_is_no_message_is_refused_with_its_number(name: str) -> None:
    """It may have been a trade, so it counts as one."""
    told = parse_executions(GOOD + BAD_LINES[name] + b"\n", "test")
    (refused,) = told.rejected
    assert (len(told.fills), told.total_rows) == (1, 2)
    assert refused.reason.startswith("line 2: ")
    assert len(refused.payload) <= PAYLOAD_CHARS_MAX < LINE_BYTES_MAX


@pytest.mark.parametrize("name", BAD_COMMISSIONS)
def test_a_bad_commission_leaves_its_fill_alone(name: str) -> None:
    """The report is refused by name, the fill stands without a fee, and no trade row is counted."""
    message, field = BAD_COMMISSIONS[name]
    told = parse_executions(export(execution(), message), "test")
    (refused,) = told.rejected
    assert (len(told.fills), told.commissions, told.total_rows) == (1, (), 1)
    assert (refused.field, refused.is_trade_row) == (field, False)


@pytest.mark.parametrize("symbol", ["Ω≈ç√∫", "O'Brien", 'say "hi"', "'; drop table fills; --", "\\", "🐍"])
def test_strange_symbols_are_only_text(symbol: str) -> None:
    """Quotes and other alphabets in a share's symbol are kept as they are."""
    share = execution(
        secType="STK", symbol=symbol, localSymbol=symbol, multiplier="", strike="0.0", right="", expiry=""
    )
    told = parse_executions(export(share), "test")
    assert (len(told.fills), told.rejected) == (1, ())
    assert json.loads(told.fills[0].raw)["symbol"] == symbol


def test_a_bad_unset_profit_does_not_cost_the_fee() -> None:
    """The realized figure of the API is never used, so nothing about it refuses a commission."""
    told = parse_executions(export(execution(), commission(realizedPNL="NaN")), "test")
    assert (len(told.commissions), told.rejected) == (1, ())
