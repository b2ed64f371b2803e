"""`desk gateway`: a simulated broker's gateway in the foreground."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from adapters.configuration import load_settings
from desk.answers import ExitCode, finish, say
from desk.days import session_of
from desk.play_folder import PlayFolder
from trading.settings import Settings


def gateway(
    seed: Annotated[
        int | None, typer.Option("--seed", help="The same seed gives the same session, byte for byte.")
    ] = None,
    speed: Annotated[int | None, typer.Option("--speed", help="Simulated seconds in one of ours.")] = None,
    session: Annotated[
        str | None,
        typer.Option("--session", metavar="YYYY-MM-DD", help="Else the one after the sample desk's month."),
    ] = None,
    faults: Annotated[
        Path | None, typer.Option("--faults", metavar="FILE", help="A script of what goes wrong, and when.")
    ] = None,
    list_faults: Annotated[
        bool, typer.Option("--list-faults", help="Show the words of a script and end.")
    ] = False,
    port: Annotated[int | None, typer.Option("--port", help="For clients; 4002 when it is free.")] = None,
    control_port: Annotated[
        int | None, typer.Option("--control-port", help="For faults on demand, one JSON object a line.")
    ] = None,
) -> None:
    """Play a seeded session of the sample desk to any client of the broker's API, until Ctrl-C.

    It listens on 127.0.0.1 only. At the end the session's truth (journal.json) and the broker's statements of
    it lie in DESK_HOME/gateway. Each call plays the session from its beginning.

    Examples:

        desk gateway

        desk gateway --speed 60 --faults simulation/faults/sample.faults

        desk gateway --list-faults

        echo '{"do": "drop link"}' | nc 127.0.0.1 4003    (a fault on demand)
    """
    if list_faults:
        from simulation.faults.catalogue import fault_list

        typer.echo(fault_list(), nl=False)
        finish(ExitCode.DONE)
    given = {
        "SEED": seed,
        "SPEED": speed,
        "SESSION": session_of(session, "--session") if session else None,
        "FAULTS": faults.expanduser().resolve() if faults else None,
        "PORT": port,
        "CONTROL_PORT": control_port,
    }
    os.environ.update(
        {f"DESK_GATEWAY_{name}": str(value) for name, value in given.items() if value is not None}
    )
    _play(load_settings(with_stack=False))


def _play(settings: Settings) -> None:
    from desk.residents.gateway import PlayedSession, serve  # the world takes a second

    folder = PlayFolder.of(settings)
    folder.begin_again()
    played = PlayedSession(settings, folder)
    choices = settings.gateway
    say(
        f"Session {folder.session}, seed {choices.seed}, {choices.speed} simulated seconds a second, "
        f"faults: {choices.faults or 'none'}."
    )
    asyncio.run(
        serve(
            played,
            lambda running: say(
                f"Clients: 127.0.0.1:{running.port}; faults on demand: 127.0.0.1:{running.control_port}; "
                "Ctrl-C ends it."
            ),
        )
    )
    say(f"Journal: {folder.journal}; statements: {folder.statements}")
    finish(ExitCode.DONE if played.gateway.server.failure is None else ExitCode.NOT_POSSIBLE)
