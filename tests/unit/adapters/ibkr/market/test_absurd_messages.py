"""What no gateway should tell, message by message: put aside with what it was, and nothing else lost."""

from datetime import datetime, timedelta

import pytest
from market_wire import TEN, MarketWire

from adapters.ibkr.market.lines import LineKind
from adapters.ibkr.market.requests import MarketSend
from trading.model.market import ChainSnapshot, InstrumentState, MarketKind, RefusedRow, Trade, TradingState

T = int(TEN.timestamp())


@pytest.fixture
def wire() -> MarketWire:
    """A session in its hours."""
    return MarketWire()


def refused(wire: MarketWire) -> list[tuple[str, str]]:
    """Field and payload of what was put aside."""
    return [(row.field, row.payload) for row in wire.rows(MarketKind.REFUSED) if isinstance(row, RefusedRow)]


def test_a_number_of_thousands_of_digits_is_an_unreadable_message(wire: MarketWire) -> None:
    """The language refuses to read it, and the connection would end."""
    wire.hear(["58", "9" * 5_000, "1"], ["2", "6", "9" * 5_000, "0", "1"])
    assert wire.session.unreadable == 2
    assert [field for field, _ in refused(wire)] == ["message", "message"]


@pytest.mark.parametrize("told", ["2147483647", "0", "253402300799", "9223372036854775807", "nan"])
def test_an_absurd_time_of_the_broker_moves_no_clock(wire: MarketWire, told: str) -> None:
    """A day that no calendar knows ended the process; one that is far ahead dated all rows of the session."""
    wire.hear(["49", "1", told])
    wire.hear()
    now = wire.session.market_time()
    assert isinstance(now, datetime)
    assert abs(now - wire.clock.at) < timedelta(seconds=2)


def test_an_underlying_with_an_absurd_price_costs_no_chain(wire: MarketWire) -> None:
    """A spot that no column holds would send each of its contracts to the dead letter."""
    spy = wire.number(LineKind.LEVEL1, "SPY")
    look = wire.number(LineKind.SNAPSHOT, "SPY")
    wire.hear(["1", "6", spy, "1", "1e15", "1", "1"], ["1", "6", spy, "9", "1e308", "1", "1"])
    wire.hear(["1", "6", look, "1", "3.1", "1", "1"], seconds=15)
    assert ("STK:SPY bid", "1000000000000000.0 x 1.0") in refused(wire)
    assert {
        row.spot < 1_000 for row in wire.rows(MarketKind.CHAIN) if isinstance(row, ChainSnapshot) and row.spot
    } == {True}


def test_model_values_and_open_interest_that_cannot_be_are_put_aside(wire: MarketWire) -> None:
    """The contract keeps what stood, and the dead letter has what was told."""
    aapl = wire.number(LineKind.OPTION, "AAPL")
    good = ["21", aapl, "13", "0", "0.2", "0.5", "3.2", "0", "0.01", "0.1", "-0.05", "110"]
    wire.hear(good)
    for place, value in ((5, "7"), (8, "-5"), (9, "-1")):
        wire.hear([*good[:place], value, *good[place + 1 :]])
    wire.hear(*(["2", "6", aapl, "27", value] for value in ("-5", "1.5", "nan")))
    fields = [field.rpartition(" ")[2] for field, _ in refused(wire)]
    assert fields == ["delta", "gamma", "vega", *["open_interest"] * 3]


def test_a_book_that_is_always_wrong_is_not_asked_for_all_the_time(wire: MarketWire) -> None:
    """The second time within seconds it waits, as what was refused does: others need the messages, too."""
    before = len(wire.sent)
    for _ in range(200):
        for number, line in wire.lines().items():
            if line.kind is LineKind.DEPTH:
                wire.hear(["12", "1", number, "500", "1", "1", "1", "1"], seconds=0)
        wire.hear(seconds=0.1)
    opened = [each for each in wire.sent[before:] if each.send is MarketSend.OPEN]
    assert sum(each.content.kind is LineKind.DEPTH for each in opened) <= 2


def test_bars_and_prints_from_a_time_to_come_are_no_news(wire: MarketWire) -> None:
    """A bar of next year would make its feed look old for ever; a print of it lies in no session of ours."""
    bars, spy, aapl = (
        wire.number(kind, name)
        for kind, name in ((LineKind.BARS, "SPY"), (LineKind.PRINTS, "SPY"), (LineKind.LEVEL1, "AAPL"))
    )
    later = T + 300 * 86_400
    wire.hear(
        ["50", "1", bars, later, "110", "111", "109", "110", "10", "110", "1"],
        ["99", spy, "1", later, "110.1", "100", "0", "ARCA", ""],
        ["46", "6", aapl, "48", f"110.05;100;{later}000;100000;110.0;true"],
    )
    heard = wire.session.feeds.symbols["SPY"].count(LineKind.BARS.value)
    assert heard.newest_at is None, "a bar of no session of ours"
    wire.hear(["50", "1", bars, T + 3_600, "110", "111", "109", "110", "10", "110", "1"])
    assert heard.newest_at == wire.clock.at, "one of this session is not newer than now"
    assert [row for row in wire.rows(MarketKind.TRADE) if isinstance(row, Trade)] == []
    assert {field for field, _ in refused(wire)} == {"STK:AAPL time", "STK:SPY time"}


def test_what_nobody_knows_ends_no_halt(wire: MarketWire) -> None:
    """-1 is "not known" and NaN is nothing; only a 0 says that trading goes on."""
    spy = wire.number(LineKind.LEVEL1, "SPY")
    wire.hear(["1", "6", spy, "1", "110.01", "100", "1"], ["45", "6", spy, "49", "1"])
    for value in ("-1", "nan", "-5"):
        wire.hear(["45", "6", spy, "49", value])
    states = [row.state for row in wire.rows(MarketKind.STATE) if isinstance(row, InstrumentState)]
    assert states[-1] is TradingState.HALTED
    wire.hear(["45", "6", spy, "49", "0"])
    states = [row.state for row in wire.rows(MarketKind.STATE) if isinstance(row, InstrumentState)]
    assert states[-1] is TradingState.OPEN
