"""`desk feeds`: how old and how fast every feed is, live in the terminal."""

import sys
import time
from typing import Annotated

import typer
from rich.live import Live

from adapters.configuration import load_settings
from desk.answers import AsJson, ExitCode, finish, output, print_json
from desk.feeds_table import FeedsTable
from desk.feeds_view import FeedsWindow
from trading.errors import LiveStateUnavailableError

EVERY_LEAST_S, EVERY_MOST_S = 0.2, 60.0


def feeds(
    once: Annotated[bool, typer.Option("--once", help="Show the table once and end.")] = False,
    every: Annotated[
        float, typer.Option("--every", min=EVERY_LEAST_S, max=EVERY_MOST_S, help="Seconds between two looks.")
    ] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Show every feed, worst first: state, age against its limit, rate, refused rows, errors, breaker.

    Below it who lives, what waits in the outboxes, and how many of the broker's lines the plan takes. Ends
    with Ctrl-C; where the output is no terminal it is shown once. Exit code 1 when a feed stands still or is
    broken, or a resident does not live.

    Examples:

        desk feeds

        desk feeds --once

        desk feeds --json
    """
    window = FeedsWindow(load_settings(), load_settings(with_stack=False))
    if not (once or as_json) and sys.stdout.isatty():
        _watch(window, every)
        finish(ExitCode.DONE)
    view = window.look()
    if as_json:
        print_json(view.document())
    else:
        output().print(FeedsTable(view, is_cut=False))
    finish(ExitCode.FINDINGS if view.has_faults else ExitCode.DONE)


def _watch(window: FeedsWindow, every_s: float) -> None:
    """Look until Ctrl-C; while the live state is away, say so over the last look and ask again."""
    view = window.look()
    live = Live(FeedsTable(view, is_cut=True), screen=True, auto_refresh=False)
    try:
        live.start()
        while True:
            trouble = ""
            try:
                view = window.look()
            except LiveStateUnavailableError as error:
                trouble = f"{error}; what is shown is older"
            live.update(FeedsTable(view, is_cut=True, trouble=trouble), refresh=True)
            time.sleep(every_s)
    except KeyboardInterrupt:
        return
    finally:  # also where Ctrl-C comes while it starts: the terminal is given back
        live.stop()
