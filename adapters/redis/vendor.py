"""What polling a vendor keeps in Redis: its ledger of requests, its figures, the outbox of breakers' changes.

What can cost money here: a request that is not counted (the ledger is written before it leaves, and an error
is no zero), and a change that is lost (it is deleted only when the warehouse has it).
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from adapters.redis import keys
from adapters.redis.connection import asked, open_client
from trading.errors import LiveStateUnavailableError, OutboxFullError
from trading.feeds.breaker import BreakerState, BreakerTransition
from trading.feeds.limiter import minute_of
from trading.ports.breaker_log import ENTRIES_MAX, BreakerEntry, BreakerOutbox
from trading.ports.request_ledger import RequestLedger
from trading.ports.vendor_monitor import VendorMonitor

TOPIC, SHARD = "breakers", "VENDORS"
VERSION = 1
FORGET_PER_CALL_MAX = 5_000

logger = logging.getLogger(__name__)


class RedisRequestLedger(RequestLedger):
    """One hash for each vendor, a field for each minute; may be shared between threads."""

    def __init__(self, url: str) -> None:
        self._client: Any = open_client(url)

    def spent(self, vendor: str, since: datetime) -> Mapping[datetime, int]:
        """Return what is counted since then, and forget what is older."""
        key = keys.VENDOR_REQUESTS.at(vendor=vendor)
        told = asked(lambda: self._client.hgetall(key))
        try:
            counts = {_minute(field): int(count) for field, count in told.items()}
        except ValueError as cause:
            raise LiveStateUnavailableError(f"{key}: expected counts by minute") from cause
        first = minute_of(since)
        gone = [field for field in told if _minute(field) < first][:FORGET_PER_CALL_MAX]
        if gone:
            asked(lambda: self._client.hdel(key, *gone))
        return {minute: count for minute, count in counts.items() if minute >= first}

    def spend(self, vendor: str, at: datetime) -> None:
        """Count one; a repeat after a lost answer counts one too many, never too few."""
        key = keys.VENDOR_REQUESTS.at(vendor=vendor)
        field = str(int(minute_of(at).timestamp()))

        def count() -> None:
            with self._client.pipeline(transaction=True) as pipe:
                pipe.hincrby(key, field, 1)
                pipe.expire(key, keys.VENDOR_REQUESTS.ttl_s)
                pipe.execute()

        asked(count)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()


class RedisVendorMonitor(VendorMonitor):
    """Hashes that the feed board writes too, other fields of them; may be shared between threads."""

    def __init__(self, url: str) -> None:
        self._client: Any = open_client(url)

    def tell(self, vendor: str, metrics: Mapping[str, str]) -> None:
        """Set the vendor's figures."""
        if metrics:
            asked(lambda: self._client.hset(keys.MONITORING_VENDOR.at(vendor=vendor), mapping=dict(metrics)))

    def told(self, vendor: str) -> Mapping[str, str]:
        """Return the vendor's figures."""
        found = asked(lambda: self._client.hgetall(keys.MONITORING_VENDOR.at(vendor=vendor)))
        return {name.decode(): value.decode() for name, value in found.items()}

    def tell_sentiment(self, symbol: str, metrics: Mapping[str, str]) -> None:
        """Set the figures of a symbol's news."""
        family = keys.MONITORING_SENTIMENT
        key = family.at(sym=symbol)

        def put() -> None:
            with self._client.pipeline(transaction=True) as pipe:
                pipe.hset(key, mapping=dict(metrics))
                pipe.expire(key, family.ttl_s or keys.DAY_S)
                pipe.execute()

        asked(put)

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()


class RedisBreakerOutbox(BreakerOutbox):
    """A stream of its own that is deleted entry by entry; one process appends and drains it."""

    def __init__(self, url: str, *, entries_max: int = ENTRIES_MAX) -> None:
        self._client: Any = open_client(url)
        self._stream = keys.OUTBOX.at(topic=TOPIC, sym=SHARD)
        self._entries_max = entries_max

    def append(self, transitions: Sequence[BreakerTransition]) -> None:
        """Append, unless the stream is full; a repeat after a lost answer stands twice, with one content."""
        length = asked(lambda: self._client.xlen(self._stream))
        if length + len(transitions) > self._entries_max:
            raise OutboxFullError(f"{self._stream}: expected at most {self._entries_max}, was {length}")

        def put() -> None:
            with self._client.pipeline(transaction=True) as pipe:
                for change in transitions:
                    pipe.xadd(self._stream, {"change": _text(change)})
                pipe.execute()

        asked(put)

    def read(self, most: int) -> Sequence[BreakerEntry]:
        """Return the oldest entries."""
        found = []
        for entry_id, fields in asked(lambda: self._client.xrange(self._stream, count=most)):
            try:
                change = _change(fields[b"change"])
            except (KeyError, ValueError, TypeError) as error:
                logger.error("breaker_change_unreadable entry=%s error=%s", entry_id, error)
                self._delete([entry_id])
                continue
            found.append(BreakerEntry(stream=self._stream, entry_id=entry_id.decode(), transition=change))
        return found

    def ack(self, entries: Sequence[BreakerEntry]) -> None:
        """Delete them."""
        if entries:
            self._delete([entry.entry_id for entry in entries])

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _delete(self, entry_ids: Sequence[Any]) -> None:
        asked(lambda: self._client.xdel(self._stream, *entry_ids))


def _minute(field: bytes) -> datetime:
    return datetime.fromtimestamp(int(field), UTC)


def _text(change: BreakerTransition) -> bytes:
    return orjson.dumps(
        {
            "v": VERSION,
            "ts": change.at.isoformat(),
            "source": change.source,
            "feed": change.feed,
            "symbol": change.symbol,
            "was": str(change.was),
            "becomes": str(change.becomes),
            "failures": change.failures,
            "reason": change.reason,
        }
    )


def _change(text: bytes) -> BreakerTransition:
    told = orjson.loads(text)
    return BreakerTransition(
        source=told["source"],
        feed=told["feed"],
        symbol=told["symbol"],
        at=datetime.fromisoformat(told["ts"]),
        was=BreakerState(told["was"]),
        becomes=BreakerState(told["becomes"]),
        failures=told["failures"],
        reason=told["reason"],
    )
