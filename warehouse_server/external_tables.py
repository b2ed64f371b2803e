"""Form bodies: parameters, and tables that exist for one request. Keep out everything else of MIME."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from warehouse_server.engine import Session, Statistics, identifier
from warehouse_server.lexer import Kind, Token, tokens
from warehouse_server.limits import MULTIPART_BYTES
from warehouse_server.refusals import BAD_ARGUMENTS, QUERY_TOO_LARGE, refuse
from warehouse_server.wire import Request

_NO_TYPES: Final = frozenset(("DEFAULT", "MATERIALIZED", "ALIAS", "EPHEMERAL", "CODEC", "TTL"))
_SIGNS: Final = frozenset(("(", ")", ",", "=", "-"))


@dataclass(frozen=True, slots=True)
class ExternalTable:
    """A file of the form with its columns and its format."""

    name: str
    structure: str
    format: str
    data: bytes

    def create(self, session: Session) -> None:
        """A temporary table with these rows; it goes with its connection."""
        name = identifier(self.name)
        session.do(f"CREATE TEMPORARY TABLE {name} ({_columns(self.structure)})")
        session.insert(f"INSERT INTO {name}".encode(), self.format, [self.data], Statistics())

    @contextmanager
    def created(self, session: Session) -> Iterator[None]:
        """The same on a connection that is kept: dropped at the end of the request."""
        try:
            self.create(session)
            yield
        finally:
            session.do(f"DROP TEMPORARY TABLE IF EXISTS {identifier(self.name)}")


def _columns(structure: str) -> str:
    """Names and types only, put together anew: a default or a second clause could read files."""
    text = structure.encode()
    found = list(tokens(text))
    strange = [t.upper for t in found if t.depth < 0 or t.upper in _NO_TYPES or not _is_of_a_type(t)]
    if strange:
        raise refuse(
            BAD_ARGUMENTS, "BAD_ARGUMENTS", f"expected names and types of columns, was {strange[0][:64]}"
        )
    return " ".join(text[t.start : t.end].decode() for t in found)


def _is_of_a_type(token: Token) -> bool:
    return token.kind is not Kind.SIGN or token.upper in _SIGNS


@dataclass(slots=True)
class Form:
    """What a multipart body held."""

    fields: dict[str, str] = field(default_factory=dict)
    tables: list[ExternalTable] = field(default_factory=list)


def read_form(body: Iterator[bytes], request: Request) -> Form:
    """Take a multipart body apart."""
    boundary = _boundary(request.headers["content-type"])
    data = _read(body)
    form = Form()
    files: list[tuple[str, bytes]] = []
    for part in (b"\r\n" + data).split(b"\r\n--" + boundary)[1:]:
        if part.startswith(b"--"):
            break
        head, _, content = part.partition(b"\r\n\r\n")
        name, is_file = _disposition(head.decode("utf-8", "replace"))
        if is_file:
            files.append((name, content))
        else:
            form.fields[name] = content.decode("utf-8", "surrogateescape")
    form.tables = [_table(name, content, {**form.fields, **request.parameters}) for name, content in files]
    return form


def _table(name: str, content: bytes, parameters: Mapping[str, str]) -> ExternalTable:
    structure = parameters.get(f"{name}_structure")
    types = parameters.get(f"{name}_types")
    if structure is None and types is None:
        raise refuse(
            BAD_ARGUMENTS,
            "BAD_ARGUMENTS",
            f"expected {name}_structure or {name}_types for the external table",
        )
    if structure is None:
        structure = ", ".join(f"_{place} {kind}" for place, kind in enumerate((types or "").split(","), 1))
    return ExternalTable(name, structure, parameters.get(f"{name}_format", "TabSeparated"), content)


def _boundary(content_type: str) -> bytes:
    for item in content_type.split(";"):
        key, _, value = item.strip().partition("=")
        if key.lower() == "boundary" and value:
            return value.strip('"').encode()
    raise refuse(BAD_ARGUMENTS, "BAD_ARGUMENTS", "expected a boundary in the Content-Type of a form")


def _read(body: Iterator[bytes]) -> bytes:
    data = bytearray()
    for part in body:
        data += part
        if len(data) > MULTIPART_BYTES:
            raise refuse(QUERY_TOO_LARGE, "QUERY_IS_TOO_LARGE", f"form body over {MULTIPART_BYTES} bytes")
    return bytes(data)


def _disposition(head: str) -> tuple[str, bool]:
    for line in head.split("\r\n"):
        key, _, value = line.partition(":")
        if key.strip().lower() == "content-disposition":
            pairs = dict(item.strip().partition("=")[::2] for item in value.split(";"))
            return pairs.get("name", "").strip('"'), "filename" in pairs
    return "", False
