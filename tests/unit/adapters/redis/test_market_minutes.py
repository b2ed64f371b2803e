"""Minutes that a writer told: what the process noted itself stands before what it found."""

import gc
import sys

from adapters.redis.market_minutes import OPEN_MAX, MinutesTold
from trading.ports.market_state import MINUTES_TOLD_AGAIN

SESSION = 390


def due(told: MinutesTold) -> dict[str, list[tuple[int, bytes]]]:
    """What would be written again after a loss."""
    told.lost()
    return {symbol: list(minutes) for symbol, minutes in told.due()}


def test_what_was_there_before_replaces_nothing_that_was_told_since() -> None:
    """A process reads the minutes of the one before it while it writes its own; a repeat is as old."""
    told = MinutesTold()
    told.note("SPY", [(120, b"whole"), (180, b"new")])
    told.know("SPY", [(60, b"before"), (120, b"a part")])
    assert due(told) == {"SPY": [(60, b"before"), (120, b"whole"), (180, b"new")]}


def test_after_a_loss_all_are_due_until_they_are_told() -> None:
    """Once, and nothing where nothing was lost."""
    told = MinutesTold()
    told.note("SPY", [(60, b"a")])
    assert list(told.due()) == []
    assert due(told) == {"SPY": [(60, b"a")]}
    told.told()
    assert list(told.due()) == []


def text_of(minute: int) -> bytes:
    """A minute as it is printed."""
    return (
        b'{"v":1,"symbol":"SPY","instrument_id":"STK:756733","ts":"2026-11-13T14:30:00+00:00","seconds":60,'
        b'"open":"%d.17","high":"500.12","low":"499.9","close":"500.02","volume":"%d","average":"500.009471",'
        b'"trades":468,"of":"trades","conid":756733,"origin":"told"}' % (minute, minute)
    )


def test_packed_minutes_are_the_same_and_a_late_one_takes_the_place_of_its_own() -> None:
    """However a session's minutes came, the newest of each is due, in order, and no more than are kept."""
    told, minutes = MinutesTold(), range(0, 60 * (MINUTES_TOLD_AGAIN + 2 * OPEN_MAX), 60)
    for minute in minutes:
        told.note("SPY", [(minute, text_of(minute))])
    told.note("SPY", [(minutes[-100], b"late")])
    expected = [(minute, b"late" if minute == minutes[-100] else text_of(minute)) for minute in minutes]
    assert due(told) == {"SPY": expected[-MINUTES_TOLD_AGAIN:]}
    told.know("SPY", [(minutes[-100], b"before"), (minutes[-1] + 60, b"")])
    assert due(told)["SPY"] == [*expected[-MINUTES_TOLD_AGAIN + 1 :], (minutes[-1] + 60, b"")]


def test_a_session_of_minutes_is_kept_in_a_fifth_of_its_texts() -> None:
    """And what is kept does not grow from one session to the next."""
    told, sizes = MinutesTold(), []
    for session in range(3):
        for minute in range(SESSION):
            told.note("SPY", [((session * SESSION + minute) * 60, text_of(minute))])
        sizes.append(sum(map(sys.getsizeof, held(told))))
    assert sizes[0] < SESSION * len(text_of(0)) / 5
    assert sizes[2] <= sizes[1] * 1.05


def held(told: MinutesTold) -> list[object]:
    """Everything that is kept."""
    found: dict[int, object] = {}
    waiting: list[object] = [told._open, told._packed]
    while waiting:
        one = waiting.pop()
        if id(one) not in found and not isinstance(one, type):
            found[id(one)] = one
            waiting += gc.get_referents(one)
    return list(found.values())
