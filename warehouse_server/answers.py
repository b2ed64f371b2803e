"""One response on its way out: held while an early error may come, then sent in chunks. Keep out queries.

An error after the first bytes cannot change the status any more. It goes out as a block that clients look
for, between two markers with a tag that the headers announced.
"""

import json
import secrets
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from typing import IO, Any, Final

from warehouse_server.admission import Place
from warehouse_server.compression import Encoder
from warehouse_server.engine import Statistics
from warehouse_server.limits import COALESCE_BYTES, HOLD_S, IDLE_CONNECTION_S, MIB, SPOOL_MEMORY_BYTES
from warehouse_server.refusals import Refusal
from warehouse_server.wire import Connection, response_head

_CONTENT_TYPES: Final = {
    "JSON": "application/json; charset=UTF-8",
    "JSONCompact": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "CSV": "text/csv; charset=UTF-8; header=absent",
    "CSVWithNames": "text/csv; charset=UTF-8; header=present",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
    "TSV": "text/tab-separated-values; charset=UTF-8",
    "Native": "application/octet-stream",
    "Parquet": "application/octet-stream",
    "ArrowStream": "application/octet-stream",
    "Arrow": "application/octet-stream",
    "XML": "application/xml; charset=UTF-8",
}


class Answer:
    """The response to one query."""

    def __init__(
        self, connection: Connection, headers: dict[str, str], keep_alive: bool, head_only: bool
    ) -> None:
        self._connection = connection
        self._headers = headers
        self._tag = secrets.token_hex(8)
        self._head_only = head_only
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._flushed_at = time.monotonic()
        self._begun = False
        self._progress = False
        self._afterwards: list[Callable[[], None]] = []
        self._encoder: Encoder | None = None
        self._spool: IO[bytes] | None = None
        self.place: Place | None = None
        self.statistics = Statistics()
        self.keep_alive = keep_alive
        headers["Connection"] = "Keep-Alive" if keep_alive else "close"
        if keep_alive:
            headers["Keep-Alive"] = f"timeout={IDLE_CONNECTION_S:.0f}"

    def name_query(self, query_id: str) -> None:
        """Tell the client the id of its query."""
        self._headers["X-ClickHouse-Query-Id"] = query_id

    def tell_progress(self) -> None:
        """The client asked for progress in headers: it gets what is known when the headers go out."""
        self._progress = True

    def describe(self, output_format: str | None) -> None:
        """Name the format of a result set; a statement without one has none."""
        if output_format is not None:
            self._headers["X-ClickHouse-Format"] = output_format
        self._headers["Content-Type"] = _CONTENT_TYPES.get(output_format or "", "text/plain; charset=UTF-8")

    def encode(self, name: str, encoder: Encoder) -> None:
        """Send the body through this encoder; `name` is empty where no header tells of it."""
        self._encoder = encoder
        if name:
            self._headers["Content-Encoding"] = name

    def wait_for_end(self) -> None:
        """Keep everything back until the query ended; beyond some memory, in a temporary file."""
        self._spool = tempfile.SpooledTemporaryFile(SPOOL_MEMORY_BYTES)  # noqa: SIM115  closed by close()

    def write(self, data: bytes) -> None:
        """Take a part of the result."""
        if self._spool is not None:
            self._spool.write(data)
            return
        self._held.append(data)
        self._held_bytes += len(data)
        now = time.monotonic()
        if self._held_bytes >= COALESCE_BYTES or now - self._flushed_at >= HOLD_S:
            self._flush(now)

    def finish(self) -> None:
        """Send what is left and the end."""
        if self._spool is not None:
            self._send_spooled(self._spool)
        elif self._begun:
            self._flush(time.monotonic())
            tail = self._encoder.flush() if self._encoder else b""
            self._send([*_chunk(tail), b"0\r\n\r\n"])
        else:
            self._send_whole(b"".join(self._held))

    def fail(self, refusal: Refusal) -> None:
        """Send an error: as a status where nothing was sent yet, else as the block that clients look for."""
        if not self._begun:
            self._send_refusal(refusal)
            return
        self._flush(time.monotonic())
        message = refusal.message.encode() + b"\n"
        tag = self._tag.encode()
        block = b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (tag, message, len(message), tag)
        if self._encoder:
            block = self._encoder.compress(block) + self._encoder.flush()
        self._send([*_chunk(block), b"0\r\n\r\n"])

    def afterwards(self, work: Callable[[], None]) -> None:
        """Do this once the client has its answer."""
        self._afterwards.append(work)

    def close(self) -> None:
        """Do what was left for afterwards, and free the temporary file, where there is one."""
        for work in self._afterwards:
            work()
        if self._spool is not None:
            self._spool.close()

    def _send_refusal(self, refusal: Refusal) -> None:
        body = refusal.message.encode("utf-8", "replace") + b"\n"
        headers = {
            k: v for k, v in self._headers.items() if k not in ("Content-Encoding", "X-ClickHouse-Format")
        }
        headers["Content-Type"] = "text/plain; charset=UTF-8"
        headers["X-ClickHouse-Exception-Code"] = str(refusal.code)
        if refusal.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="ClickHouse server HTTP API"'
        self._count(headers)
        headers["Content-Length"] = str(len(body))
        self._send([response_head(refusal.status, headers), b"" if self._head_only else body])

    def _send_whole(self, body: bytes) -> None:
        if self._encoder and body:
            body = self._encoder.compress(body) + self._encoder.flush()
        elif not body:
            self._headers.pop("Content-Encoding", None)
        self._count(self._headers)
        self._headers["Content-Length"] = str(len(body))
        self._send([response_head(200, self._headers), b"" if self._head_only else body])

    def _send_spooled(self, spool: IO[bytes]) -> None:
        self._spool = None
        spool.seek(0)
        try:
            while part := spool.read(MIB):
                self.write(part)
            self.finish()
        finally:
            spool.close()

    def _flush(self, now: float) -> None:
        data = b"".join(self._held) if len(self._held) != 1 else self._held[0]
        self._held.clear()
        self._held_bytes = 0
        self._flushed_at = now
        head: list[bytes] = []
        if not self._begun:
            head = [self._chunked_head()]
        if self._encoder and data:
            data = self._encoder.compress(data)
        self._send([*head, *_chunk(data)])

    def _chunked_head(self) -> bytes:
        self._begun = True
        self._count(self._headers)
        self._headers["X-ClickHouse-Exception-Tag"] = self._tag
        self._headers["Transfer-Encoding"] = "chunked"
        return response_head(200, self._headers)

    def _count(self, headers: dict[str, str]) -> None:
        headers["X-ClickHouse-Summary"] = counts = summary(self.statistics)
        if self._progress:
            headers["X-ClickHouse-Progress"] = counts

    def _send(self, parts: list[bytes]) -> None:
        sent = self._connection.send_some(parts)
        if sent < sum(map(len, parts)):
            pause: Any = self.place.paused() if self.place is not None else nullcontext()
            with pause:
                self._connection.send(memoryview(b"".join(parts))[sent:])


def summary(statistics: Statistics) -> str:
    """The X-ClickHouse-Summary header; numbers are strings, as the real server writes them."""
    fields = {
        "read_rows": statistics.read_rows,
        "read_bytes": statistics.read_bytes,
        "written_rows": statistics.written_rows,
        "written_bytes": statistics.written_bytes,
        "total_rows_to_read": statistics.read_rows,
        "result_rows": statistics.result_rows or statistics.written_rows,
        "result_bytes": statistics.result_bytes or statistics.written_bytes,
        "elapsed_ns": statistics.elapsed_ns,
    }
    return json.dumps({name: str(value) for name, value in fields.items()}, separators=(",", ":"))


def _chunk(data: bytes) -> Iterable[bytes]:
    return (b"%x\r\n" % len(data), data, b"\r\n") if data else ()
