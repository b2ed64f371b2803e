"""`desk up`: start the embedded stack and wait until it is ready."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

import typer

from adapters.configuration import load_settings
from adapters.configuration.environment import process_environment
from desk.answers import AsJson, ExitCode, complain, finish, print_json, progress, say
from desk.commands.migrate import apply_missing
from desk.commands.stack_view import describe, load_errors, show, ui_url, watcher
from desk.dagster_api import DagsterApi
from desk.stack.control import UpReport, bring_up
from desk.stack.warehouse import NAME as WAREHOUSE

ASK_FOR_GATEWAY = {"DESK_GATEWAY": "true"}


def up(
    gateway: Annotated[
        bool, typer.Option("--gateway", help="Also the simulated broker, a session with it, and the drain.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Start warehouse, Redis and Dagster on this machine, or what of it is missing; safe to repeat.

    A broker session and its drain run beside them where BROKER_HOST names a gateway, or with --gateway.
    A warehouse that is started here gets its schema; one that lives elsewhere waits for `desk migrate`.

    Examples:

        desk up

        desk up --gateway

        BROKER_HOST=127.0.0.1 BROKER_PORT=4002 desk up    (a gateway of the broker's own)

        CLICKHOUSE_URL=http://writer:password@host:8123 desk up    (no warehouse is started here)

        DESK_HOME=/tmp/second desk up    (a second stack, side by side)
    """
    report = start_stack(ASK_FOR_GATEWAY if gateway else {})
    content = {
        **describe(report.state),
        "was_running": report.was_running,
        "seconds": round(report.seconds, 2),
    }
    if WAREHOUSE not in report.state.external:
        content["migrations_applied"] = list(apply_missing().applied)
    broken = load_errors(ui_url(report.state))
    content["load_errors"] = [{"location": item.name, "error": item.error} for item in broken]
    if as_json:
        print_json(content)
    else:
        show(content)
        say("The stack was up already." if report.was_running else f"Up after {report.seconds:.1f} s.")
    for item in broken:
        complain(f"code location {item.name} does not load: {item.error}")
    finish(ExitCode.NOT_POSSIBLE if broken else ExitCode.DONE)


def start_stack(more: Mapping[str, str] = MappingProxyType({})) -> UpReport:
    """Bring the stack up with a progress bar; `more` is added to the environment.

    A stack that was not running has no process of a run: runs that look as if they worked were killed with
    the stack before, and are given up, so that their work is asked for again.
    """
    environment = {**process_environment(), **more}
    with progress() as advance:
        report = bring_up(load_settings(environment, with_stack=False), environment, watcher(advance))
    url = ui_url(report.state)
    if url and not report.was_running:
        for run in DagsterApi(url).give_up_runs_before(report.state.supervisor.started_at):
            complain(f"run {run.run_id} of {run.job} was killed with the stack; it is given up")
    return report
