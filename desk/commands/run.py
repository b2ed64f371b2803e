"""`desk run`: the main job, from nothing to proved books and a running UI."""

from pathlib import Path
from typing import Annotated, Any

import typer

import sql
from adapters.clickhouse.client import Warehouse
from adapters.configuration import load_settings
from adapters.wiring import open_warehouse, reconcile_stores
from desk.answers import (
    AsJson,
    ExitCode,
    as_mapping,
    complain,
    finish,
    print_json,
    print_table,
    progress,
    say,
)
from desk.commands.breaks import break_row, show_breaks
from desk.commands.migrate import apply_missing
from desk.commands.pnl import By, pnl_rows, show_pnl
from desk.commands.stack_view import load_errors, ui_url
from desk.commands.up import start_stack
from desk.dagster_api import DagsterApi
from desk.live_part import both, play_live_part, show_live
from desk.main_job import JobReport, copy_into_inbox, run_main_job
from desk.sample_desk import compare_with_journal, write_into_inbox
from simulation.sample_desk import Difference, Journal
from trading.errors import ConfigurationError
from trading.reconciliation.breaks import BreakState
from trading.settings import Settings

DEFAULT_SEED = 7
DIFFERENCES_SHOWN = 20
TOLD = ("files", "total", "new", "duplicates", "corrected", "rejected")


def run(
    inbox: Annotated[
        Path | None, typer.Option("--inbox", metavar="DIR", help="Your own files instead of the sample desk.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of the sample desk.")] = DEFAULT_SEED,
    no_live: Annotated[
        bool, typer.Option("--no-live", help="Leave out the session that is played live after the files.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start the stack, land the files, materialize everything through Dagster, reconcile every session, show
    it.

    Without --inbox the files are those of the sample desk, and the warehouse is compared with its journal
    row for row: its breaks must be exactly the planted ones. Then the session after its month is played by a
    simulated gateway with faults, heard live, and proved in the same way. With --inbox an open break is a
    finding.
    Repeating adds nothing that is not new. The UI is left running; `desk down` stops it.

    Examples:

        desk run

        desk run --inbox ~/statements

        desk run --seed 11 --json
    """
    ui = _ready_ui()
    settings = load_settings()
    warehouse = open_warehouse(settings)
    apply_missing()
    journal = _fill_inbox(settings, inbox, seed)
    with progress(takes_minutes=True) as advance:
        report = run_main_job(settings, warehouse, DagsterApi(ui), advance)
        is_live = journal is not None and not no_live
        live = play_live_part(settings, warehouse, DagsterApi(ui), seed, advance) if is_live else None
    differences = compare_with_journal(journal, warehouse) if journal else ()
    document = _document(settings, warehouse, both(report, live), ui)
    document["journal"] = _compared(journal, differences)
    document["live"] = live.document() if live else None
    if as_json:
        print_json(document)
    else:
        _show(document)
        if live is not None:
            show_live(live)
        say(f"Dagster UI: {ui}")
    for difference in differences[:DIFFERENCES_SHOWN]:
        complain(f"not as the journal has it: {difference}")
    failed = live is not None and not live.is_as_it_should_be
    finish(ExitCode.FINDINGS if failed or _is_unexpected(document) else ExitCode.DONE)


def _ready_ui() -> str:
    state = start_stack().state
    ui = ui_url(state)
    assert ui is not None
    broken = load_errors(ui)
    if broken:
        raise ConfigurationError(f"code location {broken[0].name} does not load: {broken[0].error}")
    return ui


def _fill_inbox(settings: Settings, inbox: Path | None, seed: int) -> Journal | None:
    with progress(takes_minutes=True) as advance:
        if inbox is None:
            advance("writing the sample desk", 0, None)
            return write_into_inbox(settings, seed)
        advance("copying files", 0, None)
        copy_into_inbox(inbox.expanduser().resolve(), settings)
        return None


def _document(settings: Settings, warehouse: Warehouse, report: JobReport, ui: str) -> dict[str, Any]:
    told = warehouse.rows(sql.query("landing_totals"), {"sha256s": list(report.contents)})
    events = reconcile_stores(settings, warehouse).breaks.breaks(
        states=(BreakState.OPEN, BreakState.EXPLAINED)
    )
    return {
        "pnl": pnl_rows(warehouse, By.MONTH),
        "told": told,
        "files": report.files,
        "files_new": report.files_new,
        "files_refused": report.refused,
        "rows_added": dict(report.rows_added),
        "rows": dict(report.rows_after),
        "runs": [{"run_id": run.run_id, "job": run.job, "status": run.status} for run in report.runs],
        "breaks": [break_row(event) for event in events],
        "ui": ui,
    }


def _compared(journal: Journal | None, differences: tuple[Difference, ...]) -> dict[str, Any] | None:
    if journal is None:
        return None
    return {
        "seed": journal.seed,
        "fills": len(journal.fills),
        "arrivals": journal.arrivals,
        "corrected": len(journal.corrected),
        "busted": len(journal.busted),
        "planted": len(journal.planted),
        "expected_breaks": len(journal.expected_breaks),
        "differences": [as_mapping(item) for item in differences],
    }


def _is_unexpected(document: dict[str, Any]) -> bool:
    """With a journal the breaks must be its own; without one, none may be open and no row rejected."""
    if document["journal"] is not None:
        return bool(document["journal"]["differences"])
    is_open = any(row["state"] == BreakState.OPEN.value for row in document["breaks"])
    return is_open or bool(document["files_refused"]) or any(row["rejected_rows"] for row in document["told"])


def _show(document: dict[str, Any]) -> None:
    show_pnl(By.MONTH, document["pnl"])
    rows = [
        (row["venue"], row["kind"], row["files"], row["total"], row["new"], row["duplicates"],
         row["corrected_rows"], row["rejected_rows"])
        for row in document["told"]
    ]  # fmt: skip
    print_table("What the files told when they landed", ("venue", "kind", *TOLD), rows, right=TOLD)
    if document["breaks"]:
        show_breaks("Breaks", document["breaks"])
    _say_what_was_added(document)
    if document["journal"] is not None:
        _say_how_it_compares(document["journal"])


def _say_what_was_added(document: dict[str, Any]) -> None:
    added = {table: count for table, count in document["rows_added"].items() if count}
    if added:
        told = ", ".join(f"{count:+,} {table}" for table, count in added.items())
        say(f"{document['files_new']} of {document['files']} files were new: {told}.")
    else:
        say(f"{document['files_new']} of {document['files']} files were new: nothing was added.")
    if document["files_refused"]:
        say(f"{document['files_refused']} files were refused; why: desk status")


def _say_how_it_compares(journal: dict[str, Any]) -> None:
    say(
        f"The journal: {journal['arrivals']} arrivals of {journal['fills']} fills, "
        f"{journal['corrected']} corrected, {journal['busted']} busted, "
        f"{journal['planted']} planted mistakes, {journal['expected_breaks']} breaks."
    )
    count = len(journal["differences"])
    say(
        "The warehouse equals the journal, row for row."
        if not count
        else f"{count} differences from the journal."
    )
