"""The control port of a simulated gateway as a caller sees it: one JSON object there, one back."""

import json
import socket
from collections.abc import Mapping
from typing import Any

from desk.stack.ports import LOOPBACK
from trading.errors import TransientError

ANSWER_TIMEOUT_S = 10.0
STEP_TIMEOUT_S = 600.0  # a session of a whole chain
ANSWER_BYTES_MAX = 4 * 1024 * 1024


class GatewayControlError(TransientError):
    """The control port does not answer, or said no; the message is its own."""


def do_fault(port: int, words: str) -> None:
    """Do one fault now, in the words of a script."""
    _ask(port, {"do": words})


def show(port: int, what: str) -> dict[str, Any]:
    """What the gateway says of its `status`, `faults`, `switches`, or of what `ran`."""
    return _ask(port, {"show": what})


def step(port: int, seconds: float, each_s: float | None = None) -> None:
    """Let a clock that stands go on; returns when the gateway has handed over all that it told until then."""
    _ask(port, {"step": seconds} | ({} if each_s is None else {"each": each_s}), STEP_TIMEOUT_S)


def _ask(
    port: int, question: Mapping[str, str | float], timeout_s: float = ANSWER_TIMEOUT_S
) -> dict[str, Any]:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout_s) as connection:
            connection.sendall(json.dumps(question).encode() + b"\n")
            with connection.makefile("rb") as lines:
                answer = json.loads(lines.readline(ANSWER_BYTES_MAX))
    except (OSError, ValueError) as error:
        raise GatewayControlError(f"the gateway's control port {port} does not answer: {error}") from error
    if not answer.get("ok"):
        raise GatewayControlError(f"the gateway refused {question}: {answer.get('error')}")
    return dict(answer)
