"""The minutes that a writer has told, so that a server that lost everything has those of the session again.

Indicators need minutes: without them RSI and MACD are blind for 15 to 35. The newest MINUTES_TOLD_AGAIN
of each symbol stay here as the texts that were written, and those that were there when the process began:
the newest few as they are, those before them packed, which is a tenth (2 MB of a hundred symbols' session,
was 15). Keep out: the writing.
"""

import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from trading.ports.market_state import MINUTES_TOLD_AGAIN

OPEN_MAX = 32  # minutes of a symbol that are not packed

Scored = tuple[int, bytes]  # when the minute began, and its text


@dataclass(frozen=True, slots=True)
class _Packed:
    """Minutes in their order: when each began, how long its text is, all texts as one."""

    minutes: "array[int]"
    lengths: "array[int]"
    texts: bytes


class MinutesTold:
    """The newest minutes of each symbol."""

    def __init__(self) -> None:
        self._open: dict[str, dict[int, bytes]] = {}
        self._packed: dict[str, _Packed] = {}
        self._is_lost = False

    def note(self, symbol: str, told: Sequence[Scored]) -> None:
        """These are written now; each takes the place of the same minute's before."""
        newest = self._open.setdefault(symbol, {})
        newest.update(told)
        if len(newest) > OPEN_MAX:
            self._packed[symbol] = _packed(self._known(symbol))
            newest.clear()

    def know(self, symbol: str, found: Sequence[Scored]) -> None:
        """These were there before; what was noted of the same minutes stands."""
        newer = self._known(symbol)
        self._packed.pop(symbol, None)
        self._open.pop(symbol, None)
        self.note(symbol, found)
        self.note(symbol, list(newer.items()))

    def lost(self) -> None:
        """The server has none of them: all are due."""
        self._is_lost = True

    def due(self) -> Iterator[tuple[str, Sequence[Scored]]]:
        """What must be written again, until `told`."""
        if self._is_lost:
            for symbol in self._open:
                yield symbol, sorted(self._known(symbol).items())[-MINUTES_TOLD_AGAIN:]

    def told(self) -> None:
        """All of them are there again."""
        self._is_lost = False

    def _known(self, symbol: str) -> dict[int, bytes]:
        """All that is kept of a symbol; what was noted last stands."""
        return dict(_unpacked(self._packed.get(symbol, NONE_PACKED))) | self._open.get(symbol, {})


def _packed(known: Mapping[int, bytes]) -> _Packed:
    kept = sorted(known.items())[-MINUTES_TOLD_AGAIN:]
    texts = [text for _, text in kept]
    minutes = array("q", [minute for minute, _ in kept])
    return _Packed(minutes, array("I", map(len, texts)), zlib.compress(b"".join(texts)))


def _unpacked(packed: _Packed) -> Iterator[Scored]:
    texts, start = zlib.decompress(packed.texts), 0
    for minute, length in zip(packed.minutes, packed.lengths, strict=True):
        yield minute, texts[start : start + length]
        start += length


NONE_PACKED = _packed({})
