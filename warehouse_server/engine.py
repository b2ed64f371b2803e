"""The chDB engine as the server sees it: one per process, many connections. The only file that imports chdb.

A connection belongs to one thread at a time. Canceling or closing from another thread while a fetch
blocks hangs: cancel by KILL QUERY, and let the fetching thread close. Never fork after the engine opened.
"""

import re
import threading
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Final

from chdb import _chdb  # the library's own wrappers hide settings and streaming

from warehouse_server.refusals import Refusal, from_engine

# What an address carries as it is; an empty value would arrive as 1, and `&` would begin another setting.
_ADDRESS_SAFE: Final = re.compile(r"[A-Za-z0-9_.:-]+")


class StatementClass(Enum):
    """What a statement does, as the engine's parser judges it."""

    READ_ONLY = "READ_ONLY"
    OTHER = "OTHER"
    UNKNOWN = "UNKNOWN"


@dataclass(slots=True)
class Statistics:
    """What one query did so far."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    elapsed_ns: int = 0

    def add(self, result: Any) -> None:
        """Count a result or a chunk of one."""
        self.read_rows += result.storage_rows_read()
        self.read_bytes += result.storage_bytes_read()
        self.written_rows += result.rows_written()
        self.written_bytes += result.bytes_written()
        self.result_rows += result.rows_read()
        self.result_bytes += result.bytes_read()


class Session:
    """One engine connection: its settings, its database, its temporary tables."""

    def __init__(self, raw: Any, engine: "Engine") -> None:
        self._raw = raw
        self._engine = engine

    def classify(self, sql: bytes) -> StatementClass:
        """The class of a statement, without running it."""
        name = self._raw.classify_query(sql.decode("utf-8", "replace"), "")["query_class"].name
        if name == "UNKNOWN":
            return StatementClass.UNKNOWN
        return StatementClass.READ_ONLY if name == "READ_ONLY" else StatementClass.OTHER

    def run(
        self, sql: bytes | str, output_format: str, statistics: Statistics, parameters: Mapping[str, str]
    ) -> bytes:
        """Run to the end and return the whole answer."""
        try:
            result = self._raw.query(sql, output_format, params=dict(parameters))
        except RuntimeError as error:
            raise self._engine.refusal(error) from error
        statistics.add(result)
        return bytes(result.bytes())

    def do(self, sql: str) -> None:
        """Run a statement of our own, for its effect."""
        self.run(sql, "TabSeparated", Statistics(), {})

    def set(self, settings: Mapping[str, str]) -> None:
        """Set all of these at once."""
        if not settings:
            return
        pairs = ", ".join(f"{identifier(name)} = {literal(value)}" for name, value in settings.items())
        self.do(f"SET {pairs}")

    def stream(
        self, sql: bytes, output_format: str, statistics: Statistics, parameters: Mapping[str, str]
    ) -> Generator[bytes, None, None]:
        """The answer chunk by chunk, each a complete document; to be closed before its connection."""
        try:
            result = self._raw.send_query(sql, output_format, params=dict(parameters))
        except RuntimeError as error:
            raise self._engine.refusal(error) from error
        return self._chunks(result, statistics)

    def _chunks(self, result: Any, statistics: Statistics) -> Generator[bytes, None, None]:
        """Cancels what is left where the caller stops early; on a closed one that hangs the process."""
        finished = False
        try:
            while True:
                chunk = self._raw.streaming_fetch_result(result)
                if chunk is None:
                    finished = True
                    return
                statistics.add(chunk)
                data = chunk.bytes()
                if data:
                    yield data
                elif not chunk.rows_read():
                    finished = True
                    return
        except RuntimeError as error:
            finished = True
            raise self._engine.refusal(error) from error
        finally:
            if not finished:
                self._raw.streaming_cancel_query(result)

    def insert(self, head: bytes, input_format: str, data: Iterable[bytes], statistics: Statistics) -> None:
        """Feed data to an INSERT; nothing of the unfinished block is stored where the data breaks off."""
        try:
            handle = self._raw.send_insert(head, input_format)
        except RuntimeError as error:
            raise self._engine.refusal(error) from error
        try:
            for part in data:
                self._raw.insert_append(handle, part)
        except BaseException as error:
            self._raw.insert_cancel(handle)  # else the connection takes no other query
            if isinstance(error, RuntimeError):
                raise self._engine.refusal(error) from error
            raise
        try:
            result = self._raw.insert_done(handle)
        except RuntimeError as error:
            raise self._engine.refusal(error) from error
        statistics.add(result)

    def close(self) -> None:
        """Close the connection; only from the thread that used it last."""
        self._raw.close()


class Engine:
    """The process's engine on one directory."""

    def __init__(self, directory: Path, config_file: Path) -> None:
        self._address = f"{directory}?config-file={config_file}"
        self._control_lock = threading.Lock()
        try:
            self._control = Session(_open(self._address), self)
        except RuntimeError as error:
            raise EngineFailedError(f"the engine does not open {directory}: {error}") from error
        self.version, self.timezone = self._identity()

    def session(self, comment: str = "", database: str | None = None, *, read_only: bool = False) -> Session:
        """A connection that nobody used, whose queries carry this `log_comment`; `read_only` is for good.

        All of it rides in the address, which costs nothing: a SET is a query of 0.2 ms, and logged.
        """
        wanted = {"log_comment": comment, "database": database or "", "readonly": "1" if read_only else ""}
        wanted = {name: value for name, value in wanted.items() if value}
        if all(map(_ADDRESS_SAFE.fullmatch, wanted.values())):
            return self._opened("".join(f"&{name}={value}" for name, value in wanted.items()))
        session = self._opened("")
        try:
            if database:
                session.do(f"USE {identifier(wanted.pop('database'))}")
            session.set(wanted)
        except Refusal:
            session.close()
            raise
        return session

    def _opened(self, suffix: str) -> Session:
        try:
            return Session(_open(self._address + suffix), self)
        except RuntimeError as error:
            raise self.refusal(error) from error

    def flush(self) -> None:
        """Write out the query log, which the engine holds back for a second."""
        self.control("SYSTEM FLUSH LOGS")

    def kill(self, marker: str) -> None:
        """Ask the query that carries this log_comment to stop; quiet where there is none."""
        self.control(f"KILL QUERY WHERE Settings['log_comment'] = {literal(marker)} ASYNC")

    def control(self, sql: str) -> bytes:
        """Run a statement of the server's own."""
        with self._control_lock:
            return self._control.run(sql, "TabSeparated", Statistics(), {})

    def refusal(self, error: BaseException) -> Refusal:
        """An engine error in the words of the HTTP interface."""
        return from_engine(error, self.version)

    def close(self) -> None:
        """Close the last connection, which ends the engine."""
        with self._control_lock:
            self._control.close()

    def _identity(self) -> tuple[str, str]:
        self.version = ""
        version, timezone = self.control("SELECT version(), timezone()").decode().rstrip("\n").split("\t")
        return version, timezone


def _open(address: str) -> Any:
    library: Any = _chdb
    return library.connect(address)


class EngineFailedError(Exception):
    """The engine would not open; the message says what to look at."""


def literal(text: str) -> str:
    """A string as an SQL literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(text: str) -> str:
    """A name as a quoted SQL identifier."""
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`") + "`"
