"""`desk fills ingest`: take the fills of files into the warehouse, each exactly once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.configuration import load_settings
from adapters.wiring import ingest_stores, open_warehouse
from desk.answers import Advance, AsJson, ExitCode, complain, finish, print_json, print_table, progress
from desk.venue_files import check_file, read_venue_file
from trading.model.fills import Venue
from trading.services.ingest_fills import IngestReport, SourceFile, ingest_fills

COUNTS = ("total", "new", "duplicates", "corrected", "rejected")

app = typer.Typer(no_args_is_help=True, help="Fills: take them from files.")


@app.callback()
def _group() -> None:
    """Fills: take them from files."""


@app.command()
def ingest(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Statements or exports.")],
    venue: Annotated[Venue, typer.Option("--venue", help="Who wrote the files.")],
    account: Annotated[
        str, typer.Option("--account", help="The account's name, where the venue's files do not say it.")
    ] = "main",
    as_json: AsJson = False,
) -> None:
    """Store what is new in the files; repeats and overlaps change nothing. Exit code 1 when a row was
    rejected.

    With --json the last line of stdout is one object: total = new + duplicates + corrected + rejected, the
    first and last fill's time, the age, and the same for each file.

    Examples:

        desk fills ingest --venue ibkr activity.xml today.xml

        desk fills ingest --venue kalshi --account main fills.json --json
    """
    for path in files:
        check_file(path)
    settings = load_settings()
    stores = ingest_stores(settings, open_warehouse(settings), "desk")
    with progress() as advance:
        report = ingest_fills(_read(files, venue, account, advance), stores)
    document = report.as_document()
    if as_json:
        print_json(document)
    else:
        _show(document)
    _complain_about(report)
    finish(ExitCode.FINDINGS if report.refused_rows else ExitCode.DONE)


def _read(files: list[Path], venue: Venue, account: str, advance: Advance) -> Iterator[SourceFile]:
    """Files are read while they are stored, so that memory holds one large file or a group of small ones."""
    for number, path in enumerate(files):
        advance(path.name, number, len(files))
        yield read_venue_file(path, venue, account)


def _show(document: dict[str, Any]) -> None:
    rows = [
        [Path(item["file"]).name, *(item[name] for name in COUNTS), item["last_fill_at"]]
        for item in document["files"]
    ]
    if len(rows) > 1:
        rows.append(["all", *(document[name] for name in COUNTS), document["last_fill_at"]])
    print_table("", ("file", *COUNTS, "last fill"), rows, right=COUNTS)


def _complain_about(report: IngestReport) -> None:
    for file in report.files:
        for warning in file.warnings:
            complain(f"{Path(file.file).name}: {warning}")
    if report.refused_rows:
        complain(f"rejected: {report.refused_rows}; why: desk sql 'select * from audit.rejected_rows'")
