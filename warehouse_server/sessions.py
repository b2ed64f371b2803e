"""Sessions by `session_id`: one engine connection kept per id, for one request at a time, until it expires.

A reader changes nothing that could outlive a request, and its connection is closed to changes once it runs:
its sessions keep the lock and the expiry, and every request gets a fresh connection.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from warehouse_server.accounts import Role
from warehouse_server.engine import Session, Statistics, identifier, literal
from warehouse_server.invocation import SessionRequest
from warehouse_server.limits import SESSION_BUSY_WAIT_S, SESSIONS_MAX
from warehouse_server.refusals import (
    SESSION_LOCKED,
    SESSION_NOT_FOUND,
    TOO_MANY_QUERIES,
    Refusal,
    refuse,
)


@dataclass(slots=True, eq=False)
class KeptSession:
    """A named session: its connection, and what URL settings a request changed on it."""

    connection: Session
    lock: threading.Lock = field(default_factory=threading.Lock)
    expires_at: float = 0.0
    restore: dict[str, str] = field(default_factory=dict)
    database: str | None = None


class Sessions:
    """All named sessions; expired ones are closed whenever a session is asked for."""

    def __init__(self, connect: Callable[[], Session]) -> None:
        self._connect = connect
        self._kept: dict[tuple[Role, str], KeptSession] = {}
        self._lock = threading.Lock()

    @contextmanager
    def hold(self, role: Role, asked: SessionRequest) -> Iterator[KeptSession]:
        """The session for one request: 373 where it is busy, 372 where it should exist and does not."""
        kept = self._find(role, asked)
        if not kept.lock.acquire(timeout=SESSION_BUSY_WAIT_S):
            raise refuse(
                SESSION_LOCKED,
                "SESSION_IS_LOCKED",
                f"Session {asked.session_id[:64]} is locked by a concurrent client",
            )
        try:
            yield kept
        finally:
            kept.expires_at = time.monotonic() + asked.timeout_s
            kept.lock.release()

    def close_expired(self) -> None:
        """Close what nobody asked for in its time; a session in use is never closed."""
        now = time.monotonic()
        with self._lock:
            gone = [
                key
                for key, kept in self._kept.items()
                if kept.expires_at < now and kept.lock.acquire(blocking=False)
            ]
            closing = [self._kept.pop(key) for key in gone]
        for kept in closing:
            kept.connection.close()

    def _find(self, role: Role, asked: SessionRequest) -> KeptSession:
        self.close_expired()
        key = (role, asked.session_id)
        with self._lock:
            kept = self._kept.get(key)
            if kept is None:
                self._refuse_new(asked)
                kept = self._kept[key] = KeptSession(self._connect())
            kept.expires_at = max(kept.expires_at, time.monotonic() + asked.timeout_s)
            return kept

    def _refuse_new(self, asked: SessionRequest) -> None:
        if asked.must_exist:
            raise refuse(SESSION_NOT_FOUND, "SESSION_NOT_FOUND", f"Session {asked.session_id[:64]} not found")
        if len(self._kept) >= SESSIONS_MAX:
            raise refuse(
                TOO_MANY_QUERIES,
                "TOO_MANY_SIMULTANEOUS_QUERIES",
                f"{SESSIONS_MAX} sessions are open, no more",
            )


def prepare(kept: KeptSession, database: str | None, settings: Mapping[str, str]) -> None:
    """URL settings live for one request: what an earlier request set and this one does not goes back."""
    if database is not None or kept.database is not None:
        kept.connection.do(f"USE {identifier(database or 'default')}")
        kept.database = database
    stale = {name: kept.restore.pop(name) for name in list(kept.restore) if name not in settings}
    added = {name: _current(kept.connection, name) for name in settings if name not in kept.restore}
    try:
        kept.connection.set({**stale, **settings})
    except Refusal:
        _put_back(kept.connection, {**stale, **added})
        raise
    kept.restore.update(added)


def _put_back(session: Session, settings: Mapping[str, str]) -> None:
    """One by one: a name that the engine does not know must fail this request, and no later one."""
    for name, value in settings.items():
        with suppress(Refusal):
            session.set({name: value})


def _current(session: Session, name: str) -> str:
    sql = f"SELECT value FROM system.settings WHERE name = {literal(name)}"
    return session.run(sql, "TSVRaw", Statistics(), {}).decode().removesuffix("\n")
