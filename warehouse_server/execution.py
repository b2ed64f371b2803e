"""One statement, from its parameters to its result.

Order matters: the place in the queue, then the connection, then the watcher; everything is given back
before the last bytes go out, so that a client which got its answer finds its session free.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Final

from warehouse_server.accounts import Role
from warehouse_server.admission import Admission, Place
from warehouse_server.answers import Answer
from warehouse_server.engine import Engine, Session, StatementClass
from warehouse_server.external_tables import ExternalTable
from warehouse_server.invocation import Invocation
from warehouse_server.names import names
from warehouse_server.permissions import check_insert, check_text
from warehouse_server.results import Selection, bounded, rows
from warehouse_server.right_of_way import giving_way, goes_first
from warehouse_server.running import DisconnectWatcher, RunningQueries
from warehouse_server.sessions import Sessions, prepare
from warehouse_server.statement_source import StatementSource
from warehouse_server.statements import InsertWithData, Text, parse_text
from warehouse_server.system_tables import as_on_a_server, marker

_NO_RESULT_SET: Final = names(
    """
    CREATE DROP ALTER INSERT SET USE RENAME TRUNCATE ATTACH DETACH EXCHANGE GRANT REVOKE OPTIMIZE
    DELETE UPDATE SYSTEM UNDROP MOVE
    """
)


@dataclass(frozen=True, slots=True)
class _Run:
    """One statement under way: what was asked, the connection it has, where the answer goes."""

    invocation: Invocation
    source: StatementSource
    answer: Answer
    session: Session
    place: Place


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
        settings = {**giving_way(invocation.settings), **(bounded(invocation, text) if text else {})}
        comment = marker(invocation.query_id, invocation.comment)
        with ExitStack() as held:
            query = held.enter_context(
                self.running.register(invocation.query_id, comment, replace=invocation.replace_running)
            )
            place = answer.place = held.enter_context(
                self.admission.place(first=goes_first(invocation.settings))
            )
            tables = source.external_tables()
            session = held.enter_context(self._connection(invocation, comment, settings, tables, answer))
            run = _Run(invocation, source, answer, session, place)
            started = time.monotonic_ns()
            try:
                if insert is not None:
                    _run_insert(run, insert)
                if text is not None:
                    kind = session.classify(text.sql)
                    if kind is StatementClass.READ_ONLY:
                        held.enter_context(self.watcher.watching(source.fd, query))
                    _run_text(run, text, kind)
            finally:
                answer.statistics.elapsed_ns = time.monotonic_ns() - started

    @contextmanager
    def _connection(
        self,
        invocation: Invocation,
        comment: str,
        settings: dict[str, str],
        tables: list[ExternalTable],
        answer: Answer,
    ) -> Iterator[Session]:
        """The connection to use: the session's where a writer names one, else a fresh one."""
        if invocation.session is None:
            with self._fresh(invocation, comment, settings, tables, answer) as session:
                yield session
            return
        with self.sessions.hold(invocation.role, invocation.session) as kept:
            if invocation.role is Role.READER:
                with self._fresh(invocation, comment, settings, tables, answer) as session:
                    yield session
            else:
                prepare(kept, invocation.database, {**settings, "log_comment": comment})
                with ExitStack() as made:
                    for table in tables:
                        made.enter_context(table.created(kept.connection))
                    yield kept.connection

    @contextmanager
    def _fresh(
        self,
        invocation: Invocation,
        comment: str,
        settings: dict[str, str],
        tables: list[ExternalTable],
        answer: Answer,
    ) -> Iterator[Session]:
        locked = invocation.role is Role.READER
        at_once = locked and not settings and not tables
        session = self.engine.session(comment, invocation.database, read_only=at_once)
        answer.afterwards(session.close)
        session.set(settings)
        for table in tables:
            table.create(session)
        if locked and not at_once:
            session.do("SET readonly = 1")
        yield session


def _run_insert(run: _Run, insert: InsertWithData) -> None:
    check_insert(run.invocation)
    if run.invocation.bound:
        run.session.set({f"param_{name}": value for name, value in run.invocation.bound.items()})
    run.answer.describe(None)
    run.session.insert(insert.head, insert.format, run.source.data(insert, run.place), run.answer.statistics)


def _run_text(run: _Run, text: Text, kind: StatementClass) -> None:
    check_text(run.invocation, text, kind)
    output_format = text.format or run.invocation.default_format
    no_result = kind is not StatementClass.READ_ONLY and text.first_word in _NO_RESULT_SET
    run.answer.describe(None if no_result else output_format)
    streams = kind is StatementClass.READ_ONLY and text.streamable
    selection = Selection(text, as_on_a_server(text, run.invocation.role), output_format, run.invocation)
    with closing(rows(run.session, selection, run.answer.statistics, streams=streams)) as chunks:
        for chunk in chunks:
            run.answer.write(chunk)
