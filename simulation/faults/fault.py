"""What a fault is: its words, its group, what it does, and how it is taken back when it is a switch."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from simulation.faults.language import Values
from simulation.faults.stage import Stage

Act = Callable[[Stage, Values], None]


class Group(StrEnum):
    """Groups of the catalogue."""

    LINK = "link"
    SERVER = "server state"
    START = "start-up"
    EXECUTIONS = "executions"
    COMMISSIONS = "commissions"
    ORDERS = "orders"
    DATA = "data"
    LIFE = "life cycle"
    CLOCK = "clock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault. With `undo` it is a switch, which `from … to …` turns on and off again.

    `drawn` is an example that random schedules may use as it stands, empty when they must not: what would
    end the session for good, or what a client cannot be expected to survive.
    """

    words: str
    group: Group
    says: str
    act: Act
    undo: Act | None = None
    drawn: str = ""

    @property
    def is_switch(self) -> bool:
        """Whether it stays on until it is taken back."""
        return self.undo is not None


def wire_switch(
    words: str,
    group: Group,
    says: str,
    name: str,
    on: object | Callable[[Values], object] = True,
    *,
    off: object = False,
    drawn: str = "",
) -> Fault:
    """A switch of the telling; `on` is its value or makes it from the fault's values."""

    def act(stage: Stage, values: Values) -> None:
        setattr(stage.wire, name, on(values) if callable(on) else on)

    def undo(stage: Stage, values: Values) -> None:
        setattr(stage.wire, name, off)

    return Fault(words=words, group=group, says=says, act=act, undo=undo, drawn=drawn)


def truth_switch(
    words: str,
    group: Group,
    says: str,
    name: str,
    on: object | Callable[[Values], object] = True,
    *,
    off: object = False,
    drawn: str = "",
) -> Fault:
    """A switch of the broker's conduct, which the input log remembers."""

    def act(stage: Stage, values: Values) -> None:
        stage.behave(**{name: on(values) if callable(on) else on})

    def undo(stage: Stage, values: Values) -> None:
        stage.behave(**{name: off})

    return Fault(words=words, group=group, says=says, act=act, undo=undo, drawn=drawn)
