"""`desk breaks`: what differs from the broker's record, and what people say about it."""

import getpass
from typing import Annotated, Any

import typer

from adapters.configuration import load_settings
from adapters.wiring import open_warehouse, reconcile_stores
from desk.answers import AsJson, ExitCode, finish, print_json, print_table, say
from desk.days import EARLIEST, LATEST, day_of
from trading.errors import InvalidFieldError
from trading.reconciliation.breaks import BreakEvent, BreakState
from trading.services.reconcile_session import ReconcileStores
from trading.services.settle_breaks import close_break, explain_break
from trading.settings import Settings

COLUMNS = (
    "break_id", "state", "account", "session", "kind", "about", "ours", "theirs", "difference", "unit",
    "cause", "note",
)  # fmt: skip
RIGHT = ("ours", "theirs", "difference")
PREFIX_MIN = 4  # characters of a break's id that are enough when they name one break

BreakId = Annotated[str, typer.Argument(metavar="ID", help="A break's id or an unambiguous beginning of it.")]
Note = Annotated[str, typer.Option("--note", help="The reason, in words.")]
By = Annotated[str | None, typer.Option("--by", help="Who says so; else your login.")]

app = typer.Typer(invoke_without_command=True, help="Breaks: list, explain, close.")


@app.callback()
def breaks(context: typer.Context, as_json: AsJson = False) -> None:
    """Differences from the broker's record; without a command: those that are not closed.

    Examples:

        desk breaks

        desk breaks explain 3f2a --note "fee of September, booked late"
    """
    if context.invoked_subcommand is None:
        list_breaks(as_json=as_json)


@app.command("list")
def list_breaks(
    state: Annotated[list[BreakState] | None, typer.Option("--state", help="May be repeated.")] = None,
    account: Annotated[str | None, typer.Option("--account")] = None,
    session: Annotated[str | None, typer.Option("--session", metavar="YYYY-MM-DD")] = None,
    as_json: AsJson = False,
) -> None:
    """List breaks. Exit code 1 when one of them is open.

    Examples:

        desk breaks list --state open --json

        desk breaks list --account U1000001 --session 2026-11-02
    """
    settings = load_settings()
    day = day_of(session, "--session") if session else None
    found = _stores(settings).breaks.breaks(
        account=account,
        start=day or EARLIEST,
        end=day or LATEST,
        states=state or (BreakState.OPEN, BreakState.EXPLAINED),
    )
    rows = [break_row(event) for event in found]
    if as_json:
        print_json(rows)
    elif rows:
        show_breaks("", rows)
    else:
        say("No breaks.")
    still_open = any(event.state is BreakState.OPEN for event in found)
    finish(ExitCode.FINDINGS if still_open else ExitCode.DONE)


@app.command()
def explain(break_id: BreakId, note: Note, by: By = None, as_json: AsJson = False) -> None:
    """Say why a break is there; its lock is lifted.

    Examples:

        desk breaks explain 3f2a --note "the broker booked the fee a day late"
    """
    settings = load_settings()
    stores = _stores(settings)
    whole = _whole_id(stores, break_id)
    _tell(explain_break(stores, settings.reconciliation, whole, by or getpass.getuser(), note), as_json)


@app.command()
def close(break_id: BreakId, note: Note, by: By = None, as_json: AsJson = False) -> None:
    """Close a break; the next check opens it again when the difference is still there.

    Examples:

        desk breaks close 3f2a --note "corrected by the broker" --by "A. Name"
    """
    settings = load_settings()
    stores = _stores(settings)
    whole = _whole_id(stores, break_id)
    _tell(close_break(stores, settings.reconciliation, whole, by or getpass.getuser(), note), as_json)


def break_row(event: BreakEvent) -> dict[str, Any]:
    """A break as plain values."""
    found = event.found
    return {
        "break_id": event.break_id,
        "state": event.state.value,
        "venue": found.venue.value,
        "account": found.account,
        "session": found.session,
        "kind": found.kind.value,
        "about": found.instrument_id or found.currency,
        "conid": found.conid,
        "currency": found.currency,
        "ours": found.ours,
        "theirs": found.theirs,
        "difference": found.difference,
        "difference_base": found.difference_base,
        "unit": found.unit.value,
        "cause": found.cause or None,
        "note": found.note or None,
        "pass": event.made_in.value,
        "author": event.author,
    }


def show_breaks(title: str, rows: list[dict[str, Any]]) -> None:
    """A table of breaks; the ids are cut to what names them."""
    shown = [{**row, "break_id": row["break_id"][:8]} for row in rows]
    print_table(title, COLUMNS, [[_trimmed(row[name]) for name in COLUMNS] for row in shown], right=RIGHT)


def _trimmed(value: Any) -> Any:
    """A figure without the zeros that its column stores."""
    text = format(value, "f") if hasattr(value, "as_tuple") else value
    return text.rstrip("0").rstrip(".") if hasattr(value, "as_tuple") and "." in text else text


def _stores(settings: Settings) -> ReconcileStores:
    return reconcile_stores(settings, open_warehouse(settings))


def _whole_id(stores: ReconcileStores, beginning: str) -> str:
    if len(beginning) < PREFIX_MIN:
        raise InvalidFieldError("ID", f"at least {PREFIX_MIN} characters", beginning)
    fits = [event.break_id for event in stores.breaks.breaks() if event.break_id.startswith(beginning)]
    if len(fits) != 1:
        raise InvalidFieldError("ID", f"the beginning of one break's id, it fits {len(fits)}", beginning)
    return fits[0]


def _tell(event: BreakEvent, as_json: bool) -> None:
    if as_json:
        print_json(break_row(event))
    else:
        say(f"{event.break_id[:8]} is {event.state.value}, says {event.author}.")
    finish(ExitCode.DONE)
