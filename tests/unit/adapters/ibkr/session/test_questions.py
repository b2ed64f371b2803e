"""Answers: complete, partial or failed, and never more than was told."""

from datetime import UTC, datetime, timedelta

import pytest

from adapters.ibkr.session.questions import Questions
from trading.model.broker import Complete, Failed, Partial, Question

AT = datetime(2026, 11, 13, 15, 0, tzinfo=UTC)
TIMEOUT = timedelta(seconds=20)
SECOND = timedelta(seconds=1)


def asked(question: Question, number: int = 5, account: str = "") -> Questions:
    """One open question."""
    questions = Questions(TIMEOUT)
    questions.ask(question, account, number, AT)
    return questions


def test_an_answer_is_complete_only_by_its_end_message() -> None:
    """Rows and then the end: complete, with the last row of each key."""
    questions = asked(Question.POSITIONS)
    questions.row(Question.POSITIONS, "a", 1, AT)
    questions.row(Question.POSITIONS, "a", 2, AT)
    over = questions.end(Question.POSITIONS, AT + SECOND)
    assert over is not None
    assert over.answer == Complete(rows=(2,), asked_at=AT, answered_at=AT + SECOND)


def test_a_complete_answer_may_be_empty_and_a_failed_one_is_no_empty_answer() -> None:
    """No rows and the end is complete; no rows and no end is failed."""
    over = asked(Question.OPEN_ORDERS).end(Question.OPEN_ORDERS, AT)
    assert over is not None and isinstance(over.answer, Complete) and over.answer.rows == ()
    (late,) = asked(Question.OPEN_ORDERS).expire(AT + TIMEOUT)
    assert isinstance(late.answer, Failed)


@pytest.mark.parametrize("ending", ["time", "link"])
def test_an_answer_that_breaks_off_is_partial(ending: str) -> None:
    """A time-out and a lost link keep the rows, and say that they are not all."""
    questions = asked(Question.EXECUTIONS)
    questions.row(Question.EXECUTIONS, "e1", "e1", AT, 5)
    if ending == "time":
        (over,) = questions.expire(AT + TIMEOUT)
    else:
        (over,) = questions.link_lost("the link was lost", AT + SECOND, may_come_late=False)
    assert isinstance(over.answer, Partial) and over.answer.rows == ("e1",)


def test_a_row_that_could_not_be_read_spoils_its_answer() -> None:
    """With its end message, too, such an answer is partial."""
    questions = asked(Question.POSITIONS)
    questions.row(Question.POSITIONS, "a", 1, AT)
    questions.spoil(Question.POSITIONS, "a message 61 could not be read")
    over = questions.end(Question.POSITIONS, AT)
    assert over is not None and isinstance(over.answer, Partial)


def test_the_end_of_another_request_ends_nothing() -> None:
    """A numbered end counts for its own number only."""
    questions = asked(Question.EXECUTIONS, number=5)
    assert questions.end(Question.EXECUTIONS, AT, 4) is None
    assert questions.end(Question.EXECUTIONS, AT, 5) is not None


def test_after_a_time_out_the_same_question_waits_out_the_late_answer() -> None:
    """Positions carry no number: the end of the old answer would end the new one before its rows."""
    questions = asked(Question.POSITIONS)
    questions.expire(AT + TIMEOUT)
    assert not questions.may_ask(Question.POSITIONS, "", AT + TIMEOUT + SECOND)
    questions.row(Question.POSITIONS, "late", 1, AT + 2 * TIMEOUT - SECOND)
    assert not questions.may_ask(Question.POSITIONS, "", AT + 2 * TIMEOUT)
    assert questions.may_ask(Question.POSITIONS, "", AT + 3 * TIMEOUT)


def test_the_late_end_itself_frees_the_question() -> None:
    """Once the late answer has ended there is nothing more to wait for."""
    questions = asked(Question.POSITIONS)
    questions.expire(AT + TIMEOUT)
    assert questions.end(Question.POSITIONS, AT + TIMEOUT) is None
    assert questions.may_ask(Question.POSITIONS, "", AT + TIMEOUT)


def test_accounts_are_asked_side_by_side_and_told_apart_by_number() -> None:
    """The figures of two accounts come mixed and end up where they belong."""
    questions = asked(Question.ACCOUNT_VALUES, 5, "DU1")
    questions.ask(Question.ACCOUNT_VALUES, "DU2", 6, AT)
    questions.row(Question.ACCOUNT_VALUES, "NetLiquidation", 20, AT, 6)
    questions.row(Question.ACCOUNT_VALUES, "NetLiquidation", 10, AT, 5)
    over = questions.end(Question.ACCOUNT_VALUES, AT, 6)
    assert over is not None and over.asked.account == "DU2"
    assert isinstance(over.answer, Complete) and over.answer.rows == (20,)
