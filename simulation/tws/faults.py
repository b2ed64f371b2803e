"""What goes wrong on the wire on demand: switches the gateway consults while it runs.

A test or a script sets them and takes them back. The truth never changes here: the broker behind the gateway
knows what happened, only the telling is late, twice, out of order, or not at all. Keep out: faults of the
broker itself (corrections, rejects, silent position moves), which are calls on the engine.
"""

from dataclasses import dataclass, field
from datetime import timedelta

NOTHING = timedelta()


@dataclass(slots=True, kw_only=True)
class WireFaults:
    """All switches off is a gateway as it should be. Times are simulated but for `hold_writes_s`."""

    # the link
    refuse_connections: bool = False
    half_open: bool = False  # nothing goes out and nothing is read, but the sockets stay
    cut_next_message: bool = False  # half of the next message, then the link is gone
    cut_after_messages: int = 0  # so many more messages, then half of one, then the link is gone; 0: never
    chunk_bytes: int = 0  # 1: one byte at a time; 0: as it comes
    hold_writes_s: float = 0.0  # collect messages this long and send them in one segment (wall time)

    # start-up and ends of answers
    omit_executions_end: bool = False
    omit_completed_orders_end: bool = False
    omit_open_orders_end: bool = False
    omit_positions_end: bool = False
    next_id_jump: int = 0
    failing_requests: dict[str, int] = field(default_factory=dict)  # request's name in dispatch.py -> code

    # executions and commissions
    execution_delay: timedelta = NOTHING
    execution_copies: int = 1  # 0: never told live
    execution_reorder: int = 1  # collect so many, then tell them last first
    commission_delay: timedelta = NOTHING
    commission_copies: int = 1
    commission_first: bool = False  # the report goes out before its execution
    replay_last_revision_only: bool = False
    execution_zone: str = ""  # a word that is no zone instead of US/Eastern
    execution_extra_fields: int = 0  # wrong field count: +1 one too many, -1 one too few

    status_copies: int = 1  # order statuses are told more than once by real gateways too

    # data
    halted: set[int] = field(default_factory=set)  # contract ids
    withhold_greeks: bool = False
    crossed_quotes: bool = False
    silent_market: bool = False  # no ticks, and those of the time are never told
    data_farm_down: bool = False  # the same, and it has been said
    silenced: set[int] = field(default_factory=set)  # contract ids whose lines are silent while others go on
    price_text: str = ""  # how every price of market data is told instead; empty: as it is
    greeks_text: str = ""  # the same for model values
    lost_depth: int = 0  # so many changes of books are not told

    def of_the_market(self) -> tuple[object, ...]:
        """The switches that change what a line tells although the market stands still."""
        return (
            self.silent_market,
            self.data_farm_down,
            self.crossed_quotes,
            self.withhold_greeks,
            self.price_text,
            self.greeks_text,
            frozenset(self.halted),
            frozenset(self.silenced),
        )

    def is_silent(self, conid: int) -> bool:
        """Whether nothing is told of a contract's market."""
        return self.silent_market or self.data_farm_down or conid in self.silenced

    def clear(self) -> None:
        """Everything works again."""
        for name, value in type(self)().as_dict().items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, object]:
        """Every switch by name, for a script and for showing what is on."""
        return {name: getattr(self, name) for name in self.__slots__}
