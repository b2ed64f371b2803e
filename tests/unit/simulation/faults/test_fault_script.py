"""The fault script: what it reads, what it refuses and with which words, and when it acts."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from simulated_broker import SESSION, world

from simulation.faults.catalogue import ALL, BY_WORDS, fault_list, fault_of
from simulation.faults.fault import Fault
from simulation.faults.language import ScriptError
from simulation.faults.random_script import random_script
from simulation.faults.script import read_script, steps_of
from simulation.gateway import Gateway, GatewayPlan

DRAWN = [
    fault for fault in ALL if fault.drawn and not fault.words.startswith("restart")
]  # that one needs a loop
SCRIPT = """
# a morning
at 10:15:03 drop link; resend last 50 executions
at 11:00 correct last execution quantity 3      # the desk notices
from 12:00 to 12:05 delay commissions 120 s
at 09:45 on 2026-11-16 notice 2103
"""


def test_a_script_is_read_into_steps_in_time_order() -> None:
    """Two faults of one line, a window as two steps, another day last."""
    steps = steps_of(read_script(SCRIPT), SESSION)
    assert [(f"{step.at:%d %H:%M:%S}", step.entry.words) for step in steps] == [
        ("13 15:15:03", "drop link"),
        ("13 15:15:03", "resend last 50 executions"),
        ("13 16:00:00", "correct last execution quantity 3"),
        ("13 17:00:00", "delay commissions 120 s"),
        ("13 17:05:00", "delay commissions 120 s"),
        ("16 14:45:00", "notice 2103"),
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("drop link", 'line 1: word 1: expected "at" or "from", was drop'),
        ("at noon drop link", "line 1: word 2: expected a time such as 10:15:03, was noon"),
        ("at 25:00 drop link", "line 1: word 2: expected a time of the day, was 25:00"),
        ("from 10:00 drop link", 'line 1: word 3: expected "to", was drop'),
        ("from 10:00 to 09:00 half-open link", "expected a time after 10:00:00, was 09:00:00"),
        ("at 10:00 on friday drop link", "expected a day such as 2026-11-16, was friday"),
        ("at 10:00 drop lnik", 'drop lnik: word 2: expected "client" or "link", was lnik'),
        ("at 10:00 drop link now", 'word 3: expected "mid-message" or the end of the line, was now'),
        ("at 10:00 notice soon", "word 2: expected a code, was soon"),
        ("at 10:00 resend last 0 executions", "word 3: expected a number from 1 on, was 0"),
        ("at 10:00 place by hand HOLD 1 SPY", "word 4: expected BUY or SELL, was HOLD"),
        (
            "at 10:00 correct last execution quantity",
            "expected a quantity from 1 on, was the end of the line",
        ),
        ("at 10:00", "expected a fault, was the end of the line"),
        ("from 10:00 to 10:01 drop link", "drop link: expected a switch after from … to …"),
        ("at", "line 1: word 2: expected a time such as 10:15:03, was the end of the line"),
    ],
)
def test_an_error_names_line_and_word(line: str, says: str) -> None:
    """What was expected and what stood there."""
    with pytest.raises(ScriptError) as error:
        read_script(line)
    assert says in str(error.value) and str(error.value).startswith("line 1: ")


def test_every_fault_of_the_catalogue_can_be_read_back() -> None:
    """No fault's words hide another's, and every example of a random schedule is readable."""
    assert len(BY_WORDS) == len(ALL) + 1
    for fault in ALL:
        if "<" not in fault.words:
            assert fault_of(fault.words.split())[0] is fault
        if fault.drawn:
            assert fault_of(fault.drawn.split())[0] is fault
        assert fault.words in fault_list() and fault.says in fault_list()


def test_a_random_schedule_is_the_same_from_its_seed() -> None:
    """Its lines are a script within the session, and another seed gives another."""
    starts = _plan_opens()
    text = random_script(4, starts, starts + timedelta(hours=6), 50)
    assert text == random_script(4, starts, starts + timedelta(hours=6), 50)
    assert text != random_script(5, starts, starts + timedelta(hours=6), 50)
    steps = steps_of(read_script(text), SESSION)
    assert len({step.entry.line for step in steps}) == 50
    assert all(starts <= step.at <= starts + timedelta(hours=6) for step in steps)


def _plan_opens() -> datetime:
    return world().calendar.session_open(SESSION)


def _gateway(**more: object) -> Gateway:
    """A gateway without sockets: its pump is driven by the test."""
    plan = GatewayPlan(session=SESSION, sessions=2, speed=None, orders=0, control_port=None)
    return Gateway(replace(plan, **more))  # type: ignore[arg-type]


def test_a_script_acts_at_its_moments_on_the_world_of_then() -> None:
    """A switch is on within its window; a fault that cannot act is noted and the rest goes on."""
    script = "at 09:40 correct last execution quantity 3\nfrom 09:45 to 09:50 hide executions\n"
    gateway = _gateway(faults=script + "from 09:46 to 09:55 delay commissions 120 s")
    opens = gateway.world.calendar.session_open(SESSION)
    gateway.move_to(opens + timedelta(minutes=17))
    assert gateway.server.faults.execution_copies == 0
    assert gateway.broker.conduct.commission_delay == timedelta(seconds=120)
    assert [bool(done.failure) for done in gateway.runner.ran] == [True, False, False]
    assert "line 1: last execution: expected one" in gateway.runner.ran[0].failure
    gateway.move_to(opens + timedelta(minutes=30))
    assert gateway.server.faults.execution_copies == 1
    assert gateway.broker.conduct.commission_delay == timedelta()


@pytest.fixture(scope="module")
def busy_gateway() -> Gateway:
    """A gateway in the middle of its session, with executions and live orders."""
    gateway = _gateway(orders=60)
    gateway.move_to(gateway.world.calendar.session_open(SESSION) + timedelta(hours=2))
    return gateway


@pytest.mark.parametrize("fault", DRAWN, ids=lambda fault: fault.words)
def test_every_fault_of_a_random_schedule_acts_and_can_be_taken_back(
    busy_gateway: Gateway, fault: Fault
) -> None:
    """A switch changes something, and after all is cleared every switch is as it was."""
    gateway = busy_gateway
    honest = _switches(gateway)
    gateway.runner.do(fault.drawn, gateway.clock.now())
    assert fault.undo is None or _switches(gateway) != honest
    gateway.move_to(gateway.clock.now() + timedelta(seconds=90))
    if fault.undo is not None:
        fault.undo(gateway.runner.stage, fault_of(fault.drawn.split())[1])
    gateway.runner.do("clear faults", gateway.clock.now())
    assert _switches(gateway) == honest


def _switches(gateway: Gateway) -> tuple[str, ...]:
    """Everything that a fault can turn."""
    server = gateway.server
    return (
        str(server.faults.as_dict()),
        str(gateway.broker.conduct),
        str(gateway.clock.skew),
        str(server.state.options),
        str(server.state.teller.is_cut_off),
    )


def test_a_resumed_script_does_nothing_twice_and_turns_on_what_should_be_on() -> None:
    """What happened before the kill stays done; a window that is still open is open again."""
    script = "at 09:40 place by hand BUY 100 SPY\nfrom 09:45 to 10:30 hide executions\n"
    script += "at 10:00 bust last execution"
    gateway = _gateway(faults=script)
    opens = gateway.world.calendar.session_open(SESSION)
    gateway.runner.resume(opens + timedelta(minutes=20))
    assert gateway.server.faults.execution_copies == 0
    gateway.move_to(opens + timedelta(minutes=31))
    assert [done.words for done in gateway.runner.ran] == ["hide executions", "bust last execution"]
    assert not gateway.broker.executed.told


def test_statements_and_journal_are_exported_when_the_session_is_booked(tmp_path: Path) -> None:
    """Both statements and the journal of the session, once, whole under their names."""
    gateway = _gateway(export=tmp_path, orders=8)
    closes = gateway.world.calendar.session_close(SESSION)
    gateway.move_to(closes)
    assert not list(tmp_path.iterdir())
    gateway.move_to(closes + timedelta(minutes=21))
    assert {path.name for path in tmp_path.iterdir()} == {
        "U8800001_20261113_activity.xml",
        "U8800001_20261113_confirmation.xml",
        "journal.json",
    }
    assert gateway.status()["exported"] == ["2026-11-13"]


def test_the_world_stands_after_its_last_session_and_skips_nights_when_asked() -> None:
    """A skipped night begins the next session a minute before its opening; the last booking is the end."""
    gateway = _gateway(skip_nights=True)
    first, second = gateway.world.sessions
    gateway.move_to(gateway.world.calendar.session_close(first) + timedelta(minutes=25))
    assert gateway.clock.now() == gateway.world.calendar.session_open(second) - timedelta(minutes=1)
    gateway.move_to(gateway.world.calendar.session_close(second) + timedelta(minutes=25))
    assert gateway.broker.journal().sessions == (first.isoformat(), second.isoformat())


def test_a_killed_gateway_goes_on_where_it_was(tmp_path: Path) -> None:
    """The same executions, and the clock from the last thing that was written down."""
    one = _gateway(state=tmp_path, orders=60, faults="at 10:00 correct last execution by 0.01")
    opens = one.world.calendar.session_open(SESSION)
    one.move_to(opens + timedelta(minutes=20))
    one.move_to(opens + timedelta(minutes=90))
    told = repr(one.broker.executions(one.clock.now()))
    two = _gateway(state=tmp_path, orders=60, faults="at 10:00 correct last execution by 0.01")
    assert two.clock.now() == one.clock.now()
    assert repr(two.broker.executions(two.clock.now())) == told
    assert two.runner.place == 1


def test_the_inputs_of_another_world_are_refused(tmp_path: Path) -> None:
    """A folder is of one seed, session and trader; the error tells both."""
    _gateway(state=tmp_path, orders=5)
    _gateway(state=tmp_path, orders=5)
    with pytest.raises(ValueError, match=r"expected the inputs of \{'seed': 8.*, was \{'seed': 7"):
        _gateway(state=tmp_path, orders=5, seed=8)
