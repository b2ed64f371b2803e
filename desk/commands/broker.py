"""`desk broker`: the broker session in the foreground."""

import logging
import os
from typing import Annotated

import typer

from adapters.configuration import load_settings
from desk.answers import ExitCode, finish, say
from desk.stack.control import current_state
from desk.stack.layout import StackLayout
from desk.stack.residents import BROKER
from trading.errors import ConfigurationError


def broker(
    host: Annotated[
        str | None, typer.Option("--host", help="Of the broker's gateway; else BROKER_HOST.")
    ] = None,
    port: Annotated[int | None, typer.Option("--port", help="Of the gateway; else BROKER_PORT.")] = None,
    client_id: Annotated[
        int | None, typer.Option("--client-id", help="One id, one session; else BROKER_CLIENT_ID.")
    ] = None,
    speed: Annotated[
        int | None,
        typer.Option("--speed", help="Of a simulated broker's clock: its seconds in one of ours."),
    ] = None,
) -> None:
    """Hold a session with the broker's gateway until Ctrl-C, and print what becomes of the connection.

    What is heard goes to the outbox in Redis; `desk drain` brings it into the warehouse. The stack runs both
    by itself where BROKER_HOST is set. Exit code 2 when the stack has a session already.

    Examples:

        desk broker --host 127.0.0.1 --port 4002

        desk broker --host 127.0.0.1 --port 4002 --speed 60    (a gateway of `desk gateway --speed 60`)
    """
    given = {"BROKER_HOST": host, "BROKER_PORT": port, "BROKER_CLIENT_ID": client_id, "BROKER_SPEED": speed}
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})
    if speed is not None and speed > 1:
        os.environ["BROKER_SIMULATED_CLOCK"] = "true"
    settings = load_settings()
    _refuse_a_second_session(StackLayout(settings.paths.home))
    from desk.residents.broker import main  # the client library wants the main thread, and 0.3 s

    if settings.broker.host is not None:
        place = f"{settings.broker.host}:{settings.broker.port}"
        say(f"{place} as client {settings.broker.client_id}; Ctrl-C ends it")
    for handler in tuple(logging.getLogger().handlers):  # the session speaks for itself, from INFO up
        logging.getLogger().removeHandler(handler)
    finish(ExitCode.NOT_POSSIBLE if main() else ExitCode.DONE)


def _refuse_a_second_session(layout: StackLayout) -> None:
    state = current_state(layout)
    if state is not None and state.service(BROKER) is not None:
        raise ConfigurationError(
            f"the stack on {layout.home} has a broker session already: see `desk status`, or take another "
            "DESK_HOME"
        )
