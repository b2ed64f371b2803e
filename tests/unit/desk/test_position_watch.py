"""The watch in its thread: looks after a notice, never at what was stored later, again after a failure."""

import threading
from datetime import UTC, datetime, timedelta

from desk.residents.position_watch import PositionWatch
from trading.errors import WarehouseUnavailableError

NOON = datetime(2026, 7, 17, 16, 0, tzinfo=UTC)
WAIT_S = 60.0


def later(seconds: int) -> datetime:
    """So long after noon."""
    return NOON + timedelta(seconds=seconds)


def test_a_notice_is_followed_by_a_look_at_what_was_stored_by_then() -> None:
    """Three notices while one look goes on are one look, with the newest moment."""
    seen: list[datetime] = []
    began, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def look(stored_by: datetime) -> None:
        seen.append(stored_by)
        began.set()
        assert go_on.wait(WAIT_S)
        if len(seen) == 2:
            done.set()

    watch = PositionWatch(look)
    watch.start()
    watch.notify(later(1))
    assert began.wait(WAIT_S)
    for seconds in (2, 3, 4):
        watch.notify(later(seconds))
    go_on.set()
    assert done.wait(WAIT_S)
    watch.stop()
    assert seen == [later(1), later(4)]


def test_a_look_that_failed_is_repeated_without_a_notice() -> None:
    """A warehouse that is down for a moment loses no difference."""
    tries: list[datetime] = []
    done = threading.Event()

    def look(stored_by: datetime) -> None:
        tries.append(stored_by)
        if len(tries) == 1:
            raise WarehouseUnavailableError("down")
        done.set()

    watch = PositionWatch(look)
    watch.start()
    watch.notify(later(1))
    assert done.wait(WAIT_S)
    watch.stop()
    assert tries == [NOON + timedelta(seconds=1)] * 2


def test_without_a_notice_nobody_looks() -> None:
    """A drain that hears no complete answer compares nothing."""
    seen: list[datetime] = []
    watch = PositionWatch(seen.append)
    watch.start()
    watch.stop()
    assert not seen
