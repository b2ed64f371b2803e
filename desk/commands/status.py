"""`desk status`: what runs, where, and what waits for a person."""

from typing import Any

from adapters.configuration import load_settings
from desk.answers import AsJson, ExitCode, complain, finish, print_json, say
from desk.commands.stack_view import describe, load_errors, show
from desk.stack.control import current_state
from desk.stack.layout import StackLayout


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
    if as_json:
        print_json(content)
    elif state is None:
        say(f"No stack runs on {layout.home}. Start it with `desk up`.")
    else:
        show(content)
    for item in content.get("load_errors", []):
        complain(f"code location {item['location']} does not load: {item['error']}")
    healthy = state is not None and state.is_ready and not content["load_errors"]
    finish(ExitCode.DONE if healthy else ExitCode.NOT_POSSIBLE)
