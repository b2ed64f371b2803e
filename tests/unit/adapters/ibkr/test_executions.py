"""Live executions and commission reports: recorded ones, identity with statements, repeats, combinations."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from flex_documents import activity, commission, execution, export, trade

from adapters.ibkr.executions import parse_executions
from adapters.ibkr.flex import parse_flex
from trading.model.fills import FillBatch, FillRevision, Side, Source
from trading.model.instruments import CurrencyPair, Equity, Future, Option

LONDON = ZoneInfo("Europe/London")


def batch(*messages: list[str]) -> FillBatch:
    told = parse_executions(export(*messages), "test")
    assert told.rejected == ()
    return told


def fill(**changes: str) -> FillRevision:
    (only,) = batch(execution(**changes)).fills
    return only


def test_recorded_messages_are_two_fills_and_one_fee(shared_data: Path) -> None:
    """Of 22 recorded messages two are executions and one is a commission; the others are passed over."""
    data = (shared_data / "ibkr-wire" / "messages.jsonl").read_bytes()
    told = parse_executions(data, "messages.jsonl", LONDON)
    assert (len(told.fills), len(told.commissions), told.rejected) == (2, 1, ())
    apple, tesla = told.fills
    assert (apple.fill_id, apple.revision, apple.exec_id) == (
        "0000e0d5.67fe667b.01",
        1,
        "0000e0d5.67fe667b.01.01",
    )
    assert apple.fill_ts == datetime(2025, 4, 15, 18, 38, 31, tzinfo=UTC)  # 19:38:31 British Summer Time
    assert (apple.side, apple.quantity, apple.price) == (Side.BUY, 100, Decimal("201.94"))
    assert (apple.instrument, apple.conid) == (Equity(symbol="AAPL", conid=265598), 265598)
    assert (apple.perm_id, apple.order_id, apple.exchange) == ("600745656", "5", "IEX")
    (fee,) = told.commissions
    assert (fee.commission_key, fee.fill_id) == (tesla.exec_id, tesla.fill_id)
    assert (fee.amount, fee.currency, fee.account) == (1, "USD", "DU1234567")
    assert "realizedPNL" not in fee.raw  # unset: the largest double says nothing


def test_one_fill_live_and_in_the_statement() -> None:
    """Same fill id, contract, time, session, fee key and sign, so that the statement replaces it."""
    live = batch(execution(), commission())
    (statement,) = parse_flex(activity(trade()), "test")
    ours, theirs = live.fills[0], statement.batch.fills[0]
    assert (ours.fill_id, ours.revision, ours.exec_id) == (theirs.fill_id, theirs.revision, theirs.exec_id)
    assert (ours.instrument, ours.conid) == (theirs.instrument, theirs.conid)
    assert (ours.fill_ts, ours.session, ours.trade_date) == (
        theirs.fill_ts,
        theirs.session,
        theirs.trade_date,
    )
    assert (ours.side, ours.quantity, ours.price, ours.multiplier) == (
        theirs.side,
        theirs.quantity,
        theirs.price,
        theirs.multiplier,
    )
    mine, booked = live.commissions[0], statement.batch.commissions[0]
    assert (mine.commission_key, mine.fill_id, mine.amount) == (
        booked.commission_key,
        booked.fill_id,
        booked.amount,
    )


def test_a_repeat_says_the_same_whatever_request_it_answers() -> None:
    """The content hash of a re-sent or re-read execution differs only by who told it."""
    live, again = fill(), fill()
    first, second = fill(reqId="7"), fill(reqId="8")
    assert live.content_hash == again.content_hash
    assert first.content_hash == second.content_hash
    assert (live.source, first.source) == (Source.LIVE, Source.SAME_DAY)
    assert live.raw == first.raw


def test_a_correction_is_the_next_revision() -> None:
    """Only the digits behind the last dot differ."""
    first, second = batch(execution(), execution(execId="0001938c.6a59af42.01.02", shares="1")).fills
    assert first.fill_id == second.fill_id
    assert (first.revision, second.revision) == (1, 2)


def test_only_the_legs_of_a_combination_are_fills() -> None:
    """The combination and its commission are passed over, with a word about it."""
    told = batch(
        execution(secType="BAG", execId="a.b.01.01", price="-0.35"),
        commission(execId="a.b.01.01"),
        execution(execId="a.b.02.01"),
        execution(execId="a.b.03.01", side="SLD"),
    )
    assert [fill.fill_id for fill in told.fills] == ["a.b.02", "a.b.03"]
    assert told.commissions == ()
    assert told.warnings == ("combinations passed over, since their legs are the fills: 1",)


def test_a_fee_may_come_before_its_fill_and_twice() -> None:
    """Messages have no order; the fee is joined by execution id within the file."""
    told = batch(commission(), execution(), commission())
    assert [fee.account for fee in told.commissions] == ["U1234567"] * 2
    assert told.commissions[0] == told.commissions[1]


def test_a_fee_without_its_fill_belongs_to_the_only_account_of_the_login() -> None:
    """With one managed account there is no doubt; with two the report is refused, and it is no trade row."""
    assert batch(["15", "1", "U7"], commission()).commissions[0].account == "U7"
    doubtful = parse_executions(export(["15", "1", "U7,U8"], commission()), "test")
    (refused,) = doubtful.rejected
    assert (doubtful.commissions, refused.field, refused.is_trade_row) == ((), "execId", False)


def test_a_rebate_stays_a_rebate() -> None:
    """The API's commission is positive when paid, as ours."""
    assert batch(execution(), commission(commission="-0.25")).commissions[0].amount == Decimal("-0.25")


def test_a_price_still_to_be_revised_is_provisional() -> None:
    """Newer servers say so in one more field."""
    assert not fill().provisional
    assert not fill(pendingPriceRevision="0").provisional
    assert fill(pendingPriceRevision="1").provisional


def test_orders_placed_by_hand_are_named_by_their_permanent_id() -> None:
    """0 and the largest integer are no order ids."""
    by_hand = fill(orderId="2147483647")
    assert (by_hand.order_id, by_hand.perm_id) == ("", "1376327563")
    assert fill(orderId="0").order_id == fill(orderId="-4").order_id == ""


def test_an_evening_fill_belongs_to_the_next_trade_date() -> None:
    """From 20:15 New York on the global session is the next day's; a Friday's evening is the Monday's."""
    assert fill(time="20260716 20:14:59").trade_date == date(2026, 7, 16)
    assert fill(time="20260716 20:15:00").trade_date == date(2026, 7, 17)
    late = fill(time="20260717 21:00:00")
    assert late.trade_date == late.session == date(2026, 7, 20)


def test_every_kind_of_contract_is_read() -> None:
    """Index options by class, futures by exchange, conversions by pair, put and call in both spellings."""
    index = fill(
        symbol="SPX", tradingClass="SPXW", localSymbol="SPXW  260821P06000000", right="PUT", strike="6000.0"
    ).instrument
    assert isinstance(index, Option)
    assert index.instrument_id == "OPT:SPXW  260821P06000000"
    future = fill(
        secType="FUT", symbol="ES", localSymbol="ESU6", exchange="CME", multiplier="50", strike="0.0",
        right="?", expiry="20260918",
    ).instrument  # fmt: skip
    assert isinstance(future, Future)
    assert future.instrument_id == "FUT:CME:ESU6"
    pair = fill(
        secType="CASH", symbol="EUR", localSymbol="EUR.CHF", currency="CHF", multiplier="", strike="0.0",
        right="", expiry="",
    ).instrument  # fmt: skip
    assert pair == CurrencyPair(base="EUR", quote="CHF")


def test_blank_lines_and_windows_line_ends_are_no_rows() -> None:
    """They count neither as read nor as refused."""
    data = export(execution()).replace(b"\n", b"\r\n") + b"\r\n\n"
    told = parse_executions(b"\xef\xbb\xbf" + data, "test")
    assert (told.total_rows, told.rejected) == (1, ())
