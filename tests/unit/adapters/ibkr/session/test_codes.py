"""The table of codes."""

import pytest

from adapters.ibkr.session.codes import REACTIONS, About, reaction_to
from adapters.ibkr.session.link_state import Signal

LIBRARY_WARNINGS = {110, 165, 202, 399, 404, 434, 492, 10167}  # all others end an order, in ib_insync's eyes


@pytest.mark.parametrize(
    ("code", "about", "signal"),
    [
        (326, About.LINK, Signal.CLIENT_ID_TAKEN),
        (502, About.LINK, Signal.CLOSED),
        (504, About.LINK, Signal.CLOSED),
        (507, About.LINK, Signal.CLOSED),
        (1100, About.LINK, Signal.BROKER_LOST),
        (1101, About.LINK, Signal.BROKER_BACK),
        (1102, About.LINK, Signal.BROKER_BACK),
        (1300, About.LINK, Signal.PORT_RESET),
        (2103, About.LINK, Signal.FARM_DOWN),
        (2104, About.LINK, Signal.FARM_UP),
        (2105, About.LINK, Signal.FARM_DOWN),
        (2106, About.LINK, Signal.FARM_UP),
        (2107, About.LINK, Signal.FARM_UP),
        (2108, About.LINK, Signal.FARM_UP),
        (2110, About.LINK, Signal.FARM_DOWN),
        (10197, About.LINK, Signal.FARM_DOWN),
        (100, About.PACE, None),
        (162, About.REQUEST, None),
        (200, About.REQUEST, None),
        (317, About.REQUEST, None),
        (354, About.REQUEST, None),
        (103, About.REFUSED, None),
        (201, About.REFUSED, None),
        (161, About.CANCEL_REFUSED, None),
        (10147, About.CANCEL_REFUSED, None),
        (10148, About.CANCEL_REFUSED, None),
        (202, About.CANCELLED, None),
        (399, About.WARNING, None),
        (10167, About.NOTICE, None),
        (2100, About.NOTICE, None),
    ],
)
def test_a_code_has_its_reaction(code: int, about: About, signal: Signal | None) -> None:
    """What each named code is about, and what it does to the link."""
    reaction = reaction_to(code)
    assert (reaction.about, reaction.signal) == (about, signal)
    assert reaction.meaning


def test_an_unknown_code_is_an_alert() -> None:
    """What has no line is not passed over."""
    assert reaction_to(99_999).about is About.UNKNOWN
    assert reaction_to(99_999).alert


def test_every_link_signal_comes_from_the_link() -> None:
    """Only codes about the link move the link."""
    assert all(item.about is About.LINK for item in REACTIONS.values() if item.signal is not None)
