"""Where questions and keys may go, and what an error says of an address that is none of it."""

import pytest

from adapters.venue.safe_address import check_address, is_here
from trading.errors import ConfigurationError


@pytest.mark.parametrize(
    "url", ["https://a.example/x", "http://127.0.0.1:8000", "http://[::1]/", "http://localhost"]
)
def test_https_and_this_machine_are_taken(url: str) -> None:
    """Nobody listens in between."""
    check_address("venues.a_url", url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a.example/x?key=hidden", "http://a.example"),
        ("https://me:hidden@a.example", "https://a.example"),
        ("http://hidden@127.0.0.1", "http://127.0.0.1"),
        ("ftp://127.0.0.1", "ftp://127.0.0.1"),
        ("https://[::1/hidden", "no address"),
        ("hidden", "no address"),
    ],
)
def test_any_other_address_is_refused_without_its_secrets(url: str, shown: str) -> None:
    """The error names the setting, the scheme and the host."""
    with pytest.raises(ConfigurationError) as refusal:
        check_address("venues.a_url", url)
    assert str(refusal.value) == f"venues.a_url: expected https, or http on loopback, was {shown}"


@pytest.mark.parametrize(
    ("url", "here"), [("http://localhost:1/a", True), ("http://a.example", False), ("[", False)]
)
def test_an_address_of_this_machine_is_known(url: str, *, here: bool) -> None:
    """What cannot be read is elsewhere."""
    assert is_here(url) is here
