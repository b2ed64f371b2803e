"""One file of the broker, whatever it is: a Flex statement or an export of messages.

The kind is read off the first bytes, never off the name: people rename files.
"""

from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from adapters.ibkr.executions import parse_executions
from adapters.ibkr.flex import parse_flex
from adapters.ibkr.flex_xml import FILE_BYTES_MAX
from adapters.ibkr.refusal import FlexRefusedError
from trading.model.fills import FillBatch
from trading.model.statements import BrokerStatement
from trading.model.times import NEW_YORK

SNIFFED_BYTES = 4_096
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf",)
WIDE_XML = (b"\xff\xfe", b"\xfe\xff", b"\x00<", b"<\x00")  # XML in UTF-16


@dataclass(frozen=True, slots=True)
class BrokerFile:
    """What a file holds: statements with their batches, or batches alone; `batches` has every one of them."""

    statements: tuple[BrokerStatement, ...]
    batches: tuple[FillBatch, ...]


def read(source: Path | bytes, origin: str = "", *, zone: tzinfo = NEW_YORK) -> BrokerFile:
    """Read a file or its bytes; `origin` names it for people (else its file name), `zone` is the gateway's.

    Raises FlexRefusedError when it is neither a statement nor an export, or a broken one.
    """
    name = origin or (source.name if isinstance(source, Path) else "bytes")
    data = _bytes_of(source, name)
    if _is_xml(data):
        statements = parse_flex(data, name)
        return BrokerFile(statements, tuple(statement.batch for statement in statements))
    if _opening(data).startswith(b"{"):
        return BrokerFile((), (parse_executions(data, name, zone),))
    raise FlexRefusedError(name, "expected a Flex statement (XML) or messages as JSON lines", sample=data)


def _bytes_of(source: Path | bytes, name: str) -> bytes:
    if isinstance(source, bytes):
        return source
    try:
        length = source.stat().st_size
        if length > FILE_BYTES_MAX:
            raise FlexRefusedError(name, f"expected at most {FILE_BYTES_MAX} bytes, was {length}")
        return source.read_bytes()
    except OSError as cause:
        raise FlexRefusedError(name, f"the file cannot be read: {cause}") from cause


def _is_xml(data: bytes) -> bool:
    return data.startswith(WIDE_XML) or _opening(data).startswith(b"<")


def _opening(data: bytes) -> bytes:
    start = data[:SNIFFED_BYTES]
    for mark in BYTE_ORDER_MARKS:
        start = start.removeprefix(mark)
    return start.lstrip()
