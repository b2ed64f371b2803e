"""The live state in Redis: locks, closed positions, P&L, leases and heartbeats, through the one key schema.

What can lose money here: a flushed Redis that reads as "no locks" (the epoch is looked at before and
after the locks, and without it no entry is allowed), a lease that two hold (one script on the server,
with a fencing number that grows even over a flush), and an error that reads as an empty answer (every
failure raises LiveStateUnavailableError).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from adapters.redis import keys, values
from adapters.redis.connection import ANSWER_TIMEOUT_S, asked, open_client, run_script
from trading.errors import InvalidFieldError, LiveStateUnavailableError
from trading.model.broker import WORKING_STATUSES, BrokerOrder, BrokerPosition
from trading.ports.live_state import (
    AccountDailyPnl,
    ClosedPosition,
    EntryAnswer,
    Lease,
    LiveState,
    Lock,
    LockScope,
    OpenPositions,
    WorkingOrders,
)

KEYS_SCANNED_PER_CALL = 500
KEYS_FOUND_MAX = 100_000  # of one pattern: more is a broken writer, not a state


class RedisLiveState(LiveState):
    """The port on a real Redis 6.2 or later, reached by its URL; connects at the first use."""

    def __init__(self, url: str, *, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        self._client: Any = open_client(url, timeout_s)

    def put_closed_positions(self, account: str, session: date, positions: Sequence[ClosedPosition]) -> None:
        """Replace what is said of this account and session: positions that are not named are taken away."""
        day = session.isoformat()
        told = {
            keys.POSITION_CLOSED.at(date=day, account=account, instrument=position.instrument): position
            for position in positions
        }

        texts = {key: values.closed_position_text(position) for key, position in told.items()}
        gone = self._keys(keys.POSITION_CLOSED.matching(date=day, account=account))
        self._replace(texts, gone, keys.POSITION_CLOSED.ttl_s)

    def closed_positions(self, account: str, session: date) -> Sequence[ClosedPosition]:
        """Return the closed positions of one account and session, by instrument."""
        pattern = keys.POSITION_CLOSED.matching(date=session.isoformat(), account=account)
        found = [values.closed_position_of(text) for text in self._values(pattern).values()]
        return sorted(found, key=lambda position: position.instrument)

    def put_open_positions(
        self, account: str, positions: Sequence[BrokerPosition], asked_at: datetime
    ) -> None:
        """Replace what the account holds, unless a newer answer is there; its time comes last."""
        since = keys.POSITIONS_ASKED.at(account=account)
        if self._is_newer(since, asked_at):
            return
        texts = {
            keys.POSITION_OPEN.at(account=account, instrument=position.instrument_id): values.position_text(
                position, asked_at
            )
            for position in positions
        }
        gone = self._keys(keys.POSITION_OPEN.matching(account=account))
        self._replace(texts | {since: values.heartbeat_text(asked_at)}, gone, None)

    def open_positions(self, account: str) -> OpenPositions | None:
        """Return what the account holds; None where nobody knows."""
        asked_at = self._moment(keys.POSITIONS_ASKED.at(account=account))
        if asked_at is None:
            return None
        found = self._values(keys.POSITION_OPEN.matching(account=account)).values()
        positions = sorted(map(values.position_of_text, found), key=lambda position: position.instrument_id)
        return OpenPositions(positions=tuple(positions), asked_at=asked_at)

    def put_working_orders(self, account: str, orders: Sequence[BrokerOrder], asked_at: datetime) -> None:
        """Replace the account's working orders, unless a newer answer is there; its time comes last."""
        since = keys.ORDERS_ASKED.at(account=account)
        if self._is_newer(since, asked_at):
            return
        working = [order for order in orders if order.status in WORKING_STATUSES]
        texts = {_order_key(order): values.order_text(order) for order in working}
        there = self._values(keys.ORDER_PENDING.matching())
        gone = [key for key, text in there.items() if values.order_of_text(text).account == account]
        self._replace(texts, gone, keys.ORDER_PENDING.ttl_s)
        self._replace({since: values.heartbeat_text(asked_at)}, (), keys.ORDERS_ASKED.ttl_s)

    def put_order(self, order: BrokerOrder) -> None:
        """Set an order, or take it away when it works no more; its perm_id may be new."""
        is_working = order.status in WORKING_STATUSES
        texts = {_order_key(order): values.order_text(order)} if is_working else {}
        gone = [_order_key(order), _order_key(order, perm_id="")]
        self._replace(texts, gone, keys.ORDER_PENDING.ttl_s)

    def working_orders(self, account: str) -> WorkingOrders | None:
        """Return the account's working orders; None where nobody knows."""
        asked_at = self._moment(keys.ORDERS_ASKED.at(account=account))
        if asked_at is None:
            return None
        found = map(values.order_of_text, self._values(keys.ORDER_PENDING.matching()).values())
        orders = sorted(
            (order for order in found if order.account == account),
            key=lambda order: (order.order_ref, order.perm_id),
        )
        return WorkingOrders(orders=tuple(orders), asked_at=asked_at)

    def put_daily_pnl(self, pnl: AccountDailyPnl) -> None:
        """Set one account's P&L, unless a later session's is there already."""
        field, day = pnl.account, pnl.session.isoformat()
        self._run("put_latest", keys.RISK_DAILY_PNL.at(), field, day, values.daily_pnl_text(pnl))

    def daily_pnl(self) -> Mapping[str, AccountDailyPnl]:
        """Return the latest P&L of every account."""
        found = asked(lambda: self._client.hgetall(keys.RISK_DAILY_PNL.at()))
        return {field.decode(): values.daily_pnl_of(text) for field, text in found.items()}

    def put_lock(self, lock: Lock) -> None:
        """Set a lock; it has no expiry."""
        asked(lambda: self._client.set(_lock_key(lock.scope, lock.scope_id), values.lock_text(lock)))

    def locks(self) -> Sequence[Lock]:
        """Return every lock, by scope and id."""
        found = [values.lock_of(text) for text in self._values(keys.LOCK.matching()).values()]
        return sorted(found, key=lambda lock: (lock.scope, lock.scope_id))

    def rebuild_locks(self, locks: Sequence[Lock], epoch: str) -> None:
        """Take the epoch away, make the locks exactly these, and only then set the epoch."""
        told = {_lock_key(lock.scope, lock.scope_id): lock for lock in locks}
        asked(lambda: self._client.delete(keys.LOCKS_EPOCH.at()))
        for key in self._keys(keys.LOCK.matching()):
            if key not in told:
                self._delete(key)
        for lock in locks:
            self.put_lock(lock)
        asked(lambda: self._client.set(keys.LOCKS_EPOCH.at(), epoch))

    def locks_epoch(self) -> str | None:
        """Return the epoch of the last rebuild; None after a flush."""
        told = asked(lambda: self._client.get(keys.LOCKS_EPOCH.at()))
        return told.decode() if told is not None else None

    def entries_allowed(self, account: str, underlying: str, instrument: str) -> EntryAnswer:
        """Say whether entries are allowed: the same epoch before and after no lock was seen."""
        wanted = [
            _lock_key(LockScope.ACCOUNT, account),
            _lock_key(LockScope.UNDERLYING, f"{account}:{underlying}"),
            _lock_key(LockScope.CONTRACT, f"{account}:{instrument}"),
        ]
        before = self.locks_epoch()
        found = asked(lambda: [self._client.get(key) for key in wanted])
        if before is None or self.locks_epoch() != before:
            return EntryAnswer(
                allowed=False, reason="locks not rebuilt: the locks epoch is missing or changed"
            )
        for text in found:
            if text is not None:
                lock = values.lock_of(text)
                return EntryAnswer(
                    allowed=False, reason=f"{lock.scope} {lock.scope_id} locked: {lock.reason}"
                )
        return EntryAnswer(allowed=True)

    def acquire_lease(self, component: str, shard: str, owner: str, ttl_s: int) -> Lease | None:
        """Take the lease, or keep it when `owner` has it; None while another has it."""
        key = keys.LEASE.at(component=component, shard=shard)
        held, fencing = self._run("acquire_lease", key, owner, ttl_s * 1000)
        return Lease(component=component, shard=shard, owner=owner, fencing=fencing) if held else None

    def renew_lease(self, lease: Lease, ttl_s: int) -> bool:
        """Keep the lease; False when it was lost."""
        key = keys.LEASE.at(component=lease.component, shard=lease.shard)
        return bool(self._run("renew_lease", key, lease.owner, lease.fencing, ttl_s * 1000))

    def keep_lease(self, lease: Lease, ttl_s: int) -> Lease | None:
        """Keep the lease, also one that ran out, unless another had it since; None then."""
        key = keys.LEASE.at(component=lease.component, shard=lease.shard)
        kept, fencing = self._run("keep_lease", key, lease.owner, lease.fencing, ttl_s * 1000)
        return replace(lease, fencing=fencing) if kept else None

    def release_lease(self, lease: Lease) -> None:
        """Give the lease back; only its holder can."""
        self.renew_lease(lease, 0)

    def lease_holder(self, component: str, shard: str) -> Lease | None:
        """Return who has the lease now; None when it is free."""
        told = self._run("lease_holder", keys.LEASE.at(component=component, shard=shard))
        if not told:
            return None
        owner, fencing, since_ms = told
        since = datetime.fromtimestamp(since_ms / 1000, UTC) if since_ms else None
        return Lease(component=component, shard=shard, owner=owner.decode(), fencing=fencing, since=since)

    def beat(self, component: str, now: datetime, ttl_s: int) -> None:
        """Say that a component lives, for `ttl_s`."""
        key = keys.HEARTBEAT.at(component=component)
        asked(lambda: self._client.set(key, values.heartbeat_text(now), ex=ttl_s))

    def heartbeats(self) -> Mapping[str, datetime]:
        """Return when each living component last said so."""
        found = self._values(keys.HEARTBEAT.matching())
        read = {key: keys.HEARTBEAT.read(key) for key in found}
        return {
            parts["component"]: values.heartbeat_of(found[key])
            for key, parts in read.items()
            if parts is not None
        }

    def ping(self) -> bool:
        """Say that the server answers."""
        return bool(asked(self._client.ping))

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _run(self, script: str, key: str, *arguments: object) -> Any:
        return run_script(self._client, script, [key], arguments)

    def _replace(self, texts: Mapping[str, bytes], there: Sequence[str], ttl_s: int | None) -> None:
        """Set these keys in their order and take away those that are there and not named."""

        def put() -> None:
            with self._client.pipeline(transaction=False) as pipe:
                for key in there:
                    if key not in texts:
                        pipe.delete(key)
                for key, text in texts.items():
                    pipe.set(key, text, ex=ttl_s)
                pipe.execute()

        asked(put)

    def _moment(self, key: str) -> datetime | None:
        text = asked(lambda: self._client.get(key))
        return None if text is None else values.heartbeat_of(text)

    def _is_newer(self, key: str, asked_at: datetime) -> bool:
        told = self._moment(key)
        return told is not None and told > asked_at

    def _delete(self, key: str) -> None:
        asked(lambda: self._client.delete(key))

    def _keys(self, pattern: str) -> list[str]:
        def scan() -> list[str]:
            found: set[str] = set()
            for key in self._client.scan_iter(match=pattern, count=KEYS_SCANNED_PER_CALL):
                found.add(key.decode())
                if len(found) > KEYS_FOUND_MAX:
                    raise LiveStateUnavailableError(f"{pattern}: expected at most {KEYS_FOUND_MAX} keys")
            return sorted(found)

        return [key for key in asked(scan) if key != keys.LOCKS_EPOCH.at()]

    def _values(self, pattern: str) -> dict[str, bytes]:
        found = self._keys(pattern)
        told = asked(lambda: [self._client.get(key) for key in found])
        return {key: text for key, text in zip(found, told, strict=True) if text is not None}


def _lock_key(scope: LockScope, scope_id: str) -> str:
    return keys.LOCK.at(scope=str(scope), id=scope_id)


def _order_key(order: BrokerOrder, perm_id: str | None = None) -> str:
    """The reference joined with the broker's number; a reference that is no part of a key is left out."""
    number = order.perm_id if perm_id is None else perm_id
    try:
        return keys.ORDER_PENDING.at(order_ref=f"{order.order_ref}:{number}")
    except InvalidFieldError:
        return keys.ORDER_PENDING.at(order_ref=f":{number}")
