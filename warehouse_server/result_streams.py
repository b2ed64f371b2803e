"""Results as a stream of bytes, with flat memory. The engine hands out chunks, each a complete document.

- formats of bare rows: chunks are joined as they are;
- formats with a header of names: the header is cut from every chunk but the first;
- ArrowStream: one schema, one end mark;
- one-document formats (JSON, XML, Pretty, …): buffered while small; beyond that, and for Parquet, Arrow,
  ORC and Avro, the engine writes the document into a pipe.
"""

import os
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Final

from warehouse_server.engine import Session, Statistics
from warehouse_server.limits import PIPE_READ_BYTES
from warehouse_server.names import names
from warehouse_server.refusals import Refusal

JOINABLE: Final = names(
    """
    NATIVE ROWBINARY TABSEPARATED TSV TABSEPARATEDRAW TSVRAW RAW CSV TSKV JSONEACHROW JSONLINES
    NDJSON JSONSTRINGSEACHROW JSONCOMPACTEACHROW JSONCOMPACTSTRINGSEACHROW MSGPACK LINEASSTRING
    RAWBLOB NULL
    """
)
_LINE_FORMATS: Final = names(
    """TABSEPARATED TSV TABSEPARATEDRAW TSVRAW RAW CSV JSONCOMPACTEACHROW JSONCOMPACTSTRINGSEACHROW"""
)
_HEADER_LINES: Final = {"WITHNAMES": 1, "WITHNAMESANDTYPES": 2}
_BINARY_HEADERS: Final = {"ROWBINARYWITHNAMES": 1, "ROWBINARYWITHNAMESANDTYPES": 2}
PIPED: Final = frozenset(("PARQUET", "ARROW", "ORC", "AVRO"))
_ARROW_END: Final = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_ARROW_PREFIX: Final = 8  # continuation mark and the length of the metadata


def joiner(output_format: str) -> Callable[[Iterator[bytes]], Iterator[bytes]] | None:
    """How chunks of this format become one document, or None where they cannot."""
    name = output_format.upper()
    if name in JOINABLE:
        return lambda chunks: chunks
    base, suffix, types = name.partition("WITHNAMES")
    if suffix and base in _LINE_FORMATS:
        lines = _HEADER_LINES.get(suffix + types, 0)
        return lambda chunks: _cut_headers(chunks, lambda chunk: _line_header_bytes(chunk, lines, name))
    if name in _BINARY_HEADERS:
        rows = _BINARY_HEADERS[name]
        return lambda chunks: _cut_headers(chunks, lambda chunk: _binary_header_bytes(chunk, rows))
    return _join_arrow if name == "ARROWSTREAM" else None


def _cut_headers(chunks: Iterator[bytes], measure: Callable[[bytes], int]) -> Iterator[bytes]:
    """The first chunk's header is every chunk's header: its length is measured once."""
    header = b""
    for chunk in chunks:
        if not header:
            header = chunk[: measure(chunk)]
            yield chunk
        elif chunk.startswith(header):
            yield chunk[len(header) :]
        else:
            yield chunk  # totals and extremes come without one


def _line_header_bytes(chunk: bytes, lines: int, name: str) -> int:
    """The length of the header lines; in CSV a line break inside quotes is part of a name."""
    at = 0
    for _ in range(lines):
        end = chunk.find(b"\n", at)
        while end >= 0 and name.startswith("CSV") and chunk.count(b'"', at, end) % 2:
            end = chunk.find(b"\n", end + 1)
        if end < 0:
            return len(chunk)
        at = end + 1
    return at


def _binary_header_bytes(chunk: bytes, rows: int) -> int:
    """The length of: number of columns, names, and for two rows types; each a varint and its bytes."""
    columns, at = _varint(chunk, 0)
    for _ in range(columns * rows):
        length, at = _varint(chunk, at)
        at += length
    return at


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
    return value | data[at] << shift, at + 1


def _join_arrow(chunks: Iterator[bytes]) -> Iterator[bytes]:
    first = True
    for chunk in chunks:
        start = 0 if first else _ARROW_PREFIX + int.from_bytes(chunk[4:8], "little")
        end = len(chunk) - (len(_ARROW_END) if chunk.endswith(_ARROW_END) else 0)
        first = False
        if start < end:
            yield chunk[start:end]
    if not first:
        yield _ARROW_END


def piped(
    session: Session, select: bytes, output_format: str, statistics: Statistics, bound: Mapping[str, str]
) -> Generator[bytes, None, None]:
    """One document, written by the engine into a pipe; unordered rows may come in another order."""
    read_end, write_end = os.pipe()
    failures: list[Refusal] = []
    sql = f"INSERT INTO FUNCTION file('/proc/self/fd/{write_end}', '{output_format}') ".encode() + select

    def write() -> None:
        try:
            session.run(sql, "Null", statistics, bound)
        except Refusal as refusal:
            failures.append(refusal)
        finally:
            os.close(write_end)

    writer = threading.Thread(target=write, daemon=True, name="pipe")
    writer.start()
    try:
        while part := os.read(read_end, PIPE_READ_BYTES):
            yield part
    finally:
        _drain(read_end)
        writer.join()
        os.close(read_end)
    _count_as_result(statistics)
    if failures:
        raise failures[0]


def _count_as_result(statistics: Statistics) -> None:
    """To the engine the rows were written to a file; to the client they are its result."""
    statistics.result_rows, statistics.written_rows = statistics.written_rows, 0
    statistics.result_bytes, statistics.written_bytes = statistics.written_bytes, 0


def _drain(read_end: int) -> None:
    """Read to the end: a killed query that still writes would sleep forever on a full pipe."""
    while os.read(read_end, PIPE_READ_BYTES):
        pass
