"""`desk locks`: who may not open positions because of which break."""

import getpass
from typing import Annotated, Any

import typer

from adapters.configuration import load_settings
from adapters.wiring import open_warehouse, reconcile_stores
from desk.answers import AsJson, ExitCode, as_mapping, finish, print_json, print_table, say
from trading.errors import LiveStateUnavailableError
from trading.model.fills import Venue
from trading.reconciliation.locks import LockEvent
from trading.services.entries_allowed import Entry, EntryStores, entries_allowed
from trading.services.reconcile_session import ReconcileStores
from trading.services.rewrite_live_state import rebuild_locks
from trading.services.settle_breaks import lift_lock

COLUMNS = ("lock_id", "scope", "key", "session", "active", "size_base", "reason", "author", "since")

app = typer.Typer(invoke_without_command=True, help="Locks: list, lift, rebuild; may I enter?")


@app.callback()
def locks(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Lifted ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Locks as the warehouse has them, and whether Redis agrees; without a command: the active ones.

    Examples:

        desk locks

        desk locks --all --json
    """
    if context.invoked_subcommand is not None:
        return
    stores = _stores()
    rows = [_row(event) for event in stores.breaks.locks() if event.is_active or everything]
    live = _live_epoch(stores)
    if as_json:
        print_json({"locks": rows, "live_state_epoch": live})
    elif rows:
        print_table("", COLUMNS, [[row[name] for name in COLUMNS] for row in rows], right=("size_base",))
    else:
        say("No locks.")
    if live is None and not as_json:
        say("Redis has no locks epoch: entries are refused until `desk locks rebuild` or a reconciliation.")
    finish(ExitCode.DONE)


@app.command()
def lift(
    lock_id: Annotated[str, typer.Argument(metavar="ID")],
    reason: Annotated[
        str, typer.Option("--reason", help="Why entries are allowed although the break is open.")
    ],
    by: Annotated[str | None, typer.Option("--by", help="Who says so; else your login.")] = None,
    as_json: AsJson = False,
) -> None:
    """Allow entries again although the break is open; said by a named person with a reason.

    Examples:

        desk locks lift 0c4be9d1a2b3c4d5e6f7 --reason "agreed with the broker's desk"
    """
    event = lift_lock(_stores(), lock_id, by or getpass.getuser(), reason)
    if as_json:
        print_json(_row(event))
    else:
        say(f"{event.lock_id} is lifted, says {event.author}.")
    finish(ExitCode.DONE)


@app.command()
def rebuild(as_json: AsJson = False) -> None:
    """Write the warehouse's locks to Redis again, after a flush or a failover.

    Examples:

        desk locks rebuild
    """
    stores = _stores()
    assert stores.live_state is not None
    count = rebuild_locks(stores.live_state, stores.breaks, stores.clock.now())
    if as_json:
        print_json({"locks": count})
    else:
        say(f"{count} locks are in Redis.")
    finish(ExitCode.DONE)


@app.command()
def entries(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT")],
    underlying: Annotated[str, typer.Argument(metavar="UNDERLYING")],
    instrument: Annotated[str, typer.Argument(metavar="INSTRUMENT", help="The conid, else its id.")],
    venue: Annotated[Venue, typer.Option("--venue")] = Venue.IBKR,
    as_json: AsJson = False,
) -> None:
    """Say whether a position may be opened now, and if not why: locks, and whether the books are proved.

    Exit code 1 when it is refused.

    Examples:

        desk locks entries U1000001 SPX 893396239
    """
    settings, stores = load_settings(), _stores()
    assert stores.live_state is not None
    asked = EntryStores(live_state=stores.live_state, breaks=stores.breaks, fills=stores.fills)
    entry = Entry(venue=venue, account=account, underlying=underlying, instrument=instrument)
    answer = entries_allowed(entry, stores.clock.now(), asked, settings.reconciliation)
    if as_json:
        print_json(as_mapping(answer))
    else:
        say("Entries are allowed." if answer.allowed else f"Refused: {answer.reason}.")
    finish(ExitCode.DONE if answer.allowed else ExitCode.FINDINGS)


def _stores() -> ReconcileStores:
    settings = load_settings()
    return reconcile_stores(settings, open_warehouse(settings))


def _live_epoch(stores: ReconcileStores) -> str | None:
    try:
        return stores.live_state.locks_epoch() if stores.live_state else None
    except LiveStateUnavailableError:
        return None


def _row(event: LockEvent) -> dict[str, Any]:
    return {
        "lock_id": event.lock_id,
        "scope": event.scope.value,
        "key": event.scope_key,
        "session": event.session,
        "active": event.is_active,
        "size_base": event.size_base,
        "reason": event.reason,
        "author": event.author,
        "since": event.event_at,
        "break_id": event.break_id,
    }
