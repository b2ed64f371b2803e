"""The warehouse over HTTP: one small class over clickhouse-connect, for real and embedded servers alike.

What can lose money here: an insert that stores fewer rows than were sent (every insert compares), a
repeat after a lost answer that stores twice (every insert carries a deduplication token), a failed query
that reads as an empty answer (it raises), and a time that loses its zone on the wire (every time comes
back aware, in UTC). Values are bound as parameters and never become SQL text. Keep out: SQL of any one
table.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import clickhouse_connect
import pyarrow as pa
from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from urllib3.exceptions import HTTPError

from trading.errors import ConfigurationError, WarehouseError, WarehouseUnavailableError

logger = logging.getLogger(__name__)

ATTEMPTS_MAX = 4  # of reads and of inserts with a token; other commands are sent once
MESSAGE_CHARS_MAX = 160  # of a transport error: the driver quotes whole addresses with their parameters
BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 3.0
CONNECT_TIMEOUT_S = 5
ANSWER_TIMEOUT_S = 300
TRANSIENT_CODES = frozenset(
    {
        159,  # TIMEOUT_EXCEEDED
        202,  # TOO_MANY_SIMULTANEOUS_QUERIES
        203,  # NO_FREE_CONNECTION
        209,  # SOCKET_TIMEOUT
        210,  # NETWORK_ERROR
        241,  # MEMORY_LIMIT_EXCEEDED
        242,  # TABLE_IS_READ_ONLY
        252,  # TOO_MANY_PARTS
        319,  # UNKNOWN_STATUS_OF_INSERT
        394,  # QUERY_WAS_CANCELLED
        425,  # SYSTEM_ERROR
        999,  # KEEPER_EXCEPTION
    }
)
TRANSIENT_STATUS = frozenset({"429", "502", "503", "504"})

Answer = TypeVar("Answer")


class Priority(IntEnum):
    """Who gives way to whom in a busy warehouse: the server's setting `priority`; a lower number goes first.

    A query without one neither waits for another nor is waited for.
    """

    EXECUTIONS = 1
    WATCHES = 2  # what looks at executions: positions, alerts
    MARKET = 3  # the next quote follows


class Warehouse:
    """One connection pool to one warehouse; safe to share between threads, never across a fork.

    The connection is made at the first use, so that a warehouse that is down is an error of the call,
    not of start-up.
    """

    def __init__(
        self,
        url: str,
        *,
        answer_timeout_s: int = ANSWER_TIMEOUT_S,
        attempts: int = ATTEMPTS_MAX,
        priority: Priority | None = None,
    ) -> None:
        self._options = connection_options(url)
        self._answer_timeout_s = answer_timeout_s
        self._attempts = attempts
        self._settings = {} if priority is None else {"priority": int(priority)}
        self._types: dict[tuple[str, tuple[str, ...]], Sequence[ClickHouseType]] = {}
        self._client: Client | None = None

    def rows(self, sql: str, params: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """Return the rows as dictionaries: Decimal exact, times aware in UTC, null as None."""
        names, columns = self.columns(sql, params)
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def columns(
        self, sql: str, params: Mapping[str, object] | None = None
    ) -> tuple[tuple[str, ...], list[Sequence[Any]]]:
        """Return the result by column, the cheap form for many rows; values as in `rows`."""
        bound = _bound(sql, params)

        def ask(client: Client) -> tuple[tuple[str, ...], list[Sequence[Any]]]:
            result = client.query(
                sql, parameters=bound, query_formats={"FixedString": "string"}, column_oriented=True
            )
            return tuple(result.column_names), [_aware(column) for column in result.result_columns]

        return self._repeated(ask)

    def value(self, sql: str, params: Mapping[str, object] | None = None) -> Any:
        """Return the one value of a result of one row and one column."""
        found = self.rows(sql, params)
        if len(found) != 1 or len(found[0]) != 1:
            raise WarehouseError(f"expected one row of one column, was {len(found)} rows: {sql[:200]}")
        return next(iter(found[0].values()))

    def command(
        self,
        sql: str,
        params: Mapping[str, object] | None = None,
        settings: Mapping[str, object] | None = None,
    ) -> int:
        """Run one statement that answers nothing, once, and return the rows that it wrote."""
        bound = _bound(sql, params)

        def run(client: Client) -> int:
            summary = client.command(sql, parameters=bound, settings=dict(settings or {}))
            return int(getattr(summary, "written_rows", 0) or 0)

        return self._once(run)

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]], token: str) -> int:
        """Store rows, in the order of `columns`; the same token stores once. Returns the rows sent."""
        if not rows:
            return 0

        def send(client: Client) -> Any:
            try:
                types = self._types_of(client, table, columns)
                told = {"column_types": types, "settings": _insert_settings(token)}
                return client.insert(table, rows, column_names=list(columns), **told)
            except Exception:
                self._types.clear()  # whatever it was: the tables may have been migrated
                raise

        return self._inserted(table, len(rows), send)

    def insert_arrow(
        self, table: str, rows: pa.Table, token: str, settings: Mapping[str, object] | None = None
    ) -> int:
        """Store an Arrow table, the fast form for many rows; the same token stores once."""
        told = {**(settings or {}), **_insert_settings(token)}
        if not rows.num_rows:
            return 0
        return self._inserted(
            table,
            rows.num_rows,
            lambda client: client.insert_arrow(table, rows, settings=told),
        )

    def close(self) -> None:
        """Give the connections back; the next use connects again."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _types_of(self, client: Client, table: str, columns: Sequence[str]) -> Sequence[ClickHouseType]:
        """The columns' types, asked once: the driver would describe the table before each insert."""
        key = (table, tuple(columns))
        if key not in self._types:
            self._types[key] = client.create_insert_context(table, list(columns)).column_types
        return self._types[key]

    def _inserted(self, table: str, sent: int, send: Callable[[Client], Any]) -> int:
        """Send; if fewer rows were written than sent, once more by the same token; then it is an error."""
        written = self._repeated(lambda client: int(send(client).written_rows))
        if written < sent:
            logger.warning("insert_short table=%s sent=%d written=%d", table, sent, written)
            written = max(written, self._repeated(lambda client: int(send(client).written_rows)))
        if written != sent:
            raise WarehouseError(f"{table}: expected {sent} rows written, was {written}")
        return sent

    def _repeated(self, ask: Callable[[Client], Answer]) -> Answer:
        """Ask up to `attempts` times while the error may go away, with growing, jittered pauses."""
        for attempt in range(1, self._attempts):
            try:
                return self._once(ask)
            except WarehouseUnavailableError as error:
                pause_s = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** (attempt - 1)) * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, no secret
                logger.warning("warehouse_retry attempt=%d pause_s=%.2f error=%s", attempt, pause_s, error)
                time.sleep(pause_s)
        return self._once(ask)

    def _once(self, ask: Callable[[Client], Answer]) -> Answer:
        try:
            return ask(self._connected())
        except (ClickHouseError, HTTPError, OSError) as cause:
            raise _translated(cause) from cause

    def _connected(self) -> Client:
        if self._client is None:
            self._client = clickhouse_connect.get_client(
                **self._options,
                autogenerate_session_id=False,
                connect_timeout=CONNECT_TIMEOUT_S,
                send_receive_timeout=self._answer_timeout_s,
                query_retries=0,
                query_limit=0,
                tz_mode="aware",
                settings=dict(self._settings),
            )
            self._client.http_retries = 0  # a second send is decided here, where it has a token
        return self._client


def connection_options(url: str) -> dict[str, Any]:
    """Read `http[s]://[user[:password]@]host[:port][/database]`; an error never quotes the password."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError("CLICKHOUSE_URL: expected http[s]://user:password@host:port[/database]")
    try:
        port = parts.port
    except ValueError as cause:
        raise ConfigurationError("CLICKHOUSE_URL: expected a port between 1 and 65535") from cause
    secure = parts.scheme == "https"
    return {
        "host": parts.hostname,
        "port": port or (8443 if secure else 8123),
        "secure": secure,
        "username": unquote(parts.username or "default"),
        "password": unquote(parts.password or ""),
        "database": unquote(parts.path.strip("/")) or "default",
    }


def _insert_settings(token: str) -> dict[str, object]:
    return {"insert_deduplication_token": token, "insert_deduplicate": 1, "async_insert": 0}


def _bound(sql: str, params: Mapping[str, object] | None) -> dict[str, object] | None:
    """Refuse parameters that the server would not bind: the driver would write them into the text."""
    for name in params or {}:
        if f"{{{name}:" not in sql.replace(" ", ""):
            raise WarehouseError(f"expected a placeholder {{{name}:Type}} in the statement: {sql[:200]}")
    return dict(params) if params else None


def _aware(column: Sequence[Any]) -> Sequence[Any]:
    """Put UTC on times that lost their zone on the wire (the embedded engine speaks Native revision 0)."""
    first = next((value for value in column if value is not None), None)
    if not isinstance(first, datetime):
        return column
    return [None if value is None else _utc(value) for value in column]


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _translated(cause: Exception) -> WarehouseError | WarehouseUnavailableError:
    text = str(cause)
    code = getattr(cause, "code", None)
    lost = not isinstance(cause, ClickHouseError) or (isinstance(cause, OperationalError) and code is None)
    if lost:
        root = cause.__cause__ or cause
        text = f"{type(root).__name__} {text.partition(' (http')[0][:MESSAGE_CHARS_MAX]}"
    if (
        lost
        or code in TRANSIENT_CODES
        or any(f"HTTP {s}" in text or f"status {s}" in text for s in TRANSIENT_STATUS)
    ):
        return WarehouseUnavailableError(f"warehouse cannot answer now: {text}")
    return WarehouseError(f"warehouse refused: {text}")
