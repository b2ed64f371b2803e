"""The broker's rules about what may be asked how often, and the order in which lines are asked for."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.ibkr.market import request_pacing
from adapters.ibkr.market.lines import KnownContract, Line, LineKind
from adapters.ibkr.market.open_lines import OpenLines
from adapters.ibkr.market.request_pacing import CONTRACT_MAX, HISTORY_MAX, RequestPacing
from adapters.ibkr.session.pacing import Pacing, Request, Send, Urgency

NOW = datetime(2026, 11, 13, 15, tzinfo=UTC)


def line(conid: int, kind: LineKind = LineKind.LEVEL1) -> Line:
    """A line of one contract."""
    contract = KnownContract(
        conid=conid, symbol=f"S{conid}", sec_type="STK", exchange="SMART", instrument_id=f"STK:{conid}"
    )
    return Line(kind=kind, symbol=f"S{conid}", contract=contract)


def asked(lines: OpenLines, now: datetime, room: int = 1_000) -> list[tuple[LineKind, int]]:
    """Ask for what may be asked, under numbers of their own."""
    due = list(lines.due(now, room))
    for each in due:
        lines.opened(len(lines.by_number) + 1_000 * each.contract.conid, each, now)
    return [(each.kind, each.contract.conid) for each in due]


def test_bars_wait_for_their_place_in_ten_minutes() -> None:
    """Sixty in ten minutes: the others are asked for when the first fall out of the window."""
    lines = OpenLines(RequestPacing(1))
    for conid in range(70):
        lines.want(line(conid, LineKind.BARS), NOW)
    assert len(asked(lines, NOW)) == HISTORY_MAX
    assert asked(lines, NOW + timedelta(minutes=9)) == []
    assert lines.next_due(NOW) == NOW + timedelta(minutes=10)
    assert len(asked(lines, NOW + timedelta(minutes=10))) == 70 - HISTORY_MAX


def test_a_simulated_broker_counts_by_its_own_clock() -> None:
    """At sixty times the speed ten minutes are ten seconds."""
    lines = OpenLines(RequestPacing(60))
    for conid in range(70):
        lines.want(line(conid, LineKind.BARS), NOW)
    asked(lines, NOW)
    assert lines.next_due(NOW) == NOW + timedelta(seconds=10)


def test_one_contracts_bars_are_asked_for_five_times_in_two_seconds() -> None:
    """A line that breaks off again and again; lines and questions about the past count together."""
    pacing = RequestPacing(1)
    for number in range(CONTRACT_MAX):
        assert max(pacing.history_free_at(1, NOW), pacing.refill_free_at(1, NOW)) == NOW
        (pacing.take_history if number % 2 else pacing.take_refill)(1, NOW)
    later = NOW + timedelta(seconds=2)
    assert (pacing.history_free_at(1, NOW), pacing.refill_free_at(1, NOW)) == (later, later)
    assert (pacing.history_free_at(2, NOW), pacing.history_free_at(1, later)) == (NOW, later)


def test_holes_that_are_refilled_delay_no_line() -> None:
    """The past has sixty in ten minutes for itself, and so have the lines."""
    pacing = RequestPacing(1)
    for conid in range(HISTORY_MAX):
        pacing.take_refill(conid, NOW)
    assert pacing.refill_free_at(1_000, NOW) == NOW + timedelta(minutes=10)
    assert pacing.history_free_at(1_000, NOW) == NOW


def test_contracts_that_are_remembered_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chains of all symbols over a year are more contracts than a process should know for ever."""
    monkeypatch.setattr(request_pacing, "KEYS_MAX", 3)
    pacing = RequestPacing(1)
    for conid in range(10):
        pacing.take_ticks(conid, NOW)
    assert [conid for conid in range(10) if pacing.ticks_free_at(conid, NOW) > NOW] == [7, 8, 9]


def test_tick_by_tick_of_one_instrument_waits_fifteen_seconds_and_hinders_no_other() -> None:
    """Prints first; the touches of the same share come later, those of another at once."""
    lines = OpenLines(RequestPacing(1))
    for conid in (1, 2):
        lines.want(line(conid, LineKind.TOUCHES), NOW)
    lines.want(line(1, LineKind.PRINTS), NOW)
    assert asked(lines, NOW) == [(LineKind.PRINTS, 1), (LineKind.TOUCHES, 2)]
    assert asked(lines, NOW + timedelta(seconds=14)) == []
    assert asked(lines, NOW + timedelta(seconds=15)) == [(LineKind.TOUCHES, 1)]


def test_a_line_is_asked_for_once() -> None:
    """Wanted again while it waits or is open, it is the same one; ended, it may come again."""
    lines = OpenLines(RequestPacing(1))
    lines.want(line(1), NOW)
    lines.want(line(1), NOW)
    assert asked(lines, NOW) == [(LineKind.LEVEL1, 1)]
    lines.want(line(1), NOW)
    assert asked(lines, NOW) == []
    (number,) = lines.by_number
    lines.ended(number)
    lines.want(line(1), NOW)
    assert asked(lines, NOW) == [(LineKind.LEVEL1, 1)]


def test_a_refused_line_comes_again_at_its_time_or_with_the_next_session() -> None:
    """What was refused says why, and is forgotten when it is forgiven."""
    lines = OpenLines(RequestPacing(1))
    lines.refuse(line(1), "354: no", NOW + timedelta(minutes=1))
    lines.refuse(line(2), "200: unknown", None)
    for conid in (1, 2):
        lines.want(line(conid), NOW)
    assert asked(lines, NOW) == []
    assert lines.refusal(LineKind.LEVEL1, 2) == "200: unknown"
    for conid in (1, 2):
        lines.want(line(conid), NOW + timedelta(minutes=1))
    assert asked(lines, NOW + timedelta(minutes=1)) == [(LineKind.LEVEL1, 1)]
    lines.forgive(NOW)
    lines.want(line(2), NOW)
    assert asked(lines, NOW) == [(LineKind.LEVEL1, 2)]


def test_an_answer_for_an_old_number_is_nobodys() -> None:
    """A line that was asked for anew has another number."""
    lines = OpenLines(RequestPacing(1))
    lines.opened(7, line(1), NOW)
    lines.ended(7)
    lines.opened(8, line(1), NOW)
    assert lines.ended(7) is None
    assert list(lines.by_number) == [8]


def test_no_more_than_the_room_there_is() -> None:
    """The queue to the gateway is short; what does not fit waits with its line."""
    lines = OpenLines(RequestPacing(1))
    for conid in range(10):
        lines.want(line(conid), NOW)
    assert len(asked(lines, NOW, room=3)) == 3
    assert len(asked(lines, NOW, room=30)) == 7


def test_what_is_asked_again_and_again_leaves_room_for_the_rest() -> None:
    """Looks at contracts take seven tenths of the messages; a cancel goes before them."""
    pacing = Pacing(per_second_max=10, waiting_max=100)
    for number in range(20):
        pacing.put(Request(send=Send.TIME, number=number, rank=Urgency.ROUTINE))
    assert len(pacing.take(NOW)) == 7
    pacing.put(Request(send=Send.TIME, number=99, rank=Urgency.CANCEL))
    assert [each.number for each in pacing.take(NOW)] == [99]
    assert pacing.next_at(NOW) == NOW + timedelta(seconds=1)
