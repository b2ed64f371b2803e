"""The catalogue: every fault by its words, and the list of all for people."""

from collections.abc import Iterator

from simulation.faults.fault import Fault, Group
from simulation.faults.language import ScriptError, Values, best_match
from simulation.faults.of_the_market import MARKET_FAULTS
from simulation.faults.of_the_truth import TRUTH_FAULTS
from simulation.faults.of_the_wire import WIRE_FAULTS
from simulation.faults.stage import Stage


def _clear(stage: Stage, values: Values) -> None:
    """All switches off; what is pending (rejections, notices) is forgotten."""
    for fault in ALL:
        if fault.undo is not None and fault.words != "lose broker" and "<symbol>" not in fault.words:
            fault.undo(stage, {})
    stage.wire.halted, stage.wire.silenced, stage.wire.lost_depth = set(), set(), 0
    stage.behave(next_rejections=[], next_notices=[])


CLEAR = Fault(words="clear faults", group=Group.SERVER, says="Every switch is off again.", act=_clear)
ALL: tuple[Fault, ...] = (*WIRE_FAULTS, *MARKET_FAULTS, *TRUTH_FAULTS)
BY_WORDS = {fault.words: fault for fault in (*ALL, CLEAR)}
ARISE_BY_THEMSELVES = (
    ("326", "a second client connects with an id that is taken"),
    ("100", "a client sends more than 50 messages a second"),
    ("103, 104, 105, 110, 135, 321, 387, 10052, 10326", "an order or a change of one that is not allowed"),
    ("161, 10147, 10148", "a cancel of an order that is filled, unknown or ended"),
    ("200", "a contract that is not listed or has ended"),
    ("162", "history requests beyond the pacing rules"),
    ("201", "an order that the account's margin does not allow"),
    ("202", "any cancel, also by a group, a parent, or the end of the day"),
    ("399", "an order outside trading hours"),
    ("several executions in one second", "every fill that several exchanges share"),
    ("cancelled after a partial fill", "IOC orders and day orders larger than the touch"),
    ("thousands of executions at connect", "a plan with many and large orders of the sample trader"),
    ("expiry, exercise, assignment", "every session's end: positions change, the statement books it"),
)


def fault_of(words: list[str]) -> tuple[Fault, Values]:
    """The fault that the words mean, with its values."""
    if not words:
        raise ScriptError("word 1: expected a fault, was the end of the line")
    pattern, values = best_match(list(BY_WORDS), words)
    return BY_WORDS[pattern], values


def fault_list() -> str:
    """All faults by group, as text: words, whether a switch, what happens."""
    width = max(len(words) for words in BY_WORDS)
    return "\n".join(_lines(width)) + "\n"


def _lines(width: int) -> Iterator[str]:
    yield "`at TIME FAULT` does it once or turns it on; `from TIME to TIME FAULT` turns a switch on and off."
    for group in Group:
        yield ""
        yield f"{group}"
        for fault in BY_WORDS.values():
            if fault.group is group:
                mark = "switch" if fault.is_switch else "once  "
                yield f"  {fault.words:<{width}}  {mark}  {fault.says}"
    yield ""
    yield "without a script"
    for what, cause in ARISE_BY_THEMSELVES:
        yield f"  {what}: {cause}"
