"""Questions to the broker and their answers: complete, partial or failed, and nothing in between.

What can lose money here: an answer that broke off and is taken for all there is. So an answer is complete
only when its end message came, on the same connection, while no row of it was unreadable. A time-out or a
lost link makes it partial where rows came, failed where none did; an error makes it failed.

Some answers carry no number (positions, open and completed orders, the time). An end that comes after its
question was given up would end the next one too early: after such a time-out the same question waits until
nothing of the late answer has come for a whole time-out. A second question of the same kind joins the first.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from trading.model.broker import Answer, Complete, Failed, Partial, Question

ROWS_MAX = 200_000  # of one answer; a day has some ten thousand executions
NUMBERED = frozenset({Question.EXECUTIONS, Question.ACCOUNT_VALUES})


@dataclass(slots=True, kw_only=True)
class OpenQuestion:
    """A question that waits for its end; `account` where it is asked account by account."""

    question: Question
    account: str
    asked_at: datetime
    expires_at: datetime
    number: int
    rows: dict[Hashable, Any] = field(default_factory=dict)
    spoiled: str = ""  # why the answer cannot be complete any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A question that is over, with its answer."""

    asked: OpenQuestion
    answer: Answer[Any]


class Questions:
    """The questions of one connection."""

    def __init__(self, timeout: timedelta) -> None:
        self._timeout = timeout
        self._open: dict[tuple[Question, str], OpenQuestion] = {}
        self._late_until: dict[Question, datetime] = {}

    def may_ask(self, question: Question, account: str, now: datetime) -> bool:
        """Whether asking now gives an answer of its own: it is not open, and no late answer can come."""
        late = self._late_until.get(question)
        return (question, account) not in self._open and (late is None or late <= now)

    def ask(self, question: Question, account: str, number: int, now: datetime) -> OpenQuestion:
        """Open a question that was found askable."""
        asked = OpenQuestion(
            question=question, account=account, asked_at=now, expires_at=now + self._timeout, number=number
        )
        self._open[question, account] = asked
        return asked

    def is_open(self, question: Question, account: str = "") -> bool:
        """Whether an answer is awaited."""
        return (question, account) in self._open

    def named(self, number: int) -> OpenQuestion | None:
        """The open question with a number."""
        for asked in self._open.values():
            if asked.number == number and asked.question in NUMBERED:
                return asked
        return None

    def row(
        self, question: Question, key: Hashable, row: Any, now: datetime, number: int | None = None
    ) -> None:
        """Keep a row of an open answer; the last one of a key counts. Rows that nobody waits for are late."""
        asked = self.named(number) if number is not None else self._open.get((question, ""))
        if asked is None:
            self._put_off(question, now)
        elif len(asked.rows) >= ROWS_MAX and key not in asked.rows:
            asked.spoiled = asked.spoiled or f"more than {ROWS_MAX} rows"
        else:
            asked.rows[key] = row

    def spoil(self, question: Question, reason: str) -> None:
        """Say that a row of every open answer of this kind could not be read."""
        for asked in self._open.values():
            if asked.question is question:
                asked.spoiled = asked.spoiled or reason

    def end(self, question: Question, now: datetime, number: int | None = None) -> Answered | None:
        """Close a question whose end message came; None for an end that nobody waits for."""
        asked = self.named(number) if number is not None else self._open.get((question, ""))
        if asked is None:
            self._late_until.pop(question, None)
            return None
        rows = tuple(asked.rows.values())
        if asked.spoiled:
            return self._close(asked, _partial(asked, rows, asked.spoiled, now))
        return self._close(asked, Complete(rows=rows, asked_at=asked.asked_at, answered_at=now))

    def fail(self, asked: OpenQuestion, reason: str, now: datetime) -> Answered:
        """Close a question that the broker refused, or that could not be sent."""
        return self._close(asked, Failed(reason=reason, asked_at=asked.asked_at, answered_at=now))

    def expire(self, now: datetime) -> list[Answered]:
        """Close the questions whose time is over."""
        over = [asked for asked in self._open.values() if asked.expires_at <= now]
        reason = f"no end within {self._timeout.total_seconds():g} s"
        return [self._break_off(asked, reason, now, may_come_late=True) for asked in over]

    def link_lost(self, reason: str, now: datetime, *, may_come_late: bool) -> list[Answered]:
        """Close all questions; late answers come only where the connection itself is still there."""
        if not may_come_late:
            self._late_until.clear()
        over = list(self._open.values())
        return [self._break_off(asked, reason, now, may_come_late=may_come_late) for asked in over]

    def next_expiry(self) -> datetime | None:
        """When the first open question is given up."""
        return min((asked.expires_at for asked in self._open.values()), default=None)

    def _break_off(self, asked: OpenQuestion, reason: str, now: datetime, *, may_come_late: bool) -> Answered:
        if may_come_late and asked.question not in NUMBERED:
            self._late_until[asked.question] = now + self._timeout
        rows = tuple(asked.rows.values())
        if rows:
            return self._close(asked, _partial(asked, rows, reason, now))
        return self.fail(asked, reason, now)

    def _close(self, asked: OpenQuestion, answer: Answer[Any]) -> Answered:
        del self._open[asked.question, asked.account]
        return Answered(asked=asked, answer=answer)

    def _put_off(self, question: Question, now: datetime) -> None:
        if question in self._late_until:
            self._late_until[question] = now + self._timeout


def _partial(asked: OpenQuestion, rows: tuple[Any, ...], reason: str, now: datetime) -> Answer[Any]:
    return Partial(rows=rows, reason=reason, asked_at=asked.asked_at, answered_at=now)
