"""The states of the connection to the broker, and what moves them: one table, total.

What can lose money here: a session that believes itself connected and is not, or that takes orders while it
does not know the orders that exist. So every pair of state and signal has a line, READY is only reached
through ADOPTING, and every way back goes through it again.
"""

from collections.abc import Mapping
from enum import StrEnum

from trading.model.broker import LinkState


class Signal(StrEnum):
    """What can happen to the connection."""

    START = "start"
    RETRY = "retry"  # the pause before the next attempt is over
    API_READY = "api_ready"  # the handshake is over
    ADOPTED = "adopted"  # every question of the walk has an answer of some kind
    CLOSED = "closed"  # no connection: broken, refused, timed out
    SILENT = "silent"  # nothing heard, and the question for the time not answered
    CLIENT_ID_TAKEN = "client_id_taken"
    NOT_LET_IN = "not_let_in"
    PORT_RESET = "port_reset"
    BROKER_LOST = "broker_lost"  # 1100: the gateway is there, the broker behind it is not
    BROKER_BACK = "broker_back"
    FARM_DOWN = "farm_down"
    FARM_UP = "farm_up"  # the last farm that was down is up
    FULL = "full"  # what was heard cannot be kept: hang up
    STOP = "stop"


class Effect(StrEnum):
    """What the session does on a transition."""

    NOTHING = "nothing"
    CONNECT = "connect"
    RECONNECT_LATER = "reconnect_later"  # hang up if need be, pause, try again
    RECONNECT_LAST = "reconnect_last"  # likewise, with the longest pause: a person has to act
    ADOPT = "adopt"  # walk open and completed orders, positions, executions
    FAIL_QUESTIONS = "fail_questions"
    HANG_UP = "hang_up"


Transition = tuple[LinkState, Effect]

_CONNECTING, _ADOPTING, _READY = LinkState.CONNECTING, LinkState.ADOPTING, LinkState.READY
_DEGRADED, _LOST, _REFUSED = LinkState.DATA_DEGRADED, LinkState.LOST, LinkState.REFUSED
_STOPPED = LinkState.STOPPED
_CONNECTED = (_ADOPTING, _READY, _DEGRADED)
_NOT_STOPPED = (_CONNECTING, _ADOPTING, _READY, _DEGRADED, _LOST, _REFUSED)


def _lines(
    states: tuple[LinkState, ...], signal: Signal, to: LinkState, effect: Effect
) -> dict[tuple[LinkState, Signal], Transition]:
    return {(state, signal): (to, effect) for state in states}


def _staying() -> dict[tuple[LinkState, Signal], Transition]:
    """Every pair that needs no reaction stays where it is: a farm of a closed link, a late handshake."""
    return {(state, signal): (state, Effect.NOTHING) for state in LinkState for signal in Signal}


TRANSITIONS: Mapping[tuple[LinkState, Signal], Transition] = {
    **_staying(),
    **_lines((_LOST,), Signal.START, _CONNECTING, Effect.CONNECT),
    **_lines((_LOST, _REFUSED), Signal.RETRY, _CONNECTING, Effect.CONNECT),
    **_lines((_CONNECTING, _REFUSED), Signal.API_READY, _ADOPTING, Effect.ADOPT),
    **_lines((_ADOPTING,), Signal.ADOPTED, _READY, Effect.NOTHING),
    **_lines((_CONNECTING, *_CONNECTED, _LOST), Signal.CLOSED, _LOST, Effect.RECONNECT_LATER),
    **_lines((_CONNECTING, *_CONNECTED, _LOST), Signal.SILENT, _LOST, Effect.RECONNECT_LATER),
    **_lines((_CONNECTING, *_CONNECTED, _LOST), Signal.PORT_RESET, _LOST, Effect.RECONNECT_LATER),
    **_lines((_CONNECTING, *_CONNECTED, _LOST), Signal.CLIENT_ID_TAKEN, _REFUSED, Effect.RECONNECT_LAST),
    **_lines((_CONNECTING, *_CONNECTED, _LOST), Signal.NOT_LET_IN, _REFUSED, Effect.RECONNECT_LAST),
    **_lines(_CONNECTED, Signal.BROKER_LOST, _LOST, Effect.FAIL_QUESTIONS),
    **_lines((_LOST, *_CONNECTED), Signal.BROKER_BACK, _ADOPTING, Effect.ADOPT),
    **_lines((_READY,), Signal.FARM_DOWN, _DEGRADED, Effect.NOTHING),
    **_lines((_DEGRADED,), Signal.FARM_UP, _READY, Effect.NOTHING),
    **_lines((_CONNECTING, *_CONNECTED, _LOST), Signal.FULL, _LOST, Effect.RECONNECT_LATER),
    **_lines(_NOT_STOPPED, Signal.STOP, _STOPPED, Effect.HANG_UP),
}


def after(state: LinkState, signal: Signal) -> Transition:
    """The state after a signal, and what to do."""
    return TRANSITIONS[state, signal]


def diagram() -> str:
    """The table as a Mermaid diagram, signals of one way in one line; staying where one is is left out."""
    ways: dict[tuple[LinkState, LinkState], list[str]] = {}
    for (state, signal), (to, _) in TRANSITIONS.items():
        if to is not state:
            ways.setdefault((state, to), []).append(signal.value)
    lines = [f"    {state} --> {to}: {', '.join(signals)}" for (state, to), signals in ways.items()]
    return "\n".join(["stateDiagram-v2", *lines])
