"""Chains by turns: one look at one contract after another, within the lines that are left.

What goes wrong otherwise: a round takes minutes, so two quotes of one chain may be minutes apart, and whoever
compares them compares two markets. So a call and its put are looked at one behind the other, and what is near
the money and near its expiry, which moves most and is traded most, has every third turn for itself.

Open interest stands still during a session and a look (a snapshot) does not tell it, so each contract is
looked at once a session as a short line that asks for it, and ends when it was told or was waited for. Keep
out: what is told of a contract.
"""

from collections import deque
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.ibkr.market.lines import KnownContract, Line, LineKind

OPEN_INTEREST_TICKS = "101"
LOOK_MAX = timedelta(seconds=15)  # a snapshot takes up to 11 seconds
OPEN_INTEREST_WAIT = timedelta(seconds=4)  # it comes with the first ticks, or not at all
CONTRACTS_MAX = 50_000
NEAR_EVERY = 3  # pairs; of a hundred lines what is near is a sixth of the chains, and comes twice as often

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
        self._near: dict[str, frozenset[int]] = {}
        self._near_row: deque[Turn] = deque()
        self._far_row: deque[Turn] = deque()
        self._pair: Hashable = None  # whose turn it is
        self._had_turn: set[int] = set()  # of it
        self._pairs = 0  # that had a turn
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

    def choose(self, symbol: str, contracts: Sequence[KnownContract], near: Collection[int] = ()) -> None:
        """Say which contracts of a symbol take turns, which are near; those that stay keep their place."""
        others = self.size - len(self._chosen.get(symbol, ()))
        now, near_now = tuple(contracts[: max(0, CONTRACTS_MAX - others)]), frozenset(near)
        if (self._chosen.get(symbol, ()), self._near.get(symbol, frozenset())) == (now, near_now):
            return
        before = {each.conid for each in self._chosen.get(symbol, ())}
        self._chosen[symbol], self._near[symbol] = now, near_now
        kept = {each.conid for each in now}
        self._has_open_interest -= before - kept  # what is known of them is forgotten
        there = (turn for turn in self._turns() if turn[0] != symbol or turn[1].conid in kept)
        turns = [*there, *((symbol, each) for each in now if each.conid not in before)]
        self._near_row = _by_turns([turn for turn in turns if self._is_near(turn)])
        self._far_row = _by_turns([turn for turn in turns if not self._is_near(turn)])

    def next_looks(self, room: int, now: datetime) -> Iterator[Line]:
        """Whose turn it is; each goes to the end of its row."""
        if self._rests_until is not None and now < self._rests_until:
            return
        self._rests_until = None
        looked_at = {look.contract.conid for look in self._looks.values()}
        for _ in range(min(room, self._at_once - len(self._looks), self.size)):
            row = self._next_row(looked_at)
            if row is None:
                return  # once round, and the first are still being looked at
            symbol, contract = row[0]
            row.rotate(-1)
            looked_at.add(contract.conid)
            if not self._is_in_hand(symbol, contract):
                self._pair, self._pairs = _pair_of(symbol, contract), self._pairs + 1
                self._had_turn.clear()
            self._had_turn.add(contract.conid)
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
            gone = look.contract.conid
            self._near_row = deque(turn for turn in self._near_row if turn[1].conid != gone)
            self._far_row = deque(turn for turn in self._far_row if turn[1].conid != gone)

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
        for known in (self._chosen, self._near, self._near_row, self._far_row):
            known.clear()
        self._pair, self._pairs = None, 0

    def forget_looks(self) -> None:
        """The connection is gone."""
        self._looks.clear()
        self._at_once = self._at_once_max

    def _turns(self) -> Iterator[Turn]:
        yield from self._near_row
        yield from self._far_row

    def _is_near(self, turn: Turn) -> bool:
        return turn[1].conid in self._near[turn[0]]

    def _next_row(self, looked_at: Collection[int]) -> deque[Turn] | None:
        """The row whose first contract is next: of the pair in hand, else by count; None: both are busy."""
        rows = [self._far_row, self._near_row]
        if self._pairs % NEAR_EVERY == 0:
            rows.reverse()
        free = [row for row in rows if row and row[0][1].conid not in looked_at]
        in_hand = [row for row in free if self._is_in_hand(*row[0])]
        return next(iter((*in_hand, *free)), None)

    def _is_in_hand(self, symbol: str, contract: KnownContract) -> bool:
        return _pair_of(symbol, contract) == self._pair and contract.conid not in self._had_turn


def _pair_of(symbol: str, contract: KnownContract) -> Hashable:
    """What a call and its put have in common."""
    option = contract.option
    if option is None:
        return symbol, contract.conid
    return symbol, option.expiry, option.trading_class, option.strike


def _by_turns(turns: Sequence[Turn]) -> deque[Turn]:
    """Symbol after symbol, each with its pairs in their order: a round over all of them takes a minute,
    and no symbol's chain may stand still for so long.
    """
    rows: dict[str, dict[Hashable, list[Turn]]] = {}
    for turn in turns:
        rows.setdefault(turn[0], {}).setdefault(_pair_of(*turn), []).append(turn)
    waiting = {symbol: deque(pairs.values()) for symbol, pairs in rows.items()}
    merged: deque[Turn] = deque()
    while waiting:
        for symbol in list(waiting):
            merged.extend(waiting[symbol].popleft())
            if not waiting[symbol]:
                del waiting[symbol]
    return merged
