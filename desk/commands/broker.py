"""`desk broker`: the broker session in the foreground."""

from collections.abc import Callable
from typing import Annotated

import typer

from desk.foreground import Host, Port, Speed, gateway_given, hold_session
from desk.stack.residents import BROKER


def broker(
    host: Host = None,
    port: Port = None,
    client_id: Annotated[
        int | None, typer.Option("--client-id", help="One id, one session; else BROKER_CLIENT_ID.")
    ] = None,
    speed: Speed = None,
) -> None:
    """Hold a session with the broker's gateway until Ctrl-C, and print what becomes of the connection.

    What is heard goes to the outbox in Redis; `desk drain` brings it into the warehouse. The stack runs both
    by itself where BROKER_HOST is set. Exit code 2 when the stack has a session already.

    Examples:

        desk broker --host 127.0.0.1 --port 4002

        desk broker --host 127.0.0.1 --port 4002 --speed 60    (a gateway of `desk gateway --speed 60`)
    """
    given = gateway_given(host, port, speed) | {"BROKER_CLIENT_ID": client_id}
    hold_session(BROKER, given, lambda settings: settings.broker.client_id, _main)


def _main() -> Callable[[], int]:
    from desk.residents.broker import main

    return main
