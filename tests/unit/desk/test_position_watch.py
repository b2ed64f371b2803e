"""The watch in its thread: looks after a notice, never at what was stored later, again after a failure."""

import threading
from datetime import UTC, datetime, timedelta

from desk.residents.position_watch import PositionWatch
from trading.errors import WarehouseUnavailableError
from trading.ports.clock import Clock

NOON = datetime(2026, 7, 17, 16, 0, tzinfo=UTC)
WAIT_S = 60.0


class Ticking(Clock):
    """A second later at every look."""

    def __init__(self) -> None:
        self.at = NOON

    def now(self) -> datetime:
        """A second later than before."""
        self.at += timedelta(seconds=1)
        return self.at


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

    watch = PositionWatch(look, Ticking())
    watch.start()
    watch.notify()
    assert began.wait(WAIT_S)
    for _ in range(3):
        watch.notify()
    go_on.set()
    assert done.wait(WAIT_S)
    watch.stop()
    assert seen == [NOON + timedelta(seconds=1), NOON + timedelta(seconds=4)]


def test_a_look_that_failed_is_repeated_without_a_notice() -> None:
    """A warehouse that is down for a moment loses no difference."""
    tries: list[datetime] = []
    done = threading.Event()

    def look(stored_by: datetime) -> None:
        tries.append(stored_by)
        if len(tries) == 1:
            raise WarehouseUnavailableError("down")
        done.set()

    watch = PositionWatch(look, Ticking())
    watch.start()
    watch.notify()
    assert done.wait(WAIT_S)
    watch.stop()
    assert tries == [NOON + timedelta(seconds=1)] * 2


def test_without_a_notice_nobody_looks() -> None:
    """A drain that hears no complete answer compares nothing."""
    seen: list[datetime] = []
    watch = PositionWatch(seen.append, Ticking())
    watch.start()
    watch.stop()
    assert not seen
