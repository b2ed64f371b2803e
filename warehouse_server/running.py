"""The queries that run now, and the end of those whose client went away.

The engine's query id cannot be set, so a query carries its id in `log_comment`, and is killed by it.
"""

import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from warehouse_server.limits import KILL_ATTEMPTS, KILL_EVERY_S
from warehouse_server.refusals import SAME_ID_RUNNING, refuse

_POLL_S: Final = 1.0


@dataclass(slots=True, eq=False)
class RunningQuery:
    """A query under way; `stop` asks for its end, `done` says that it came."""

    query_id: str
    marker: str
    stop: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)


class RunningQueries:
    """By id; kills repeat until the query is gone, since one may come before its query has begun."""

    def __init__(self, kill: Callable[[str], None]) -> None:
        self._kill = kill
        self._by_id: dict[str, RunningQuery] = {}
        self._lock = threading.Lock()

    @contextmanager
    def register(self, query_id: str, marker: str, *, replace: bool) -> Iterator[RunningQuery]:
        """Under its id while it runs; 216 where that id runs already."""
        if replace:
            self._replace(query_id)
        query = RunningQuery(query_id, marker)
        with self._lock:
            if query_id in self._by_id:
                raise refuse(
                    SAME_ID_RUNNING,
                    "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
                    f"Query with id = {query_id} is already running",
                )
            self._by_id[query_id] = query
        try:
            yield query
        finally:
            query.done.set()
            with self._lock:
                del self._by_id[query_id]

    def count(self) -> int:
        """How many run or wait."""
        return len(self._by_id)

    def stop(self, query: RunningQuery) -> None:
        """Begin to end one query, in a thread of its own."""
        if not query.stop.is_set():
            query.stop.set()
            threading.Thread(target=self._kill_until_done, args=(query,), daemon=True, name="kill").start()

    def stop_all(self) -> None:
        """Begin to end every query."""
        with self._lock:
            queries = list(self._by_id.values())
        for query in queries:
            self.stop(query)

    def _replace(self, query_id: str) -> None:
        with self._lock:
            query = self._by_id.get(query_id)
        if query is not None:
            self.stop(query)
            query.done.wait(KILL_EVERY_S * KILL_ATTEMPTS)

    def _kill_until_done(self, query: RunningQuery) -> None:
        for _ in range(KILL_ATTEMPTS):
            if query.done.is_set():
                return
            self._kill(query.marker)
            query.done.wait(KILL_EVERY_S)


class DisconnectWatcher:
    """One thread that learns from the kernel which clients closed their side."""

    def __init__(self, stop: Callable[[RunningQuery], None]) -> None:
        self._stop = stop
        self._epoll = select.epoll()
        self._watched: dict[int, RunningQuery] = {}
        threading.Thread(target=self._watch, daemon=True, name="disconnects").start()

    @contextmanager
    def watching(self, fd: int, query: RunningQuery) -> Iterator[None]:
        """While inside, the query ends when the client of `fd` goes away."""
        self._watched[fd] = query
        self._epoll.register(fd, select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR | select.EPOLLONESHOT)
        try:
            yield
        finally:
            self._epoll.unregister(fd)
            del self._watched[fd]

    def _watch(self) -> None:
        while True:  # as long as the process; each turn waits at most _POLL_S
            for fd, _ in self._epoll.poll(_POLL_S):
                query = self._watched.get(fd)
                if query is not None:
                    self._stop(query)
