"""What polling a vendor needs besides the market, in memory: ledger, monitor, log of breakers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from trading.feeds.breaker import BreakerTransition
from trading.feeds.limiter import minute_of
from trading.ports.breaker_log import BreakerLog
from trading.ports.request_ledger import RequestLedger
from trading.ports.vendor_monitor import VendorMonitor


@dataclass(slots=True)
class MemoryRequestLedger(RequestLedger):
    """Requests by vendor and minute."""

    counts: dict[str, Counter[datetime]] = field(default_factory=dict)

    def spent(self, vendor: str, since: datetime) -> Mapping[datetime, int]:
        """Return what is counted since then."""
        told = self.counts.get(vendor, Counter())
        return {minute: count for minute, count in told.items() if minute >= minute_of(since)}

    def spend(self, vendor: str, at: datetime) -> None:
        """Count one."""
        self.counts.setdefault(vendor, Counter())[minute_of(at)] += 1


@dataclass(slots=True)
class MemoryVendorMonitor(VendorMonitor):
    """What was told last."""

    vendors: dict[str, dict[str, str]] = field(default_factory=dict)
    sentiment: dict[str, dict[str, str]] = field(default_factory=dict)

    def tell(self, vendor: str, metrics: Mapping[str, str]) -> None:
        """Keep it."""
        self.vendors[vendor] = dict(metrics)

    def tell_sentiment(self, symbol: str, metrics: Mapping[str, str]) -> None:
        """Keep it."""
        self.sentiment[symbol] = dict(metrics)


@dataclass(slots=True)
class MemoryBreakerLog(BreakerLog):
    """Changes once each, in the order they came."""

    transitions: list[BreakerTransition] = field(default_factory=list)

    def record(self, transitions: Sequence[BreakerTransition]) -> None:
        """Keep what is not there yet."""
        self.transitions.extend(change for change in transitions if change not in self.transitions)
