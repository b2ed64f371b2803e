"""What every break store promises: events are added once, the newest says how things stand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from fill_samples import ACCOUNT, DAY, batch, fee, fill
from reconciled_desk import SETTINGS, Desk

from trading.model.fills import Source, Venue
from trading.reconciliation.breaks import (
    Break,
    BreakEvent,
    BreakKind,
    BreakState,
    Pass,
    Unit,
    explained,
    next_events,
)
from trading.reconciliation.locks import lifted_by, next_lock_events
from trading.reconciliation.sign_off import SessionState, sign_off_of

AT = datetime(2026, 7, 18, 11, 0, tzinfo=UTC)
VENUE = Venue.IBKR


def _break(**changes: object) -> Break:
    told: dict[str, object] = {
        "venue": VENUE,
        "account": ACCOUNT,
        "session": DAY,
        "kind": BreakKind.REALIZED,
        "instrument_id": "OPT:CZR   260821C00030000",
        "conid": 893396239,
        "symbol": "CZR",
        "underlying": "CZR",
        "currency": "USD",
        "unit": Unit.MONEY,
        "ours": Decimal("15.485"),
        "theirs": Decimal("15.475"),
        "difference": Decimal("0.010"),
        "difference_base": Decimal("0.009"),
        "evidence": ("a.01", "x' or 1=1 --"),
    }
    return Break(**{**told, **changes})  # type: ignore[arg-type]


def _opened(**changes: object) -> BreakEvent:
    return next_events([_break(**changes)], {}, Pass.FINAL, AT)[0]


def test_an_event_comes_back_as_it_was(desk: Desk) -> None:
    """Every figure, text and time survives."""
    event = _opened()
    desk.breaks.append([event])
    assert desk.breaks.find(event.break_id) == event
    assert desk.breaks.standing(VENUE, ACCOUNT, DAY) == {event.break_id: event}


def test_the_same_event_twice_is_one(desk: Desk) -> None:
    """An insert that is repeated adds nothing."""
    event = _opened()
    desk.breaks.append([event])
    desk.breaks.append([event])
    assert desk.breaks.history(event.break_id) == [event]


def test_the_newest_event_stands_and_the_older_ones_stay(desk: Desk) -> None:
    """Explaining adds an event; the history keeps both."""
    first = _opened()
    second = explained(first, "M. Office", "the broker confirmed it", AT + timedelta(hours=1))
    desk.breaks.append([second])
    desk.breaks.append([first])
    found = desk.breaks.find(first.break_id)
    assert found == second
    assert [event.state for event in desk.breaks.history(first.break_id)] == [
        BreakState.OPEN,
        BreakState.EXPLAINED,
    ]


def test_breaks_are_found_by_state_and_session(desk: Desk) -> None:
    """An empty filter asks for all, a filter that nothing meets finds nothing."""
    one = _opened()
    other = _opened(session=DAY - timedelta(days=1), cause="missing_history")
    desk.breaks.append([one, other])
    assert desk.breaks.breaks() == [other, one]
    assert desk.breaks.breaks(states=[BreakState.OPEN]) == [one]
    assert desk.breaks.breaks(start=DAY, account=ACCOUNT) == [one]
    assert desk.breaks.breaks(account="nobody") == []
    assert desk.breaks.find("nothing") is None


def test_the_newest_word_on_a_session_counts_and_the_first_sign_off_is_remembered(desk: Desk) -> None:
    """An account that was reconciled once may be locked from then on, whatever came later."""
    words = [
        sign_off_of(
            VENUE, ACCOUNT, DAY, breaks, made_in=Pass.FINAL, run_id="r", statement_sha256="s",
            at=AT + timedelta(minutes=place),
        )
        for place, breaks in enumerate(([], [_opened()]))
    ]  # fmt: skip
    assert not desk.breaks.has_signed_off(VENUE, ACCOUNT)
    for word in words:
        desk.breaks.put_sign_off(word)
    newest = desk.breaks.sign_off(VENUE, ACCOUNT, DAY)
    assert newest == words[1] and newest.state is SessionState.BROKEN
    assert desk.breaks.has_signed_off(VENUE, ACCOUNT)
    assert desk.breaks.sign_offs(VENUE, ACCOUNT) == [words[1]]


def test_the_word_that_was_said_last_counts_under_a_clock_that_was_set_back(desk: Desk) -> None:
    """Also where it reads the same twice."""
    for minutes, breaks in ((0, [_opened()]), (0, []), (-60, [_opened()]), (-120, [])):
        word = sign_off_of(
            VENUE, ACCOUNT, DAY, breaks, made_in=Pass.FINAL, run_id="r", statement_sha256="s",
            at=AT + timedelta(minutes=minutes),
        )  # fmt: skip
        desk.breaks.put_sign_off(word)
        assert desk.breaks.sign_off(VENUE, ACCOUNT, DAY) == word


def test_a_lock_stands_as_its_newest_event_says(desk: Desk) -> None:
    """Set by the check, lifted by a person; both are kept."""
    event = _opened()
    locks = next_lock_events([event], {}, SETTINGS, AT, may_set=True)
    desk.breaks.append_locks(locks)
    assert desk.breaks.locks([event.break_id]) == locks
    lifted = lifted_by(locks[0], "M. Office", "checked by hand", AT + timedelta(hours=1))
    desk.breaks.append_locks([lifted])
    assert desk.breaks.locks() == [lifted]
    assert desk.breaks.locks([]) == []


def test_all_that_was_told_of_a_session_keeps_the_sources_apart(desk: Desk) -> None:
    """Live and statement versions of one fill, and both its fees."""
    live = fill("a.01")
    told = fill("a.01", source=Source.STATEMENT, price=Decimal("0.74"))
    fees = [fee("a.01.01", "a.01", "1.00", source=Source.LIVE), fee("a.01.01", "a.01", "1.01")]
    desk.take_batch(batch([live], fees[:1]))
    desk.take_batch(batch([told], fees[1:], source=Source.STATEMENT))
    found = desk.breaks.told(VENUE, ACCOUNT, DAY)
    assert {(row.source, row.price) for row in found.revisions} == {
        (Source.LIVE, Decimal("0.73")),
        (Source.STATEMENT, Decimal("0.74")),
    }
    assert {(fact.source, fact.amount) for fact in found.fees} == {
        (Source.LIVE, Decimal("1.00")),
        (Source.STATEMENT, Decimal("1.01")),
    }
