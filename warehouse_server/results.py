"""How a result leaves the engine: chunk by chunk, through a pipe, or as one buffered document."""

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from warehouse_server.accounts import Role
from warehouse_server.engine import Session, Statistics
from warehouse_server.invocation import Invocation
from warehouse_server.limits import BUFFERED_RESULT_BYTES, BUFFERED_RESULT_ROWS, READER_RESULT_BYTES
from warehouse_server.refusals import BAD_ARGUMENTS, RESULT_TOO_LARGE, Refusal
from warehouse_server.result_streams import PIPED, joiner, piped
from warehouse_server.statements import Text, parse_text

_LIMITS: Final = ("max_result_bytes", "max_result_rows", "result_overflow_mode")
_NOT_STREAMABLE: Final = "Streaming query is not supported"


@dataclass(frozen=True, slots=True)
class Selection:
    """A text statement, as it was said and as it is run, and the format it is to come in."""

    text: Text
    sql: bytes
    output_format: str
    invocation: Invocation


def bounded(invocation: Invocation, text: Text) -> Mapping[str, str]:
    """The settings that bound a result which has to be buffered: one document, or a reader's."""
    if joiner(text.format or invocation.default_format) is not None:
        return {}
    if invocation.role is Role.READER:
        return _limits(READER_RESULT_BYTES)
    own = set(_LIMITS) & set(invocation.settings) or {name.upper() for name in _LIMITS} & text.words
    return {} if own else _limits(BUFFERED_RESULT_BYTES)


def _limits(result_bytes: int) -> dict[str, str]:
    values = (str(result_bytes), str(BUFFERED_RESULT_ROWS), "throw")
    return dict(zip(_LIMITS, values, strict=True))


def rows(
    session: Session, selection: Selection, statistics: Statistics, *, streams: bool
) -> Generator[bytes, None, None]:
    """The result's bytes, to be closed before the session; `streams` where class and form allow it."""
    join = joiner(selection.output_format)
    if streams and join is None:
        yield from _one_document(session, selection, statistics)
        return
    chunks = _streamed(session, selection, statistics) if streams else None
    if chunks is None or join is None:
        yield session.run(selection.sql, selection.output_format, statistics, selection.invocation.bound)
        return
    with closing(chunks):
        yield from join(chunks)


def _streamed(
    session: Session, selection: Selection, statistics: Statistics
) -> Generator[bytes, None, None] | None:
    """The chunks, or None where the engine does not stream this statement (nothing has run then)."""
    try:
        return session.stream(selection.sql, selection.output_format, statistics, selection.invocation.bound)
    except Refusal as refusal:
        if refusal.code == BAD_ARGUMENTS and _NOT_STREAMABLE in refusal.message:
            return None
        raise


def _one_document(
    session: Session, selection: Selection, statistics: Statistics
) -> Generator[bytes, None, None]:
    """Buffered up to a bound; beyond it the writer's result goes through a pipe, the reader's is refused."""
    writes = selection.invocation.role is Role.WRITER
    if not (writes and selection.output_format.upper() in PIPED):
        try:
            yield session.run(selection.sql, selection.output_format, statistics, selection.invocation.bound)
            return
        except Refusal as refusal:
            own = set(_LIMITS) & set(selection.invocation.settings)
            if refusal.code != RESULT_TOO_LARGE or not writes or own:
                raise
        session.set(dict.fromkeys(_LIMITS[:2], "0"))
    select = parse_text(selection.sql).before_format
    yield from piped(session, select, selection.output_format, statistics, selection.invocation.bound)
