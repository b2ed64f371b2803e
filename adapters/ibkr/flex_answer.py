"""What an answer of the Flex Web Service is: its envelope (success, error), or a statement with its frame.

Belongs here: bytes in, values out. Nothing of a body is believed before all of it was read: a statement that
breaks off is no statement. What is wrong with a body is said without quoting it: a service may send back what
it was sent, the token too. Keep out: asking, waiting, what to do about an error.
"""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from adapters.ibkr.flex import ACTIVITY, CONFIRMATION
from adapters.ibkr.flex_rows import NO_ACCOUNT, checked_account
from adapters.ibkr.flex_times import read_day, read_flex_moment
from adapters.ibkr.flex_xml import ROOT, SERVICE_ANSWER, FlexReader, read_elements
from adapters.ibkr.refusal import FlexRefusedError
from trading.errors import InvalidFieldError
from trading.ports.statement_source import FetchedStatement, StatementQuery

ENVELOPE_BYTES_MAX = 64 * 1024  # real ones have 300
SNIFFED_BYTES = 4_096
ROOT_ELEMENT = re.compile(rb"<([A-Za-z_][\w.-]*)")
REFERENCE = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
QUERY_TYPES = {StatementQuery.ACTIVITY: ACTIVITY, StatementQuery.CONFIRMATION: CONFIRMATION}


class BrokenAnswerError(Exception):
    """The body is not what the service sends, or breaks off; the message says what was seen."""


class WrongQueryError(Exception):
    """A whole statement, but of the other query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the service says instead of a statement; `code` 0 means success."""

    code: int
    message: str = ""
    reference: str = field(default="", repr=False)
    url: str = field(default="", repr=False)


def is_envelope(body: bytes) -> bool:
    """Whether the body is an envelope; raises BrokenAnswerError where it is neither that nor a statement."""
    found = ROOT_ELEMENT.search(body[:SNIFFED_BYTES])
    root = found.group(1).decode() if found else ""
    if root not in (ROOT, SERVICE_ANSWER):
        what = "a web page" if root.lower() == "html" else "something else"
        raise BrokenAnswerError(f"expected a Flex statement or the service's answer, was {what}")
    return root == SERVICE_ANSWER


def read_envelope(body: bytes) -> Envelope:
    """Read an envelope whole; raises BrokenAnswerError."""
    if len(body) > ENVELOPE_BYTES_MAX:
        raise BrokenAnswerError(f"expected an answer of at most {ENVELOPE_BYTES_MAX} bytes, was {len(body)}")
    try:
        root = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as cause:  # of an encoding, too
        what = type(cause).__name__
        raise BrokenAnswerError(f"expected the service's answer as XML, was {what}") from cause
    status, code = _text(root, "Status"), _text(root, "ErrorCode")
    if status == "Success" and not code:
        return Envelope(code=0, reference=_reference(root), url=_text(root, "Url"))
    if not (code.isascii() and code.isdigit() and 0 < len(code) <= 6 and int(code)):
        raise BrokenAnswerError("expected Status Success or an ErrorCode, was neither")
    return Envelope(code=int(code), message=_text(root, "ErrorMessage")[:SNIFFED_BYTES])


def read_statement(query: StatementQuery, body: bytes) -> FetchedStatement:
    """Walk the whole file and read its frame; raises BrokenAnswerError or WrongQueryError."""
    frame = _Frame()
    try:
        read_elements(body, "the statement", frame)
    except FlexRefusedError as cause:
        raise BrokenAnswerError(str(cause)) from cause
    except InvalidFieldError as cause:
        raise BrokenAnswerError(f"{cause.field}: expected {cause.expected}") from cause
    if not frame.statements_read or frame.is_open:
        raise BrokenAnswerError("expected at least one whole FlexStatement")
    if frame.announced not in ("", str(frame.statements_read)):
        raise BrokenAnswerError(f"expected as many statements as announced, was {frame.statements_read}")
    if frame.type != QUERY_TYPES[query]:
        was = frame.type if frame.type in QUERY_TYPES.values() else "another"
        raise WrongQueryError(f"expected a query of type {QUERY_TYPES[query]}, was {was}")
    return FetchedStatement(
        query=query,
        content=body,
        accounts=tuple(account for account in frame.last_days if account),
        from_date=frame.first_day,
        to_date=min(frame.last_days.values()),
        generated_at=max(frame.generated, default=None),
    )


class _Frame(FlexReader):
    """Takes what a file says about its statements; the rows are only walked over.

    A query may break out its period by day: an account then has a statement for each.
    """

    def __init__(self) -> None:
        self.type = ""
        self.announced = ""
        self.statements_read = 0
        self.first_day = date.max
        self.last_days: dict[str, date] = {}  # by account; one without a name is ""
        self.generated: list[datetime] = []
        self.is_open = False

    def response(self, attributes: dict[str, str]) -> None:
        self.type = attributes.get("type", "")

    def statements(self, attributes: dict[str, str]) -> None:
        self.announced = attributes.get("count", "")

    def begin_statement(self, attributes: dict[str, str]) -> None:
        self.is_open, self.statements_read = True, self.statements_read + 1
        named = attributes.get("accountId", "").strip()
        account = "" if named in NO_ACCOUNT else checked_account("accountId", named)
        first, last = (read_day(name, attributes.get(name, "")) for name in ("fromDate", "toDate"))
        self.first_day = min(self.first_day, first)
        self.last_days[account] = max(self.last_days.get(account, last), last)
        with suppress(InvalidFieldError):  # a statement counts without it, too
            self.generated.append(read_flex_moment("whenGenerated", attributes.get("whenGenerated", "")))

    def section(self, name: str) -> None:
        return

    def row(self, section: str, tag: str, attributes: dict[str, str]) -> None:
        return

    def stray(self, tag: str, attributes: dict[str, str]) -> None:
        return

    def end_statement(self) -> None:
        self.is_open = False


def _text(root: Element, name: str) -> str:
    return (root.findtext(name) or "").strip()


def _reference(root: Element) -> str:
    reference = _text(root, "ReferenceCode")
    if not REFERENCE.fullmatch(reference):
        raise BrokenAnswerError("expected a ReferenceCode of letters and digits in a Success")
    return reference
