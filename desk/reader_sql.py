"""SQL of a person's own, run as the reader account over plain HTTP, so that any size of answer streams
through.

Belongs here: one request, its rows, the server's error as one sentence. Keep out: how rows are printed.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import httpx

from trading.errors import ConfigurationError, WarehouseError, WarehouseUnavailableError

CONNECT_TIMEOUT_S = 5.0
ERROR_BYTES_MAX = 4000
DEFAULT_PORT = 8123
URL_EXPECTED = "CLICKHOUSE_READER_URL: expected http[s]://user:password@host:port, a port between 1 and 65535"
FORMAT_HEADER = "X-ClickHouse-Format"


@dataclass(frozen=True, slots=True)
class SqlAnswer:
    """The lines of an answer as they arrive, and the format that the server chose."""

    format: str
    lines: Iterator[str]


@contextmanager
def ask(
    url: str, statement: str, default_format: str, parameters: Mapping[str, str] | None = None
) -> Iterator[SqlAnswer]:
    """Run one statement; its own FORMAT clause wins over `default_format`.

    Raises WarehouseError with the server's words, WarehouseUnavailableError when it cannot be reached.
    """
    server = _server(url)
    bound = {f"param_{name}": value for name, value in (parameters or {}).items()}
    timeout = httpx.Timeout(CONNECT_TIMEOUT_S, read=None)  # a long query is a person's own choice
    try:
        with (
            httpx.Client(timeout=timeout, trust_env=False, verify=url.lower().startswith("https:")) as client,
            client.stream(
                "POST",
                server.address,
                params={"default_format": default_format, **bound},
                content=statement.encode(),
                headers={
                    "X-ClickHouse-User": server.user,
                    "X-ClickHouse-Key": server.password,
                },
            ) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise WarehouseError(f"warehouse refused: {_reason(answer)}")
            yield SqlAnswer(answer.headers.get(FORMAT_HEADER, default_format), answer.iter_lines())
    except httpx.HTTPError as error:
        raise WarehouseUnavailableError(
            f"warehouse at {server.address} cannot answer: {error or type(error).__name__}; "
            "is the stack up? (`desk status`)"
        ) from error


@dataclass(frozen=True, slots=True)
class _Server:
    address: str
    user: str
    password: str


def _server(url: str) -> _Server:
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORT
    except ValueError:  # its words would repeat the address, which carries a password
        raise ConfigurationError(URL_EXPECTED) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(URL_EXPECTED)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return _Server(
        address=f"{parts.scheme}://{host}:{port}/",
        user=unquote(parts.username or "default"),
        password=unquote(parts.password or ""),
    )


def _reason(answer: httpx.Response) -> str:
    answer.read()
    return answer.text[:ERROR_BYTES_MAX].strip()
