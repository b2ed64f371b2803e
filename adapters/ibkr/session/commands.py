"""Commands to the session: refused, done, or carried until the broker has answered.

What can lose money here: a command that is done late, twice, or for somebody who has no right to it any
more. So each is checked on its way in (its id, the fencing number of its sender, valid until), and an order
again when it is about to be sent; what becomes of it is told, and kept by its id.

Belongs here: the checks that all verbs share, and questions asked on command. Orders are in `placing` and
`changing`.
"""

from dataclasses import dataclass
from datetime import datetime

from adapters.ibkr.session.asking import Asking
from adapters.ibkr.session.changing import Changing
from adapters.ibkr.session.codes import Reaction
from adapters.ibkr.session.context import WORKING, Context
from adapters.ibkr.session.events import OrderNamed, completeness_of
from adapters.ibkr.session.heard import ContractHeard
from adapters.ibkr.session.pacing import Request
from adapters.ibkr.session.placing import Placing
from adapters.ibkr.session.questions import Answered
from adapters.ibkr.session.results import Results
from trading.model.broker import BrokerCommand, BrokerOrder, Complete, Failed, Outcome, Question, Verb
from trading.ports.broker_commands import FENCED_REASON, ReceivedCommand

SENDERS_MAX = 1_000
WAITING_MAX = 1_000
ACTS = frozenset({Verb.PLACE, Verb.MODIFY, Verb.CANCEL})  # a dead session may have sent these


@dataclass(frozen=True, slots=True)
class Awaiting:
    """A command that is over when a question has its answer."""

    received: ReceivedCommand
    question: Question
    account: str


class Commands:
    """What the session was told to do, and how far it is."""

    def __init__(self, context: Context, asking: Asking) -> None:
        self._context = context
        self._asking = asking
        self._results = Results(context)
        self._placing = Placing(context, asking, self._results)
        self._changing = Changing(context, asking, self._results)
        self._fencing: dict[str, int] = {}
        self._awaiting: list[Awaiting] = []
        self._held: list[ReceivedCommand] = []  # what a dead session may have sent, until orders are known

    def take(self, received: ReceivedCommand) -> None:
        """Take a command from the queue; refused, or begun."""
        command = received.command
        if self._results.repeat(received) or self._is_under_way(command.command_id):
            return
        refusal = self._refusal(received)
        may_be_sent = received.again and command.verb in ACTS
        if not refusal and may_be_sent and self._context.state not in WORKING:
            self._held.append(received)
        elif refusal:
            self._results.finish(received, Outcome.REFUSED, refusal, fencing_seen=self._seen(command))
        elif command.verb is Verb.PLACE:
            self._placing.begin(received)
        elif command.verb in (Verb.MODIFY, Verb.CANCEL, Verb.CANCEL_ALL):
            self._changing.begin(received)
        else:
            self._ask(received)

    def may_send(self, request: Request) -> bool:
        """Whether an order may still go out, after it waited; if not, its command is refused."""
        return self._placing.may_send(request) or self._changing.may_send(request)

    def claim_for(self, request: Request) -> tuple[str, str] | None:
        """The order_ref and command id of a new order that is about to be sent."""
        return self._placing.claim_for(request)

    def is_taken(self, request: Request, holder: str) -> None:
        """Another command has sent the order_ref of this order."""
        self._placing.is_taken(request, holder)

    def sent(self, request: Request) -> None:
        """Note that a request went out."""
        self._placing.sent(request)
        self._changing.sent(request)

    def tick(self, now: datetime) -> None:
        """Let time pass."""
        if self._held and self._context.state in WORKING:
            held, self._held = self._held, []
            for received in held:
                self.take(received)
        self._placing.tick(now)
        self._changing.tick(now)

    def next_due(self) -> datetime | None:
        """When something is to be done next."""
        moments = (self._placing.next_due(), self._changing.next_due())
        return min((moment for moment in moments if moment is not None), default=None)

    # what is heard

    def heard_execution(self, fields: tuple[str, ...]) -> None:
        """An execution: it may be of an order that is looked for."""
        self._placing.heard_execution(fields)

    def heard_order(self, order: BrokerOrder) -> None:
        """An order as it stands now."""
        self._placing.heard_order(order)
        self._changing.heard_order(order)

    def heard_contract(self, number: int, row: ContractHeard) -> None:
        """What a contract is."""
        self._placing.heard_contract(number, row)

    def contract_ended(self, number: int) -> None:
        """All that there is about a contract was told."""
        self._placing.contract_ended(number)

    def named(self, number: int) -> OrderNamed | None:
        """The order that was sent under a number, and that the broker has not told yet."""
        return self._placing.named(number)

    def heard_error(self, number: int, reaction: Reaction, code: int, text: str) -> None:
        """The broker said something about an order or a contract."""
        self._placing.heard_error(number, reaction, f"{code}: {text}")
        self._changing.heard_error(number, reaction, f"{code}: {text}")

    def answered(self, over: Answered) -> None:
        """A question has its answer."""
        for waiting in [item for item in self._awaiting if item.question is over.asked.question]:
            if waiting.account in ("", over.asked.account):
                self._awaiting.remove(waiting)
                self._finish_question(waiting.received, over)
        self._placing.answered(over)
        self._changing.answered(over)

    def link_lost(self, now: datetime) -> None:
        """The connection is gone: what was sent without an answer is in doubt."""
        self._placing.link_lost(now)
        self._changing.link_lost(now)

    # checks and questions

    def _is_under_way(self, command_id: str) -> bool:
        awaited = any(item.received.command.command_id == command_id for item in self._awaiting)
        held = any(item.command.command_id == command_id for item in self._held)
        return awaited or held or self._placing.has(command_id) or self._changing.has(command_id)

    def _refusal(self, received: ReceivedCommand) -> str:
        """Why a command is not begun; an empty text where it is."""
        command, now = received.command, self._context.now()
        if command.fencing < self._seen(command):
            return FENCED_REASON
        if len(self._fencing) >= SENDERS_MAX and command.sender not in self._fencing:
            return f"more than {SENDERS_MAX} senders"
        self._fencing[command.sender] = command.fencing
        if (
            received.again and command.verb in ACTS
        ):  # it may have been done: it is looked for, never done late
            return "" if len(self._held) < WAITING_MAX else f"{WAITING_MAX} commands of a dead session wait"
        if command.valid_until < now:
            return f"too late: valid until {command.valid_until.isoformat()}"
        if self._context.state not in WORKING:
            return f"the link is {self._context.state.value}"
        return ""

    def _seen(self, command: BrokerCommand) -> int:
        """The highest fencing number of a command's sender so far."""
        return self._fencing.get(command.sender, command.fencing)

    def _ask(self, received: ReceivedCommand) -> None:
        command = received.command
        account = str(command.payload.get("account", ""))
        try:
            question = (
                Question.EXECUTIONS
                if command.verb is Verb.SWEEP
                else Question(str(command.payload.get("question", "")))
            )
        except ValueError:
            asked = command.payload.get("question")
            self._results.finish(received, Outcome.REFUSED, f"question: {asked!r} is none")
            return
        if question is not Question.ACCOUNT_VALUES:
            account = ""
        elif not account:
            self._results.finish(received, Outcome.REFUSED, "account: must be named for its values")
            return
        if len(self._awaiting) >= WAITING_MAX:
            self._results.finish(received, Outcome.REFUSED, f"{WAITING_MAX} questions wait already")
        elif self._asking.ask(question, account) or self._asking.questions.is_open(question, account):
            self._awaiting.append(Awaiting(received, question, account))
        else:
            self._results.finish(
                received, Outcome.REFUSED, "cannot be asked now: a late answer may still come"
            )

    def _finish_question(self, received: ReceivedCommand, over: Answered) -> None:
        answer = over.answer
        rows = 0 if isinstance(answer, Failed) else len(answer.rows)
        detail = {"completeness": completeness_of(over).value, "rows": rows}
        if isinstance(answer, Complete):
            self._results.finish(received, Outcome.DONE, "", **detail)
        else:
            self._results.finish(received, Outcome.REFUSED, answer.reason, **detail)
