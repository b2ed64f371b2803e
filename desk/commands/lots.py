"""`desk lots`: what an account held before the first fill that we know: by a statement or its closings."""

from pathlib import Path
from typing import Annotated

import typer

from adapters.configuration import load_settings
from adapters.ibkr.read_file import read as read_broker_file
from adapters.wiring import ingest_stores, open_warehouse, pnl_stores
from desk.answers import AsJson, ExitCode, as_mapping, complain, finish, print_json, print_table
from trading.errors import InvalidFieldError
from trading.model.fills import Venue
from trading.services.import_lots import LotsReport, import_lots
from trading.services.lots_from_closings import ClosingStores, lots_from_closings

app = typer.Typer(no_args_is_help=True, help="Opening lots: import them, or take the broker's cost.")


@app.callback()
def _group() -> None:
    """Opening lots: import them, or take the broker's cost."""


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="An Activity statement with positions by LOT.")
    ],
    as_json: AsJson = False,
) -> None:
    """Take the open lots of a statement that ends before the first known fill; they are lots, never fills.

    Examples:

        desk lots import activity-2024.xml
    """
    if not file.is_file():
        raise InvalidFieldError("FILE", "a file that exists", str(file))
    settings = load_settings()
    stores = ingest_stores(settings, open_warehouse(settings), "desk")
    reports = import_lots(read_broker_file(file).statements, stores.statements, stores.fills)
    if as_json:
        print_json([as_mapping(report) for report in reports])
    else:
        _show(reports)
    for report in reports:
        if report.left_out:
            complain(f"{report.account}: no usable lots for {', '.join(report.left_out)}")
    finish(ExitCode.DONE)


@app.command("from-closings")
def from_closings(
    account: Annotated[str, typer.Option("--account", help="The account whose closings lack openings.")],
    as_json: AsJson = False,
) -> None:
    """Take the broker's cost at closings whose opening is in no file as their basis; each lot is marked so.

    Until somebody asks for this the difference is a break `missing_history`. Reconcile afterwards.

    Examples:

        desk lots from-closings --account U1000001 && desk reconcile
    """
    warehouse = open_warehouse(load_settings())
    stores = pnl_stores(warehouse)
    asked = ClosingStores(fills=stores.fills, statements=stores.statements, pnl=stores.pnl)
    report = lots_from_closings(asked, Venue.IBKR, account)
    if as_json:
        print_json(as_mapping(report))
    else:
        print_table(
            "", ("account", "lots", "new"), [(account, report.lots, report.new)], right=("lots", "new")
        )
    for reason in report.left_out:
        complain(f"{account}: {reason}")
    finish(ExitCode.DONE)


def _show(reports: tuple[LotsReport, ...]) -> None:
    rows = [(report.account, report.as_of, report.lots, report.new) for report in reports]
    print_table("", ("account", "as of", "lots", "new"), rows, right=("lots", "new"))
