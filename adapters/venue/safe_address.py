"""Where questions and keys may go: by https, or to this machine, with no name or password in the address.

An error shows scheme and host only: what stands before the host may be a secret.
"""

from urllib.parse import SplitResult, urlsplit

from trading.errors import ConfigurationError

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def check_address(name: str, url: str) -> None:
    """Raise ConfigurationError under the setting's name where an address is neither."""
    parts = _parts(url)
    is_loopback = parts.scheme == "http" and parts.hostname in LOOPBACK
    if parts.username or parts.password or not (parts.scheme == "https" or is_loopback):
        raise ConfigurationError(f"{name}: expected https, or http on loopback, was {shown_place(url)}")


def is_here(url: str) -> bool:
    """Whether an address is on this machine."""
    return _parts(url).hostname in LOOPBACK


def shown_place(url: str) -> str:
    """Scheme and host of an address, for an error."""
    parts = _parts(url)
    return f"{parts.scheme}://{parts.hostname or ''}" if parts.scheme else "no address"


def _parts(url: str) -> SplitResult:
    """An address that cannot be read has no parts."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", "", "", "", "")
