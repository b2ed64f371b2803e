"""Orders placed on command: each order_ref once, and what became of it is known or in doubt, never guessed.

What can lose money here is an order that stands twice. So:
- An order_ref is sent once for ever. It is refused where any command has claimed it before (Redis keeps it
  for 30 days), where the broker tells an open order, a completed order or an execution with it, and before
  the broker has told all three completely.
- Before it is sent, the outbox has the record of it (in doubt), so that after a crash somebody knows of it.
- Sent and without an answer, it is in doubt: looked for at the broker by its order_ref, and not there only
  when two complete looks, a quiet period apart, found it nowhere. It is never sent again, not even then.
- The broker is asked what a contract is before the first order in it: a number that is a share is refused.

A family (a parent and its children) is released by the child that is transmitted. An order that is not
transmitted is not told before, so "not there" says nothing of it: what is not found of it stays in doubt.

States: checking -> queued -> sent -> done | refused; sent -> looking -> done | refused; a child whose parent
is being checked waits for the parent's number. What comes back from a session that died begins by looking.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from adapters.ibkr.session.asking import BEFORE_ORDERS, Asking
from adapters.ibkr.session.codes import About, Reaction
from adapters.ibkr.session.context import NUMBER_MAX, WORKING, Context
from adapters.ibkr.session.events import OrderNamed
from adapters.ibkr.session.heard import ContractHeard
from adapters.ibkr.session.order_request import OrderRequest, order_request
from adapters.ibkr.session.orders_native import NewOrder
from adapters.ibkr.session.pacing import Request, Send
from adapters.ibkr.session.questions import Answered
from adapters.ibkr.session.results import Results
from trading.errors import InvalidFieldError
from trading.model.broker import BrokerOrder, Complete, Outcome, Question
from trading.ports.broker_commands import ReceivedCommand

UNDER_WAY_MAX = 1_000
REFS_KEPT_MAX = 200_000
CONTRACTS_KEPT_MAX = 20_000
LOOKS_MIN = 2  # complete ones, before "not there" is believed
LOOK_AGAIN = timedelta(seconds=1)  # where a look could not be asked, or its answer broke off
ORDER_REF_AT = 26  # place in an execution message
NO_NUMBER = f"there is no order number up to {NUMBER_MAX} left"
SAYS_NO = frozenset({About.REFUSED, About.REQUEST, About.PACE})


class Phase(StrEnum):
    """How far an order is."""

    CHECKING = "checking"
    PARENT = "parent"  # waits for its parent's number
    QUEUED = "queued"
    SENT = "sent"
    LOOKING = "looking"


@dataclass(slots=True, kw_only=True)
class UnderWay:
    """One order on its way."""

    received: ReceivedCommand
    request: OrderRequest
    phase: Phase
    due_at: datetime
    number: int = 0  # the order's, or while checking the question's
    contracts: list[ContractHeard] = field(default_factory=list)
    looks: int = 0
    look_from: datetime | None = None  # answers asked before it do not count
    looked: set[Question] = field(default_factory=set)


class Placing:
    """Orders on their way to the broker."""

    def __init__(self, context: Context, asking: Asking, results: Results) -> None:
        self._context = context
        self._asking = asking
        self._results = results
        self._under_way: dict[str, UnderWay] = {}  # by order_ref
        self._used_refs: dict[str, None] = {}
        self._contracts: dict[int, str] = {}  # what the broker said a conid is

    def begin(self, received: ReceivedCommand) -> None:
        """Take a PLACE command that passed the general checks."""
        try:
            request = order_request(received.command.payload)
        except InvalidFieldError as error:
            self._results.finish(received, Outcome.REFUSED, str(error))
            return
        now = self._context.now()
        if received.again and request.order_ref not in self._under_way:
            item = UnderWay(received=received, request=request, phase=Phase.LOOKING, due_at=now)
            self._under_way[request.order_ref] = item
            self._look(item, "a session ended with it")
            return
        refusal = self._refusal(request)
        if refusal:
            self._results.finish(received, Outcome.REFUSED, refusal)
            return
        deadline = now + timedelta(seconds=self._context.settings.request_timeout_s)
        item = UnderWay(received=received, request=request, phase=Phase.CHECKING, due_at=deadline)
        self._under_way[request.order_ref] = item
        if request.conid in self._contracts:
            self._queue(item)
        else:
            self._check_contract(item)

    def may_send(self, request: Request) -> bool:
        """Whether an order that waited may still go out; where not, it is refused."""
        item = self._numbered(request.number, Phase.QUEUED)
        if item is None:
            return False
        reason = self._why_not_now(item)
        if reason:
            self._end(item, Outcome.REFUSED, f"not sent: {reason}")
        return not reason

    def claim_for(self, request: Request) -> tuple[str, str] | None:
        """The order_ref and command id of an order that is about to be sent."""
        item = self._numbered(request.number, Phase.QUEUED)
        return None if item is None else (item.request.order_ref, item.received.command.command_id)

    def is_taken(self, request: Request, holder: str) -> None:
        """Another command, of any session in the last weeks, has sent the order_ref of this order."""
        item = self._numbered(request.number, Phase.QUEUED)
        if item is not None:
            self._end(item, Outcome.REFUSED, f"not sent: command {holder} sent this order_ref before")

    def sent(self, request: Request) -> None:
        """An order went out: from now on it may exist."""
        item = self._numbered(request.number, Phase.QUEUED)
        if item is not None and request.send is Send.PLACE:
            item.phase = Phase.SENT
            if item.request.transmit:  # else its family's last one says when: its command is valid until then
                item.due_at = self._context.now() + timedelta(seconds=self._context.settings.order_timeout_s)

    def tick(self, now: datetime) -> None:
        """Give up what takes too long; look for what is in doubt."""
        for item in [item for item in self._under_way.values() if item.due_at <= now]:
            if item.phase is Phase.CHECKING:
                self._end(item, Outcome.REFUSED, "not sent: the broker did not say what the contract is")
            elif item.phase in (Phase.QUEUED, Phase.PARENT):
                reason = self._why_not_now(item) or "it waited too long"
                self._end(item, Outcome.REFUSED, f"not sent: {reason}")
            elif item.phase is Phase.SENT:
                self._look(item, "sent, and no answer")
            else:
                self._ask(item, now)

    def next_due(self) -> datetime | None:
        """When the first of them is due."""
        return min((item.due_at for item in self._under_way.values()), default=None)

    def has(self, command_id: str) -> bool:
        """Whether a command is under way."""
        return any(item.received.command.command_id == command_id for item in self._under_way.values())

    def named(self, number: int) -> OrderNamed | None:
        """The order that was sent under a number, and that the broker has not told yet."""
        item = self._numbered(number, Phase.SENT, Phase.LOOKING)
        if item is None:
            return None
        wanted = item.request
        return OrderNamed(account=wanted.account, order_ref=wanted.order_ref, perm_id="", order_id=number)

    # what is heard

    def heard_order(self, order: BrokerOrder) -> None:
        """The broker has an order: it is the one that was sent, where it bears its order_ref."""
        item = self._under_way.get(order.order_ref)
        if item is None or item.phase not in (Phase.SENT, Phase.LOOKING) or not order.perm_id:
            return
        if item.phase is Phase.SENT and order.status == "Inactive":
            return  # most likely refused: the error says so, or the look finds it
        self._found(item, perm_id=order.perm_id, order_id=order.order_id, status=order.status)

    def heard_execution(self, fields: tuple[str, ...]) -> None:
        """An execution bears the order_ref of its order."""
        order_ref = fields[ORDER_REF_AT] if len(fields) > ORDER_REF_AT else ""
        if not order_ref:
            return
        self._use(order_ref)
        item = self._under_way.get(order_ref)
        if item is not None and item.phase in (Phase.SENT, Phase.LOOKING):
            self._found(item, perm_id=fields[ORDER_REF_AT - 5], status="executed")

    def heard_contract(self, number: int, row: ContractHeard) -> None:
        """What the broker says a contract is."""
        item = self._numbered(number, Phase.CHECKING)
        if item is not None:
            item.contracts.append(row)

    def contract_ended(self, number: int) -> None:
        """All that the broker says about a contract."""
        item = self._numbered(number, Phase.CHECKING)
        if item is None:
            return
        kinds = {row.sec_type for row in item.contracts if row.conid == item.request.conid}
        if kinds != {item.request.sec_type}:
            said = ", ".join(sorted(kinds)) or "nothing"
            self._end(item, Outcome.REFUSED, f"conid {item.request.conid}: the broker says {said}")
            return
        if len(self._contracts) >= CONTRACTS_KEPT_MAX:
            self._contracts.clear()
        self._contracts[item.request.conid] = item.request.sec_type
        self._queue(item)

    def heard_error(self, number: int, reaction: Reaction, text: str) -> None:
        """The broker refuses a contract or an order, or says what ends nothing."""
        item = self._numbered(number, Phase.CHECKING, Phase.SENT, Phase.LOOKING)
        if item is None:
            return
        if item.phase is Phase.CHECKING or reaction.about in SAYS_NO:
            self._end(item, Outcome.REFUSED, text)
        elif reaction.about is About.UNKNOWN:
            self._look(item, text)

    def answered(self, over: Answered) -> None:
        """A look has an answer; only a complete one counts."""
        for item in [item for item in self._under_way.values() if item.phase is Phase.LOOKING]:
            counts = item.look_from is not None and over.asked.asked_at >= item.look_from
            if counts and isinstance(over.answer, Complete) and over.asked.question in BEFORE_ORDERS:
                item.looked.add(over.asked.question)
                if len(item.looked) == len(BEFORE_ORDERS):
                    self._not_there(item)

    def link_lost(self, now: datetime) -> None:
        """What was sent is in doubt; what was not, is not sent any more."""
        for item in list(self._under_way.values()):
            if item.phase is Phase.SENT:
                self._look(item, "sent, and the link was lost")
            elif item.phase is Phase.LOOKING:
                self._start_look(item, now)
            else:
                self._end(item, Outcome.REFUSED, "not sent: the link was lost")

    # inside

    def _refusal(self, request: OrderRequest) -> str:
        if len(self._under_way) >= UNDER_WAY_MAX:
            return f"{UNDER_WAY_MAX} orders are under way"
        if request.order_ref in self._used_refs or request.order_ref in self._under_way:
            return f"order_ref {request.order_ref} was used before"
        known = self._context.orders.with_ref(request.order_ref)
        if known is not None:
            return f"order_ref {request.order_ref} is order {known.order.perm_id} at the broker"
        if self._context.numbers_ended:
            return NO_NUMBER
        missing = self._asking.incomplete()
        if missing:
            return f"the broker has not told completely: {', '.join(missing)}"
        if request.account not in self._context.accounts:
            return f"account {request.account} is none of this login"
        if request.parent_ref and not (self._waits_for(request) or self._parent_number(request)):
            return f"parent_ref {request.parent_ref} is no order of this connection"
        return ""

    def _parent_number(self, request: OrderRequest) -> int:
        parent = self._context.orders.with_ref(request.parent_ref) if request.parent_ref else None
        if parent is not None and parent.native is not None:
            return parent.order.order_id
        item = self._under_way.get(request.parent_ref)
        return item.number if item is not None and item.phase in (Phase.QUEUED, Phase.SENT) else 0

    def _waits_for(self, request: OrderRequest) -> bool:
        """Whether an order's parent is on its way and has no number yet."""
        item = self._under_way.get(request.parent_ref)
        return item is not None and item.phase in (Phase.CHECKING, Phase.PARENT)

    def _children_of(self, item: UnderWay) -> list[UnderWay]:
        ref = item.request.order_ref
        waiting = [child for child in self._under_way.values() if child.phase is Phase.PARENT]
        return [child for child in waiting if child.request.parent_ref == ref]

    def _why_not_now(self, item: UnderWay) -> str:
        command = item.received.command
        if command.valid_until < self._context.now():
            return f"too late, it was valid until {command.valid_until.isoformat()}"
        if self._context.state not in WORKING:
            return f"the link is {self._context.state.value}"
        if item.request.parent_ref and not self._parent_number(item.request):
            return f"its parent {item.request.parent_ref} was not"
        return ""

    def _check_contract(self, item: UnderWay) -> None:
        item.number = self._context.take_number()
        asked = Request(send=Send.CONTRACT, number=item.number, content=item.request.conid)
        if not self._context.send(asked):
            self._end(item, Outcome.REFUSED, "not sent: too many requests wait")

    def _queue(self, item: UnderWay) -> None:
        item.due_at = item.received.command.valid_until
        if self._waits_for(item.request):
            item.phase = Phase.PARENT
            return
        parent_id = self._parent_number(item.request)
        if item.request.parent_ref and not parent_id:  # without it, an exit would stand alone in the market
            self._end(item, Outcome.REFUSED, f"not sent: its parent {item.request.parent_ref} was not")
            return
        number = self._context.take_order_number()
        if number is None:
            self._end(item, Outcome.REFUSED, f"not sent: {NO_NUMBER}")
            return
        item.phase, item.number = Phase.QUEUED, number
        content = NewOrder(request=item.request, parent_id=parent_id)
        self._use(item.request.order_ref)
        self._results.in_doubt(item.received, "being sent", order_id=item.number)
        if not self._context.send(Request(send=Send.PLACE, number=item.number, content=content)):
            self._end(item, Outcome.REFUSED, "not sent: too many requests wait")
            return
        for child in self._children_of(item):
            self._queue(child)

    def _look(self, item: UnderWay, reason: str) -> None:
        known = self._context.orders.with_ref(item.request.order_ref)
        if known is not None and known.order.perm_id:
            self._found(item, perm_id=known.order.perm_id, status=known.order.status)
            return
        item.phase, item.looks = Phase.LOOKING, 0
        self._use(item.request.order_ref)
        self._results.in_doubt(item.received, reason, order_id=item.number)
        self._start_look(item, self._context.now())

    def _start_look(self, item: UnderWay, at: datetime) -> None:
        item.look_from = item.due_at = at
        item.looked.clear()

    def _ask(self, item: UnderWay, now: datetime) -> None:
        item.due_at = now + LOOK_AGAIN
        if self._context.state in WORKING:
            for question in BEFORE_ORDERS:
                if question not in item.looked:
                    self._asking.ask(question)

    def _not_there(self, item: UnderWay) -> None:
        item.looks += 1
        if item.looks >= LOOKS_MIN and not item.request.transmit:
            self._end(item, Outcome.IN_DOUBT, "not transmitted: the gateway may hold it unseen")
        elif item.looks >= LOOKS_MIN:
            self._end(item, Outcome.REFUSED, f"not at the broker: {item.looks} complete looks found nothing")
        else:
            quiet = self._context.ours(self._context.settings.quiet_period_s)
            self._start_look(item, self._context.now() + quiet)

    def _found(self, item: UnderWay, **detail: object) -> None:
        self._end(item, Outcome.DONE, "the broker has it", **detail)

    def _end(self, item: UnderWay, outcome: Outcome, reason: str, **detail: object) -> None:
        self._under_way.pop(item.request.order_ref, None)
        self._results.finish(item.received, outcome, reason, **detail)
        for child in self._children_of(item):
            self._end(child, Outcome.REFUSED, f"not sent: its parent {item.request.order_ref} was not")

    def _use(self, order_ref: str) -> None:
        self._used_refs[order_ref] = None
        if len(self._used_refs) > REFS_KEPT_MAX:
            del self._used_refs[next(iter(self._used_refs))]

    def _numbered(self, number: int, *phases: Phase) -> UnderWay | None:
        for item in self._under_way.values():
            if item.number == number and item.phase in phases:
                return item
        return None
