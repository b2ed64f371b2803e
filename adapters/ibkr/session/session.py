"""The broker session without its socket: what is heard goes in, what is to be sent and told comes out.

Belongs here: composing the parts (state of the link, questions, orders, what was told). Keep out: sockets,
loops, Redis, the client library; the clock and chance are given.

What can lose money here, and what is done against it:
- Events lost between two connections. After every connection everything that the broker still tells is
  walked: open orders, completed orders, positions, executions. Only then the link is ready.
- A dead link that looks alive. Nothing heard for a while: the time is asked; no answer: hang up.
- An answer that broke off. It is partial or failed by its type, and nothing is concluded from it.
- A hole at midnight. The gateway forgets its day's executions, so they are swept just before.
"""

import random
from dataclasses import replace
from datetime import datetime

from adapters.ibkr.session.asking import Asking
from adapters.ibkr.session.broker_clock import BrokerClock
from adapters.ibkr.session.codes import About, Reaction, reaction_to
from adapters.ibkr.session.commands import Commands
from adapters.ibkr.session.context import Context
from adapters.ibkr.session.events import (
    OrderNamed,
    message_event,
    order_error_event,
    row_event,
)
from adapters.ibkr.session.executions_told import EXECUTION, EXECUTION_ID, ExecutionsTold
from adapters.ibkr.session.heard import NO_NUMBER, ContractHeard, Hears, OrderHeard, StatusHeard
from adapters.ibkr.session.keeper import Keeper
from adapters.ibkr.session.link_state import Signal
from adapters.ibkr.session.listener import (
    ACCOUNT_VALUES_END,
    COMPLETED_ORDERS_END,
    EXECUTIONS_END,
    OPEN_ORDERS_END,
    POSITIONS_END,
)
from adapters.ibkr.session.orders import OVER
from adapters.ibkr.session.outputs import Outputs
from adapters.ibkr.session.pacing import Pacing, Request, Send
from adapters.ibkr.session.questions import Answered
from adapters.ibkr.session.told import Told
from trading.model.broker import AccountValue, BrokerOrder, BrokerPosition, Failed, LinkState, Question
from trading.ports.broker_commands import ReceivedCommand
from trading.ports.clock import Clock
from trading.settings import BrokerSettings

ENDS = {
    OPEN_ORDERS_END: Question.OPEN_ORDERS,
    EXECUTIONS_END: Question.EXECUTIONS,
    POSITIONS_END: Question.POSITIONS,
    ACCOUNT_VALUES_END: Question.ACCOUNT_VALUES,
    COMPLETED_ORDERS_END: Question.COMPLETED_ORDERS,
}
NUMBERED_ENDS = frozenset({EXECUTIONS_END, ACCOUNT_VALUES_END})
SPOILS = {  # which answers an unreadable message is missing from; executions are heard as text all the same
    "3": Question.OPEN_ORDERS,
    "5": Question.OPEN_ORDERS,
    "61": Question.POSITIONS,
    "73": Question.ACCOUNT_VALUES,
    "101": Question.COMPLETED_ORDERS,
}
NUMBER_WAS_USED = 103
OF_ORDERS = frozenset({About.REFUSED, About.CANCEL_REFUSED, About.CANCELLED, About.WARNING})
FIELDS_SHOWN_CHARS_MAX = 500


class BrokerSession(Hears):
    """One session; the edge calls it from one thread, and empties `outputs` after each call."""

    def __init__(self, settings: BrokerSettings, clock: Clock, chance: random.Random) -> None:
        self._settings = settings
        self._context = Context(
            settings=settings,
            clock=clock,
            pacing=Pacing(settings.messages_per_s_max, settings.requests_waiting_max),
            broker_clock=BrokerClock(settings.speed, is_simulated=settings.simulated_clock),
        )
        self._asking = Asking(self._context)
        self._commands = Commands(self._context, self._asking)
        self._executions = ExecutionsTold()
        self._orders_told = Told()
        self._keeper = Keeper(self._context, chance, self)

    # what the edge calls

    @property
    def outputs(self) -> Outputs:
        """What is to be done now."""
        return self._context.outputs

    @property
    def state(self) -> LinkState:
        """Where the connection stands."""
        return self._context.state

    def start(self) -> None:
        """Begin to connect."""
        self._keeper.signal(Signal.START, "starting")

    def stop(self) -> None:
        """Hang up for good."""
        self._keeper.signal(Signal.STOP, "stopping")

    def take_command(self, received: ReceivedCommand) -> None:
        """Take a command from the queue."""
        self._commands.take(received)

    def may_send(self, request: Request) -> bool:
        """Whether an order that waited for its record may still go out."""
        return self._commands.may_send(request)

    def claim_for(self, request: Request) -> tuple[str, str] | None:
        """The order_ref and command id of a new order that is about to be sent; None for anything else."""
        return self._commands.claim_for(request)

    def is_taken(self, request: Request, holder: str) -> None:
        """Another command has sent the order_ref of this order: it is refused."""
        self._commands.is_taken(request, holder)

    def sent(self, request: Request) -> None:
        """Note that a request went out."""
        self._commands.sent(request)

    def event_left_out(self, kind: str) -> None:
        """An event that no outbox can hold was left out."""
        self._context.alert("event_left_out", f"an event of kind {kind} cannot be kept")

    def outbox_lost(self) -> None:
        """The outbox began anew: tell everything again, beginning with what the broker is asked now."""
        self._executions.forget()
        self._orders_told.forget()
        self._asking.forget_told()
        self._context.alert(
            "outbox_lost", "the outbox lost entries; the broker is asked for everything again"
        )
        for order in self._context.orders.all():
            self._tell_order(order)
        if self._keeper.is_connected:
            self._asking.walk()

    def outbox_full(self, reason: str) -> None:
        """What was heard cannot be kept: hang up, since the broker tells everything again on connect."""
        self._context.alert("outbox_full", reason)
        self._keeper.full(reason)

    def outbox_has_room(self) -> None:
        """What is heard can be kept again."""
        self._context.over("outbox_full", "half of what waited is kept")
        self._keeper.has_room()

    def tick(self) -> None:
        """Let time pass: give up what takes too long, ask what is due, move what may be sent."""
        now = self._context.now()
        for over in self._asking.questions.expire(now):
            self._answered(over)
        self._mind_walk()
        self._keeper.tick(now)
        self._context.mind_conditions()
        self._asking.ask_due(now)
        self._commands.tick(now)
        if self._keeper.is_connected:
            self.outputs.requests.extend(self._context.pacing.take(now))

    def next_tick(self) -> datetime | None:
        """When time must pass again, if nothing is heard before."""
        moments = [self._keeper.next_due(), self._asking.next_due(), self._commands.next_due()]
        if self._keeper.is_connected:
            moments.append(self._context.pacing.next_at(self._context.now()))
        return min((moment for moment in moments if moment is not None), default=None)

    # what the link hears

    def link_ready(self, accounts: tuple[str, ...], server_version: int) -> None:
        """The handshake is over."""
        self._context.accounts = accounts
        self._keeper.connected(f"server version {server_version}, accounts {', '.join(accounts)}")

    def link_closed(self, reason: str) -> None:
        """There is no connection."""
        self._keeper.signal(Signal.CLOSED, reason)

    def anything(self) -> None:
        """Bytes came: the link lives."""
        self._keeper.heard()

    def message(self, fields: tuple[str, ...]) -> None:
        """An execution or a commission, as it came."""
        now, broker_at = self._context.now(), self._context.broker_now()
        new = self._executions.take(fields, self._context.accounts)
        if new is not None:
            zone = self._settings.time_zone
            self._context.tell(message_event(new.fields, new.account, zone, broker_at, now))
        if fields[0] == EXECUTION and len(fields) > EXECUTION_ID:
            exec_id = fields[EXECUTION_ID]
            self._commands.heard_execution(fields)
            self._asking.questions.row(Question.EXECUTIONS, exec_id, exec_id, now, _number(fields[1]))

    def undecodable(self, fields: tuple[str, ...], error: str) -> None:
        """A message that the library cannot read: the answer that it belongs to is not complete."""
        kind = fields[0] if fields else ""
        shown = "|".join(fields)[:FIELDS_SHOWN_CHARS_MAX]
        if kind in SPOILS:
            self._asking.questions.spoil(SPOILS[kind], f"a message {kind} could not be read")
        name = kind if kind.isascii() and kind.isdigit() else "text"
        self._context.alert(f"undecodable_{name[:8]}", f"{error}; fields: {shown}")

    def error(self, number: int, code: int, text: str, advanced: str) -> None:
        """An error or a notice: of the link, of a question, of an order, or of nobody."""
        reaction = reaction_to(code)
        if reaction.alert:
            self._context.alert(f"code_{code}", f"{reaction.meaning}: {text}")
        if reaction.about is About.LINK:
            self._keeper.said(reaction, code, text)
        elif reaction.about is About.PACE:
            self._context.pacing.rest(self._context.now())
        self._fail_question(number, reaction, f"{code}: {text}")
        self._order_said(number, reaction, code, text, advanced)

    def order(self, heard: OrderHeard) -> None:
        """An open or completed order."""
        if heard.order.order_id > 0:
            self._context.raise_number(heard.order.order_id + 1)
        news = self._context.orders.take_order(heard)
        if news is not None:
            self._tell_order(news)
        question = Question.COMPLETED_ORDERS if heard.completed else Question.OPEN_ORDERS
        key = heard.order.perm_id or (heard.order.client_id, heard.order.order_id)
        if self._asking.questions.is_open(question):
            self._asking.questions.row(question, key, heard.order, self._context.now())
        self._commands.heard_order(heard.order)

    def status(self, heard: StatusHeard) -> None:
        """An order's status."""
        news = self._context.orders.take_status(heard)
        if news is not None:
            self._tell_order(news)
            self._commands.heard_order(news)

    def position(self, row: BrokerPosition) -> None:
        """A position; one of zero is none. Positions only come as answers: one nobody waits for is late."""
        if row.quantity:
            key = (row.account, row.conid)
            self._asking.questions.row(Question.POSITIONS, key, row, self._context.now())

    def account_value(self, number: int, row: AccountValue) -> None:
        """A figure of an account."""
        self._asking.account_value(number, row, self._context.now())

    def contract(self, number: int, row: ContractHeard) -> None:
        """What a contract is."""
        self._commands.heard_contract(number, row)

    def time(self, broker_at: datetime) -> None:
        """The broker's time."""
        now = self._context.now()
        self._asking.questions.row(Question.CLOCK, "time", broker_at, now)
        over = self._asking.questions.end(Question.CLOCK, now)
        if over is not None:
            self._answered(over)

    def next_number(self, number: int) -> None:
        """The next number that is valid for an order."""
        self._context.raise_number(number)

    def end(self, message: int, number: int) -> None:
        """An answer is over."""
        question = ENDS.get(message)
        if question is None:
            self._commands.contract_ended(number)
            return
        over = self._asking.questions.end(
            question, self._context.now(), number if message in NUMBERED_ENDS else None
        )
        if over is not None:
            self._answered(self._as_orders_stand(over))

    # inside

    def _as_orders_stand(self, over: Answered) -> Answered:
        """Orders with all that is known of them: a status comes behind, a completed one leaves out much."""
        is_open = over.asked.question is Question.OPEN_ORDERS
        if isinstance(over.answer, Failed) or not (
            is_open or over.asked.question is Question.COMPLETED_ORDERS
        ):
            return over
        standing = [self._context.orders.as_it_stands(order) for order in over.answer.rows]
        rows = tuple(order for order in standing if not is_open or order.status not in OVER)
        return replace(over, answer=replace(over.answer, rows=rows))

    def _answered(self, over: Answered) -> None:
        self._asking.answered(over)
        self._commands.answered(over)
        self._mind_walk()

    def _mind_walk(self) -> None:
        """The link is ready when nothing of the walk waits for an answer any more."""
        if self._context.state is LinkState.ADOPTING and self._asking.is_walked():
            missing = ", ".join(self._asking.incomplete())
            self._keeper.walked(f"walked; without a complete answer: {missing or 'nothing'}")

    def walk(self) -> None:
        """Ask for everything that the broker still tells."""
        self._asking.walk()

    def break_off(self, reason: str, *, may_come_late: bool) -> None:
        """End every open question; what was sent without an answer is in doubt."""
        now = self._context.now()
        for over in self._asking.lost(reason, now, may_come_late=may_come_late):
            self._asking.answered(over)
            self._commands.answered(over)
        self._commands.link_lost(now)

    def ask_time(self) -> None:
        """Ask for the time, to see whether anybody answers."""
        self._asking.ask(Question.CLOCK)

    def _fail_question(self, number: int, reaction: Reaction, text: str) -> None:
        if reaction.about in (About.NOTICE, About.WARNING, About.LINK):
            return
        asked = self._asking.questions.named(number)
        if asked is not None:
            self._answered(self._asking.questions.fail(asked, text, self._context.now()))

    def _order_said(self, number: int, reaction: Reaction, code: int, text: str, advanced: str) -> None:
        about = self._commands.named(number) or self._known_order(number) or _unknown_order(number, reaction)
        if about is None:
            self._commands.heard_error(number, reaction, code, text)  # may be of an order's contract
            return
        meaning, now = reaction.about.value, self._context.now()
        self._context.tell(order_error_event(about, code, text, advanced, meaning, now))
        self._commands.heard_error(number, reaction, code, text)
        if reaction.about not in (About.NOTICE, About.WARNING, About.CANCELLED):
            self._asking.ask_orders()
        if code == NUMBER_WAS_USED:
            self._context.send(Request(send=Send.NEXT_NUMBER))

    def _known_order(self, number: int) -> OrderNamed | None:
        known = self._context.orders.numbered(self._settings.client_id, number)
        if known is None:
            return None
        order = known.order
        return OrderNamed(
            account=order.account, order_ref=order.order_ref, perm_id=order.perm_id, order_id=number
        )

    def _tell_order(self, order: BrokerOrder) -> None:
        context = self._context
        if self._orders_told.is_new(order.perm_id or (order.client_id, order.order_id), order):
            context.tell(row_event(order, context.broker_now(), context.now()))


def _unknown_order(number: int, reaction: Reaction) -> OrderNamed | None:
    """An order under a number that nobody told of, such as one refused before its first word: it is kept."""
    if number <= 0 or reaction.about not in OF_ORDERS:
        return None
    return OrderNamed(account="", order_ref="", perm_id="", order_id=number)


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() else NO_NUMBER
