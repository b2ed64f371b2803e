"""Executions and commissions as messages for the outbox: each once, and as they came.

A commission names no account, only its execution. Where that was heard, its account is told beside it; an
early one is told without, at once (who drains the outbox lets it wait): kept here it would die with us.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.ibkr.session.told import Told

EXECUTION_ID, ACCOUNT, COMMISSION_ID = 14, 16, 2  # places in the messages
EXECUTION = "11"
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

    def take(self, fields: tuple[str, ...], managed: Sequence[str]) -> NewMessage | None:
        """Take a message as it came; None where the same was told before.

        One that is too short is told all the same, so that it is refused where one can see it.
        """
        if len(fields) <= (ACCOUNT if fields[0] == EXECUTION else COMMISSION_ID):
            return NewMessage(fields, "") if self._told.is_new(fields, fields) else None
        if fields[0] == EXECUTION:
            return self._take_execution(fields)
        exec_id = fields[COMMISSION_ID]
        account = self._account_of.get(exec_id) or (managed[0] if len(managed) == 1 else "")
        is_new = self._told.is_new((fields[0], exec_id), fields[2:])
        return NewMessage(fields, account) if is_new else None

    def forget(self) -> None:
        """Tell everything again: the outbox was lost."""
        self._told.forget()

    def _take_execution(self, fields: tuple[str, ...]) -> NewMessage | None:
        exec_id, account = fields[EXECUTION_ID], fields[ACCOUNT]
        if len(self._account_of) >= ACCOUNTS_MAX:
            self._account_of.clear()
        self._account_of[exec_id] = account
        content = fields[2:]  # without the number of the request that it answers
        return NewMessage(fields, account) if self._told.is_new((EXECUTION, exec_id), content) else None
