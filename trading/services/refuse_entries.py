"""Drained entries that no reader can take: found before anybody stumbles over them, for the dead letter.

They are stored like all others; that they are unfit is said beside, with their payload, and stops nobody.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

from trading.errors import InvalidFieldError
from trading.model.broker import BrokerEventKind, OutboxEntry, Question
from trading.model.broker_payloads import account_value_of, order_of, position_of
from trading.ports.outbox import UnreadableEntry
from trading.services.drain_fills import covered_by, message_fields

Row = Mapping[str, object]
ROW_READERS: Mapping[str, Callable[[Row], object]] = {
    Question.POSITIONS: position_of,
    Question.OPEN_ORDERS: order_of,
    Question.COMPLETED_ORDERS: order_of,
    Question.ACCOUNT_VALUES: account_value_of,
}


def unfit_entries(entries: Iterable[OutboxEntry]) -> list[UnreadableEntry]:
    """Return the unfit ones with the reason."""
    unfit = []
    for entry in entries:
        check = CHECKS.get(entry.event.kind)
        try:
            if check is not None:
                check(entry)
        except InvalidFieldError as error:
            unfit.append(refused(entry, error))
    return unfit


def refused(entry: OutboxEntry, error: Exception) -> UnreadableEntry:
    """The entry as it goes to the dead letter."""
    return UnreadableEntry(
        stream=entry.stream,
        entry_id=entry.entry_id,
        epoch=entry.epoch,
        sequence=entry.sequence,
        text=repr(dict(entry.event.payload)),
        reason=f"{entry.event.kind}: {error}",
    )


def answer_rows(entry: OutboxEntry) -> Sequence[Row]:
    """The rows of an answer."""
    rows = entry.event.payload.get("rows")
    if not isinstance(rows, list | tuple) or not all(isinstance(row, Mapping) for row in rows):
        raise InvalidFieldError("rows", "a list of objects", rows)
    return rows


def answer_accounts(entry: OutboxEntry, told: Sequence[str] = ()) -> Sequence[str]:
    """The accounts that an answer is about, and those that its rows told."""
    named = entry.event.payload.get("accounts", ())
    if not isinstance(named, list | tuple) or not all(isinstance(name, str) for name in named):
        raise InvalidFieldError("accounts", "a list of accounts", named)
    return list(dict.fromkeys((*named, *told)))


def _check_answer(entry: OutboxEntry) -> None:
    covered_by(entry)
    read = ROW_READERS.get(str(entry.event.payload.get("question")))
    if read is not None:
        answer_accounts(entry)
        for row in answer_rows(entry):
            read(row)


CHECKS: Mapping[BrokerEventKind, Callable[[OutboxEntry], object]] = {
    BrokerEventKind.MESSAGE: message_fields,
    BrokerEventKind.ANSWER: _check_answer,
    BrokerEventKind.ORDER: lambda entry: order_of(entry.event.payload),
    BrokerEventKind.ACCOUNT_VALUE: lambda entry: account_value_of(entry.event.payload),
}
