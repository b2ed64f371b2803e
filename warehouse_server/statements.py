"""What a statement is, as far as the server must know: its data, its format, and what it must not say.

The engine's own parser decides the class (`engine.classify`); here is what it does not tell.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from warehouse_server.lexer import Kind, Token, tokens
from warehouse_server.refusals import OUTFILE_NOT_ALLOWED, SYNTAX_ERROR, Refusal, refuse

_INSERT_CLAUSES: Final = {"FORMAT", "VALUES", "SELECT", "WITH", "FROM", "WATCH"}
_STREAMABLE: Final = {"SELECT", "WITH", "FROM", "("}
_QUERIES: Final = {"INSERT", "EXPLAIN"}
_BEHIND_FORMAT: Final = {";", "SETTINGS", "INTO"}
_TABLE_PREFIXES: Final = {"INTO", "TABLE", "FUNCTION"}


@dataclass(frozen=True, slots=True)
class InsertWithData:
    """`INSERT … FORMAT x <data>`: the head without its FORMAT clause, and where the data begins."""

    head: bytes
    format: str
    data_at: int


@dataclass(frozen=True, slots=True)
class Text:
    """A statement that is text to its end."""

    sql: bytes
    tokens: tuple[Token, ...]
    format: str | None
    before_format: bytes

    @property
    def first_word(self) -> str:
        """The first token in upper case; empty where there is none."""
        return self.tokens[0].upper if self.tokens else ""

    @property
    def streamable(self) -> bool:
        """Whether the engine may hand out its rows while it runs; who asks for `1` is not worth a stream."""
        return self.first_word in _STREAMABLE and not self._is_of_constants

    @property
    def _is_of_constants(self) -> bool:
        """Without a table and without a function: no more rows than are written out in the text."""
        return not self.calls and "FROM" not in self.words

    @property
    def reads_tables(self) -> bool:
        """Whether it is a query, or moves the rows of one."""
        return self.first_word in _STREAMABLE or self.first_word in _QUERIES

    @property
    def words(self) -> frozenset[str]:
        """Every bare or quoted name in it, in upper case and without quotes."""
        return frozenset(_bare(token) for token in self.tokens if token.kind in (Kind.WORD, Kind.QUOTED_NAME))

    @property
    def calls(self) -> frozenset[str]:
        """The names that stand in front of an opening bracket."""
        pairs = itertools.pairwise(self.tokens)
        return frozenset(
            _bare(a) for a, b in pairs if b.upper == "(" and a.kind in (Kind.WORD, Kind.QUOTED_NAME)
        )


def parse_insert(statement: bytes) -> InsertWithData | None:
    """The insert with data that this statement begins with, or None where it is text."""
    stream = tokens(statement)
    first = next(stream, None)
    if first is None or first.upper != "INSERT":
        return None
    for token in _behind_table_name(stream):
        if token.upper == ";":
            return None
        if token.kind is Kind.WORD and token.depth == 0 and token.upper in _INSERT_CLAUSES:
            return _insert_at(statement, token, next(stream, None))
    return None


def parse_text(statement: bytes) -> Text:
    """A statement without data; refuses several in one text, and INTO OUTFILE."""
    found = tuple(tokens(statement))
    if not found or found[0].upper == ";":
        raise refuse(
            SYNTAX_ERROR, "SYNTAX_ERROR", "Syntax error: failed at position 1 (end of query): Empty query"
        )
    _refuse_several(found)
    _refuse_files(found)
    at = _format_clause(found)
    if at is None:
        return Text(statement, found, None, statement)
    name = found[at + 1]
    return Text(
        statement,
        found,
        statement[name.start : name.end].decode("utf-8", "replace"),
        _without_format(statement, found, at),
    )


def _behind_table_name(stream: Iterator[Token]) -> Iterator[Token]:
    """Skip INTO TABLE FUNCTION and a dotted name, so that a table may be called `values`."""
    token = next(stream, None)
    while token is not None and token.upper in _TABLE_PREFIXES:
        token = next(stream, None)
    for token in stream:
        if token.upper == ".":
            next(stream, None)
            continue
        yield token
        break
    yield from stream


def _insert_at(statement: bytes, clause: Token, following: Token | None) -> InsertWithData | None:
    if clause.upper == "VALUES":
        return InsertWithData(statement[: clause.start], "Values", _data_start(statement, clause.end))
    if clause.upper == "FORMAT" and following is not None and following.kind is Kind.WORD:
        name = statement[following.start : following.end].decode("utf-8", "replace")
        return InsertWithData(statement[: clause.start], name, _data_start(statement, following.end))
    if clause.upper == "FROM" and following is not None and following.upper == "INFILE":
        raise _files("FROM INFILE")
    return None


def _data_start(statement: bytes, at: int) -> int:
    """Behind blanks and one line break, as the real server finds the data; never further."""
    while statement[at : at + 1] in (b" ", b"\t", b"\f"):
        at += 1
    if statement[at : at + 1] == b"\r":
        at += 1
    return at + 1 if statement[at : at + 1] == b"\n" else at


def _refuse_several(found: tuple[Token, ...]) -> None:
    for token, following in itertools.pairwise(found):
        if token.upper == ";" and token.kind is Kind.SIGN and following.upper != ";":
            raise refuse(
                SYNTAX_ERROR,
                "SYNTAX_ERROR",
                "Syntax error (Multi-statements are not allowed): failed at position "
                f"{token.start + 1} (end of query)",
            )


def _refuse_files(found: tuple[Token, ...]) -> None:
    """INTO OUTFILE anywhere but behind INSERT, where it names a table; FROM INFILE only in an INSERT."""
    inserts = bool(found) and found[0].upper == "INSERT"
    for token, following in itertools.pairwise(found[1:] if not inserts else found[2:]):
        pair = (token.upper, following.upper)
        files = pair == ("INTO", "OUTFILE") or (inserts and pair == ("FROM", "INFILE"))
        if files and token.kind is following.kind is Kind.WORD:
            raise _files(" ".join(pair))


def _files(clause: str) -> Refusal:
    return refuse(OUTFILE_NOT_ALLOWED, "INTO_OUTFILE_NOT_ALLOWED", f"{clause} is not allowed over HTTP", 400)


def _format_clause(found: tuple[Token, ...]) -> int | None:
    """The place of the last FORMAT that names the output; a column or an alias may be called `format` too."""
    for at in range(len(found) - 2, 0, -1):
        token, name = found[at], found[at + 1]
        last = at + 2 == len(found) or found[at + 2].upper in _BEHIND_FORMAT
        if last and token.upper == "FORMAT" and token.kind is name.kind is Kind.WORD and token.depth == 0:
            return at
    return None


def _without_format(statement: bytes, found: tuple[Token, ...], at: int) -> bytes:
    behind = statement[found[at + 1].end :].rstrip().rstrip(b";")
    return statement[: found[at].start] + behind


def _bare(token: Token) -> str:
    return token.upper[1:-1] if token.kind is Kind.QUOTED_NAME else token.upper
