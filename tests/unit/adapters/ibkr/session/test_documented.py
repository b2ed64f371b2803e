"""The page about the session shows the tables as they are."""

from pathlib import Path

from adapters.ibkr.session.codes import table
from adapters.ibkr.session.link_state import diagram

PAGE = Path(__file__).parents[5] / "docs" / "broker-session.md"


def test_the_page_shows_the_states_and_codes_as_they_are() -> None:
    """Diagram and table are generated; a change of either is a change of the page."""
    text = PAGE.read_text(encoding="utf-8")
    assert diagram() in text
    assert table() in text
