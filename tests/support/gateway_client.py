"""The client library under test, by name: ib_insync, or ib_async in an environment of its own.

`DESK_IB_LIBRARY` chooses; both ship a package named eventkit, so one environment holds one of them. What the
tests need of a library is here: what it writes for a request, what it reads from a message, and a connected
client that writes down all it hears.
"""

import asyncio
import importlib
import logging
import os
import struct
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import UTC
from types import ModuleType
from typing import Any

from simulation.tws.framing import framed
from simulation.tws.options import GatewayOptions
from simulation.tws.server import GatewayServer

LIBRARY_NAME = os.environ.get("DESK_IB_LIBRARY", "ib_insync")
CONNECT_TIMEOUT_S = 60
REQUEST_TIMEOUT_S = 60
WAIT_S = 60.0  # for what must come: a bound for a broken test, never a measure of a machine
SCENARIO_S = 240.0


def library() -> ModuleType:
    """The library's module."""
    return importlib.import_module(LIBRARY_NAME)


def written(version: int, request: str, *arguments: object) -> list[str]:
    """The fields that the library writes for a request of its low-level client."""

    async def write() -> list[str]:
        client = importlib.import_module(f"{LIBRARY_NAME}.client").Client(Heard(""))
        sent: list[bytes] = []
        client.conn.sendMsg = sent.append
        client.connState = client.CONNECTED
        client._serverVersion = version
        getattr(client, request)(*arguments)
        (frame,) = sent
        (length,) = struct.unpack(">I", frame[:4])
        assert length == len(frame) - 4
        return frame[4:].decode().split("\0")[:-1]

    return asyncio.run(write())


class Heard:
    """A wrapper that writes down each call the decoder makes."""

    def __init__(self, zone: str) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.ib = type("Zone", (), {"TimezoneTWS": zone})()
        self.defaultTimezone = UTC

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.calls.append((name, arguments))


def read(fields: Sequence[str], version: int, zone: str = "US/Eastern") -> tuple[str, tuple[Any, ...]]:
    """What the library reads from one message; raises when it would only log an error."""
    decoder_module = importlib.import_module(f"{LIBRARY_NAME}.decoder")
    heard = Heard(zone)
    decoder = decoder_module.Decoder(heard, version)
    errors = _Errors()
    decoder.logger.addHandler(errors)
    try:
        decoder.interpret(list(fields))
    finally:
        decoder.logger.removeHandler(errors)
    if errors.texts:
        raise AssertionError(f"{LIBRARY_NAME} could not read {list(fields)}: {errors.texts}")
    (call,) = heard.calls
    return call


class _Errors(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(f"{record.getMessage()} {record.exc_info}")


async def connected(port: int, client_id: int = 7, **options: Any) -> Any:
    """A connected client of the library; disconnect it in the end."""
    ib = library().IB()
    ib.RequestTimeout = REQUEST_TIMEOUT_S
    await ib.connectAsync("127.0.0.1", port, clientId=client_id, timeout=CONNECT_TIMEOUT_S, **options)
    return ib


async def until(true: Any, what: str, limit_s: float = WAIT_S) -> None:
    """Wait until something is true; fails when it never becomes so."""
    loop = asyncio.get_running_loop()
    end = loop.time() + limit_s
    while not true():
        if loop.time() > end:
            raise AssertionError(f"waited {limit_s} s for {what}")
        await asyncio.sleep(0.005)


def run(scenario: Coroutine[Any, Any, None]) -> None:
    """Run one scenario in a loop of its own."""
    asyncio.run(asyncio.wait_for(scenario, SCENARIO_S))


@asynccontextmanager
async def gateway(
    broker: Any, clock: Any, *, accounts: Sequence[str], **options: Any
) -> AsyncIterator[GatewayServer]:
    """A running gateway; its pump turns fast, and a failure of its own fails the test."""
    server = GatewayServer(
        broker, clock, accounts=accounts, options=GatewayOptions(**{"pump_s": 0.002, **options})
    )
    await server.start()
    try:
        yield server
        assert server.failure is None
    finally:
        await server.stop()


class RawClient:
    """A client without a library: any bytes out, whole messages in."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "RawClient":
        """Only the socket."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    @classmethod
    async def started(cls, port: int, client_id: int = 9, versions: str = "v157..176") -> "RawClient":
        """Through handshake and start; the start-up messages are read."""
        raw = await cls.open(port)
        raw.write(b"API\0" + framed_text(versions))
        await raw.next()
        raw.send("71", "2", client_id, "")
        for _ in range(5):
            await raw.next()
        return raw

    def send(self, *texts: object) -> None:
        """One message."""
        self.write(framed([str(each) for each in texts]))

    def write(self, data: bytes) -> None:
        """Any bytes."""
        self.writer.write(data)

    async def next(self) -> list[str]:
        """The next message; empty when the connection has ended."""
        try:
            (length,) = struct.unpack(">I", await asyncio.wait_for(self.reader.readexactly(4), WAIT_S))
            body = await asyncio.wait_for(self.reader.readexactly(length), WAIT_S)
        except (asyncio.IncompleteReadError, ConnectionError):
            return []
        return body.decode().split("\0")[:-1]

    async def until(self, message_id: int) -> list[list[str]]:
        """All messages up to and with the next one of this id."""
        messages = [await self.next()]
        while messages[-1] and messages[-1][0] != str(message_id):
            messages.append(await self.next())
        return messages

    def close(self) -> None:
        """Go away."""
        self.writer.close()


def framed_text(text: str) -> bytes:
    """The version range: framed like a message, but without a NUL behind it."""
    return struct.pack(">I", len(text)) + text.encode()
