"""`desk market`: play recorded days to any client, or write a drawn market as files that can be played."""

import os
from pathlib import Path
from typing import Annotated

import typer

from adapters.configuration import load_settings
from desk.answers import ExitCode, finish, say
from desk.days import session_of
from trading.errors import InvalidFieldError
from trading.model.symbols import house_symbol

app = typer.Typer(help="Recorded and drawn markets: replay, generate.", no_args_is_help=True)
SessionOption = Annotated[
    str | None, typer.Option("--session", metavar="YYYY-MM-DD", help="Else the first that was recorded.")
]


@app.command()
def replay(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="A folder of Lean's data files.")],
    speed: Annotated[int | None, typer.Option("--speed", help="Market seconds in one of ours.")] = None,
    lines: Annotated[
        int | None, typer.Option("--lines", help="Market data lines of the login; 100 else.")
    ] = None,
    session: SessionOption = None,
    by_hand: Annotated[
        bool,
        typer.Option("--by-hand", help='The clock stands; {"step": SECONDS} at the control port moves it.'),
    ] = False,
    port: Annotated[int | None, typer.Option("--port", help="For clients; 4002 else.")] = None,
    control_port: Annotated[int | None, typer.Option("--control-port", help="For faults and steps.")] = None,
) -> None:
    """Play recorded days to any client of the broker's API, until Ctrl-C; orders trade at what was quoted.

    What is odd in the files is said at the start. It listens on 127.0.0.1 only.

    Examples:

        desk market replay ~/data/goog --session 2015-12-24 --speed 60 --lines 3000

        desk market replay ~/data/goog --by-hand
    """
    given = {
        "DATA": data.expanduser().resolve(),
        "SPEED": speed,
        "LINES": lines,
        "SESSION": session_of(session, "--session") if session else None,
        "PORT": port,
        "CONTROL_PORT": control_port,
    }
    os.environ.update(
        {f"DESK_GATEWAY_{name}": str(value) for name, value in given.items() if value is not None}
    )
    from desk.played_market import play  # a recorded world takes seconds to open

    finish(play(load_settings(with_stack=False), by_hand=by_hand))


@app.command()
def generate(
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")],
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same files.")] = 7,
    session: Annotated[
        str, typer.Option("--session", metavar="YYYY-MM-DD", help="The first session.")
    ] = "2026-11-13",
    sessions: Annotated[int, typer.Option("--sessions", min=1, max=20, help="How many.")] = 1,
    symbols: Annotated[str, typer.Option("--symbols", help="Underlyings, by commas.")] = "SPY",
) -> None:
    """Write a drawn market as Lean's data files: minutes of quotes and trades, open interest, chains.

    Examples:

        desk market generate --seed 7 --symbols SPY,SPX --out ~/data/drawn

        desk market replay ~/data/drawn
    """
    from desk.played_market import write_drawn

    first, folder = session_of(session, "--session"), out.expanduser().resolve()
    written = write_drawn(seed, first, sessions, symbols_of(symbols), folder)
    say(f"{written} files in {folder}")
    finish(ExitCode.DONE)


def symbols_of(text: str) -> tuple[str, ...]:
    """Each name once, in the order given; one given twice would write its files over each other."""
    if not all(name.strip() for name in text.split(",")):
        raise InvalidFieldError("--symbols", "symbols, by commas", text)
    names = [house_symbol("--symbols", name) for name in text.split(",")]
    doubles = sorted({name for name in names if names.count(name) > 1})
    if doubles:
        raise InvalidFieldError("--symbols", f"each once, {', '.join(doubles)} is there twice", text)
    return tuple(names)
