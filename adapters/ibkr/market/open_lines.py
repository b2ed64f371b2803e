"""Which lines are open, which are waiting to be asked for, and which were refused until when.

A line is asked for once: by its kind and contract. Numbers are taken anew for each request, so what is still
on its way under an old number is recognized and left.
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime

from adapters.ibkr.market.lines import Line, LineKind
from adapters.ibkr.market.request_pacing import RequestPacing
from adapters.ibkr.market.symbol_feeds import CHAIN, feed_of

ORDER = (  # what is asked for first
    LineKind.LEVEL1,
    LineKind.DEPTH,
    LineKind.PRINTS,
    LineKind.BARS,
    LineKind.TOUCHES,
    LineKind.OPTION,
)
TICKS = frozenset({LineKind.PRINTS, LineKind.TOUCHES})
Key = tuple[LineKind, int]


def key_of(line: Line) -> Key:
    """What makes it this line and no other."""
    return line.kind, line.contract.conid


class OpenLines:
    """The lines of one connection."""

    def __init__(self, pacing: RequestPacing) -> None:
        self.by_number: dict[int, Line] = {}
        self._asked_at: dict[int, datetime | None] = {}
        self._first_asked: dict[tuple[str, str], datetime] = {}  # by feed and symbol
        self.able_since: datetime | None = None  # since when lines can be asked for, on the market's clock
        self._numbers: dict[Key, int] = {}
        self._waiting: dict[LineKind, deque[Line]] = {kind: deque() for kind in ORDER}
        self._waiting_keys: set[Key] = set()
        self._refused: dict[Key, tuple[str, datetime | None]] = {}
        self._pacing = pacing

    # what there is

    def asked_at(self, number: int) -> datetime | None:
        """When a line was asked for, on the market's clock."""
        return self._asked_at.get(number)

    def first_asked(self, feed: str, symbol: str) -> datetime | None:
        """When a symbol's feed was first asked for on this connection, a chain in this session."""
        return self._first_asked.get((feed, symbol))

    def of_kind(self, kind: LineKind) -> list[tuple[int, Line]]:
        """The open lines of one kind."""
        return [(number, self.by_number[number]) for key, number in self._numbers.items() if key[0] is kind]

    def refusal(self, kind: LineKind, conid: int) -> str:
        """Why a line is not there; empty where it was not refused."""
        return self._refused.get((kind, conid), ("", None))[0]

    # asking

    def want(self, line: Line, now: datetime) -> None:
        """Have a line; nothing where it is open, waits, or was refused and its time is not over."""
        key = key_of(line)
        if key in self._numbers or key in self._waiting_keys or self._is_refused(key, now):
            return
        self._waiting[line.kind].append(line)
        self._waiting_keys.add(key)

    def due(self, now: datetime, room: int) -> Iterator[Line]:
        """Take the lines that may be asked for now, as many as there is room for."""
        for kind in ORDER:
            queue = self._waiting[kind]
            for _ in range(len(queue)):
                if room <= 0:
                    return
                line = queue.popleft()
                if self._free_at(line, now) > now:
                    queue.append(line)
                    if kind not in TICKS:
                        queue.rotate(1)
                        break
                    continue
                self._count(line, now)
                self._waiting_keys.discard(key_of(line))
                room -= 1
                yield line

    def next_due(self, now: datetime) -> datetime | None:
        """When one of those that wait may be asked for."""
        heads = [self._free_at(queue[0], now) for queue in self._waiting.values() if queue]
        return min(heads, default=None)

    def opened(self, number: int, line: Line, at: datetime | None) -> None:
        """A line was asked for under a number, at the market's time."""
        self.by_number[number] = line
        self._asked_at[number] = at
        if at is not None:
            self._first_asked.setdefault((feed_of(line), line.symbol), at)
        self._numbers[key_of(line)] = number

    def ended(self, number: int) -> Line | None:
        """A line is over."""
        line = self.by_number.pop(number, None)
        self._asked_at.pop(number, None)
        if line is not None and self._numbers.get(key_of(line)) == number:
            del self._numbers[key_of(line)]
        return line

    def refuse(self, line: Line, text: str, until: datetime | None) -> None:
        """Ask for it no more until a moment; None: not before `forgive`."""
        self._refused[key_of(line)] = (text, until)

    def forgive(self, at: datetime) -> None:
        """Everything may be asked for again: another session begins, and chains are found anew."""
        self._refused.clear()
        self.able_since = at
        self._first_asked = {key: asked for key, asked in self._first_asked.items() if key[0] != CHAIN}

    def clear(self) -> None:
        """All lines are gone, as their connection is."""
        self.by_number.clear()
        self._asked_at.clear()
        self._first_asked.clear()
        self.able_since = None
        self._numbers.clear()
        self._waiting_keys.clear()
        for queue in self._waiting.values():
            queue.clear()

    def _is_refused(self, key: Key, now: datetime) -> bool:
        refused = self._refused.get(key)
        if refused is None:
            return False
        if refused[1] is not None and refused[1] <= now:
            del self._refused[key]
            return False
        return True

    def _free_at(self, line: Line, now: datetime) -> datetime:
        if line.kind is LineKind.BARS:
            return self._pacing.history_free_at(line.contract.conid, now)
        return self._pacing.ticks_free_at(line.contract.conid, now) if line.kind in TICKS else now

    def _count(self, line: Line, now: datetime) -> None:
        if line.kind is LineKind.BARS:
            self._pacing.take_history(line.contract.conid, now)
        elif line.kind in TICKS:
            self._pacing.take_ticks(line.contract.conid, now)
