"""The one module that imports the broker's client library: ib_insync, or ib_async in its place.

Only the library's lower layer is used: its client (handshake, framing, requests, throttle) and its decoder.
Its upper layer (`IB` and its wrapper) keeps books of orders and fills that double corrections, keep silent
about repeated executions, drop early commissions and call a working order cancelled after a warning: it is
not in this process at all, so nobody can ask it by mistake.

Both libraries ship a package named `eventkit`, so only one of them can be installed in an environment; which
one it must be is a setting, and anything else is refused. The import wants the main thread (ib_insync asks
for its event loop while it is imported), so it stands at the top.
"""

from typing import Any

from trading.errors import ConfigurationError
from trading.settings import BrokerLibrary

try:
    import ib_insync as _library
except ImportError:  # the other one is installed
    import ib_async as _library  # type: ignore[import-not-found]

INSTALLED = BrokerLibrary(_library.__name__)
PIECE_BYTES = 4_096
UNSET_INTEGER = 2**31 - 1
UNSET_NUMBER = float("1.7976931348623157e308")


def require_library(wanted: BrokerLibrary) -> None:
    """Refuse to run on another library than the one that was chosen."""
    if wanted is not INSTALLED:
        raise ConfigurationError(
            f"broker.library: expected {INSTALLED.value}, the installed one, was {wanted}"
        )


def new_client(wrapper: object, *, is_throttled: bool = True) -> Any:
    """A client that tells `wrapper` what it decodes; it is not connected."""
    client = _library.client.Client(wrapper)
    if not is_throttled:
        client.MaxRequests = 0
    _hear_in_pieces(client)
    return client


def _hear_in_pieces(client: Any) -> None:
    """Give the client what came in small pieces.

    It cuts each message off the front of all that is left, so a quarter of a megabyte at once, as a process
    gets it that had to wait, takes more than twice as long as the same in pieces: just when it must catch up.
    """
    whole = client._onSocketHasData

    def hear(data: bytes) -> None:
        for start in range(0, len(data), PIECE_BYTES):
            whole(data[start : start + PIECE_BYTES])

    client.conn.hasData -= whole
    client.conn.hasData += hear


def new_contract(**fields: object) -> Any:
    """A contract as requests want it."""
    return _library.Contract(**fields)


def new_order(**fields: object) -> Any:
    """An order as the place request wants it."""
    return _library.Order(**fields)


def all_executions() -> Any:
    """The filter that asks for every execution of the gateway's day."""
    return _library.ExecutionFilter()
