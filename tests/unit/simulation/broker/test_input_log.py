"""A killed gateway reads what was done to it and is the same broker again, whatever the kill cut off."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from simulated_broker import ACCOUNT, CLIENT, SESSION, SPEC, Desk, world

from simulation.broker.conduct import Refusal
from simulation.broker.input_log import InputLog, RecordedBroker
from simulation.broker.model import Leg
from simulation.broker.trader import SampleTrader


def _recorded(path: Path) -> tuple[Desk, RecordedBroker]:
    desk = Desk()
    broker = RecordedBroker(world(), [SPEC], InputLog(path))
    SampleTrader(broker=broker, accounts=(ACCOUNT,), client_id=CLIENT, orders=10).schedule(SESSION)
    desk.broker = broker
    return desk, broker


def _do_everything(desk: Desk) -> None:
    desk.wait(0)
    conid = desk.option().conid
    legs = (
        Leg(conid=conid, ratio=1, action="BUY"),
        Leg(conid=desk.option(675).conid, ratio=1, action="SELL"),
    )
    desk.order("BUY", 5)
    desk.order("BUY", 2, contract=None, legs=legs)
    desk.order(order_type="LMT", limit_price=Decimal("0.05"), extras={"triggerMethod": "2"})
    desk.order(what_if=True)
    desk.cancel(3)
    desk.broker.behave(desk.now, next_rejections=[Refusal(code=201, text="no")])
    desk.broker.behave(desk.now, commission_delay=timedelta(seconds=60))
    desk.order()
    desk.wait(30.5)
    first = desk.broker.executed.told[0].execution.exec_id
    desk.broker.correct(first, price=Decimal("1.77"), now=desk.now)
    desk.broker.place_by_hand(ACCOUNT, conid, "SELL", Decimal(1), desk.now)
    desk.broker.move_position_silently(ACCOUNT, conid, Decimal(1), desk.now)
    desk.wait(3_000)
    desk.broker.bust(desk.broker.executed.told[-1].execution.exec_id, desk.now)
    desk.broker.global_cancel(desk.now)


def _truth(broker: RecordedBroker) -> tuple[str, ...]:
    return (
        repr(broker.executions(broker.now)),
        repr(broker.open_orders(None)),
        repr(broker.positions()),
        repr(broker.journal()),
        repr(broker.conduct),
    )


def test_a_replay_is_the_same_broker(tmp_path: Path) -> None:
    """Executions, orders, positions, journal and conduct are equal, and so is what happens next."""
    desk, broker = _recorded(tmp_path / "inputs.jsonl")
    _do_everything(desk)
    broker.tick(desk.now)
    _, again = _recorded(tmp_path / "inputs.jsonl")
    assert again.replay() == desk.now
    assert _truth(again) == _truth(broker)
    later = desk.now + timedelta(hours=2)
    assert repr(again.advance(later)) == repr(broker.advance(later))


def test_an_input_that_came_late_is_done_again_when_it_was_done(tmp_path: Path) -> None:
    """A call with a moment that is past is done now, and written down so."""
    path = tmp_path / "inputs.jsonl"
    desk, broker = _recorded(path)
    desk.wait(100)
    broker.place(desk.ticket("BUY", 1), desk.now - timedelta(seconds=50))
    told = broker.executed.told[-1].execution
    assert told.at == desk.now and broker.now == desk.now
    _, again = _recorded(path)
    again.replay()
    assert again.executed.told[-1].execution == told


def test_what_happens_by_itself_is_not_written(tmp_path: Path) -> None:
    """The trader's orders and the passing of time leave no line."""
    path = tmp_path / "inputs.jsonl"
    desk, broker = _recorded(path)
    desk.wait(5 * 3_600)
    assert broker.register.by_perm and not path.exists()


def test_a_line_that_a_kill_cut_off_is_left_out(tmp_path: Path) -> None:
    """It was not done; the next input begins on a line of its own."""
    path = tmp_path / "inputs.jsonl"
    desk, _ = _recorded(path)
    desk.order("BUY", 1)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    _, again = _recorded(path)
    again.replay()
    assert len(again.executed.told) == 1
    again.tick(desk.now)
    assert path.read_bytes().startswith(whole) and path.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize(
    "wrong", [lambda b, at: b.bust("nonsense", at), lambda b, at: b.behave(at, nothing=1)]
)
def test_an_input_that_was_refused_is_refused_again(
    tmp_path: Path, wrong: Callable[[RecordedBroker, object], object]
) -> None:
    """A wrong call leaves a line that changes nothing on the replay."""
    path = tmp_path / "inputs.jsonl"
    desk, broker = _recorded(path)
    with pytest.raises(ValueError, match="expected"):
        wrong(broker, desk.now)
    desk.order("BUY", 1)
    _, again = _recorded(path)
    again.replay()
    assert _truth(again) == _truth(broker)


def test_what_cannot_be_written_down_is_refused(tmp_path: Path) -> None:
    """The error shows the value."""
    with pytest.raises(ValueError, match="input: expected a value that can be written down"):
        InputLog(tmp_path / "inputs.jsonl").write({"do": object()})
