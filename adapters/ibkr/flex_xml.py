"""The form of a Flex file: one pass over its elements, without a tree, guarded by defusedxml.

A statement is FlexQueryResponse > FlexStatements > FlexStatement > section > row. The rows are handed on
as they come, so that a hundred thousand of them never stand in memory at once. No DTD, no entity and no
reference to the outside is ever followed; an expat error means that the file is broken and nothing of it
counts.
"""

from abc import ABC, abstractmethod
from typing import Any
from xml.parsers.expat import ExpatError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from adapters.ibkr.refusal import FlexRefusedError

FILE_BYTES_MAX = 512 * 1024 * 1024  # a year of a busy account has 1.3 MB
DEPTH_MAX = 16  # real statements have six levels
ANSWER_CHARS_MAX = 300  # of the web service's refusal
ROOT = "FlexQueryResponse"
SERVICE_ANSWER = "FlexStatementResponse"
FRAME = frozenset({ROOT, "FlexStatements"})


class FlexReader(ABC):
    """What wants to know what a file says, in the order in which it says it."""

    @abstractmethod
    def response(self, attributes: dict[str, str]) -> None:
        """Take the attributes of the whole answer: query name and type."""

    @abstractmethod
    def statements(self, attributes: dict[str, str]) -> None:
        """Take the attributes of the frame around the statements: their count."""

    @abstractmethod
    def begin_statement(self, attributes: dict[str, str]) -> None:
        """Open an account's statement."""

    @abstractmethod
    def section(self, name: str) -> None:
        """Note that the open statement has this section, be it empty."""

    @abstractmethod
    def row(self, section: str, tag: str, attributes: dict[str, str]) -> None:
        """Take one row of the open statement."""

    @abstractmethod
    def stray(self, tag: str, attributes: dict[str, str]) -> None:
        """Take an element that stands outside of every statement."""

    @abstractmethod
    def end_statement(self) -> None:
        """Close the open statement."""


def read_elements(data: bytes, origin: str, reader: FlexReader) -> None:
    """Walk the file; raises FlexRefusedError naming the place when it is not one plain XML document."""
    if len(data) > FILE_BYTES_MAX:
        raise FlexRefusedError(
            origin, f"expected at most {FILE_BYTES_MAX} bytes, was {len(data)}", sample=data
        )
    walk = _Walk(reader)
    expat = _guarded_parser(walk)
    try:
        expat.Parse(data, True)
    except DefusedXmlException as cause:
        where = f"line {expat.CurrentLineNumber}"
        raise FlexRefusedError(origin, _named(cause), where=where, sample=data) from cause
    except ExpatError as cause:
        where = f"line {cause.lineno}, column {cause.offset}"
        raise FlexRefusedError(origin, f"not well-formed XML: {cause}", where=where, sample=data) from cause
    except (_OutOfFormError, LookupError, UnicodeError) as cause:
        where = f"line {expat.CurrentLineNumber}"
        raise FlexRefusedError(origin, str(cause), where=where, sample=data) from cause
    if walk.answer:
        reason = f"the Flex web service answered instead of a statement: {walk.answer.strip()}"
        raise FlexRefusedError(origin, reason, sample=data)


class _OutOfFormError(Exception):
    """The elements do not stand as a Flex file has them."""


class _Walk:
    """Tells frame, statement, section and row apart by where they stand."""

    def __init__(self, reader: FlexReader) -> None:
        self.reader = reader
        self.depth = 0
        self.statement_depth = 0  # 0 while no statement is open
        self.open_section = ""
        self.answer = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise _OutOfFormError(f"expected at most {DEPTH_MAX} levels of elements")
        if self.depth == 1:
            self._root(tag, attributes)
        elif tag == "FlexStatement":
            self._statement(attributes)
        elif self.statement_depth:
            self._inside(tag, attributes)
        elif tag == "FlexStatements":
            self.reader.statements(attributes)
        elif not self.answer:
            self.reader.stray(tag, attributes)

    def end(self, _tag: str) -> None:
        if self.depth == self.statement_depth:
            self.reader.end_statement()
            self.statement_depth = 0
        self.depth -= 1

    def text(self, text: str) -> None:
        if self.answer and len(self.answer) < ANSWER_CHARS_MAX:
            self.answer += text[:ANSWER_CHARS_MAX]

    def _root(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == SERVICE_ANSWER:
            self.answer = " "
        elif tag == ROOT:
            self.reader.response(attributes)
        else:
            raise _OutOfFormError(f"expected {ROOT} as the root element, was {tag[:ANSWER_CHARS_MAX]!r}")

    def _statement(self, attributes: dict[str, str]) -> None:
        if self.statement_depth:
            raise _OutOfFormError("expected no FlexStatement inside another: whose rows are they?")
        self.statement_depth = self.depth
        self.reader.begin_statement(attributes)

    def _inside(self, tag: str, attributes: dict[str, str]) -> None:
        if self.depth == self.statement_depth + 1:
            self.open_section = tag
            self.reader.section(tag)
            if not attributes:
                return
        self.reader.row(self.open_section, tag, attributes)


def _guarded_parser(walk: _Walk) -> Any:
    # defusedxml's parser brings the guards; its handlers, which build a tree, are replaced.
    guarded = DefusedXMLParser(target=_NoTree(), forbid_dtd=True, forbid_entities=True, forbid_external=True)
    expat = guarded.parser
    expat.ordered_attributes = False
    expat.StartElementHandler = walk.start
    expat.EndElementHandler = walk.end
    expat.CharacterDataHandler = walk.text
    return expat


class _NoTree:
    def close(self) -> None:
        """Nothing is built."""


def _named(cause: DefusedXmlException) -> str:
    return f"expected plain XML, was {type(cause).__name__}: no DTD, entity or outside reference is read"
