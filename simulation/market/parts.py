"""What a world is made of, as the broker and the gateway see it: protocols, and the values that they give.

Two worlds fulfil them: the drawn one (seed) and the replayed one (recorded files). An answer depends on the
contract and the moment alone, never on what was asked before, so that a client's subscriptions never move the
market. Prices are whole cents, moments whole epoch seconds where a name says `second`. Keep out: how a price
comes about, orders, messages.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from simulation.broker.model import Greeks, Quote
from simulation.broker.questions import Bar, Depth, Print
from simulation.sample_desk.contracts import Contract, Underlying

BARS_MOST = 20_000  # of one answer
LOOKED_BACK_MOST_S = 40 * 86_400  # bars and ticks of one answer lie within so many seconds


@dataclass(frozen=True, slots=True)
class Touch:
    """Best bid and ask in cents with their sizes; a bid of 0 is none."""

    bid: int
    ask: int
    bid_size: int
    ask_size: int


@dataclass(frozen=True, slots=True)
class Traded:
    """A print in cents; `side` 1 lifted the ask, -1 hit the bid, 0 in between."""

    second: int
    cents: int
    size: int
    side: int
    exchange: str
    conditions: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What an event did to one symbol: its return, and that in deviations of the symbol's day."""

    symbol: str
    size: float
    deviations: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketEvent:
    """News that moves prices at a known moment; `symbol` is empty when it is about the whole market.

    Kinds: release, decision, earnings (scheduled), surprise. `moves` has whom it moved, the most moved first.
    """

    at: datetime
    symbol: str
    kind: str
    headline: str
    is_scheduled: bool
    moves: tuple[Move, ...] = ()


class QuoteSource(Protocol):
    """Touches, model values, books and open interest."""

    def touch(self, contract: Contract, second: int) -> Touch | None:
        """The touch at a second; None while the contract does not trade or nobody quotes an ask."""

    def spot_cents(self, underlying: Underlying, second: int) -> int:
        """The underlying's price; before the session's first the opening price, after its last the close."""

    def fair_cents(self, contract: Contract, second: int) -> float:
        """The model price; the spot itself for what is not an option; exists outside hours too."""

    def greeks(self, contract: Contract, now: datetime) -> Greeks | None:
        """Model greeks in dollars; None for what is no option or has ended."""

    def open_interest(self, contract: Contract, session: date) -> int:
        """Contracts that were open on the session's morning; 0 for what is no option."""

    def depth(self, contract: Contract, rows: int, now: datetime) -> Depth | None:
        """Some levels of both sides, the touch first; None while the contract does not trade."""

    def calm_s(self, contract: Contract, second: int, cents: int) -> int:
        """For how many seconds from here the touch surely stays within so many cents; 0 is always right."""


class TapeSource(Protocol):
    """Prints, quotes with their last trade, bars."""

    def trades_at(self, contract: Contract, second: int) -> tuple[Traded, ...]:
        """The prints of one second."""

    def prints(self, contract: Contract, since: datetime, now: datetime) -> list[Print]:
        """Prints after `since` up to `now`."""

    def quote(self, contract: Contract, now: datetime) -> Quote:
        """Touch, last trade and the session's volume; an index has only its value, as the last trade."""

    def next_change(self, contract: Contract, now: datetime) -> datetime:
        """The first moment after `now` at which the quote, greeks or a print may be new; never late."""

    def bars(self, contract: Contract, end: datetime, seconds: int, bar_s: int, what: str) -> list[Bar]:
        """Bars of `bar_s` seconds over the last `seconds`, the last one cut at `end`; only where it traded.

        `what` is TRADES, BID, ASK or MIDPOINT; of an index there is only its value.
        """


def check_span(seconds: int, bar_s: int) -> None:
    """Refuse a length of bars, or of the span they lie in, that no tape answers."""
    if bar_s < 1 or not 1 <= seconds <= LOOKED_BACK_MOST_S:
        limits = f"expected 1 to {LOOKED_BACK_MOST_S} and a bar of 1 or more"
        raise ValueError(f"seconds: {limits}, was {seconds} and {bar_s}")
