"""Do the resident processes live, and does somebody work the shift? What a person must know, what to start.

Who restarts a process is its supervisor; who starts a shift is the scheduler. This only looks: heartbeats say
who lives, the lease says who works. A heartbeat that is missing for a moment is a restart and no news.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from trading.ports.live_state import Lease, LiveState
from trading.settings import Settings

MISSING_FOR = timedelta(seconds=15)  # a restarted process beats again within 5 s and its start


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """What one look saw; `missing` says since when each silent process is known to be silent."""

    missing: Mapping[str, datetime]
    faults: Mapping[str, str]
    shift: Lease | None

    def text(self, names: Sequence[str]) -> str:
        """The faults of these in one line; empty where they live."""
        return "; ".join(fault for name, fault in sorted(self.faults.items()) if name in names)


BROKER_RESIDENTS = ("broker", "drain")
MARKET_RESIDENTS = ("ingest", "market-drain", "vendors")  # all that may be expected


def broker_residents(settings: Settings) -> tuple[str, ...]:
    """Who must live so that fills are booked."""
    return BROKER_RESIDENTS if settings.broker.host is not None else ()


def market_residents(settings: Settings) -> tuple[str, ...]:
    """Who must live so that the market is heard and kept; whether they do stops no shift of the fills."""
    has_broker, has_key = settings.broker.host is not None, bool(settings.vendors.alpha_vantage_key)
    ingest = ("ingest",) if has_broker and settings.ingest.enabled else ()
    drain = ("market-drain",) if has_broker or has_key else ()
    return (*ingest, *drain, *(("vendors",) if ingest or has_key else ()))


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
    faults = {
        name: f"{name} has not said that it lives for {round((now - since).total_seconds())} s"
        for name, since in missing.items()
        if now - since >= MISSING_FOR
    }
    return Supervision(missing=missing, faults=faults, shift=live_state.lease_holder(component, shard))
