"""Messages of the live session, read by the normalizer of files of messages: one meaning, one identity."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo

import orjson

from adapters.ibkr.executions import (
    COMBINATION,
    COMMISSION,
    COMMISSION_NAMES,
    EXECUTION,
    EXECUTION_FIELDS_MIN,
    EXECUTION_NAMES,
    executions_from_messages,
)
from adapters.ibkr.message_lines import MessageLine
from trading.errors import InvalidFieldError
from trading.model.fills import FillBatch
from trading.model.ids import split_ibkr_execution_id
from trading.model.times import NEW_YORK
from trading.ports.message_reader import Fields, MessageAbout, MessageKind, MessageReader

OTHER = MessageAbout(MessageKind.OTHER)
PLACE_OF_SECURITY_TYPE = EXECUTION_NAMES.index("secType")
PLACE_OF_EXECUTION = EXECUTION_NAMES.index("execId")
PLACE_OF_COMMISSION = COMMISSION_NAMES.index("execId")


class LiveMessages(MessageReader):
    """`zone` is the gateway's, for times that name none."""

    def __init__(self, zone: tzinfo = NEW_YORK) -> None:
        self._zone = zone

    def about(self, fields: Fields) -> MessageAbout:
        """Look at the number of the message and the id of the execution."""
        if fields and fields[0] == EXECUTION and len(fields) >= EXECUTION_FIELDS_MIN:
            combined = fields[PLACE_OF_SECURITY_TYPE] == COMBINATION
            kind = MessageKind.COMBINATION if combined else MessageKind.EXECUTION
            return _about(kind, fields[PLACE_OF_EXECUTION])
        if fields and fields[0] == COMMISSION and len(fields) == len(COMMISSION_NAMES):
            return _about(MessageKind.COMMISSION, fields[PLACE_OF_COMMISSION])
        return OTHER

    def batch(self, messages: Sequence[Fields], accounts: Mapping[str, str], origin: str) -> FillBatch:
        """Read messages as a file of them is read."""
        lines = [MessageLine(fields, _text(fields)) for fields in messages]
        return executions_from_messages(lines, origin, self._zone, accounts=accounts)


def _about(kind: MessageKind, text: str) -> MessageAbout:
    exec_id = text.strip()
    if kind is MessageKind.COMBINATION:
        return MessageAbout(kind, exec_id)
    try:
        split_ibkr_execution_id(exec_id)
    except InvalidFieldError:
        return OTHER
    return MessageAbout(kind, exec_id)


def _text(fields: Fields) -> str:
    try:
        return orjson.dumps({"fields": list(fields)}).decode()
    except TypeError:  # half a surrogate pair
        return repr(list(fields))
