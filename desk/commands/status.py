"""`desk status`: what runs, where, and what waits for a person."""

import json
from typing import Any

import sql
from adapters.configuration import load_settings
from desk.answers import AsJson, ExitCode, complain, finish, print_json, print_table, say
from desk.commands.stack_view import describe, load_errors, show
from desk.reader_sql import ask
from desk.stack.control import current_state
from desk.stack.layout import StackLayout
from trading.errors import DeskError
from trading.settings import Settings

REFUSED_SHOWN = 20


def status(as_json: AsJson = False) -> None:
    """Show the services with their addresses, restarts and logs. Exit code 2 when something is not ready.

    Examples:

        desk status

        desk status --json
    """
    settings = load_settings()
    layout = StackLayout(settings.paths.home)
    state = current_state(layout)
    content: dict[str, Any] = {"home": str(layout.home), "running": state is not None}
    if state is not None:
        content |= describe(state)
        content["load_errors"] = [
            {"location": item.name, "error": item.error} for item in load_errors(content["ui"])
        ]
        content["files_refused"] = _refused_files(settings)
    if as_json:
        print_json(content)
    elif state is None:
        say(f"No stack runs on {layout.home}. Start it with `desk up`.")
    else:
        show(content)
        _show_refused(content["files_refused"])
    for item in content.get("load_errors", []):
        complain(f"code location {item['location']} does not load: {item['error']}")
    healthy = state is not None and state.is_ready and not content["load_errors"]
    finish(ExitCode.DONE if healthy else ExitCode.NOT_POSSIBLE)


def _refused_files(settings: Settings) -> list[dict[str, Any]] | None:
    """Files of the inbox that could not be read, newest first; None where the warehouse cannot say."""
    url = settings.services.warehouse_reader_url
    if url is None:
        return None
    try:
        with ask(url, sql.query("files_refused"), "JSONEachRow", {"rows_max": str(REFUSED_SHOWN)}) as answer:
            return [json.loads(line) for line in answer.lines if line]
    except DeskError:
        return None  # down, or not migrated yet


def _show_refused(files: list[dict[str, Any]] | None) -> None:
    if files:
        rows = [(item["name"], item["event_at"], item["reason"]) for item in files]
        print_table("Refused files: they are tried again when they change", ("file", "at", "reason"), rows)
