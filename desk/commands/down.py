"""`desk down`: stop the embedded stack."""

from adapters.configuration import load_settings
from desk.answers import AsJson, ExitCode, as_mapping, complain, finish, print_json, say
from desk.stack.control import bring_down


def down(as_json: AsJson = False) -> None:
    """Stop the stack in order, end what is left of it, and check that its ports are free; safe to repeat.

    Examples:

        desk down

        DESK_HOME=/tmp/second desk down
    """
    report = bring_down(load_settings(with_stack=False))
    if as_json:
        print_json(as_mapping(report))
    elif not report.was_running and not report.leftovers_ended:
        say("Nothing was running.")
    else:
        say("Down.")
    if report.ports_still_open:
        complain(f"still listening on ports {list(report.ports_still_open)}: another program has taken them")
    finish(ExitCode.DONE)
