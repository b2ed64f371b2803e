"""The page about the market session shows the table of codes as it is."""

from pathlib import Path

from adapters.ibkr.market.codes import table

PAGE = Path(__file__).parents[5] / "docs" / "market-session.md"


def test_the_page_shows_the_codes_as_they_are() -> None:
    """The table is generated; a change of it is a change of the page."""
    assert table() in PAGE.read_text(encoding="utf-8")
