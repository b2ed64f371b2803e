"""What every live state promises: closed doors when anything is missing."""

from contextlib import suppress
from datetime import timedelta
from decimal import Decimal

import pytest
from fill_samples import DAY, NOON

from trading.errors import InvalidFieldError
from trading.model.broker import BrokerOrder, BrokerPosition
from trading.ports.live_state import AccountDailyPnl, ClosedPosition, LiveState, Lock, LockScope


def lock(scope: LockScope, scope_id: str) -> Lock:
    """A lock for a break."""
    return Lock(scope=scope, scope_id=scope_id, reason="break b1 of 12.50 USD", since=NOON)


def closed(instrument: str = "893396239", realized: str = "-27.5746") -> ClosedPosition:
    """A closed position."""
    return ClosedPosition(
        account="U1",
        session=DAY,
        instrument=instrument,
        symbol="CZR",
        currency="USD",
        realized=Decimal(realized),
        fees=Decimal("2.1"),
        quantity_closed=Decimal(2),
        closed_at=NOON,
    )


def pnl(session_offset: int = 0, realized: str = "1") -> AccountDailyPnl:
    """One account's day."""
    return AccountDailyPnl(
        account="U1",
        session=DAY + timedelta(days=session_offset),
        base_currency="CHF",
        realized=Decimal(realized),
        fees=Decimal("0.5"),
        unrealized=None,
        computed_at=NOON,
    )


def test_without_an_epoch_no_entry_is_allowed(live_state: LiveState) -> None:
    """An empty state is a flushed state: it says nothing about locks, so nothing is allowed."""
    assert live_state.locks_epoch() is None
    answer = live_state.entries_allowed("U1", "CZR", "893396239")
    assert not answer.allowed
    assert "epoch" in answer.reason


def test_rebuilt_locks_are_exactly_those_that_were_given(live_state: LiveState) -> None:
    """What was there before and is not named is gone; the epoch opens what is not locked."""
    live_state.put_lock(lock(LockScope.ACCOUNT, "U1"))
    live_state.rebuild_locks([lock(LockScope.UNDERLYING, "U1:CZR")], "e1")
    assert live_state.locks() == [lock(LockScope.UNDERLYING, "U1:CZR")]
    assert live_state.locks_epoch() == "e1"
    assert live_state.entries_allowed("U1", "CLF", "1").allowed


@pytest.mark.parametrize(
    ("scope", "scope_id"),
    [
        (LockScope.ACCOUNT, "U1"),
        (LockScope.UNDERLYING, "U1:CZR"),
        (LockScope.CONTRACT, "U1:893396239"),
        (LockScope.CONTRACT, "U1:OPT:CZR   260821C00030000"),
    ],
)
def test_each_scope_of_lock_refuses_entries_until_it_is_lifted(
    live_state: LiveState, scope: LockScope, scope_id: str
) -> None:
    """The answer names the lock; another account is free."""
    live_state.rebuild_locks([], "e1")
    live_state.put_lock(lock(scope, scope_id))
    instrument = scope_id.partition(":")[2] if scope is LockScope.CONTRACT else "893396239"
    refused = live_state.entries_allowed("U1", "CZR", instrument)
    assert not refused.allowed
    assert scope_id in refused.reason
    assert live_state.entries_allowed("U2", "CZR", instrument).allowed
    live_state.rebuild_locks([], "e2")
    assert live_state.entries_allowed("U1", "CZR", instrument).allowed


def test_closed_positions_are_replaced_as_a_whole(live_state: LiveState) -> None:
    """A position that the broker does not name any more is taken away; other days and accounts stay."""
    live_state.put_closed_positions("U1", DAY, [closed("1"), closed("2")])
    live_state.put_closed_positions("U1", DAY + timedelta(days=1), [closed("3")])
    live_state.put_closed_positions("U1", DAY, [closed("2", "5.00")])
    assert live_state.closed_positions("U1", DAY) == [closed("2", "5")]
    assert live_state.closed_positions("U1", DAY + timedelta(days=1)) == [closed("3")]
    assert live_state.closed_positions("U2", DAY) == []


def test_an_earlier_session_never_replaces_a_later_ones_pnl(live_state: LiveState) -> None:
    """Recomputing a past day leaves today's figure; the same day again replaces it."""
    live_state.put_daily_pnl(pnl(0))
    live_state.put_daily_pnl(pnl(-1, "99"))
    assert live_state.daily_pnl() == {"U1": pnl(0)}
    live_state.put_daily_pnl(pnl(0, "2.50"))
    assert live_state.daily_pnl()["U1"].realized == Decimal("2.5")


def test_a_lease_has_one_holder_and_its_number_grows(live_state: LiveState) -> None:
    """The second asks in vain until it is given back; the first cannot act on it any more."""
    first = live_state.acquire_lease("ingest", "ibkr:U1", "one", 60)
    assert first is not None
    assert live_state.acquire_lease("ingest", "ibkr:U1", "two", 60) is None
    assert live_state.acquire_lease("ingest", "ibkr:U1", "one", 60) == first
    assert live_state.acquire_lease("ingest", "ibkr:U2", "two", 60) is not None
    assert live_state.renew_lease(first, 60)
    live_state.release_lease(first)
    second = live_state.acquire_lease("ingest", "ibkr:U1", "two", 60)
    assert second is not None
    assert second.fencing > first.fencing
    assert not live_state.renew_lease(first, 60)
    live_state.release_lease(first)
    assert live_state.renew_lease(second, 60)


def test_a_lease_that_ran_out_is_kept_unless_another_had_it(live_state: LiveState) -> None:
    """A live state that was away for longer than its life costs nobody the lease; a successor does."""
    first = live_state.acquire_lease("ingest", "writer", "one", 0)
    assert first is not None
    assert live_state.keep_lease(first, 60) == first
    assert live_state.lease_holder("ingest", "writer") == first
    assert live_state.keep_lease(first, 0) == first
    second = live_state.acquire_lease("ingest", "writer", "two", 0)
    assert second is not None
    assert live_state.keep_lease(first, 60) is None
    assert live_state.keep_lease(second, 0) == second
    third = live_state.acquire_lease("ingest", "writer", "two", 0)
    assert third is not None
    assert live_state.keep_lease(second, 60) is None, "the number says who has it, and not the name"
    assert live_state.keep_lease(third, 60) == third


def test_who_holds_a_lease_is_seen_without_taking_it(live_state: LiveState) -> None:
    """Nobody, then its holder with his number, then nobody again; looking takes nothing."""
    assert live_state.lease_holder("coverage", "ibkr") is None
    held = live_state.acquire_lease("coverage", "ibkr", "one", 60)
    assert held is not None
    assert live_state.lease_holder("coverage", "ibkr") == held
    assert live_state.renew_lease(held, 60)
    live_state.release_lease(held)
    assert live_state.lease_holder("coverage", "ibkr") is None


def test_a_heartbeat_says_when_a_component_last_lived(live_state: LiveState) -> None:
    """Each component by its name."""
    live_state.beat("sensor", NOON, 60)
    live_state.beat("sensor", NOON + timedelta(seconds=5), 60)
    assert live_state.heartbeats() == {"sensor": NOON + timedelta(seconds=5)}


def test_a_name_with_a_glob_sign_is_refused_or_harmless(live_state: LiveState) -> None:
    """An account called `*` never takes other accounts' positions away."""
    live_state.put_closed_positions("U1", DAY, [closed("1")])
    with suppress(InvalidFieldError):
        live_state.put_closed_positions("*", DAY, [])
    assert live_state.closed_positions("U1", DAY) == [closed("1")]


def held(instrument: str, quantity: str = "2") -> BrokerPosition:
    """What the broker says is held."""
    return BrokerPosition(
        account="U1",
        conid=9,
        instrument_id=instrument,
        symbol="CZR",
        quantity=Decimal(quantity),
        average_cost=None,
    )


def working(order_ref: str = "sig:1", perm_id: str = "77", status: str = "Submitted") -> BrokerOrder:
    """An order for two."""
    return BrokerOrder(
        account="U1",
        perm_id=perm_id,
        order_ref=order_ref,
        client_id=3,
        order_id=12,
        parent_perm_id="",
        conid=9,
        instrument_id="OPT:CZR   260821C00030000",
        symbol="CZR",
        side="BUY",
        order_type="LMT",
        quantity=Decimal(2),
        limit_price=Decimal("0.75"),
        stop_price=None,
        time_in_force="DAY",
        oca_group="",
        oca_type=0,
        status=status,
        filled=Decimal("0.5"),
        remaining=Decimal("1.5"),
        average_price=Decimal("0.7"),
    )


def test_open_positions_are_replaced_as_a_whole_and_unknown_is_not_flat(live_state: LiveState) -> None:
    """None before any answer; flat is an answer; an older answer changes nothing."""
    assert live_state.open_positions("U1") is None
    live_state.put_open_positions("U1", [held("OPT:A"), held("OPT:B  1")], NOON)
    live_state.put_open_positions("U1", [held("OPT:B  1", "-3")], NOON + timedelta(seconds=2))
    live_state.put_open_positions("U1", [held("OPT:C")], NOON + timedelta(seconds=1))
    told = live_state.open_positions("U1")
    assert told is not None
    assert told.positions == (held("OPT:B  1", "-3"),)
    assert told.asked_at == NOON + timedelta(seconds=2)
    live_state.put_open_positions("U1", [], NOON + timedelta(seconds=3))
    flat = live_state.open_positions("U1")
    assert flat is not None
    assert flat.positions == ()
    assert live_state.open_positions("U2") is None


def test_working_orders_are_known_by_reference_and_number(live_state: LiveState) -> None:
    """An answer replaces them, an event sets or ends one, and an order's number may come later."""
    live_state.put_order(working(perm_id=""))
    assert live_state.working_orders("U1") is None
    live_state.put_working_orders("U1", [], NOON)
    live_state.put_order(working(perm_id=""))
    live_state.put_order(working())
    live_state.put_order(working("", "78"))
    live_state.put_order(working("odd {*} name", "79"))
    told = live_state.working_orders("U1")
    assert told is not None
    assert set(told.orders) == {working(), working("", "78"), working("odd {*} name", "79")}
    live_state.put_order(working(status="Filled"))
    live_state.put_working_orders("U1", [working("old")], NOON - timedelta(seconds=1))
    told = live_state.working_orders("U1")
    assert told is not None
    assert {order.perm_id for order in told.orders} == {"78", "79"}
    live_state.put_working_orders("U1", [working("new")], NOON + timedelta(seconds=1))
    told = live_state.working_orders("U1")
    assert told is not None
    assert told.orders == (working("new"),)
    assert told.asked_at == NOON + timedelta(seconds=1)
