"""A session with the broker's gateway held in the foreground: what `desk broker` and `desk ingest` do alike.

Belongs here: options, environment, the refusal of a second session, the wait until Ctrl-C. Keep out: the
sessions themselves (`residents`), which only the process that holds one imports.
"""

import logging
import os
from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from adapters.configuration import load_settings
from desk.answers import ExitCode, finish, say
from desk.stack.control import current_state
from desk.stack.layout import StackLayout
from trading.errors import ConfigurationError
from trading.settings import Settings

Host = Annotated[str | None, typer.Option("--host", help="Of the broker's gateway; else BROKER_HOST.")]
Port = Annotated[int | None, typer.Option("--port", help="Of the gateway; else BROKER_PORT.")]
Speed = Annotated[
    int | None,
    typer.Option("--speed", help="Of a simulated broker's clock: its seconds in one of ours."),
]


def gateway_given(host: str | None, port: int | None, speed: int | None) -> dict[str, object]:
    """Where the gateway is, as settings; a clock that is faster than ours is a simulated one."""
    is_simulated = "true" if speed is not None and speed > 1 else None
    return {
        "BROKER_HOST": host,
        "BROKER_PORT": port,
        "BROKER_SPEED": speed,
        "BROKER_SIMULATED_CLOCK": is_simulated,
    }


def hold_session(
    resident: str,
    given: Mapping[str, object],
    client_id: Callable[[Settings], int],
    main: Callable[[], Callable[[], int]],
) -> None:
    """Run a resident's `main` here until Ctrl-C; exit code 2 when the stack runs it, or when it failed.

    `main` is a call that imports it: the client library wants the main thread, and 0.3 s.
    """
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})
    settings = load_settings()
    _refuse_a_second_one(resident, StackLayout(settings.paths.home))
    run = main()
    if settings.broker.host is not None:
        place = f"{settings.broker.host}:{settings.broker.port}"
        say(f"{place} as client {client_id(settings)}; Ctrl-C ends it")
    for handler in tuple(logging.getLogger().handlers):  # the session speaks for itself, from INFO up
        logging.getLogger().removeHandler(handler)
    finish(ExitCode.NOT_POSSIBLE if run() else ExitCode.DONE)


def _refuse_a_second_one(resident: str, layout: StackLayout) -> None:
    state = current_state(layout)
    if state is not None and state.service(resident) is not None:
        raise ConfigurationError(
            f"the stack on {layout.home} has its own {resident} already: see `desk status`, or take another "
            "DESK_HOME"
        )
