"""The life of orders: released, held, sent to market, triggered, filled, cut, cancelled, over for the day.

Every change of an order happens here or in `modifications`, in the order of simulated time, one order after
the other; so a fill of one member of a group cuts the others before any of them can trade (types 1 and 2).
Type 3 is told to the others only when the second is over: two members can trade in the same second, which
is the danger that the broker documents for it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from simulation.broker.agenda import Agenda
from simulation.broker.conduct import Conduct
from simulation.broker.fills import Executions, Told, executed
from simulation.broker.matching import (
    Deal,
    is_beyond,
    rested,
    slack_cents,
    taken,
    trailed_stop,
    trigger_price,
)
from simulation.broker.model import BrokerSays, Commissioned, OrderTold, Refused, Status
from simulation.broker.order_groups import CUT_OTHERS_LATE, OrderGroups, left_after_cut
from simulation.broker.order_hours import OrderHours, until_open
from simulation.broker.orders import OrderRegister, Working
from simulation.broker.refusals import CANCELLED, HELD_UNTIL_OPEN, REJECTED
from simulation.market.parts import Touch
from simulation.market.paths import epoch
from simulation.market.rules import rule_of
from simulation.market.world import World
from simulation.sample_desk.contracts import Contract

HELD_BY_PARENT, HELD_BY_TRIGGER = "child", "trigger"
AT_ONCE = ("IOC", "FOK")
AUCTION_BEFORE = timedelta(seconds=1)  # orders at the close trade at the last touch
CANCELLED_TEXT = "Order Canceled - reason:"
GROUP_IS_FILLED = "OCA group is already filled."
Affordable = Callable[[Working, datetime], str | None]


@dataclass(slots=True, kw_only=True)
class OrderDesk:
    """Works orders; `affordable` says why an order cannot be paid for, None when it can."""

    world: World
    hours: OrderHours
    register: OrderRegister
    agenda: Agenda
    executions: Executions
    conduct: Conduct
    affordable: Affordable
    active: dict[int, Working] = field(default_factory=dict)
    groups: OrderGroups = field(default_factory=OrderGroups)
    used: dict[tuple[int, int], int] = field(default_factory=dict)
    used_second: int = 0

    def accept(self, order: Working, now: datetime) -> list[BrokerSays]:
        """Take a new order in; one that is not transmitted stays unseen until its family is released."""
        self.register.add(order)
        if order.parent is not None:
            order.parent.children.append(order)
        return self.release(order, now) if order.ticket.transmit else []

    def release(self, order: Working, now: datetime) -> list[BrokerSays]:
        """Send an order and, of a family, all that waited for it: the parent first."""
        family = [order.parent, *order.parent.children] if order.parent is not None else [order]
        said: list[BrokerSays] = []
        for member in family:
            if not member.released and not member.status.is_done:
                said += self._submit(member, now)
        return said + self._cut_late(now)

    def round(self, second: int, at: datetime) -> list[BrokerSays]:
        """One second of the market for all orders in it, oldest first."""
        said: list[BrokerSays] = []
        awake = [order for order in self.active.values() if order.asleep_until <= second]
        for order in awake:
            if order.is_live and order.in_market:
                said += self._work_second(order, second, at)
        return said + self._cut_late(at)

    def cancel(self, order: Working, now: datetime, text: str = CANCELLED_TEXT) -> list[BrokerSays]:
        """End an order and its children, and say so with notice 202."""
        order.move(Status.CANCELLED)
        self._end(order, now)
        said: list[BrokerSays] = []
        if order.released:
            said = [OrderTold(order=order.view(), open_order=False), _refused(order, CANCELLED, text)]
        for child in order.children:
            if not child.status.is_done:
                said += self.cancel(child, now, text)
        return said

    def try_at_once(self, order: Working, now: datetime) -> list[BrokerSays]:
        """Match an order that is in the market as if it had just arrived: after a change of its price."""
        order.queue_ahead, order.asleep_until = None, 0
        waits = order.kind.waits_for_trigger and not order.triggered
        if not order.in_market or order.kind.at_close or waits:
            return []
        return self._arrive(order, now) + self._cut_late(now)

    # --- on the way to the market

    def _submit(self, order: Working, now: datetime) -> list[BrokerSays]:
        order.released = True
        refusal = self._rejection(order, now)
        if refusal is not None:
            return self._reject(order, now, refusal)
        self.groups.join(order)
        order.set_prices()
        order.move(Status.PRE_SUBMITTED)
        self._note_end_of_day(order, now)
        notices = self.conduct.next_notices
        extra: list[BrokerSays] = []
        if notices:
            notice = notices.pop(0)
            extra = [_refused(order, notice.code, notice.text, notice.reject_json)]
        if order.parent is not None and order.parent.status is not Status.FILLED:
            order.why_held = HELD_BY_PARENT
            return [_told(order), *extra]
        return [*self._enter(order, now, is_new=True), *extra]

    def _enter(self, order: Working, now: datetime, *, is_new: bool = False) -> list[BrokerSays]:
        """Send to the market, or hold until it opens."""
        if not order.is_live:
            return []
        was_held, order.why_held = order.why_held, ""
        if not self.hours.is_open(order, now):
            opens = self.hours.opens(order, now)
            self.agenda.note(opens, lambda at: self._enter(order, at))
            return [_told(order), _refused(order, HELD_UNTIL_OPEN, until_open(order, opens))]
        order.in_market, order.asleep_until = True, 0
        self.active[order.perm_id] = order
        if order.kind.at_close:
            closes = self.hours.closes(order, now)
            self.agenda.note(closes - AUCTION_BEFORE, lambda at: self._auction(order, at))
            return [_told(order)] if is_new or was_held else []
        if order.kind.waits_for_trigger:
            order.why_held = HELD_BY_TRIGGER
            return [_told(order)]
        first: list[BrokerSays] = [_told(order)] if is_new else []
        return first + self._arrive(order, now)

    def _arrive(self, order: Working, now: datetime) -> list[BrokerSays]:
        """The first look at the market: take what can be taken, then rest, go on, or end."""
        said = self._take(order, epoch(now), now)
        if order.status.is_done:
            return said
        if order.ticket.tif in AT_ONCE:
            return said + self.cancel(order, now)
        if order.status is Status.PRE_SUBMITTED:
            order.move(Status.SUBMITTED)
            return [*said, _told(order)]
        return said or [_told(order)]

    # --- in the market

    def _work_second(self, order: Working, second: int, at: datetime) -> list[BrokerSays]:
        if order.kind.at_close:
            return []
        if order.kind.waits_for_trigger and not order.triggered:
            return self._watch_trigger(order, second, at)
        if order.limit_cents is None or order.is_combination:
            return self._take(order, second, at)
        contract = order.parts[0].contract
        touch = self.world.quotes.touch(contract, second)
        if touch is None:
            return []
        trades = self.world.tape.trades_at(contract, second)
        deal, order.queue_ahead = rested(order, touch, self._used(contract, order.side, second), trades)
        if deal is None:
            self._nap(order, touch, second)
            return []
        self._use(contract, order.side, deal.quantity)
        return self._fill(order, deal, (deal.cents,), at)

    def _take(self, order: Working, second: int, at: datetime) -> list[BrokerSays]:
        """Take from the far side of the touch, all parts of the order together."""
        found = self._deal(order, second)
        if found is None:
            return []
        deal, cents = found
        for part in order.parts:
            self._use(part.contract, part.side, deal.quantity * part.ratio)
        return self._fill(order, deal, cents, at)

    def _deal(self, order: Working, second: int) -> tuple[Deal, tuple[int, ...]] | None:
        wanted = int(order.remaining)
        cents: list[int] = []
        for part in order.parts:
            touch = self.world.quotes.touch(part.contract, second)
            if touch is None:
                return None
            used = self._used(part.contract, part.side, second)
            limit = None if order.is_combination else order.limit_cents
            deal = taken(part.side, limit, wanted * part.ratio, touch, used)
            if deal is None:
                return None
            wanted = min(wanted, deal.quantity // part.ratio)
            cents.append(deal.cents)
        if not wanted or (order.ticket.tif == "FOK" and wanted < order.remaining):
            return None
        if order.is_combination and not _net_is_good(order, cents):
            return None
        return Deal(wanted, cents[0], 2), tuple(cents)

    def _watch_trigger(self, order: Working, second: int, at: datetime) -> list[BrokerSays]:
        contract = order.parts[0].contract
        touch = self.world.quotes.touch(contract, second)
        if touch is None:
            return []
        trades = self.world.tape.trades_at(contract, second)
        price, needed = trigger_price(order, touch, trades[-1].cents if trades else None)
        if price is None:
            return []
        order.triggers_seen = order.triggers_seen + 1 if is_beyond(order, price) else 0
        if order.triggers_seen >= needed:
            return self._trigger(order, at)
        if order.kind.trails:
            order.stop_cents = trailed_stop(order, price)
        elif not order.triggers_seen:
            self._nap(order, touch, second)
        return []

    def _trigger(self, order: Working, at: datetime) -> list[BrokerSays]:
        order.triggered, order.why_held = True, ""
        if order.kind.trails and order.kind.has_limit and order.stop_cents is not None:
            rule = rule_of(order.ticket.contract)
            limit = order.stop_cents + order.side * order.limit_offset_cents
            order.limit_cents = rule.up(limit) if order.side > 0 else rule.down(limit)
        return self._arrive(order, at)

    def _auction(self, order: Working, at: datetime) -> list[BrokerSays]:
        """Orders at the close trade at the last touch, whole; a limit that does not fit is left."""
        touch = self.world.quotes.touch(order.parts[0].contract, epoch(at))
        if not order.is_live or not order.in_market or touch is None:
            return []
        price = touch.ask if order.side > 0 else touch.bid
        limit = order.limit_cents
        if not price or (limit is not None and order.side * (price - limit) > 0):
            return []
        return self._fill(order, Deal(int(order.remaining), price, 2), (price,), at)

    def _fill(self, order: Working, deal: Deal, cents: tuple[int, ...], at: datetime) -> list[BrokerSays]:
        """Execute, tell each part, cut the group, wake the children; commissions last."""
        moment = at.replace(microsecond=0)
        said: list[BrokerSays] = []
        reports: list[Told] = []
        for part in self.executions.fill(order, deal.quantity, cents, deal.liquidity, moment):
            order.last_price = part[0].execution.price
            self._step_after_fill(order, at)
            happened: list[BrokerSays] = [executed(told) for told in part]
            status: list[BrokerSays] = [_told(order)]
            said += status + happened if self.conduct.filled_first else happened + status
            reports += part
        said += self._due_reports(reports, at)
        said += self._cut_group(order, Decimal(deal.quantity), at)
        if order.status is Status.FILLED:
            for child in order.children:
                said += self._enter(child, at)
        return said

    def _step_after_fill(self, order: Working, at: datetime) -> None:
        if not order.remaining:
            order.move(Status.FILLED)
            self._end(order, at)
        elif order.status is Status.PRE_SUBMITTED:
            order.move(Status.SUBMITTED)

    def _due_reports(self, reports: Iterable[Told], at: datetime) -> list[BrokerSays]:
        due: list[BrokerSays] = []
        for told in reports:
            if told.commission is not None:
                due += self.report(told.commission, at)
        return due

    def report(self, commission: Commissioned, now: datetime) -> list[BrokerSays]:
        """Tell a commission when it is due, which may be now."""
        if commission.due_at <= now:
            return [commission]
        self.agenda.note(commission.due_at, lambda at: [commission])
        return []

    # --- groups

    def _cut_group(self, order: Working, quantity: Decimal, at: datetime) -> list[BrokerSays]:
        if not order.oca_group:
            return []
        if order.oca_type == CUT_OTHERS_LATE:
            self.groups.late.append((order, quantity))
            return []
        return self._cut_others(order, quantity, at)

    def _cut_late(self, at: datetime) -> list[BrokerSays]:
        said: list[BrokerSays] = []
        for order, quantity in self.groups.take_late():
            said += self._cut_others(order, quantity, at)
        return said

    def _cut_others(self, order: Working, quantity: Decimal, at: datetime) -> list[BrokerSays]:
        said: list[BrokerSays] = []
        for other in self.groups.others(order):
            left = left_after_cut(order, other, quantity)
            if not left:
                said += self.cancel(other, at)
            elif left < other.remaining:
                other.ticket = replace(other.ticket, quantity=other.filled + left)
                said.append(_told(other))
        return said

    # --- ends

    def _note_end_of_day(self, order: Working, now: datetime) -> None:
        self.agenda.note(self.hours.closes(order, now), lambda at: self._day_is_over(order, at))

    def _day_is_over(self, order: Working, at: datetime) -> list[BrokerSays]:
        """The contract's session has ended: day orders end, others wait for the next one."""
        if not order.is_live:
            return []
        if order.ticket.tif not in ("GTC", "GTD") or self.hours.is_over(order, at):
            return self.cancel(order, at)
        order.in_market, order.queue_ahead = False, None
        self.active.pop(order.perm_id, None)
        self._note_end_of_day(order, at)
        if order.why_held == HELD_BY_PARENT:
            return []
        if order.status is Status.SUBMITTED:
            order.move(Status.PRE_SUBMITTED)
        self.agenda.note(self.hours.opens(order, at), lambda opened: self._enter(order, opened, is_new=True))
        return [_told(order)]

    def _end(self, order: Working, at: datetime) -> None:
        order.ended_at, order.in_market, order.why_held = at, False, ""
        self.active.pop(order.perm_id, None)

    def _rejection(self, order: Working, now: datetime) -> Refused | None:
        if self.conduct.next_rejections:
            told = self.conduct.next_rejections.pop(0)
            return _refused(order, told.code, told.text, told.reject_json)
        reason = None if order.parent is not None else self.affordable(order, now)
        if self.groups.is_filled(order):
            reason = GROUP_IS_FILLED
        return None if reason is None else _refused(order, REJECTED, f"Order rejected - reason:{reason}")

    def _reject(self, order: Working, now: datetime, refusal: Refused) -> list[BrokerSays]:
        order.move(Status.INACTIVE)
        self._end(order, now)
        said: list[BrokerSays] = [refusal, OrderTold(order=order.view(), open_order=False)]
        for child in order.children:
            if not child.status.is_done:
                said += self.cancel(child, now)
        return said

    def _nap(self, order: Working, touch: Touch, second: int) -> None:
        slack = slack_cents(order, touch)
        calm = self.world.quotes.calm_s(order.parts[0].contract, second, slack) if slack else 0
        order.asleep_until = second + 1 + calm

    def _used(self, contract: Contract, side: int, second: int) -> int:
        if second != self.used_second:
            self.used, self.used_second = {}, second
        return self.used.get((contract.conid, side), 0)

    def _use(self, contract: Contract, side: int, quantity: int) -> None:
        key = (contract.conid, side)
        self.used[key] = self.used.get(key, 0) + quantity


def _told(order: Working) -> OrderTold:
    return OrderTold(order=order.view())


def _refused(order: Working, code: int, text: str, reject_json: str = "") -> Refused:
    ticket = order.ticket
    return Refused(
        client_id=ticket.client_id, order_id=ticket.order_id, code=code, text=text, reject_json=reject_json
    )


def _net_is_good(order: Working, cents: list[int]) -> bool:
    """Whether a combination's net price is within its limit."""
    if order.limit_cents is None:
        return True
    net = order.side * sum(
        part.side * part.ratio * price for part, price in zip(order.parts, cents, strict=True)
    )
    return order.side * (net - order.limit_cents) <= 0
