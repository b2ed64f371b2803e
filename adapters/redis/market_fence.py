"""The number under which one process writes the live market, and how others with older numbers are kept out.

What can lose money here: a writer that was believed dead and wakes. Nothing tells it that it was followed,
and what it has in hand is older than what is there. So a process that takes over leaves its number in the
journal of every symbol's stream before it reads or writes anything, and every script that writes a symbol
compares: an older number of the same component is refused before anything else. The number lies in the
symbol's own slot, so the check costs no question of its own. Keep out: who holds the lease, for how long.
"""

from collections.abc import Iterable
from typing import Any

from adapters.redis import keys
from adapters.redis.connection import asked, run_scripts
from trading.errors import FencedOutError, LiveStateUnavailableError
from trading.ports.live_state import Lease

UNFENCED = ("", "0")  # of who needs no lease: a replay, a reader's dead letters


class StreamFence:
    """Of one writer; UNFENCED until it has a lease."""

    def __init__(self, client: Any, topic: str) -> None:
        self._client, self._topic = client, topic
        self.arguments: tuple[str, str] = UNFENCED

    def raise_to(self, lease: Lease, symbols: Iterable[str]) -> None:
        """Keep older numbers out of these symbols and all that have a stream; raises FencedOutError."""
        arguments = (f"fencing:{lease.component}", str(lease.fencing))
        found = asked(lambda: self._client.smembers(keys.OUTBOX_SYMBOLS.at(topic=self._topic)))
        names = sorted({symbol.decode() for symbol in found}.union(symbols))
        calls = [([self.journal(symbol)], arguments) for symbol in names]
        for symbol, answer in zip(names, run_scripts(self._client, "fence_stream", calls), strict=True):
            self.judge(symbol, answer)
        self.arguments = arguments

    def judge(self, symbol: str, answer: object) -> None:
        """Raise what a script's answer of 0, or an error in its place, means."""
        if isinstance(answer, Exception):
            raise LiveStateUnavailableError(f"live state refused {symbol}: {answer}") from answer
        if answer == 0:
            raise self.refusal(symbol, "newer")

    def refusal(self, symbol: str, seen: str) -> FencedOutError:
        """Somebody else writes now."""
        field, number = self.arguments
        return FencedOutError(f"{field} {number}: another process writes {symbol}, its number is {seen}")

    def journal(self, symbol: str) -> str:
        """Where the number of a symbol lies."""
        return keys.OUTBOX_JOURNAL.at(topic=self._topic, sym=symbol)
