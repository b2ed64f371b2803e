"""`desk ingest`: the market-data session in the foreground."""

import logging
import os
from pathlib import Path
from typing import Annotated

import typer

from adapters.configuration import load_settings
from desk.answers import ExitCode, finish, say
from desk.stack.control import current_state
from desk.stack.layout import StackLayout
from desk.stack.residents import INGEST
from trading.errors import ConfigurationError


def ingest(
    host: Annotated[
        str | None, typer.Option("--host", help="Of the broker's gateway; else BROKER_HOST.")
    ] = None,
    port: Annotated[int | None, typer.Option("--port", help="Of the gateway; else BROKER_PORT.")] = None,
    client_id: Annotated[
        int | None, typer.Option("--client-id", help="One id, one session; else INGEST_CLIENT_ID.")
    ] = None,
    speed: Annotated[
        int | None,
        typer.Option("--speed", help="Of a simulated broker's clock: its seconds in one of ours."),
    ] = None,
    capture: Annotated[
        Path | None,
        typer.Option("--capture", metavar="FILE", help="Write down everything that is heard, to replay it."),
    ] = None,
) -> None:
    """Listen to the market through the broker's gateway until Ctrl-C, and print what becomes of it.

    What is heard goes to Redis, and by its outbox to the warehouse. The stack runs this by itself where
    BROKER_HOST is set. Exit code 2 when the stack has one already.

    Examples:

        desk ingest --host 127.0.0.1 --port 4002

        desk ingest --host 127.0.0.1 --port 4002 --speed 60 --capture session.jsonl.gz
    """
    given = {
        "BROKER_HOST": host,
        "BROKER_PORT": port,
        "INGEST_CLIENT_ID": client_id,
        "BROKER_SPEED": speed,
        "DESK_CAPTURE": capture.expanduser().resolve() if capture else None,
    }
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})
    if speed is not None and speed > 1:
        os.environ["BROKER_SIMULATED_CLOCK"] = "true"
    settings = load_settings()
    _refuse_a_second_one(StackLayout(settings.paths.home))
    from desk.residents.ingest import main  # the client library wants the main thread, and 0.3 s

    if settings.broker.host is not None:
        place = f"{settings.broker.host}:{settings.broker.port}"
        say(f"{place} as client {settings.ingest.client_id}; Ctrl-C ends it")
    for handler in tuple(logging.getLogger().handlers):  # the session speaks for itself, from INFO up
        logging.getLogger().removeHandler(handler)
    finish(ExitCode.NOT_POSSIBLE if main() else ExitCode.DONE)


def _refuse_a_second_one(layout: StackLayout) -> None:
    state = current_state(layout)
    if state is not None and state.service(INGEST) is not None:
        raise ConfigurationError(
            f"the stack on {layout.home} listens already: see `desk status`, or take another DESK_HOME"
        )
