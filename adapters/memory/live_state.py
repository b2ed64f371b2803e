"""The live state in memory: closes the same doors as Redis, and can be flushed like one."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

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


class MemoryLiveState(LiveState):
    """The port in one process."""

    def __init__(self) -> None:
        self._fencing = 0
        self.flush()

    def flush(self) -> None:
        """Lose everything, as a flushed Redis does; fencing numbers grow on."""
        self._closed: dict[tuple[str, date], dict[str, ClosedPosition]] = {}
        self._open: dict[str, OpenPositions] = {}
        self._orders: dict[tuple[str, str], BrokerOrder] = {}
        self._orders_asked: dict[str, datetime] = {}
        self._pnl: dict[str, AccountDailyPnl] = {}
        self._locks: dict[tuple[LockScope, str], Lock] = {}
        self._epoch: str | None = None
        self._leases: dict[tuple[str, str], tuple[Lease, float]] = {}
        self._beats: dict[str, tuple[datetime, float]] = {}

    def put_closed_positions(self, account: str, session: date, positions: Sequence[ClosedPosition]) -> None:
        """Replace what is said of this account and session."""
        self._closed[account, session] = {position.instrument: position for position in positions}

    def closed_positions(self, account: str, session: date) -> Sequence[ClosedPosition]:
        """Return the closed positions of one account and session, by instrument."""
        found = self._closed.get((account, session), {}).values()
        return sorted(found, key=lambda position: position.instrument)

    def put_open_positions(
        self, account: str, positions: Sequence[BrokerPosition], asked_at: datetime
    ) -> None:
        """Replace what the account holds, unless a newer answer is there."""
        told = self._open.get(account)
        if told is None or told.asked_at <= asked_at:
            by_contract = sorted(positions, key=lambda position: position.instrument_id)
            self._open[account] = OpenPositions(positions=tuple(by_contract), asked_at=asked_at)

    def open_positions(self, account: str) -> OpenPositions | None:
        """Return what the account holds; None where nobody knows."""
        return self._open.get(account)

    def put_working_orders(self, account: str, orders: Sequence[BrokerOrder], asked_at: datetime) -> None:
        """Replace the account's working orders, unless a newer answer is there."""
        if self._orders_asked.get(account, asked_at) > asked_at:
            return
        self._orders = {name: order for name, order in self._orders.items() if order.account != account}
        for order in orders:
            self.put_order(order)
        self._orders_asked[account] = asked_at

    def put_order(self, order: BrokerOrder) -> None:
        """Set an order, or take it away when it works no more."""
        self._orders.pop((order.order_ref, order.perm_id), None)
        self._orders.pop((order.order_ref, ""), None)
        if order.status in WORKING_STATUSES:
            self._orders[order.order_ref, order.perm_id] = order

    def working_orders(self, account: str) -> WorkingOrders | None:
        """Return the account's working orders; None where nobody knows."""
        asked_at = self._orders_asked.get(account)
        if asked_at is None:
            return None
        kept = (self._orders[name] for name in sorted(self._orders))
        return WorkingOrders(
            orders=tuple(order for order in kept if order.account == account), asked_at=asked_at
        )

    def put_daily_pnl(self, pnl: AccountDailyPnl) -> None:
        """Set one account's P&L, unless a later session's is there already."""
        told = self._pnl.get(pnl.account)
        if told is None or told.session <= pnl.session:
            self._pnl[pnl.account] = pnl

    def daily_pnl(self) -> Mapping[str, AccountDailyPnl]:
        """Return the latest P&L of every account."""
        return dict(self._pnl)

    def put_lock(self, lock: Lock) -> None:
        """Set a lock; it has no expiry."""
        self._locks[lock.scope, lock.scope_id] = lock

    def locks(self) -> Sequence[Lock]:
        """Return every lock, by scope and id."""
        return sorted(self._locks.values(), key=lambda lock: (lock.scope, lock.scope_id))

    def rebuild_locks(self, locks: Sequence[Lock], epoch: str) -> None:
        """Make the locks exactly these, and set the epoch."""
        self._locks = {(lock.scope, lock.scope_id): lock for lock in locks}
        self._epoch = epoch

    def locks_epoch(self) -> str | None:
        """Return the epoch of the last rebuild; None after a flush."""
        return self._epoch

    def entries_allowed(self, account: str, underlying: str, instrument: str) -> EntryAnswer:
        """Say whether entries are allowed: no lock on any of the three, and the epoch there."""
        if self._epoch is None:
            return EntryAnswer(
                allowed=False, reason="locks not rebuilt: the locks epoch is missing or changed"
            )
        asked = (
            (LockScope.ACCOUNT, account),
            (LockScope.UNDERLYING, f"{account}:{underlying}"),
            (LockScope.CONTRACT, f"{account}:{instrument}"),
        )
        for key in asked:
            if key in self._locks:
                lock = self._locks[key]
                return EntryAnswer(
                    allowed=False, reason=f"{lock.scope} {lock.scope_id} locked: {lock.reason}"
                )
        return EntryAnswer(allowed=True)

    def acquire_lease(self, component: str, shard: str, owner: str, ttl_s: int) -> Lease | None:
        """Take the lease, or keep it when `owner` has it; None while another has it."""
        now = time.monotonic()
        held = self._leases.get((component, shard))
        if held is not None and held[1] > now:
            if held[0].owner != owner:
                return None
            lease = held[0]
        else:
            self._fencing += 1
            since = datetime.now(UTC)
            lease = Lease(component=component, shard=shard, owner=owner, fencing=self._fencing, since=since)
        self._leases[component, shard] = (lease, now + ttl_s)
        return lease

    def renew_lease(self, lease: Lease, ttl_s: int) -> bool:
        """Keep the lease; False when it was lost."""
        held = self._leases.get((lease.component, lease.shard))
        if held is None or held[0] != lease or held[1] <= time.monotonic():
            return False
        self._leases[lease.component, lease.shard] = (lease, time.monotonic() + ttl_s)
        return True

    def keep_lease(self, lease: Lease, ttl_s: int) -> Lease | None:
        """Keep the lease, also one that ran out, unless another had it since; None then."""
        place = (lease.component, lease.shard)
        if place not in self._leases:
            self._fencing = max(self._fencing, lease.fencing) + 1
            kept = replace(lease, fencing=self._fencing)
        elif self._leases[place][0] == lease:
            kept = lease
        else:
            return None
        self._leases[place] = (kept, time.monotonic() + ttl_s)
        return kept

    def release_lease(self, lease: Lease) -> None:
        """Give the lease back; only its holder can."""
        self.renew_lease(lease, 0)

    def lease_holder(self, component: str, shard: str) -> Lease | None:
        """Return who has the lease now; None when it is free."""
        held = self._leases.get((component, shard))
        return held[0] if held is not None and held[1] > time.monotonic() else None

    def beat(self, component: str, now: datetime, ttl_s: int) -> None:
        """Say that a component lives, for `ttl_s`."""
        self._beats[component] = (now, time.monotonic() + ttl_s)

    def heartbeats(self) -> Mapping[str, datetime]:
        """Return when each living component last said so."""
        now = time.monotonic()
        return {component: at for component, (at, until) in self._beats.items() if until > now}
