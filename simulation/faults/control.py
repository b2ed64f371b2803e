"""The control port: one JSON object a line on loopback, answered by one JSON object a line.

    {"do": "drop link"}                          a fault now, in the script's words
    {"step": 60} | {"step": 60, "each": 1}       a clock that stands goes on so many seconds, piece by piece
                                                 (answered when all that was told is on the sockets)
    {"show": "status"} | {"show": "faults"} | {"show": "ran"} | {"show": "switches"}

An answer is `{"ok": true, …}` or `{"ok": false, "error": "…"}`; a line that cannot be read ends nothing.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from simulation.faults.catalogue import fault_list
from simulation.faults.script import ScriptRunner

LINE_MOST = 65_536
LOOPBACK = "127.0.0.1"
RAN_MOST = 1_000  # shown
Show = Callable[[], dict[str, Any]]
Step = Callable[[float, float], Awaitable[dict[str, Any]]]  # seconds, and those of one piece


class ControlPort:
    """Listens for faults on demand; `status` says what a person wants to know about the world."""

    def __init__(self, runner: ScriptRunner, status: Show, step: Step, port: int = 0) -> None:
        self._runner = runner
        self._status = status
        self._step = step
        self._wanted = port
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Where it listens; only when started."""
        if self._server is None:
            raise ValueError("control port: expected to be started")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen on loopback."""
        self._server = await asyncio.start_server(self._serve, LOOPBACK, self._wanted, limit=LINE_MOST)

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def answer(self, line: str) -> dict[str, Any]:
        """The answer to one line."""
        try:
            told = json.loads(line)
            if isinstance(told, dict) and "step" in told:
                return {"ok": True, **await self._stepped(told)}
            if not isinstance(told, dict) or len(told) != 1:
                raise ValueError('expected {"do": …}, {"step": …} or {"show": …}')
            return {"ok": True, **self._act(*next(iter(told.items())))}
        except ValueError as error:
            return {"ok": False, "error": str(error)}

    async def _stepped(self, told: dict[str, Any]) -> dict[str, Any]:
        seconds = told["step"]
        each = told.get("each", seconds)
        if set(told) - {"step", "each"} or not all(type(value) in (int, float) for value in (seconds, each)):
            raise ValueError(f'expected {{"step": seconds}} or also "each": seconds, was {json.dumps(told)}')
        return await self._step(float(seconds), float(each))

    def _act(self, verb: str, what: object) -> dict[str, Any]:
        stage = self._runner.stage
        if verb == "do" and isinstance(what, str):
            done = self._runner.do(what, stage.clock.now())
            return {"at": done.at.isoformat(), "did": done.words}
        shows: dict[str, Show] = {
            "status": self._status,
            "faults": lambda: {"faults": fault_list()},
            "switches": lambda: {"switches": {k: str(v) for k, v in stage.wire.as_dict().items()}},
            "ran": lambda: {
                "ran": [
                    {"at": done.at.isoformat(), "did": done.words, "failure": done.failure}
                    for done in self._runner.ran[-RAN_MOST:]
                ]
            },
        }
        if verb == "show" and what in shows:
            return shows[str(what)]()
        raise ValueError(f'expected "do" with a fault or "show" with one of {", ".join(shows)}, was {verb}')

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                answer = await self.answer(line.decode("utf-8", "replace"))
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError, asyncio.CancelledError):
            pass  # gone, a line longer than the limit, or the gateway ends while somebody is connected
        finally:
            writer.close()
