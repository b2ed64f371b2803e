"""A bare HTTP client for the embedded warehouse: what curl would do, without a driver's help."""

import base64
import http.client
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from embedded_warehouse import RunningWarehouse

TIMEOUT_S = 60
ENDLESS = "select count() from numbers(100000000000) where not ignore(sleepEachRow(0.00001))"


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, headers in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> int:
        """ClickHouse's error number; 0 where there was none."""
        return int(self.headers.get("x-clickhouse-exception-code", "0"))


def ask(
    warehouse: RunningWarehouse,
    body: bytes | str = b"",
    *,
    user: str = "writer",
    headers: dict[str, str] | None = None,
    method: str = "POST",
    path: str = "/",
    **parameters: str,
) -> Reply:
    """One request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", warehouse.port, timeout=TIMEOUT_S)
    try:
        target = f"{path}?{urlencode(parameters)}" if parameters else path
        payload = body.encode() if isinstance(body, str) else body
        sent = {**credentials(warehouse, user), **(headers or {})}
        connection.request(method, target, payload or None, sent)
        response = connection.getresponse()
        received = response.read()
        return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, received)
    finally:
        connection.close()


def until_running(warehouse: RunningWarehouse, query_id: str, count: int = 1) -> None:
    """Wait until so many queries of this id are under way."""
    sql = f"select count() from system.processes where query_id = '{query_id}'"
    deadline = time.monotonic() + TIMEOUT_S
    while (told := ask(warehouse, sql).body) != b"%d\n" % count:
        assert time.monotonic() < deadline, told
        time.sleep(0.02)


def credentials(warehouse: RunningWarehouse, user: str) -> dict[str, str]:
    """Basic credentials of a known user; none for the empty name."""
    passwords = {"writer": warehouse.writer_password, "reader": warehouse.reader_password}
    if not user:
        return {}
    token = base64.b64encode(f"{user}:{passwords[user]}".encode()).decode()
    return {"Authorization": f"Basic {token}"}
