"""`desk backup` and `desk restore`: the warehouse as one archive with a manifest of row counts."""

from pathlib import Path
from typing import Annotated

import typer

from adapters.clock import SystemClock
from adapters.configuration import load_settings
from adapters.wiring import open_warehouse
from desk.answers import AsJson, ExitCode, as_mapping, complain, finish, print_json, progress, say
from desk.archive import make_archive, restore_archive
from desk.stack.layout import StackLayout


def backup(as_json: AsJson = False) -> None:
    """Write all databases of the warehouse to one archive under $DESK_HOME/backups and count its rows.

    Examples:

        desk backup

        desk backup --json
    """
    settings = load_settings()
    layout = StackLayout(settings.paths.home)
    with progress() as advance:
        made = make_archive(open_warehouse(settings), layout, SystemClock().now(), advance)
    if as_json:
        print_json(as_mapping(made))
    else:
        say(f"{made.file} ({made.bytes:,} bytes, {made.tables} tables, {made.rows:,} rows)")
    finish(ExitCode.DONE)


def restore(
    file: Annotated[Path, typer.Argument(help="An archive that `desk backup` wrote.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop the databases that are there first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring the warehouse back to an archive and check every table's rows against its manifest.

    Examples:

        desk restore .desk/backups/20261120T210000Z.tar

        desk restore --replace /mnt/archive/20261120T210000Z.tar
    """
    settings = load_settings()
    layout = StackLayout(settings.paths.home)
    with progress() as advance:
        restored = restore_archive(open_warehouse(settings), layout, file.resolve(), replace, advance)
    if as_json:
        print_json(as_mapping(restored))
    else:
        say(f"restored {restored.tables} tables, {restored.rows:,} rows from {file}")
    for line in restored.differences:
        complain(line)
    finish(ExitCode.FINDINGS if restored.differences else ExitCode.DONE)
