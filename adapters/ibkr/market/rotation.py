"""Chains by turns: one look at one contract after another, within the lines that are left.

Open interest stands still during a session and a look (a snapshot) does not tell it, so each contract is
looked at once a session as a short line that asks for it, and ends when it was told or was waited for. Keep
out: what is told of a contract.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.ibkr.market.lines import KnownContract, Line, LineKind

OPEN_INTEREST_TICKS = "101"
LOOK_MAX = timedelta(seconds=15)  # a snapshot takes up to 11 seconds
OPEN_INTEREST_WAIT = timedelta(seconds=4)  # it comes with the first ticks, or not at all
CONTRACTS_MAX = 50_000

Turn = tuple[str, KnownContract]


@dataclass(frozen=True, slots=True)
class Look:
    """One contract being looked at; `is_line` where it must be ended by us."""

    symbol: str
    contract: KnownContract
    until: datetime
    is_line: bool


class Rotation:
    """Whose turn it is."""

    def __init__(self, at_once_max: int) -> None:
        self._at_once_max = self._at_once = at_once_max
        self._chosen: dict[str, tuple[KnownContract, ...]] = {}
        self._turns: deque[Turn] = deque()
        self._looks: dict[int, Look] = {}
        self._has_open_interest: set[int] = set()
        self._rests_until: datetime | None = None
        self.begun = 0

    @property
    def size(self) -> int:
        """How many contracts take turns."""
        return sum(len(each) for each in self._chosen.values())

    def looks(self) -> Mapping[int, Look]:
        """What is being looked at, by number."""
        return self._looks

    def choose(self, symbol: str, contracts: Sequence[KnownContract]) -> None:
        """Say which contracts of a symbol take turns; those that stay keep their place."""
        others = self.size - len(self._chosen.get(symbol, ()))
        now = tuple(contracts[: max(0, CONTRACTS_MAX - others)])
        if self._chosen.get(symbol, ()) == now:
            return
        before = {each.conid for each in self._chosen.get(symbol, ())}
        self._chosen[symbol] = now
        kept = {each.conid for each in now}
        self._has_open_interest -= before - kept  # what is known of them is forgotten
        turns = (turn for turn in self._turns if turn[0] != symbol or turn[1].conid in kept)
        self._turns = _by_turns([*turns, *((symbol, each) for each in now if each.conid not in before)])

    def next_looks(self, room: int, now: datetime) -> Iterator[Line]:
        """Whose turn it is; each goes to the end of the row."""
        if self._rests_until is not None and now < self._rests_until:
            return
        self._rests_until = None
        looked_at = {look.contract.conid for look in self._looks.values()}
        for _ in range(min(room, self._at_once - len(self._looks), len(self._turns))):
            symbol, contract = self._turns[0]
            if contract.conid in looked_at:
                return  # once round, and the first is still being looked at
            self._turns.rotate(-1)
            ticks = "" if contract.conid in self._has_open_interest else OPEN_INTEREST_TICKS
            yield Line(kind=LineKind.SNAPSHOT, symbol=symbol, contract=contract, ticks=ticks)

    def began(self, number: int, line: Line, now: datetime) -> None:
        """A look was asked for."""
        self.begun += 1
        wait = OPEN_INTEREST_WAIT if line.ticks else LOOK_MAX
        self._looks[number] = Look(line.symbol, line.contract, now + wait, bool(line.ticks))

    def heard_open_interest(self, number: int) -> None:
        """The open interest of a contract was told."""
        look = self._looks.get(number)
        if look is not None:
            self._has_open_interest.add(look.contract.conid)

    def over(self, number: int) -> Look | None:
        """A look is over."""
        return self._looks.pop(number, None)

    def refused(self, number: int, until: datetime | None) -> None:
        """A look was refused: its contract alone (None), or no look may come before a moment."""
        look = self._looks.pop(number, None)
        if until is not None:
            self._rests_until = until
        elif look is not None:
            self._turns = deque(turn for turn in self._turns if turn[1].conid != look.contract.conid)

    def no_line_left(self, number: int) -> None:
        """The login has fewer lines than was configured: no more looks at once than are there now."""
        self._looks.pop(number, None)
        self._at_once = max(1, len(self._looks))

    def overdue(self, now: datetime) -> list[int]:
        """The looks whose time is over."""
        return [number for number, look in self._looks.items() if look.until <= now]

    def next_due(self) -> datetime | None:
        """When the first look is given up."""
        rests = [] if self._rests_until is None else [self._rests_until]
        return min([*(look.until for look in self._looks.values()), *rests], default=None)

    def begin_session(self) -> None:
        """Open interest is another one, and chains are chosen anew."""
        self._has_open_interest.clear()
        self._chosen.clear()
        self._turns.clear()

    def forget_looks(self) -> None:
        """The connection is gone."""
        self._looks.clear()
        self._at_once = self._at_once_max


def _by_turns(turns: Sequence[Turn]) -> deque[Turn]:
    """Symbol after symbol, each with its contracts in their order: a round over all of them takes a minute,
    and no symbol's chain may stand still for so long.
    """
    rows: dict[str, deque[Turn]] = {}
    for turn in turns:
        rows.setdefault(turn[0], deque()).append(turn)
    merged: deque[Turn] = deque()
    while rows:
        for symbol in list(rows):
            merged.append(rows[symbol].popleft())
            if not rows[symbol]:
                del rows[symbol]
    return merged
