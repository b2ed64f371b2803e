"""Minutes that nobody heard whole are asked of history: once for each hole, within the broker's rules."""

from datetime import date, datetime, timedelta

import pytest
from driven_market import DrivenMarket
from ingest_desk import market_settings, symbol_settings

from adapters.ibkr.market.heard import HistoryBar
from adapters.ibkr.market.lines import LineKind
from adapters.ibkr.market.refilling import AT_ONCE_MAX, TRIES_MAX
from adapters.ibkr.market.request_pacing import HISTORY_MAX
from adapters.ibkr.market.requests import SENDERS, MarketSend
from adapters.ibkr.session.pacing import Request
from trading.calendar import session_open
from trading.model.market import Bar, BarOrigin, MarketKind

SESSION = date(2026, 11, 13)
OPENS = session_open(SESSION)
ONE = market_settings(SPY=symbol_settings())


def minute(number: int) -> datetime:
    """The beginning of a minute of the session."""
    return OPENS + timedelta(minutes=number)


def hear(desk: DrivenMarket, minutes: int = 1) -> None:
    """Whole minutes of all lines that are open; begin at a full minute."""
    for _ in range(12 * minutes):
        at = desk.broker_at
        desk.move(5)
        for number, _line in desk.session.subscribing.lines.of_kind(LineKind.BARS):
            prices = (500.0, 501.0, 499.0, 500.5)
            desk.session.bar(number, int(at.timestamp()), prices, 10, 500, 1)
        desk.flush()


def be_deaf(desk: DrivenMarket, minutes: int) -> None:
    """Minutes in which no bar comes."""
    for _ in range(minutes):
        desk.move(60)
        desk.flush()


def asked(desk: DrivenMarket) -> list[Request]:
    """The questions to history."""
    return desk.asked(MarketSend.HISTORY)


def spans(desk: DrivenMarket) -> list[tuple[datetime, datetime]]:
    """What was asked for."""
    return [(each.content.since, each.content.until) for each in asked(desk)]


def answer(desk: DrivenMarket, request: Request, *, more: int = 0) -> None:
    """Minutes of the tape, and some before them that nobody asked for."""
    first = request.content.since - timedelta(minutes=more)
    count = (request.content.until - first) // timedelta(minutes=1)
    for place in range(count):
        at = first + timedelta(minutes=place)
        heard = HistoryBar(int(at.timestamp()), (600.0, 601.0, 599.0, 600.5), 777, 600, 70)
        desk.session.history_bar(request.number, heard)
    desk.session.history_end(request.number)
    desk.flush()


def refilled(desk: DrivenMarket) -> list[Bar]:
    """Minutes of history that were told."""
    return [bar for bar in desk.rows(MarketKind.BAR) if bar.origin is BarOrigin.REFILLED]


def records(desk: DrivenMarket, field: str) -> list[str]:
    """Records of one kind about minutes."""
    rows = desk.rows(MarketKind.REFUSED)
    return [f"{row.reason} {row.payload}" for row in rows if (row.feed, row.field) == ("bars", field)]


def heard_then_deaf(desk: DrivenMarket) -> None:
    """From the opening: three minutes heard, four not, two heard, and some time."""
    desk.connect()
    hear(desk, 3)
    be_deaf(desk, 4)
    hear(desk, 2)


@pytest.fixture
def desk() -> DrivenMarket:
    """A session from the opening on, with a hole of four minutes."""
    made = DrivenMarket(ONE, begins_at=OPENS)
    heard_then_deaf(made)
    return made


def test_a_hole_is_asked_for_once_and_its_minutes_are_told(desk: DrivenMarket) -> None:
    """One question for its four minutes; told with their key, marked; the records say what became of it."""
    assert spans(desk) == [(minute(3), minute(7))]
    (request,) = asked(desk)
    assert request.content.contract.symbol == "SPY"
    answer(desk, request, more=2)
    assert [bar.at for bar in refilled(desk)] == [minute(each) for each in (3, 4, 5, 6)]
    assert refilled(desk)[0].volume == 777
    (hole,), (became,) = records(desk, "gap"), records(desk, "refill")
    assert hole.startswith("4 minutes were not heard whole from 2026-11-13T14:33")
    assert became.startswith("4 of 4 minutes came from history from 2026-11-13T14:33")
    hear(desk, 5)
    assert len(asked(desk)) == 1


def test_a_hole_that_is_not_over_is_not_asked_for() -> None:
    """Nobody knows its end; the close is one."""
    desk = DrivenMarket(ONE, begins_at=OPENS)
    desk.connect()
    hear(desk, 2)
    be_deaf(desk, 30)
    assert not asked(desk)
    be_deaf(desk, 390 - 32)
    assert not asked(desk)
    be_deaf(desk, 2)
    assert spans(desk) == [(minute(2), minute(390))]


def test_minutes_in_which_nothing_traded_are_not_asked_for_again(desk: DrivenMarket) -> None:
    """162 with no data is an answer; so is one that brings fewer bars."""
    (request,) = asked(desk)
    desk.session.error(request.number, 162, "Historical Market Data Service: HMDS query returned no data", "")
    hear(desk, 6)
    assert len(asked(desk)) == 1
    (became,) = records(desk, "refill")
    assert became.startswith("history has none of these minutes: 162")
    assert not desk.alerts


def test_a_question_that_fails_rests_ever_longer_and_is_given_up_with_an_alert(desk: DrivenMarket) -> None:
    """Refused, or not answered: asked again; in the end the record says that it was not refilled."""
    (request,) = asked(desk)
    desk.session.error(request.number, 162, "Historical Market Data Service error message: farm is down", "")
    hear(desk, 1)
    assert len(asked(desk)) == 2, "after a minute"
    assert asked(desk)[1].content == request.content
    hear(desk, 200)
    assert len(asked(desk)) == TRIES_MAX
    assert len(desk.asked(MarketSend.HISTORY_END)) == TRIES_MAX - 1, "what was not answered is ended"
    assert desk.alerts == ["not_refilled"]
    assert [words.split(" from")[0] for words in records(desk, "refill")] == ["not refilled: no answer"]
    assert len(records(desk, "gap")) == 1
    desk.session.history_bar(request.number, HistoryBar(0, (1.0, 1.0, 1.0, 1.0), 1, 1, 1))
    answer(desk, request)
    assert not refilled(desk), "an answer to a question that is over is nobody's"


@pytest.mark.parametrize("code", [200, 320, 321])
def test_a_question_that_is_wrong_itself_is_asked_once(desk: DrivenMarket, code: int) -> None:
    """Asked again it would be refused again: a person is told, and the record says what became of it."""
    (request,) = asked(desk)
    desk.session.error(request.number, code, "the question is wrong", "")
    hear(desk, 20)
    assert len(asked(desk)) == 1
    assert desk.alerts == ["not_refilled"]
    assert [words.split(":")[0] for words in records(desk, "refill")] == ["not refilled"]


def test_a_question_of_yesterday_holds_up_none_of_today() -> None:
    """Nobody answered it before the night; its minutes are of a session that is over."""
    desk = DrivenMarket(ONE, begins_at=OPENS, timeout_s=10 * 86_400)
    heard_then_deaf(desk)
    tomorrow = session_open(date(2026, 11, 16))
    desk.move((tomorrow - desk.broker_at).total_seconds())
    assert len(asked(desk)) == 1
    hear(desk, 1)
    be_deaf(desk, 3)
    hear(desk, 2)
    assert spans(desk)[1:] == [(tomorrow + timedelta(minutes=1), tomorrow + timedelta(minutes=4))]


def test_a_lost_link_forgets_the_question_and_asks_it_again() -> None:
    """It counts as no try, and the hole is recorded once."""
    desk = DrivenMarket(ONE, begins_at=OPENS)
    heard_then_deaf(desk)
    desk.cut()
    desk.move(1)
    desk.session.link_ready(("DU1",), 176)
    be_deaf(desk, 2)
    assert spans(desk) == [(minute(3), minute(7))] * 2
    answer(desk, asked(desk)[1])
    assert len(refilled(desk)) == 4
    assert len(records(desk, "gap")) == 1


def test_a_process_that_begins_asks_for_what_the_one_before_did_not_hear() -> None:
    """The minutes that the live state has are known; its parts and what it lacks are not."""
    desk = DrivenMarket(ONE, begins_at=minute(10))
    known = [minute(each) for each in (0, 1, 2, 5, 6)]
    desk.session.resume({"SPY": minute(7)}, {"SPY": known}, {})
    desk.connect()
    hear(desk, 1)
    assert spans(desk) == [(minute(3), minute(5))]
    answer(desk, asked(desk)[0])
    hear(desk, 1)
    be_deaf(desk, 1)
    assert spans(desk)[1:] == [(minute(7), minute(10))]


def test_many_holes_are_asked_for_within_the_rules() -> None:
    """A few at once, and not more than sixty in ten minutes; each symbol has its turn."""
    names = [f"S{place:02}" for place in range(40)]
    desk = DrivenMarket(
        market_settings(**{name: symbol_settings() for name in names}),
        begins_at=minute(10),
        market_data_lines=400,
    )
    desk.connect()
    hear(desk, 1)
    be_deaf(desk, 1)
    hear(desk, 1)
    assert 0 < len(asked(desk)) <= AT_ONCE_MAX
    answered, began = 0, desk.broker_at
    while desk.broker_at - began < timedelta(minutes=9):
        desk.move(1)
        assert len(asked(desk)) - answered <= AT_ONCE_MAX
        while answered < len(asked(desk)):
            answer(desk, asked(desk)[answered])
            answered += 1
    assert len(asked(desk)) == HISTORY_MAX
    assert {each.content.contract.symbol for each in asked(desk)} == set(names)
    be_deaf(desk, 4)
    assert len(asked(desk)) > HISTORY_MAX


def test_a_refusal_for_asking_too_often_rests_all_questions() -> None:
    """162 with pacing: nothing is asked for a minute."""
    names = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF", "GGG")
    desk = DrivenMarket(market_settings(**{name: symbol_settings() for name in names}), begins_at=minute(10))
    desk.connect()
    hear(desk, 2)
    first = asked(desk)
    assert len(first) == AT_ONCE_MAX
    for each in first:
        desk.session.error(each.number, 162, "Historical data request pacing violation", "")
    be_deaf(desk, 0)
    for _ in range(50):
        desk.move(1)
    assert len(asked(desk)) == AT_ONCE_MAX
    for _ in range(15):
        desk.move(1)
    assert len(asked(desk)) > AT_ONCE_MAX


def test_the_request_is_written_as_the_broker_reads_it() -> None:
    """UTC with a dash, a length in seconds, minutes of trades in regular hours, times in seconds."""
    desk = DrivenMarket(ONE, begins_at=OPENS)
    heard_then_deaf(desk)
    told: list[tuple[object, ...]] = []

    class Client:
        def reqHistoricalData(self, *fields: object) -> None:
            told.append(fields)

    (request,) = asked(desk)
    SENDERS[MarketSend.HISTORY](Client(), request)
    ((number, contract, *fields),) = told
    assert number == request.number
    assert getattr(contract, "conId", None) == request.content.contract.conid
    assert fields == ["20261113-14:37:00", "240 S", "1 min", "TRADES", 1, 2, False, []]
