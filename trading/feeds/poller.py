"""What asks a source again and again: which polls are due, what became of each, how its feeds are.

A poller is a plan without a clock, a thread or a socket of its own: a resident calls `due`, lets each poll's
`ask` run in a worker, and gives the answer (or the error) back with `take`, all but `ask` in one thread. So
tests run a day of polling in a second, and a resident hosts pollers of several sources side by side.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from trading.errors import DeskError
from trading.feeds.breaker import BreakerTransition
from trading.ports.feed_health import FeedHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Now, on two clocks: the market's dates rows and opens hours, this machine's paces what is asked.

    They differ where the market is simulated and runs faster: its vendor is still asked every ten seconds.
    """

    market: datetime
    machine: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """One question on its way. `ask` blocks within its own time-outs; it returns, or raises a DeskError."""

    feed: str
    symbol: str
    ask: Callable[[], object]


class Poller(ABC):
    """One source. Every poll that `due` gave comes back through `take`, once."""

    @property
    @abstractmethod
    def source(self) -> str:
        """The source's name in rows and on the board."""

    @abstractmethod
    def due(self, now: Moment, most: int) -> Sequence[Poll]:
        """Return up to `most` polls to start now; raises LiveStateUnavailableError where none can count."""

    @abstractmethod
    def take(self, poll: Poll, answer: object | DeskError, now: Moment) -> None:
        """Take what became of a poll: publish its rows, note its failure. Raises what the sink raises."""

    @abstractmethod
    def health(self, now: Moment) -> Sequence[FeedHealth]:
        """Say how each feed of each symbol is."""

    @abstractmethod
    def metrics(self, now: Moment) -> Mapping[str, str]:
        """Say in figures what was asked and what came, for the source's monitoring key."""

    @abstractmethod
    def take_changes(self) -> Sequence[BreakerTransition]:
        """Return the breakers' changes since the last call."""
