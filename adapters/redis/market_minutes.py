"""The minutes that a writer has told, so that a server that lost everything has those of the session again.

Indicators need minutes: without them RSI and MACD are blind for 15 to 35. The newest MINUTES_TOLD_AGAIN
of each symbol stay here as the texts that were written, and those that were there when the process began.
Keep out: the writing.
"""

from collections.abc import Iterator, Sequence

from trading.ports.market_state import MINUTES_TOLD_AGAIN

Scored = tuple[int, bytes]  # when the minute began, and its text


class MinutesTold:
    """The newest minutes of each symbol."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[int, bytes]] = {}
        self._is_lost = False

    def note(self, symbol: str, told: Sequence[Scored]) -> None:
        """These are written now; each takes the place of the same minute's before."""
        known = self._texts.setdefault(symbol, {})
        # A copy: what the printer gives holds its whole buffer, eight thousand bytes for a text of 250.
        known.update((minute, bytes(memoryview(text))) for minute, text in told)
        while len(known) > MINUTES_TOLD_AGAIN:
            del known[min(known)]

    def know(self, symbol: str, found: Sequence[Scored]) -> None:
        """These were there before; what was noted of the same minutes stands."""
        newer = self._texts.pop(symbol, {})
        self.note(symbol, found)
        self.note(symbol, list(newer.items()))

    def lost(self) -> None:
        """The server has none of them: all are due."""
        self._is_lost = True

    def due(self) -> Iterator[tuple[str, Sequence[Scored]]]:
        """What must be written again, until `told`."""
        if self._is_lost:
            for symbol, texts in self._texts.items():
                yield symbol, sorted(texts.items())

    def told(self) -> None:
        """All of them are there again."""
        self._is_lost = False
