"""The `desk` command: names, help, and what an error becomes for a caller. Keep out what a command does.

A command's module is loaded when it is called: `desk status` must not wait for the drivers that `desk pnl`
needs. Exit codes: 0 done; 1 an unexpected open break or a rejected row; 2 wrong use or a missing service.
"""

import importlib
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final

import typer
from typer.core import TyperGroup

from adapters.configuration import load_settings
from desk.answers import ExitCode, complain
from desk.logs import log_to_console, log_to_file
from desk.stack.layout import StackLayout
from trading.errors import DeskError

STDOUT = 1

_log = logging.getLogger("desk")

# name → module in desk.commands and the function or the group of functions in it, in the order of `desk
# --help`
COMMANDS: Final[Mapping[str, str]] = {
    "run": "run.run",
    "up": "up.up",
    "down": "down.down",
    "status": "status.status",
    "doctor": "doctor.doctor",
    "gateway": "gateway.gateway",
    "market": "market.app",
    "broker": "broker.broker",
    "ingest": "ingest.ingest",
    "capture": "capture.capture",
    "migrate": "migrate.migrate",
    "sql": "sql.sql",
    "fetch": "fetch.fetch",
    "fills": "fills.app",
    "lots": "lots.app",
    "orders": "orders.orders",
    "positions": "positions.positions",
    "coverage": "coverage.coverage",
    "feeds": "feeds.feeds",
    "alerts": "alerts.alerts",
    "reconcile": "reconcile.reconcile",
    "breaks": "breaks.app",
    "locks": "locks.app",
    "pnl": "pnl.pnl",
    "backup": "backup.backup",
    "restore": "backup.restore",
    "env": "env.env",
}


class CommandsOnDemand(TyperGroup):
    """The commands of the table, each loaded at its first use; `Any` because typer carries its own click."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every name, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Load one command; None for a name that is not in the table."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, attribute = place.partition(".")
        return _built(cmd_name, getattr(importlib.import_module(f"desk.commands.{module}"), attribute))


app = typer.Typer(
    name="desk",
    cls=CommandsOnDemand,
    help="Broker statements in, fills exactly once, P&L proved to the cent; the market beside them.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root() -> None:
    """Broker statements in, fills exactly once, P&L proved to the cent; the market beside them."""


def main() -> None:
    """Run the command line; an error of ours ends as one sentence and code 2; each call leaves a log line."""
    log_to_console()
    began = time.monotonic()
    code: int = ExitCode.NOT_POSSIBLE
    try:
        code = _run()
        sys.stdout.flush()  # here, where it is no traceback that nobody is left to read
    except BrokenPipeError:
        _let_output_go()
        code = ExitCode.DONE
    finally:
        _note(code, time.monotonic() - began)
    sys.exit(code)


def _run() -> int:
    try:
        app()
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # typer makes a 1 of it: a finding, for our callers
            raise end.__context__ from None
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except DeskError as error:
        complain(f"{error}")
        return ExitCode.NOT_POSSIBLE
    except BrokenPipeError:
        raise
    except OSError as error:  # a file or a folder of the caller's: cannot be read, cannot be made, disk full
        complain(f"{error}")
        return ExitCode.NOT_POSSIBLE
    except Exception:  # noqa: BLE001 — Python would answer 1: the work was done and found something
        traceback.print_exc()
        return ExitCode.NOT_POSSIBLE
    return ExitCode.DONE


def _let_output_go() -> None:
    """The reader of our output has had enough: what is still buffered goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDOUT)
    os.close(nowhere)


def _note(code: int, seconds: float) -> None:
    """One line in $DESK_HOME/logs/desk.jsonl, where there is such a folder; the words may hold no secrets."""
    try:
        logs = StackLayout(load_settings(with_stack=False).paths.home).logs
    except DeskError:
        return
    if logs.is_dir():
        log_to_file(logs / "desk.jsonl")
        command = " ".join(sys.argv[1:2])
        _log.info("command", extra={"command": command, "exit_code": int(code), "seconds": round(seconds, 3)})


def _built(name: str, found: typer.Typer | Callable[..., Any]) -> Any:
    command: Any
    if isinstance(found, typer.Typer):
        command = typer.main.get_group(found)
    else:
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        single.command(name, context_settings={"help_option_names": ["-h", "--help"]})(found)
        command = typer.main.get_command(single)
    command.name = name
    return command
