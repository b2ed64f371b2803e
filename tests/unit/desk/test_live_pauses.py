"""The pauses of a played session: late or asked twice, the world stands at the end and next morning."""

from datetime import date, datetime, timedelta
from pathlib import Path

from desk.gateway_control import show
from desk.live_session import let_the_night_begin
from desk.play_folder import PlayFolder
from simulation.gateway import GatewayPlan, run_in_thread

SESSION = date(2026, 11, 13)
LATE = timedelta(minutes=40)  # six seconds of a busy machine, at the speed of the played session


def test_a_busy_machine_plays_no_second_day(tmp_path: Path) -> None:
    """Each pause is noticed late and its end asked for again and again: the clock stops where it should."""
    folder = PlayFolder(folder=tmp_path, session=SESSION)
    plan = GatewayPlan(
        session=SESSION, sessions=2, speed=None, orders=0, skip_nights=True, faults=folder.pauses
    )
    with run_in_thread(plan) as running:

        def stands_at() -> datetime | None:
            told = show(running.control_port, "status")
            return datetime.fromisoformat(str(told["now"])) if told["stands"] else None

        running.move_to(folder.ends_at + LATE)
        assert stands_at() == folder.ends_at
        assert running.do(lambda gateway: gateway.broker.now) == folder.ends_at
        let_the_night_begin(folder, running.control_port)
        assert stands_at() is None
        running.move_to(folder.morning_at + LATE)
        for _ in range(3):
            assert stands_at() == folder.morning_at
            assert running.do(lambda gateway: gateway.broker.now) == folder.morning_at
            let_the_night_begin(folder, running.control_port)
