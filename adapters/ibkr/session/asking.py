"""What is asked of the broker and when: the walk after a connection, the sweeps, what an answer becomes.

What can lose money here: a question that is never asked again after its answer failed. The sweeps ask
executions and positions for ever; open and completed orders, which otherwise tell themselves, are asked
again as long as their last answer was not complete, and after every error about an order.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from adapters.ibkr.session.context import WORKING, Context
from adapters.ibkr.session.events import answer_event, completeness_of, row_event
from adapters.ibkr.session.pacing import Request, Send
from adapters.ibkr.session.questions import Answered, Questions
from adapters.ibkr.session.told import Told
from trading.model.broker import AccountValue, Complete, Completeness, Failed, Partial, Question

SEND_FOR: Mapping[Question, Send] = {
    Question.POSITIONS: Send.POSITIONS,
    Question.OPEN_ORDERS: Send.OPEN_ORDERS,
    Question.COMPLETED_ORDERS: Send.COMPLETED_ORDERS,
    Question.EXECUTIONS: Send.EXECUTIONS,
    Question.ACCOUNT_VALUES: Send.ACCOUNT_VALUES,
    Question.CLOCK: Send.TIME,
}
WALK = (  # after every connection; the clock first, since the day of the executions is read from it
    Question.CLOCK,
    Question.OPEN_ORDERS,
    Question.COMPLETED_ORDERS,
    Question.POSITIONS,
    Question.EXECUTIONS,
)
BEFORE_ORDERS = (
    Question.OPEN_ORDERS,
    Question.COMPLETED_ORDERS,
    Question.EXECUTIONS,
)  # known before we place
SKEW_ALERT = timedelta(seconds=10)
ANSWER_TIME = timedelta(seconds=0.5)  # how long the broker's word may be on its way
CLOCK_MARGIN = timedelta(seconds=5)  # of the broker's: it cuts off its seconds, and drifts between readings


class Asking:
    """The questions of a session, on whatever connection it has."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.questions = Questions(timedelta(seconds=context.settings.request_timeout_s))
        self._walking: set[tuple[Question, str]] = set()
        self._last: dict[Question, Completeness] = {}
        self._due: dict[Question, datetime] = {}
        self._before_midnight_at: datetime | None = None
        self._streams: dict[str, int] = {}  # the number under which an account's figures go on coming
        self._values: dict[tuple[str, str, str], AccountValue] = {}
        self._values_told = Told()

    # asking

    def walk(self) -> None:
        """Ask for everything that the broker still tells."""
        self._last.clear()
        wanted = [(question, "") for question in WALK]
        wanted += [(Question.ACCOUNT_VALUES, account) for account in self._context.accounts]
        self._walking = set(wanted)
        for question, account in wanted:
            if not self.ask(question, account) and not self.questions.is_open(question, account):
                self._walking.discard((question, account))

    def ask(self, question: Question, account: str = "") -> bool:
        """Ask one thing; False when it is being asked, a late answer may come, or too much waits."""
        context = self._context
        now = context.now()
        if not self.questions.may_ask(question, account, now):
            return False
        number = context.take_number()
        if question is Question.ACCOUNT_VALUES:
            self._end_stream(account)
            self._streams[account] = number
        if not context.send(Request(send=SEND_FOR[question], number=number, account=account)):
            return False
        self.questions.ask(question, account, number, now)
        return True

    def ask_orders(self) -> None:
        """Read the orders again: something was said about one of them that ends nothing by itself."""
        self._last.pop(Question.OPEN_ORDERS, None)
        self._last.pop(Question.COMPLETED_ORDERS, None)
        self.ask(Question.OPEN_ORDERS)
        self.ask(Question.COMPLETED_ORDERS)

    def ask_due(self, now: datetime) -> None:
        """Ask what the cadences want now."""
        if self._context.state not in WORKING:
            return
        if self._is_due(Question.EXECUTIONS, now) or self._is_before_midnight(now):
            self.ask(Question.CLOCK)
            self.ask(Question.EXECUTIONS)
            for question in (Question.OPEN_ORDERS, Question.COMPLETED_ORDERS):
                if self._last.get(question) is not Completeness.COMPLETE:
                    self.ask(question)
        if self._is_due(Question.POSITIONS, now):
            self.ask(Question.POSITIONS)
        if self._is_due(Question.ACCOUNT_VALUES, now):
            self._tell_values(now)

    def next_due(self) -> datetime | None:
        """When something is asked or given up next."""
        moments = [*self._due.values(), self.questions.next_expiry(), self._before_midnight_at]
        return min((moment for moment in moments if moment is not None), default=None)

    # answers

    def is_walked(self) -> bool:
        """Whether every question of the walk has been answered in some way."""
        return not self._walking

    def incomplete(self) -> tuple[Question, ...]:
        """Of what must be known before an order is placed, what is not."""
        return tuple(asked for asked in BEFORE_ORDERS if self._last.get(asked) is not Completeness.COMPLETE)

    def answered(self, over: Answered) -> None:
        """Tell an answer and note what it was."""
        question = over.asked.question
        self._walking.discard((question, over.asked.account))
        self._last[question] = completeness_of(over)
        self._rest_after(over)
        if question is Question.EXECUTIONS:
            self._tell_executions(over)
        elif question is Question.CLOCK:
            self._tell_clock(over)
        else:
            accounts = (over.asked.account,) if over.asked.account else self._context.accounts
            self._context.tell(answer_event(over, accounts, broker_at=self._context.broker_now()))
        if question is Question.POSITIONS and not isinstance(over.answer, Failed):
            self._context.send(Request(send=Send.CANCEL_POSITIONS))

    def account_value(self, number: int, row: AccountValue, now: datetime) -> None:
        """Keep a figure; it is told with the next cadence if it changed."""
        self._values[row.account, row.name, row.currency] = row
        self.questions.row(Question.ACCOUNT_VALUES, (row.name, row.currency), row, now, number)

    def lost(self, reason: str, now: datetime, *, may_come_late: bool) -> list[Answered]:
        """The connection is gone, or the broker behind it; returns the answers that broke off."""
        self._due.clear()
        self._before_midnight_at = None
        self._walking.clear()
        if not may_come_late:
            self._streams.clear()
        return self.questions.link_lost(reason, now, may_come_late=may_come_late)

    def forget_told(self) -> None:
        """Tell everything again."""
        self._values_told.forget()

    def _tell_executions(self, over: Answered) -> None:
        """Each execution was told as its message came; the answer says how many, and since when till when."""
        context = self._context
        over = self._of_one_day(over)
        answer = over.answer
        count = 0 if isinstance(answer, Failed) else len(answer.rows)
        asked_at = over.asked.asked_at
        context.tell(
            answer_event(
                over,
                context.accounts,
                from_at=context.broker_clock.day_start(asked_at),
                to_at=context.broker_clock.at(asked_at),
                broker_at=context.broker_now(),
                rows=(),
                count=count,
            )
        )

    def _of_one_day(self, over: Answered) -> Answered:
        """An answer around the broker's midnight may lack the old day; one of no known day covers nothing."""
        answer, clock = over.answer, self._context.broker_clock
        if not isinstance(answer, Complete):
            return over
        day = clock.day_start(answer.asked_at)
        if day is None:
            return Answered(asked=over.asked, answer=_partial(answer, "the broker's day is not known"))
        if day == clock.day_start(answer.answered_at + clock.ours(CLOCK_MARGIN)):
            return over
        self._last[Question.EXECUTIONS] = Completeness.PARTIAL
        return Answered(asked=over.asked, answer=_partial(answer, "the broker's day ended while it answered"))

    def _tell_clock(self, over: Answered) -> None:
        context, answer = self._context, over.answer
        if not isinstance(answer, Complete):
            context.tell(answer_event(over, context.accounts, rows=(), skew_ms=None))
            return
        broker_at = answer.rows[0]
        skew = context.broker_clock.read(broker_at, answer.answered_at)
        rows = ({"broker_at": broker_at.isoformat()},)
        skew_ms = round(skew / timedelta(milliseconds=1))
        context.tell(answer_event(over, context.accounts, broker_at=broker_at, rows=rows, skew_ms=skew_ms))
        if abs(skew) > SKEW_ALERT + ANSWER_TIME * context.settings.speed:
            context.alert("clock_skew", f"the broker's clock is {skew.total_seconds():+.1f} s off")
        else:
            context.over("clock_skew", f"the broker's clock is {skew.total_seconds():+.1f} s off")
        self._plan_midnight(answer.answered_at)

    def _tell_values(self, now: datetime) -> None:
        for account in self._context.accounts:
            if not any(key[0] == account for key in self._values):
                self.ask(Question.ACCOUNT_VALUES, account)
        for key, row in self._values.items():
            if self._values_told.is_new(key, row.value):
                self._context.tell(row_event(row, self._context.broker_now(), now))

    def _end_stream(self, account: str) -> None:
        """An account's figures are streamed once, however often they are asked for."""
        before = self._streams.pop(account, None)
        if before is not None:
            self._context.send(Request(send=Send.CANCEL_ACCOUNT_VALUES, number=before))

    # cadences

    def _rest_after(self, over: Answered) -> None:
        """What took long to answer is not asked again for as long, so that answers never fill the line."""
        due = self._due.get(over.asked.question)
        if due is not None:
            took = over.answer.answered_at - over.answer.asked_at
            self._due[over.asked.question] = max(due, over.answer.answered_at + took)

    def _is_due(self, question: Question, now: datetime) -> bool:
        settings = self._context.settings
        every = {
            Question.EXECUTIONS: settings.sweep_every_s,
            Question.POSITIONS: settings.positions_every_s,
            Question.ACCOUNT_VALUES: settings.account_values_every_s,
        }[question]
        due = self._due.get(question)
        if due is not None and due > now:
            return False
        self._due[question] = now + self._context.ours(every)
        return due is not None  # the first one was part of the walk

    def _is_before_midnight(self, now: datetime) -> bool:
        if self._before_midnight_at is None or now < self._before_midnight_at:
            return False
        self._before_midnight_at = None
        return True

    def _plan_midnight(self, now: datetime) -> None:
        left = self._context.broker_clock.until_midnight(now)
        ahead = (
            timedelta(seconds=self._context.settings.sweep_before_midnight_s) / self._context.settings.speed
        )
        if left is not None and left > ahead:
            self._before_midnight_at = now + left - ahead


def _partial(answer: Complete[Any], reason: str) -> Partial[Any]:
    return Partial(rows=answer.rows, reason=reason, asked_at=answer.asked_at, answered_at=answer.answered_at)
