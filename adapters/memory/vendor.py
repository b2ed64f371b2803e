"""What polling a vendor needs besides the market, in memory: ledger, monitor, log of breakers."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from trading.errors import OutboxFullError
from trading.feeds.breaker import BreakerTransition
from trading.feeds.limiter import minute_of
from trading.ports.breaker_log import ENTRIES_MAX, BreakerEntry, BreakerLog, BreakerOutbox
from trading.ports.request_ledger import RequestLedger
from trading.ports.vendor_monitor import VendorMonitor

FIRST_ENTRY_MS = 1_760_000_000_000
STREAM = "breakers"


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

    def told(self, vendor: str) -> Mapping[str, str]:
        """What is kept."""
        return dict(self.vendors.get(vendor, {}))

    def tell_sentiment(self, symbol: str, metrics: Mapping[str, str]) -> None:
        """Keep it."""
        self.sentiment[symbol] = dict(metrics)


@dataclass(slots=True)
class MemoryBreakerOutbox(BreakerOutbox):
    """Changes in their order until they are acknowledged."""

    entries: dict[str, BreakerTransition] = field(default_factory=dict)
    numbered: int = 0

    def append(self, transitions: Sequence[BreakerTransition]) -> None:
        """Append, unless it is full."""
        if len(self.entries) + len(transitions) > ENTRIES_MAX:
            raise OutboxFullError(f"breakers: expected at most {ENTRIES_MAX}, was {len(self.entries)}")
        for change in transitions:
            self.numbered += 1
            self.entries[f"{FIRST_ENTRY_MS + self.numbered}-0"] = change

    def read(self, most: int) -> Sequence[BreakerEntry]:
        """Return the oldest."""
        return [
            BreakerEntry(stream=STREAM, entry_id=entry_id, transition=change)
            for entry_id, change in islice(self.entries.items(), most)
        ]

    def ack(self, entries: Sequence[BreakerEntry]) -> None:
        """Take them away."""
        for entry in entries:
            self.entries.pop(entry.entry_id, None)


@dataclass(slots=True)
class MemoryBreakerLog(BreakerLog):
    """Changes by their entry."""

    kept: dict[tuple[str, str], BreakerTransition] = field(default_factory=dict)

    def record(self, entries: Sequence[BreakerEntry]) -> None:
        """Keep each once."""
        self.kept.update({(entry.stream, entry.entry_id): entry.transition for entry in entries})
