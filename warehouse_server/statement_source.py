"""Where a statement and its data come from: URL parameter, body, form, in any encoding.

The first bytes are looked at to find out what it is; the data of an INSERT stream on and are never touched.
"""

from collections.abc import Iterator
from dataclasses import replace

from warehouse_server.admission import Place
from warehouse_server.block_frames import unframe
from warehouse_server.compression import decode
from warehouse_server.external_tables import ExternalTable, read_form
from warehouse_server.invocation import Invocation, read_invocation
from warehouse_server.limits import KIB, QUERY_TEXT_BYTES
from warehouse_server.refusals import QUERY_TOO_LARGE, refuse
from warehouse_server.statements import InsertWithData, parse_insert
from warehouse_server.wire import Connection, Request

_HEAD_BYTES = 256 * KIB  # an INSERT's head, up to its data, is expected within


class StatementSource:
    """The statement of one request."""

    def __init__(
        self, connection: Connection, request: Request, invocation: Invocation, body: Iterator[bytes]
    ) -> None:
        self._raw = body
        self.invocation = invocation
        self._connection = connection
        self._place: Place | None = None
        self._tables: list[ExternalTable] = []
        plain = decode(self._arriving(), invocation.content_encoding)
        self._parts = unframe(plain) if invocation.framed_request else plain
        if request.headers.get("content-type", "").startswith("multipart/form-data"):
            self._read_form(request)
        query = self.invocation.query.encode("utf-8", "surrogateescape")
        self._seen = bytearray(query + b"\n" if query else b"")
        self._see(_HEAD_BYTES)
        self._insert = parse_insert(bytes(self._seen))

    @property
    def fd(self) -> int:
        """The client's socket."""
        return self._connection.sock.fileno()

    def insert(self) -> InsertWithData | None:
        """The insert with data that this is, or None."""
        return self._insert

    def text(self) -> bytes:
        """The whole statement, where it is not an insert with data."""
        self._see(QUERY_TEXT_BYTES + 1)
        if len(self._seen) > QUERY_TEXT_BYTES:
            raise refuse(QUERY_TOO_LARGE, "QUERY_IS_TOO_LARGE", f"query text over {QUERY_TEXT_BYTES} bytes")
        return bytes(self._seen)

    def data(self, insert: InsertWithData, place: Place) -> Iterator[bytes]:
        """The data behind the head, as they come; the place is free while the client is slow."""
        self._place = place
        if len(self._seen) > insert.data_at:
            yield bytes(memoryview(self._seen)[insert.data_at :])
        yield from self._parts

    def external_tables(self) -> list[ExternalTable]:
        """Tables that came along with the query."""
        return self._tables

    def _arriving(self) -> Iterator[bytes]:
        while True:  # ends with the body, whose size is bounded
            if self._place is not None and not self._connection.ready():
                with self._place.paused():
                    part = next(self._raw, None)
            else:
                part = next(self._raw, None)
            if part is None:
                return
            yield part

    def _see(self, enough: int) -> None:
        while len(self._seen) < enough:
            part = next(self._parts, None)
            if part is None:
                return
            self._seen += part

    def _read_form(self, request: Request) -> None:
        """A form's fields count as URL parameters; its files are tables."""
        form = read_form(self._parts, request)
        self._tables = form.tables
        self._parts = iter(())
        merged = replace(request, parameters={**form.fields, **request.parameters})
        self.invocation = replace(
            read_invocation(merged, self.invocation.role), query_id=self.invocation.query_id
        )
