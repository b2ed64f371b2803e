"""Executions and commissions as messages for the outbox: each once, and a commission with its account.

A commission names no account, only its execution; where that was not heard yet, it waits for it here and is
told together with it, so that an early fee is not lost. What is kept here is memory of this process only: a
sweep brings everything of the day again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.ibkr.session.told import Told

EXECUTION_ID, ACCOUNT, COMMISSION_ID = 14, 16, 2  # places in the messages
EXECUTION = "11"
EARLY_MAX = 10_000  # commissions whose execution was not heard; the oldest is told without account
ACCOUNTS_MAX = 200_000


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message that the outbox has not had, and the account it belongs to; empty where nothing says it."""

    fields: tuple[str, ...]
    account: str


class ExecutionsTold:
    """What was told of executions and their commissions."""

    def __init__(self) -> None:
        self._told = Told()
        self._account_of: dict[str, str] = {}
        self._early: dict[str, tuple[str, ...]] = {}

    def take(self, fields: tuple[str, ...], managed: Sequence[str]) -> list[NewMessage]:
        """Take a message as it came; returns what is to be told now, in this order."""
        if fields[0] == EXECUTION:
            return self._take_execution(fields)
        return self._take_commission(fields, managed)

    def forget(self) -> None:
        """Tell everything again: the outbox was lost."""
        self._told.forget()

    def _take_execution(self, fields: tuple[str, ...]) -> list[NewMessage]:
        if len(fields) <= ACCOUNT:  # malformed; told all the same, so that it is refused where one can see it
            return [NewMessage(fields, "")] if self._told.is_new(fields, fields) else []
        exec_id, account = fields[EXECUTION_ID], fields[ACCOUNT]
        if len(self._account_of) >= ACCOUNTS_MAX:
            self._account_of.clear()
        self._account_of[exec_id] = account
        content = (fields[0], *fields[2:])  # the number of the request that it answers is no part of it
        new = [NewMessage(fields, account)] if self._told.is_new((EXECUTION, exec_id), content) else []
        early = self._early.pop(exec_id, None)
        return new if early is None else [*new, *self._fee(early, exec_id, account)]

    def _take_commission(self, fields: tuple[str, ...], managed: Sequence[str]) -> list[NewMessage]:
        exec_id = fields[COMMISSION_ID] if len(fields) > COMMISSION_ID else ""
        account = self._account_of.get(exec_id) or (managed[0] if len(managed) == 1 else "")
        if account or not exec_id:
            return self._fee(fields, exec_id, account)
        self._early[exec_id] = fields
        if len(self._early) <= EARLY_MAX:
            return []
        oldest = next(iter(self._early))
        return self._fee(self._early.pop(oldest), oldest, "")

    def _fee(self, fields: tuple[str, ...], exec_id: str, account: str) -> list[NewMessage]:
        is_new = self._told.is_new((fields[0], exec_id), (account, *fields[2:]))
        return [NewMessage(fields, account)] if is_new else []
