"""`desk ingest`: the market-data session in the foreground."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from desk.foreground import Host, Port, Speed, gateway_given, hold_session
from desk.stack.residents import INGEST


def ingest(
    host: Host = None,
    port: Port = None,
    client_id: Annotated[
        int | None, typer.Option("--client-id", help="One id, one session; else INGEST_CLIENT_ID.")
    ] = None,
    speed: Speed = None,
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
    given = gateway_given(host, port, speed) | {
        "INGEST_CLIENT_ID": client_id,
        "DESK_CAPTURE": capture.expanduser().resolve() if capture else None,
    }
    hold_session(INGEST, given, lambda settings: settings.ingest.client_id, _main)


def _main() -> Callable[[], int]:
    from desk.residents.ingest import main

    return main
