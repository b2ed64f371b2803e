"""The lease of a process that writes what another of its kind must not write at the same time.

What can lose money here: two writers. A process that stands still (a pause, a machine that sleeps) cannot
know that it was followed, so the number of its lease goes with what it writes and is refused where that goes;
this here only decides who may begin, and tells the one that was followed. A lease that ran out while nobody
else had it is kept: a live state that was away for a minute ends no process. Keep out: waiting, writing.
"""

from collections.abc import Callable

from trading.errors import FencedOutError, LiveStateUnavailableError
from trading.ports.live_state import Lease, LiveState

SHARD = "writer"  # one for each component
RENEWALS_PER_TTL = 3


class HeldLease:
    """The right to write as a component.

    `is_dead` proves that the process behind an owner's name is gone, `shown` says a name to people.
    """

    def __init__(
        self,
        live_state: LiveState,
        component: str,
        owner: str,
        ttl_s: int,
        is_dead: Callable[[str], bool] = lambda _owner: False,
        shown: Callable[[str], str] = str,
    ) -> None:
        self._live_state, self._is_dead, self._shown = live_state, is_dead, shown
        self.component, self._owner, self.ttl_s = component, owner, ttl_s
        self.lease: Lease | None = None

    @property
    def every_s(self) -> float:
        """How often it is to be kept."""
        return self.ttl_s / RENEWALS_PER_TTL

    def take(self) -> Lease | None:
        """Take it where it is free, or where its holder is proved dead; None while another has it."""
        self.lease = self._acquired()
        if self.lease is None:
            holder = self._live_state.lease_holder(self.component, SHARD)
            if holder is not None and self._is_dead(holder.owner):
                self._live_state.release_lease(holder)
                self.lease = self._acquired()
        return self.lease

    def keep(self) -> Lease:
        """Keep it; raises FencedOutError where another has or had it since."""
        kept = self.take() if self.lease is None else self._live_state.keep_lease(self.lease, self.ttl_s)
        if kept is None:
            raise FencedOutError(f"lease {self.component}: {self._shown(self._owner)} has it no more")
        self.lease = kept
        return kept

    def give_back(self) -> None:
        """Let the next one begin at once; where the live state is away it begins when the lease runs out."""
        held, self.lease = self.lease, None
        if held is None:
            return
        try:
            self._live_state.release_lease(held)
        except LiveStateUnavailableError:
            return

    def holder(self) -> str:
        """Who has it, for people: where, which process, since when."""
        holder = self._live_state.lease_holder(self.component, SHARD)
        if holder is None:
            return "another process"
        name = self._shown(holder.owner)
        return name if holder.since is None else f"{name}, since {holder.since:%Y-%m-%d %H:%M:%S} UTC"

    def _acquired(self) -> Lease | None:
        return self._live_state.acquire_lease(self.component, SHARD, self._owner, self.ttl_s)
