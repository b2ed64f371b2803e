"""Orders cancelled and changed on command, by perm_id or order_ref; the API's number is found, never given.

What can lose money here: a cancel that is believed and did not happen. It is done when a status says so, and
refused when the broker says no or the order filled first; without a word the orders are read again, and what
they say is the answer. A change leaves the order's group alone and is done when the broker tells the new
figures. Cancelling everything, also what others placed, wants its own word of confirmation.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from adapters.ibkr.session.asking import Asking
from adapters.ibkr.session.codes import About, Reaction
from adapters.ibkr.session.context import WORKING, Context
from adapters.ibkr.session.orders import KnownOrder
from adapters.ibkr.session.orders_native import ChangedOrder
from adapters.ibkr.session.pacing import Request, Send
from adapters.ibkr.session.questions import Answered
from adapters.ibkr.session.results import Results
from trading.errors import InvalidFieldError
from trading.model.broker import BrokerOrder, Complete, Outcome, Question, Verb
from trading.model.money import parse_optional_decimal
from trading.ports.broker_commands import ReceivedCommand

UNDER_WAY_MAX = 1_000
READ_AGAIN = timedelta(seconds=1)
READS = (Question.OPEN_ORDERS, Question.COMPLETED_ORDERS)
SAYS_NO = frozenset({About.REFUSED, About.CANCEL_REFUSED, About.REQUEST, About.PACE})
CANCELLED = frozenset({"Cancelled", "ApiCancelled"})


@dataclass(slots=True, kw_only=True)
class Change:
    """A cancel or a change on its way."""

    received: ReceivedCommand
    known: KnownOrder
    due_at: datetime
    figures: Mapping[str, Decimal]  # what a change wants, by the field's name; empty for a cancel
    number: int
    sent: bool = False
    reading_from: datetime | None = None
    read: set[Question] = field(default_factory=set)

    @property
    def is_cancel(self) -> bool:
        """Whether the order is to go."""
        return self.received.command.verb is Verb.CANCEL

    @property
    def is_made(self) -> bool:
        """Whether the broker tells the new figures."""
        return all(getattr(self.known.order, name) == value for name, value in self.figures.items())


class Changing:
    """Cancels and changes on their way to the broker."""

    def __init__(self, context: Context, asking: Asking, results: Results) -> None:
        self._context = context
        self._asking = asking
        self._results = results
        self._under_way: dict[str, Change] = {}  # by command id

    def begin(self, received: ReceivedCommand) -> None:
        """Take a command that passed the general checks."""
        if received.command.verb is Verb.CANCEL_ALL:
            self._cancel_all(received)
            return
        try:
            figures = _figures(received)
        except InvalidFieldError as error:
            self._results.finish(received, Outcome.REFUSED, str(error))
            return
        known = self._named(received)
        refusal = self._refusal(received, known)
        if refusal or known is None:
            self._results.finish(received, Outcome.REFUSED, refusal)
            return
        change = Change(
            received=received,
            known=known,
            due_at=received.command.valid_until,
            figures=figures,
            number=known.order.order_id,
        )
        self._under_way[received.command.command_id] = change
        if self._settle(change):
            return
        if received.again:  # a session ended with it: the orders say what became of it
            change.sent = True
            self._read(change, self._context.now(), "a session ended with it")
        else:
            self._send(change)

    def may_send(self, request: Request) -> bool:
        """Whether a change that waited may still go out."""
        change = self._waiting(request.number)
        if change is None:
            return False
        is_late = change.received.command.valid_until < self._context.now()
        if is_late or self._context.state not in WORKING:
            self._end(
                change, Outcome.REFUSED, "not sent: too late" if is_late else "not sent: the link is lost"
            )
            return False
        return True

    def sent(self, request: Request) -> None:
        """A cancel or a change went out."""
        change = self._waiting(request.number) if request.send in (Send.PLACE, Send.CANCEL) else None
        if change is not None:
            change.sent = True
            change.due_at = self._context.now() + timedelta(seconds=self._context.settings.order_timeout_s)

    def tick(self, now: datetime) -> None:
        """Read the orders again where no word came."""
        for change in [change for change in self._under_way.values() if change.due_at <= now]:
            if not change.sent:
                self._end(change, Outcome.REFUSED, "not sent: it waited too long")
            elif change.reading_from is None:
                self._read(change, now, "sent, and no answer")
            else:
                self._ask(change, now)

    def next_due(self) -> datetime | None:
        """When the first of them is due."""
        return min((change.due_at for change in self._under_way.values()), default=None)

    def has(self, command_id: str) -> bool:
        """Whether a command is under way."""
        return command_id in self._under_way

    def heard_order(self, order: BrokerOrder) -> None:
        """An order changed: the change may be made, the cancel done or too late."""
        for change in list(self._under_way.values()):
            if change.known.order.perm_id == order.perm_id:
                self._settle(change)

    def heard_error(self, number: int, reaction: Reaction, text: str) -> None:
        """The broker refuses, or says that it was cancelled."""
        for change in [item for item in self._under_way.values() if item.number == number and item.sent]:
            if reaction.about in SAYS_NO:
                self._end(change, Outcome.REFUSED, text)
            elif reaction.about is About.CANCELLED and change.is_cancel:
                self._end(change, Outcome.DONE, text)

    def answered(self, over: Answered) -> None:
        """The orders were read again: they are as they are."""
        for change in [item for item in self._under_way.values() if item.reading_from is not None]:
            counts = change.reading_from is not None and over.asked.asked_at >= change.reading_from
            if counts and isinstance(over.answer, Complete) and over.asked.question in READS:
                change.read.add(over.asked.question)
                if len(change.read) == len(READS):
                    self._conclude(change)

    def link_lost(self, now: datetime) -> None:
        """What was sent is read again later; what was not, is not sent any more."""
        for change in list(self._under_way.values()):
            if change.sent:
                self._read(change, now, "sent, and the link was lost")
            else:
                self._end(change, Outcome.REFUSED, "not sent: the link was lost")

    # inside

    def _named(self, received: ReceivedCommand) -> KnownOrder | None:
        payload = received.command.payload
        perm_id, order_ref = str(payload.get("perm_id", "")), str(payload.get("order_ref", ""))
        orders = self._context.orders
        known = orders.with_perm_id(perm_id) if perm_id else orders.with_ref(order_ref)
        is_other = known is not None and order_ref not in ("", known.order.order_ref)
        return None if is_other else known

    def _refusal(self, received: ReceivedCommand, known: KnownOrder | None) -> str:
        if len(self._under_way) >= UNDER_WAY_MAX:
            return f"{UNDER_WAY_MAX} changes are under way"
        if known is None:
            missing = ", ".join(self._asking.incomplete())
            return (
                f"no such order; not told completely: {missing}" if missing else "no such order at the broker"
            )
        order = known.order
        if known.is_over:
            return ""  # it is what it is, whoever placed it
        if order.client_id != self._context.settings.client_id or order.order_id <= 0:
            return f"order {order.perm_id} was placed by client {order.client_id}, not by this one"
        if known.native is None:
            return f"order {order.perm_id} was not told as open on this connection"
        return ""

    def _send(self, change: Change) -> None:
        if change.is_cancel:
            request = Request(send=Send.CANCEL, number=change.number)
        else:
            self._results.in_doubt(change.received, "being sent", order_id=change.number)
            content = ChangedOrder(
                native=change.known.native or (None, None),
                quantity=change.figures.get("quantity"),
                limit_price=change.figures.get("limit_price"),
                stop_price=change.figures.get("stop_price"),
            )
            request = Request(send=Send.PLACE, number=change.number, content=content)
        if not self._context.send(request):
            self._end(change, Outcome.REFUSED, "not sent: too many requests wait")

    def _settle(self, change: Change) -> bool:
        """End a change that the order's state has decided; False while it has not."""
        order = change.known.order
        detail = {"perm_id": order.perm_id, "status": order.status, "filled": str(order.filled)}
        if change.is_cancel and order.status in CANCELLED:
            self._end(change, Outcome.DONE, "cancelled", **detail)
        elif change.known.is_over:
            self._end(change, Outcome.REFUSED, f"the order is {order.status}", **detail)
        elif not change.is_cancel and change.is_made:
            self._end(change, Outcome.DONE, "changed", **detail)
        else:
            return False
        return True

    def _read(self, change: Change, now: datetime, reason: str) -> None:
        self._results.in_doubt(change.received, reason, order_id=change.number)
        change.reading_from = change.due_at = now
        change.read.clear()

    def _ask(self, change: Change, now: datetime) -> None:
        change.due_at = now + READ_AGAIN
        if self._context.state in WORKING:
            for question in READS:
                if question not in change.read:
                    self._asking.ask(question)

    def _conclude(self, change: Change) -> None:
        status = change.known.order.status
        if self._settle(change):
            return
        if status == "PendingCancel":
            self._end(change, Outcome.IN_DOUBT, "the broker has not decided about the cancel", status=status)
        else:
            self._end(change, Outcome.REFUSED, f"the order is {status} as before", status=status)

    def _cancel_all(self, received: ReceivedCommand) -> None:
        if received.command.payload.get("confirmed") is not True:
            reason = "confirmed: must be true, since it cancels also what others and people placed"
            self._results.finish(received, Outcome.REFUSED, reason)
        elif not self._context.send(Request(send=Send.CANCEL_ALL)):
            self._results.finish(received, Outcome.REFUSED, "not sent: too many requests wait")
        else:
            self._results.finish(received, Outcome.DONE, "asked for; the orders tell their end one by one")
            self._asking.ask_orders()

    def _waiting(self, number: int) -> Change | None:
        for change in self._under_way.values():
            if change.number == number and not change.sent:
                return change
        return None

    def _end(self, change: Change, outcome: Outcome, reason: str, **detail: Any) -> None:
        self._under_way.pop(change.received.command.command_id, None)
        self._results.finish(change.received, outcome, reason, **detail)


def _figures(received: ReceivedCommand) -> dict[str, Decimal]:
    """What a change wants to change; at least one thing."""
    if received.command.verb is Verb.CANCEL:
        return {}
    payload = received.command.payload
    wanted = {
        name: parse_optional_decimal(name, payload.get(name))
        for name in ("quantity", "limit_price", "stop_price")
    }
    figures = {name: value for name, value in wanted.items() if value is not None}
    if not figures:
        raise InvalidFieldError(
            "payload", "a quantity, limit_price or stop_price to change to", dict(payload)
        )
    return figures
