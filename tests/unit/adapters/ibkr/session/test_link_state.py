"""The table of the link's states."""

import pytest

from adapters.ibkr.session.context import WORKING
from adapters.ibkr.session.link_state import TRANSITIONS, Effect, Signal, after
from trading.model.broker import LinkState


def test_every_pair_of_state_and_signal_has_a_line() -> None:
    """Nothing that can happen is undefined in any state."""
    assert set(TRANSITIONS) == {(state, signal) for state in LinkState for signal in Signal}


def test_no_state_is_working_without_having_walked() -> None:
    """READY is entered from ADOPTING, or from DATA_DEGRADED, which is entered from READY."""
    entries = {
        (state, target)
        for (state, _), (target, _) in TRANSITIONS.items()
        if target in WORKING and state is not target
    }
    assert entries == {
        (LinkState.ADOPTING, LinkState.READY),
        (LinkState.READY, LinkState.DATA_DEGRADED),
        (LinkState.DATA_DEGRADED, LinkState.READY),
    }


@pytest.mark.parametrize("state", [LinkState.ADOPTING, LinkState.READY, LinkState.DATA_DEGRADED])
@pytest.mark.parametrize("signal", [Signal.CLOSED, Signal.SILENT, Signal.PORT_RESET, Signal.FULL])
def test_a_dead_connection_is_left_and_tried_again(state: LinkState, signal: Signal) -> None:
    """Whatever ends a connection ends in LOST with another attempt."""
    assert after(state, signal) == (LinkState.LOST, Effect.RECONNECT_LATER)


def test_every_way_to_adopting_walks_everything() -> None:
    """A new connection and a broker that is back are both walked."""
    effects = {
        effect
        for (state, _), (target, effect) in TRANSITIONS.items()
        if target is LinkState.ADOPTING and state is not LinkState.ADOPTING
    }
    assert effects == {Effect.ADOPT}


@pytest.mark.parametrize("signal", list(Signal))
def test_a_stopped_session_stays_stopped(signal: Signal) -> None:
    """After STOPPED nothing happens any more."""
    assert after(LinkState.STOPPED, signal) == (LinkState.STOPPED, Effect.NOTHING)
