"""One statement, from its parameters to its result on the wire.

Order matters: the place in the queue, then the connection, then the watcher; everything is given back before the
last bytes go out, so that a client which got its answer finds its session free.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from warehouse_server.accounts import Role
from warehouse_server.admission import Admission, Place
from warehouse_server.answers import Answer
from warehouse_server.engine import Engine, Session, StatementClass, identifier, literal
from warehouse_server.invocation import Invocation
from warehouse_server.limits import BUFFERED_RESULT_BYTES, READER_RESULT_BYTES
from warehouse_server.permissions import check_text
from warehouse_server.refusals import READONLY, RESULT_TOO_LARGE, Refusal, refuse
from warehouse_server.result_streams import PIPED, joiner, piped
from warehouse_server.running import DisconnectWatcher, RunningQueries, RunningQuery
from warehouse_server.sessions import KeptSession, Sessions
from warehouse_server.statement_source import StatementSource
from warehouse_server.statements import InsertWithData, Text, parse_text

_NO_RESULT_SET = frozenset(
    """CREATE DROP ALTER INSERT SET USE RENAME TRUNCATE ATTACH DETACH EXCHANGE GRANT REVOKE OPTIMIZE DELETE UPDATE
    SYSTEM UNDROP MOVE""".split()
)


@dataclass(frozen=True, slots=True)
class Executor:
    """What all requests share."""

    engine: Engine
    admission: Admission
    sessions: Sessions
    running: RunningQueries
    watcher: DisconnectWatcher

    def execute(self, invocation: Invocation, source: StatementSource, answer: Answer) -> None:
        """Run the statement and write its result; the caller sends the end, or the error."""
        insert = source.insert()
        text = None if insert else parse_text(source.text())
        marker = f"{invocation.query_id}\n{invocation.comment}" if invocation.comment else invocation.query_id
        with ExitStack() as held:
            query = held.enter_context(
                self.running.register(invocation.query_id, marker, replace=invocation.replace_running)
            )
            place = answer.place = held.enter_context(self.admission.place())
            session = held.enter_context(self._connection(invocation, marker))
            for table in source.external_tables():
                held.enter_context(table.created(session))
            started = time.monotonic_ns()
            try:
                if text is None:
                    assert insert is not None
                    self._insert(session, invocation, insert, source, answer, place)
                else:
                    self._text(session, invocation, text, answer, query, source.fd, held)
            finally:
                answer.statistics.elapsed_ns = time.monotonic_ns() - started

    @contextmanager
    def _connection(self, invocation: Invocation, marker: str) -> Iterator[Session]:
        settings = {**invocation.settings, "log_comment": marker}
        if invocation.session is None:
            with self._fresh(invocation, settings) as session:
                yield session
            return
        with self.sessions.hold(invocation.role, invocation.session) as kept:
            if invocation.role is Role.READER:
                with self._fresh(invocation, settings) as session:
                    yield session
            else:
                _prepare_kept(kept, invocation.database, settings)
                yield kept.connection

    @contextmanager
    def _fresh(self, invocation: Invocation, settings: dict[str, str]) -> Iterator[Session]:
        session = self.engine.session()
        try:
            if invocation.database is not None:
                session.do(f"USE {identifier(invocation.database)}")
            session.do(_set(settings))
            if invocation.role is Role.READER:
                session.do("SET readonly = 1")
            yield session
        finally:
            session.close()

    def _insert(
        self,
        session: Session,
        invocation: Invocation,
        insert: InsertWithData,
        source: StatementSource,
        answer: Answer,
        place: Place,
    ) -> None:
        if invocation.role is Role.READER or invocation.method != "POST":
            raise refuse(READONLY, "READONLY", "Cannot execute query in readonly mode")
        if invocation.bound:
            session.do(_set({f"param_{name}": value for name, value in invocation.bound.items()}))
        answer.describe(None)
        session.insert(insert.head, insert.format, source.data(insert, place), answer.statistics)

    def _text(
        self,
        session: Session,
        invocation: Invocation,
        text: Text,
        answer: Answer,
        query: RunningQuery,
        fd: int,
        held: ExitStack,
    ) -> None:
        kind = session.classify(text.sql)
        check_text(invocation, text, kind)
        output_format = text.format or invocation.default_format
        answer.describe(None if _without_result(text, kind) else output_format)
        if kind is StatementClass.READ_ONLY:
            held.enter_context(self.watcher.watching(fd, query))
        for chunk in _result(session, invocation, text, kind, output_format, answer):
            answer.write(chunk)


def _result(
    session: Session,
    invocation: Invocation,
    text: Text,
    kind: StatementClass,
    output_format: str,
    answer: Answer,
) -> Iterator[bytes]:
    join = joiner(output_format)
    selects = kind is StatementClass.READ_ONLY and text.streamable
    if selects and join is not None:
        return join(session.stream(text.sql, output_format, answer.statistics, invocation.bound))
    if selects and invocation.role is Role.WRITER and output_format.upper() in PIPED:
        return piped(session, text.before_format, output_format, answer.statistics, dict(invocation.bound))
    if selects:
        return _one_document(session, invocation, text, output_format, answer)
    return iter([session.run(text.sql, output_format, answer.statistics, invocation.bound)])


def _one_document(
    session: Session, invocation: Invocation, text: Text, output_format: str, answer: Answer
) -> Iterator[bytes]:
    """Buffered up to a bound; beyond it the writer's result goes through a pipe, the reader's is refused."""
    bound = READER_RESULT_BYTES if invocation.role is Role.READER else BUFFERED_RESULT_BYTES
    own_limit = "max_result_bytes" in invocation.settings or "MAX_RESULT_BYTES" in text.words
    try:
        if not own_limit and invocation.role is Role.WRITER:
            session.do(f"SET max_result_bytes = {bound}, result_overflow_mode = 'throw'")
        yield session.run(text.sql, output_format, answer.statistics, invocation.bound)
    except Refusal as refusal:
        if refusal.code != RESULT_TOO_LARGE or own_limit or invocation.role is Role.READER:
            raise
        session.do("SET max_result_bytes = 0")
        yield from piped(
            session, text.before_format, output_format, answer.statistics, dict(invocation.bound)
        )


def _without_result(text: Text, kind: StatementClass) -> bool:
    return kind is not StatementClass.READ_ONLY and (
        not text.tokens or text.tokens[0].upper in _NO_RESULT_SET
    )


def _prepare_kept(kept: KeptSession, database: str | None, settings: dict[str, str]) -> None:
    """URL settings live for one request: what an earlier request set and this one does not goes back."""
    session = kept.connection
    if database is not None or kept.database is not None:
        session.do(f"USE {identifier(database or 'default')}")
        kept.database = database
    stale = {name: kept.restore.pop(name) for name in list(kept.restore) if name not in settings}
    for name in settings:
        if name not in kept.restore:
            kept.restore[name] = _current(session, name)
    session.do(_set({**stale, **settings}))


def _current(session: Session, name: str) -> str:
    from warehouse_server.engine import Statistics

    sql = f"SELECT value FROM system.settings WHERE name = {literal(name)}"
    return session.run(sql, "TSVRaw", Statistics(), {}).decode().removesuffix("\n")


def _set(settings: dict[str, str]) -> str:
    return "SET " + ", ".join(f"{identifier(name)} = {literal(value)}" for name, value in settings.items())
