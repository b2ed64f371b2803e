"""IBKR Flex statements: XML in, one BrokerStatement per account out.

`parse_flex` is the whole interface. A file is one Flex query's answer, Activity (``type="AF"``) or Trade
Confirmation (``TCF``), with any number of statements and accounts in it. Nothing in a file is lost without
a word: what can be read becomes a value, what has no reader is kept as it came, a row that cannot be read
is a RejectedRow with field, reason and payload, and a file that is no statement raises FlexRefusedError.
"""

from datetime import date, datetime
from hashlib import sha256
from typing import NoReturn

from adapters.ibkr.flex_account import StatementFrame
from adapters.ibkr.flex_notices import Notices
from adapters.ibkr.flex_rows import ACCOUNT_CHARS_MAX, NO_ACCOUNT, checked_account
from adapters.ibkr.flex_statement import StatementRows
from adapters.ibkr.flex_times import read_day, read_flex_moment
from adapters.ibkr.flex_xml import FlexReader, read_elements
from adapters.ibkr.refusal import FlexRefusedError
from trading.errors import InvalidFieldError
from trading.model.fills import Source
from trading.model.statements import BrokerStatement, StatementKind

ACTIVITY, CONFIRMATION = "AF", "TCF"
QUERY_NAME_CHARS_MAX = 200
STATEMENTS_MAX = 10_000  # in one file
STRAYS_MAX = 100_000  # rows outside of every statement


def parse_flex(data: bytes, origin: str) -> tuple[BrokerStatement, ...]:
    """Read a Flex file; `origin` names it for people. Raises FlexRefusedError when it is no statement."""
    reader = _File(data, origin)
    read_elements(data, origin, reader)
    return reader.result()


class _File(FlexReader):
    """Collects the statements of one file."""

    def __init__(self, data: bytes, origin: str) -> None:
        self.data = data
        self.origin = origin
        self.sha256 = sha256(data).hexdigest()
        self.query_name = ""
        self.query_type = ""
        self.announced = ""
        self.statements_read = 0
        self.finished: list[StatementRows] = []
        self.current: StatementRows | None = None
        self.strays: list[tuple[str, dict[str, str]]] = []

    def response(self, attributes: dict[str, str]) -> None:
        self.query_name = attributes.get("queryName", "")[:QUERY_NAME_CHARS_MAX]
        self.query_type = attributes.get("type", "")

    def statements(self, attributes: dict[str, str]) -> None:
        self.announced = attributes.get("count", "")

    def begin_statement(self, attributes: dict[str, str]) -> None:
        if len(self.finished) >= STATEMENTS_MAX:
            self._refuse(f"expected at most {STATEMENTS_MAX} statements")
        notices = Notices()
        notices.attributes("FlexStatement", attributes)
        self.current = StatementRows(self._frame(attributes, notices), notices)

    def section(self, name: str) -> None:
        if self.current is not None:
            self.current.begin_section(name)

    def row(self, section: str, tag: str, attributes: dict[str, str]) -> None:
        if self.current is not None:
            self.current.add(section, tag, attributes)

    def stray(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self.strays) >= STRAYS_MAX:
            self._refuse(f"expected at most {STRAYS_MAX} elements outside of every FlexStatement")
        self.strays.append((tag, attributes))

    def end_statement(self) -> None:
        if self.current is not None:
            self.finished.append(self.current)
            self.current = None

    def result(self) -> tuple[BrokerStatement, ...]:
        """All statements, once the whole file was read."""
        if not self.finished:
            self._refuse("expected at least one FlexStatement, was none")
        for tag, attributes in self.strays:
            self.finished[0].add_stray(tag, attributes)
        if self.announced not in ("", str(len(self.finished))):
            announced = self.announced[:ACCOUNT_CHARS_MAX]
            self.finished[0].notices.tell(
                f"the file announces {announced} statements and has {len(self.finished)}"
            )
        return tuple(statement for rows in self.finished for statement in rows.result())

    def _frame(self, attributes: dict[str, str], notices: Notices) -> StatementFrame:
        is_confirmation = self.query_type == CONFIRMATION
        if self.query_type not in (ACTIVITY, CONFIRMATION):
            notices.tell(f"query type {self.query_type[:ACCOUNT_CHARS_MAX]!r} is not known; read as Activity")
        from_date, to_date = self._days(attributes)
        return StatementFrame(
            origin=self.origin,
            sha256=self.sha256,
            kind=StatementKind.CONFIRMATION if is_confirmation else StatementKind.ACTIVITY,
            source=Source.CONFIRMATION if is_confirmation else Source.STATEMENT,
            query_name=self.query_name,
            account=_account(attributes, notices),
            from_date=from_date,
            to_date=to_date,
            generated_at=_generated_at(attributes, notices),
        )

    def _days(self, attributes: dict[str, str]) -> tuple[date, date]:
        try:
            first, last = (read_day(name, attributes.get(name, "")) for name in ("fromDate", "toDate"))
            if last < first:
                raise InvalidFieldError("toDate", f"a day on or after fromDate {first}", str(last))
        except InvalidFieldError as cause:
            self._refuse(f"a statement without its days: {cause}", cause)
        return first, last

    def _refuse(self, reason: str, cause: Exception | None = None) -> NoReturn:
        where = f"statement {len(self.finished) + 1}" if self.finished or cause else ""
        raise FlexRefusedError(self.origin, reason, where=where, sample=self.data) from cause


def _account(attributes: dict[str, str], notices: Notices) -> str:
    text = attributes.get("accountId", "").strip()
    try:
        return "" if text in NO_ACCOUNT else checked_account("accountId", text)
    except InvalidFieldError as error:
        notices.tell(f"{error}; rows count only where they name their account")
        return ""


def _generated_at(attributes: dict[str, str], notices: Notices) -> datetime | None:
    text = attributes.get("whenGenerated", "").strip()
    if not text:
        return None
    try:
        return read_flex_moment("whenGenerated", text)
    except InvalidFieldError as error:
        notices.tell(f"{error}; the statement counts as made at an unknown time")
        return None
