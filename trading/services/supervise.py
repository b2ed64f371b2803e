"""Do the resident processes live, and does somebody work the shift? What a person must know, what to start.

Who restarts a process is its supervisor; who starts a shift is the scheduler. This only looks: heartbeats say
who lives, the lease says who works. A heartbeat that is missing for a moment is a restart and no news.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.ports.live_state import Lease, LiveState

MISSING_FOR = timedelta(seconds=15)  # a restarted process beats again within 5 s and its start


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """What one look saw; `missing` says since when each silent process is known to be silent."""

    missing: Mapping[str, datetime]
    faults: Sequence[str]
    shift: Lease | None

    @property
    def text(self) -> str:
        """All faults in one line."""
        return "; ".join(self.faults)


def look_after_residents(
    live_state: LiveState,
    expected: Sequence[str],
    known_missing: Mapping[str, datetime],
    now: datetime,
    component: str,
    shard: str,
) -> Supervision:
    """Look once. `known_missing` is what the look before said; what lives again is not in the answer."""
    beats = live_state.heartbeats()
    missing = {name: known_missing.get(name, now) for name in expected if name not in beats}
    faults = [
        f"{name} has not said that it lives for {round((now - since).total_seconds())} s"
        for name, since in sorted(missing.items())
        if now - since >= MISSING_FOR
    ]
    return Supervision(missing=missing, faults=tuple(faults), shift=live_state.lease_holder(component, shard))
