"""The `desk` command: names, help, and what an error becomes for a caller. Keep out what a command does.

Exit codes: 0 done; 1 an unexpected open break or a rejected row; 2 wrong use or a missing service.
"""

import sys

import typer

from desk.answers import ExitCode, complain
from desk.commands.down import down
from desk.commands.status import status
from desk.commands.up import up
from trading.errors import DeskError

app = typer.Typer(
    name="desk",
    help="Broker statements in, fills exactly once, P&L proved to the cent.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(up)
app.command()(down)
app.command()(status)


def main() -> None:
    """Run the command line; every error of ours ends as one sentence and code 2."""
    try:
        app()
    except DeskError as error:
        complain(f"{error}")
        sys.exit(ExitCode.NOT_POSSIBLE)
