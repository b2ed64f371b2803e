"""The market's clock of a simulated day: asked now and then, running on in between, never going back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from adapters.configuration import load_settings
from desk.gateway_control import GatewayControlError
from desk.market_clock import SYNC_S, SimulatedMarketClock, market_clock

OPEN = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


class Gateway:
    """A gateway's status, and this machine's seconds."""

    def __init__(self) -> None:
        self.now, self.speed = OPEN, 60.0
        self.second = 0.0
        self.asked = 0
        self.is_away = False

    def status(self) -> dict[str, object]:
        """What it says of its clock."""
        self.asked += 1
        if self.is_away:
            raise GatewayControlError("away")
        return {"now": self.now.isoformat(), "speed": self.speed}

    def clock(self) -> SimulatedMarketClock:
        """One on it."""
        return SimulatedMarketClock(self.status, lambda: self.second)


def test_it_runs_on_at_the_gateways_pace() -> None:
    """Between two questions a second is a market minute."""
    gateway = Gateway()
    clock = gateway.clock()
    assert clock.now() == OPEN
    gateway.second = 1.5
    assert clock.now() == OPEN + timedelta(seconds=90)
    assert gateway.asked == 1


def test_it_is_set_right_and_never_goes_back() -> None:
    """A clock that was frozen meanwhile is waited for; one that jumped is followed."""
    gateway = Gateway()
    clock = gateway.clock()
    clock.now()
    gateway.second = SYNC_S - 0.1
    ahead = clock.now()
    gateway.second = SYNC_S + 0.1
    assert clock.now() == ahead
    gateway.now, gateway.second = OPEN + timedelta(hours=3), 10.0
    assert clock.now() == OPEN + timedelta(hours=3)


def test_before_the_first_answer_there_is_no_time() -> None:
    """And after one, a gateway that is away for a moment stops nothing."""
    gateway = Gateway()
    gateway.is_away = True
    clock = gateway.clock()
    assert clock.now() is None
    gateway.is_away, gateway.second = False, SYNC_S
    assert clock.now() == OPEN
    gateway.is_away, gateway.second = True, SYNC_S * 3
    assert clock.now() == OPEN + timedelta(seconds=60 * SYNC_S * 2)


def test_a_clock_that_is_moved_by_hand_stands() -> None:
    """No speed: the time is what it was said to be."""
    gateway = Gateway()
    gateway.speed = None  # type: ignore[assignment]
    clock = gateway.clock()
    clock.now()
    gateway.second = 1.9
    assert clock.now() == OPEN


def test_a_real_market_has_this_machines_clock(tmp_path: Path) -> None:
    """Without a simulated broker nobody is asked."""
    before = datetime.now(UTC)
    told = market_clock(load_settings({"DESK_HOME": str(tmp_path)}))()
    assert told is not None
    assert before <= told <= datetime.now(UTC)
