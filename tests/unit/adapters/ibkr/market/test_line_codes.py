"""The table of codes: every code that the gateway or the pages name has one defined reaction."""

import pytest

from adapters.ibkr.market.codes import LINE_REACTIONS, UNKNOWN, LineAction, line_reaction, table
from adapters.ibkr.session.codes import About, reaction_to


@pytest.mark.parametrize(
    ("code", "action"),
    [
        (101, LineAction.NO_LINE_LEFT),
        (162, LineAction.ASK_LATER),
        (200, LineAction.GIVE_UP),
        (309, LineAction.GIVE_UP),
        (316, LineAction.ASK_AGAIN),
        (317, LineAction.EMPTY_BOOK),
        (354, LineAction.ASK_DELAYED),
        (366, LineAction.NOTE),
        (420, LineAction.ASK_LATER),
        (10167, LineAction.MARK_DELAYED),
        (10182, LineAction.ASK_AGAIN),
        (10190, LineAction.GIVE_UP),
    ],
)
def test_codes_that_name_a_line(code: int, action: LineAction) -> None:
    """What is done about each."""
    assert line_reaction(code).action is action


@pytest.mark.parametrize("code", [1100, 1101, 1102, 1300, 2103, 2104, 2105, 2106, 2108, 2110, 326, 10197])
def test_codes_about_the_link_are_the_link_s(code: int) -> None:
    """They are in the table that every session shares, and in no other."""
    assert reaction_to(code).about is About.LINK
    assert code not in LINE_REACTIONS


def test_an_unknown_code_is_an_alert_and_the_line_is_tried_again() -> None:
    """Nothing is given up for a reason that nobody knows."""
    assert line_reaction(99_999) is UNKNOWN
    assert UNKNOWN.alert and UNKNOWN.action is LineAction.ASK_LATER


def test_the_table_shows_every_code_once() -> None:
    """For the documentation."""
    shown = [word.strip("*,") for line in table().splitlines()[2:] for word in line.split("|")[2].split()]
    assert sorted(map(int, shown)) == sorted(LINE_REACTIONS)
